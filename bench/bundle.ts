import { basename } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Metafile } from "esbuild";
import type { Effort } from "./effort.ts";
import { figure, type Row } from "./table.ts";

/** Entry points by what an application would use of Latchkey. */
const entries: Readonly<Record<string, string>> = {
  "verification alone": `export { verifier } from "latchkey/verify";`,
  "sessions and guards, in memory": `export { createAuth, memory, signedIn } from "latchkey";`,
  "sessions, passwords and SQLite": `export { createAuth, passwords, sqlite } from "latchkey";`,
};

/** Minified and compressed size; the native hash and Node's own modules are not in it. */
export async function bundle(_effort: Effort): Promise<readonly Row[]> {
  return Promise.all(Object.entries(entries).map(([name, contents]) => measure(name, contents)));
}

async function measure(name: string, contents: string): Promise<Row> {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: import.meta.dirname, loader: "ts" },
    bundle: true,
    minify: true,
    splitting: true,
    format: "esm",
    platform: "node",
    conditions: ["latchkey-source"],
    external: ["@node-rs/argon2", "bcryptjs", "@zxcvbn-ts/language-common"],
    outdir: "unwritten",
    write: false,
    metafile: true,
  });
  const sizes = new Map(outputFiles.map((file) => [basename(file.path), gzipSync(file.contents).length]));
  const depths = loadDepths(metafile);
  const upTo = (depth: number): string => {
    const loaded = [...depths].filter(([, at]) => at <= depth);
    return figure(loaded.reduce((sum, [file]) => sum + (sizes.get(file) ?? 0), 0) / 1000);
  };
  return {
    bundle: name,
    "loaded at start, kB gzip": upTo(0),
    "in all, kB gzip": upTo(Number.POSITIVE_INFINITY),
  };
}

/** Files that the entry can reach, with the fewest late imports on the way: 0 is loaded at start. What nothing leads to is not loaded. */
function loadDepths({ outputs }: Metafile): ReadonlyMap<string, number> {
  const depths = new Map<string, number>();
  const visit = (path: string, depth: number): void => {
    if ((depths.get(basename(path)) ?? Number.POSITIVE_INFINITY) <= depth) return;
    depths.set(basename(path), depth);
    for (const { path: next, kind, external } of outputs[path]?.imports ?? []) {
      if (!external) visit(next, kind === "dynamic-import" ? depth + 1 : depth);
    }
  };
  for (const path of Object.keys(outputs)) if (basename(path) === "stdin.js") visit(path, 0);
  return depths;
}
