import { mkdtemp, rm } from "node:fs/promises";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startChild } from "./child.ts";
import type { Effort } from "./effort.ts";
import { seed, seededToken } from "./seed.ts";
import { figure, median, type Row } from "./table.ts";

/** From starting the process to the first answer to a request that carries a session. Sources run unbuilt here, which costs more. */
export async function coldStart(effort: Effort): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-bench-"));
  const path = join(folder, "cold.db");
  await seed(path, 1_000);
  const files = ["bare.ts", "minimum.ts", "latchkey.ts"];
  const figures = new Map<string, number[]>(files.map((file) => [file, []]));
  for (let round = 0; round < effort.rounds * 2; round++) {
    for (const file of files) figures.get(file)?.push(await start(file, path));
  }
  await rm(folder, { recursive: true });
  const bare = median(figures.get("bare.ts") ?? []);
  return files.map((file) => {
    const milliseconds = median(figures.get(file) ?? []);
    return {
      "cold start to the first answer": file.replace(".ts", ""),
      ms: figure(milliseconds),
      "over bare, ms": figure(milliseconds - bare),
    };
  });
}

async function start(file: string, path: string): Promise<number> {
  const startedAt = performance.now();
  const server = await startChild(`contenders/${file}`, [path]);
  await new Promise<void>((resolve, reject) => {
    const headers = { Cookie: `latchkey=${seededToken(7)}` };
    get(
      { port: server.ready.port, host: "127.0.0.1", path: "/checked", headers, agent: false },
      (response) => {
        if (response.statusCode !== 200) reject(new Error(`${file} answered ${response.statusCode}`));
        response.resume().once("end", () => resolve());
      },
    ).once("error", reject);
  });
  const milliseconds = performance.now() - startedAt;
  await server.stop();
  return milliseconds;
}
