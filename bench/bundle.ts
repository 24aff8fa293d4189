import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import type { Effort } from "./effort.ts";
import { figure, type Row } from "./table.ts";

/** Entry points by what an application would use of Latchkey. */
const entries: Readonly<Record<string, string>> = {
  "sessions and guards, in memory": `export { createAuth, memory, signedIn } from "latchkey";`,
  "sessions, passwords and SQLite": `export { createAuth, passwords, sqlite } from "latchkey";`,
};

/** Minified and compressed size, lazily loaded parts included; the native hash and Node's own modules are not in it. */
export async function bundle(_effort: Effort): Promise<readonly Row[]> {
  return Promise.all(Object.entries(entries).map(([name, contents]) => measure(name, contents)));
}

async function measure(name: string, contents: string): Promise<Row> {
  const { outputFiles } = await build({
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
  });
  const sizes = outputFiles.map(({ contents: code }) => gzipSync(code).length);
  const entry = outputFiles.findIndex(({ path }) => path.endsWith("stdin.js"));
  return {
    bundle: name,
    "loaded at start, kB gzip": figure((sizes[entry] ?? 0) / 1000),
    "in all, kB gzip": figure(sizes.reduce((sum, size) => sum + size, 0) / 1000),
  };
}
