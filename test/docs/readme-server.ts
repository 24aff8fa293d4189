import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { firstProgram } from "../package/readme.ts";
import { root } from "./documents.ts";
import type { PageServer } from "./servers.ts";

const announcing = pathToFileURL(join(root, "test/package/announce-listening.mjs")).href;

/** The first program of the README, run by itself; only its port is another. */
export async function readmeServer(folder: string): Promise<PageServer> {
  const program = firstProgram(await readFile(join(root, "README.md"), "utf8")) ?? "";
  // Within the package, so that its name leads to it.
  await mkdir(join(root, ".blocks"), { recursive: true });
  const file = join(root, ".blocks", `readme-${process.pid}.ts`);
  await writeFile(file, program.replace("listen(3000)", "listen(0)"));
  const args = ["--conditions=latchkey-source", "--import", announcing, file];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  return {
    port: await portOf(child.stdout),
    async stop() {
      child.kill("SIGTERM");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      await rm(file);
    },
  };
}

async function portOf(output: NodeJS.ReadableStream): Promise<number> {
  for await (const line of createInterface({ input: output })) {
    const port = /^listening on port (\d+)$/.exec(line)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error("the program ended before it listened");
}
