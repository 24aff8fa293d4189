import type { Command } from "commander";
import { findUser } from "./find-user.ts";
import { withAuth } from "./open.ts";
import type { Terminal } from "./terminal.ts";

/** `latchkey unlock` */
export function unlockCommand(program: Command, terminal: Terminal): void {
  program
    .command("unlock")
    .description("let somebody sign in by password again whom failed sign-ins made wait")
    .argument("<user>", "e-mail address, username or id")
    .option("--json", "for programs")
    .action(async (typed: string, options: { json?: true }) => {
      await withAuth(terminal, async ({ auth, administration }) => {
        const user = await findUser(auth, typed);
        const failures = await administration.operator.unlock(user.id);
        if (options.json === true) return terminal.json({ forgotten_failures: failures });
        terminal.say(`${user.username} can sign in again.`);
      });
    });
}
