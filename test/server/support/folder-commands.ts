import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { cli } from "../../../server/cli/cli.ts";
import { clean, plainJson, type Terminal } from "../../../server/cli/terminal.ts";
import type { Ran } from "./command.ts";

/** A folder with a database of this test's own, and the command line on it. */
export interface FolderCommands {
  readonly folder: string;
  readonly terminal: Terminal;
  /** Lines that stood on the terminal for a while. */
  readonly shown: readonly string[];
  path(name: string): string;
  run(...args: readonly string[]): Promise<Ran>;
}

/** Makes a folder, and the schema in it. Nobody can be asked. */
export async function folderCommands(env: Readonly<Record<string, string>> = {}): Promise<FolderCommands> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-command-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const written = { out: "", err: "" };
  const shown: string[] = [];
  const terminal: Terminal = {
    environment: {
      SECRET_KEY: "q8Zr1mVt6WxkP0sYd3HuJfLb7NcGeA2T",
      DATABASE_URL: `sqlite://${folder}/latchkey.db`,
      ...env,
    },
    say: (...lines) => {
      written.out += lines.map((line) => `${clean(line)}\n`).join("");
    },
    json: (value) => {
      written.out += plainJson(value);
    },
    complain: (...lines) => {
      written.err += lines.map((line) => `${clean(line)}\n`).join("");
    },
    readAll: async () => "",
    during: (work) => work((line) => void shown.push(line)),
    isInteractive: false,
  };
  const run = async (...args: readonly string[]): Promise<Ran> => {
    Object.assign(written, { out: "", err: "" });
    return { code: await cli(args, terminal), ...written };
  };
  const made = await run("migrate", "up");
  if (made.code !== 0) throw new Error(made.err);
  return { folder, terminal, shown, run, path: (name) => join(folder, name) };
}
