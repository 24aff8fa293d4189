import { Command, CommanderError } from "commander";
import { errorText } from "../error-text.ts";
import { apiKeyCommands } from "./api-key.ts";
import { auditCommands } from "./audit.ts";
import { doctorCommand } from "./doctor.ts";
import { exportCommand } from "./export.ts";
import { importCommand } from "./import.ts";
import { migrateCommands } from "./migrate.ts";
import { roleCommands } from "./role.ts";
import { secretCommands } from "./secret.ts";
import { sessionCommands } from "./session.ts";
import { signingKeyCommands } from "./signing-key.ts";
import { sweepCommand } from "./sweep.ts";
import type { Terminal } from "./terminal.ts";
import { tierCommands } from "./tier.ts";
import { unlockCommand } from "./unlock.ts";
import { userCommands } from "./user.ts";

/**
 * Runs one command.
 *
 * @param args - without node and script: `["session", "list", "ann"]`
 * @returns the exit code: 0 done; 1 refused or failed, with a line on standard error; 2 not written as it has to be
 */
export async function cli(args: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode = 0;
  const program = commands(terminal, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has told the person already; what is ours has not been said yet.
      if (error.code === "latchkey.misuse") terminal.complain(`latchkey: ${error.message}`);
      return error.exitCode === 0 ? 0 : 2;
    }
    const [first = "", ...rest] = errorText(error).split("\n");
    terminal.complain(`latchkey: ${first}`, ...rest);
    return 1;
  }
}

function commands(terminal: Terminal, setExitCode: (code: number) => void): Command {
  const program = new Command("latchkey")
    .description(
      "Runs Latchkey's server and looks after its accounts. Settings come from .env and the environment.",
    )
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.say(...text.trimEnd().split("\n")),
      writeErr: (text) => terminal.complain(...text.trimEnd().split("\n")),
    })
    .addHelpText("after", "\nExit codes: 0 done, 1 refused or failed, 2 not written as it has to be.");
  program
    .command("serve")
    .description("start the server; it ends on SIGTERM and Ctrl-C")
    // Loaded here: the other commands need none of it.
    .action(async () => setExitCode(await (await import("../run.ts")).runServer()));
  doctorCommand(program, terminal, setExitCode);
  migrateCommands(program, terminal);
  userCommands(program, terminal);
  roleCommands(program, terminal);
  tierCommands(program, terminal);
  sessionCommands(program, terminal);
  apiKeyCommands(program, terminal);
  unlockCommand(program, terminal);
  auditCommands(program, terminal);
  sweepCommand(program, terminal);
  importCommand(program, terminal);
  exportCommand(program, terminal);
  signingKeyCommands(program, terminal);
  secretCommands(program, terminal);
  return program;
}
