import { mkdtemp, rm } from "node:fs/promises";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { startChild } from "./child.ts";
import type { Effort } from "./effort.ts";
import { seed, seededToken } from "./seed.ts";
import { figure, median, type Row } from "./table.ts";

const contenders = ["bare", "minimum", "latchkey"];

/**
 * From starting the process to the first answer to a request that carries a session: bundled, as it is deployed, and from the
 * sources as they lie here, where Node strips the types of each file at every start.
 */
export async function coldStart(effort: Effort): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-bench-"));
  const path = join(folder, "cold.db");
  await seed(path, 1_000);
  const programs = new Map<string, string>(contenders.map((name) => [name, bundled(folder, name)]));
  programs.set("latchkey, sources", "contenders/latchkey.ts");
  await bundleInto(folder);
  const figures = new Map<string, number[]>([...programs.keys()].map((name) => [name, []]));
  for (let round = 0; round < effort.rounds * 2; round++) {
    for (const [name, program] of programs) figures.get(name)?.push(await start(program, path));
  }
  await rm(folder, { recursive: true });
  const bare = median(figures.get("bare") ?? []);
  return [...figures].map(([name, taken]) => ({
    "cold start to the first answer": name,
    ms: figure(median(taken)),
    "over bare, ms": figure(median(taken) - bare),
  }));
}

async function bundleInto(folder: string): Promise<void> {
  await build({
    entryPoints: contenders.map((name) => join(import.meta.dirname, "contenders", `${name}.ts`)),
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    conditions: ["latchkey-source"],
    external: ["@node-rs/argon2"],
    outdir: folder,
    // No package.json lies there that would say which kind of module it is.
    outExtension: { ".js": ".mjs" },
  });
}

function bundled(folder: string, name: string): string {
  return pathToFileURL(join(folder, `${name}.mjs`)).href;
}

async function start(program: string, path: string): Promise<number> {
  const startedAt = performance.now();
  const server = await startChild(program, [path]);
  await new Promise<void>((resolve, reject) => {
    const headers = { Cookie: `latchkey=${seededToken(7)}` };
    get(
      { port: server.ready.port, host: "127.0.0.1", path: "/checked", headers, agent: false },
      (response) => {
        if (response.statusCode !== 200) reject(new Error(`${program} answered ${response.statusCode}`));
        response.resume().once("end", () => resolve());
      },
    ).once("error", reject);
  });
  const milliseconds = performance.now() - startedAt;
  await server.stop();
  return milliseconds;
}
