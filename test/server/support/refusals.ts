import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { newFolder, run } from "./child-server.ts";

type Variables = Readonly<Record<string, string>>;

const program = new URL("start-each.ts", import.meta.url);
const thisServer = fileURLToPath(new URL("../../../server", import.meta.url));

/**
 * What the terminal shows for each of these starts, all of which are refused with exit code 1. They happen one after the other in one
 * process, in an empty folder, and that process ends by itself.
 *
 * @param server - the folder of the server; default: this repository's
 * @throws Error where one starts, writes to standard output, or leaves something open for longer than a test has
 */
export async function refusals(
  starts: readonly Variables[],
  server = thisServer,
): Promise<readonly string[]> {
  const folder = await newFolder();
  const settings = starts.map((variables) => JSON.stringify({ PORT: "0", ...variables })).join("\n");
  const { ended, stdout, stderr } = run(program, [server], folder, {}, settings);
  const { code, signal } = await ended;
  await rm(folder, { recursive: true, force: true });
  const told = [...stderr().matchAll(/([^\0]*)\0(\d)\0/g)];
  const areRefused = told.length === starts.length && told.every(([, , exitCode]) => exitCode === "1");
  if (code !== 0 || signal !== null || stdout() !== "" || !areRefused)
    throw new Error(`not all were refused: ${code} ${signal}\n${stdout()}${stderr()}`);
  return told.map(([, said = ""]) => said);
}
