/**
 * Runs several commands of the command line in turn. Run as a process of its own: each line of its input is one of them, its settings
 * and its words. Standard output has a line for each, when it is done: its exit code. The process ends by itself only where none of them
 * left anything open.
 */
import { text } from "node:stream/consumers";
import { cli } from "../../../server/cli/cli.ts";
import { processTerminal } from "../../../server/cli/terminal.ts";

const terminal = { ...processTerminal(), say() {}, json() {} };
for (const line of (await text(process.stdin)).split("\n")) {
  const { environment, args } = JSON.parse(line);
  const code = await cli(args, { ...terminal, environment });
  process.stdout.write(`${code}\n`);
}
