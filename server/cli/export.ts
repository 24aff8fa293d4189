import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import type { Command } from "commander";
import { CommandFailure } from "./failure.ts";
import { withTransfer } from "./open-transfer.ts";
import type { Terminal } from "./terminal.ts";

/** `latchkey export` */
export function exportCommand(program: Command, terminal: Terminal): void {
  program
    .command("export")
    .description("write all accounts into a file, with password hashes, keys' digests and linked accounts")
    .argument("<file>", "lines of JSON; must not be there yet")
    .option("--json", "for programs")
    .action((path: string, options: { json?: true }) => takeOut(terminal, path, options.json === true));
}

async function takeOut(terminal: Terminal, path: string, isJson: boolean): Promise<void> {
  if (await isThere(path)) throw new CommandFailure(`${path} is there already, and stays as it is.`);
  // Under its own name only when it is whole.
  const part = `${path}.part`;
  const handle = await open(part, "wx", 0o600).catch((error: Error) => {
    throw new CommandFailure(`${part} cannot be written: ${error.message}`);
  });
  let count: number;
  try {
    count = await withTransfer(terminal, ({ transfer }) =>
      terminal.during((show) => writeAll(handle, transfer.exportUsers(), show)),
    );
    await handle.sync();
    await handle.close();
    await rename(part, path);
  } catch (error) {
    await handle.close();
    await rm(part, { force: true });
    throw error;
  }
  terminal.complain(
    `Warning: ${path} is as good as the database: it holds every address and every password hash. Keep it so, and delete it when it has done its work.`,
  );
  if (isJson) terminal.json({ exported: count, file: path });
  else terminal.say(`Exported ${count === 1 ? "1 account" : `${count} accounts`} to ${path}`);
}

const linesAtOnce = 100;

async function writeAll(
  handle: FileHandle,
  lines: AsyncIterable<Readonly<Record<string, unknown>>>,
  show: (line: string) => void,
): Promise<number> {
  let [accounts, held] = [0, [] as string[]];
  const flush = async (): Promise<void> => {
    if (held.length > 0) await handle.appendFile(held.join(""));
    held = [];
    show(`${accounts} accounts so far`);
  };
  for await (const line of lines) {
    if (line.kind === "account") accounts += 1;
    held.push(`${JSON.stringify(line)}\n`);
    if (held.length >= linesAtOnce) await flush();
  }
  await flush();
  return accounts;
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
