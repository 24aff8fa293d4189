import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import type { RunningExample } from "./example.ts";

const execute = promisify(execFile);

/** A line of curl of a README, what it says that is answered, and what was. */
export interface Replayed {
  readonly line: string;
  readonly promised: string;
  readonly answered: string;
}

/** Runs the lines of curl in an example's README (a path of the repository), in order, where the example keeps its data. */
export async function replayReadme(path: string, { origin, folder }: RunningExample): Promise<Replayed[]> {
  const readme = await readFile(new URL(`../../../${path}`, import.meta.url), "utf8");
  const replayed: Replayed[] = [];
  for (const [, line = "", promised = ""] of readme.matchAll(/^(curl .*?) +# → (.*)$/gm)) {
    const here = line.replaceAll("localhost:3000", origin.replace("http://", ""));
    const { stdout } = await execute("bash", ["-c", here], { cwd: folder });
    replayed.push({ line, promised, answered: stdout });
  }
  return replayed;
}
