/**
 * Starts the server of a folder with each of several settings in turn, all of which it has to refuse. Run as a process of its own:
 * each line of its input has the settings of one start, and standard error is what the terminal of each would show, with a mark and
 * the exit code behind it. It ends by itself only where none of them left anything open.
 */
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

const [folder = ""] = process.argv.slice(2);
const { runServer } = (await import(
  pathToFileURL(`${folder}/run.ts`).href
)) as typeof import("../../../server/run.ts");
const inherited = { ...process.env };

for (const line of (await text(process.stdin)).split("\n")) {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, inherited, JSON.parse(line));
  const code = await runServer();
  process.stderr.write(`\0${code}\0`);
  // It serves now, and would for ever.
  if (code === 0) process.exit(3);
}
