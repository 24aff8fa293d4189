// Compiles both packages file to file: src/ to dist/, server/ to server/dist/. What is not TypeScript is copied beside.

import { spawnSync } from "node:child_process";
import { cpSync, globSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const compiler = join(root, "node_modules", "typescript7", "bin", "tsc");
const NOT_CODE = { exclude: ["**/*.ts", "**/*.md", "**/*.json", "dist/**", "node_modules/**"] };

// All of it anew: what the compiler has noted of the last time goes with what it wrote.
const last = [
  "dist",
  "server/dist",
  ...["core", "server"].map((name) => `node_modules/.cache/${name}.tsbuildinfo`),
];
for (const path of last) rmSync(join(root, path), { recursive: true, force: true });
// One after the other: an error in the core would come back as a hundred in the server. Threads would each find out the same
// types, which takes half as much again.
for (const project of ["tsconfig.build.json", "server/tsconfig.build.json"]) {
  const command = [compiler, "-b", "--singleThreaded", project];
  const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(1);
}
copyAssets("src", "dist");
copyAssets("server", "server/dist");

function copyAssets(from, to) {
  const source = join(root, from);
  for (const entry of globSync("**/*.*", { cwd: source, withFileTypes: true, ...NOT_CODE })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    cpSync(file, join(root, to, file.slice(source.length)));
  }
}
