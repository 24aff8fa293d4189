import { randomBytes } from "node:crypto";
import type { Command } from "commander";
import type { User } from "latchkey";
import { askFor } from "./ask.ts";
import { CommandFailure, misuse } from "./failure.ts";
import { findUser, userJson } from "./find-user.ts";
import { type Opened, withAuth } from "./open.ts";
import type { Terminal } from "./terminal.ts";
import { userListCommands } from "./user-list.ts";
import { userStateCommands } from "./user-states.ts";

interface CreateOptions {
  readonly email?: string;
  readonly username?: string;
  readonly name?: string;
  readonly superuser?: true;
  readonly passwordStdin?: true;
  readonly json?: true;
}

/** `latchkey user create | set-password`, and the rest of `user` */
export function userCommands(program: Command, terminal: Terminal): void {
  const user = program.command("user").description("accounts");
  user
    .command("create")
    .description("create an account; without --password-stdin a link to choose the password is printed")
    .option("--email <address>", "asked for on a terminal where it is left out")
    .option("--username <name>", "default: u and 8 random characters")
    .option("--name <text>", "as it is shown")
    .option("--superuser", "may do everything")
    .option("--password-stdin", "read the password from standard input, without the line break at its end")
    .option("--json", "for programs")
    .action((options: CreateOptions) => create(terminal, options));
  user
    .command("set-password")
    .description("print a link, for once, with which the user chooses a new password")
    .argument("<user>", "e-mail address, username or id")
    .option("--json", "for programs")
    .action((typed: string, options: { json?: true }) => setPassword(terminal, typed, options.json === true));
  userListCommands(user, terminal);
  userStateCommands(user, terminal);
}

async function create(terminal: Terminal, options: CreateOptions): Promise<void> {
  const { username, name, superuser = false, passwordStdin = false, json = false } = options;
  const email = options.email ?? (await askFor(terminal, "E-mail address"));
  if (email === null) throw misuse("--email is needed where there is nobody to ask.");
  const typed = passwordStdin ? (await terminal.readAll()).replace(/\r?\n$/, "") : null;
  await withAuth(terminal, async (opened) => {
    const { auth } = opened;
    // Nobody ever learns the random one: the link replaces it.
    const password = typed ?? randomBytes(32).toString("base64url");
    const user = await auth.users.create({ email, username, name, password }, { isSuperuser: superuser });
    const link = typed === null ? await resetLink(opened, user) : null;
    if (json) return terminal.json({ user: userJson(user), link });
    terminal.say(
      `Created ${superuser ? "superuser " : ""}${user.email}, username ${user.username}, id ${user.id}`,
    );
    if (link !== null)
      terminal.say("Choose the password with this link; it works once, for 15 minutes:", `  ${link}`);
  });
}

async function setPassword(terminal: Terminal, typed: string, isJson: boolean): Promise<void> {
  await withAuth(terminal, async (opened) => {
    const user = await findUser(opened.auth, typed);
    if (user.status !== "active")
      throw new CommandFailure(`${user.username} is ${user.status} and has no use for a password.`);
    const link = await resetLink(opened, user);
    if (isJson) return terminal.json({ user: userJson(user), link });
    terminal.say(
      `A new password for ${user.email} is chosen with this link; it works once, for 15 minutes:`,
      `  ${link}`,
    );
  });
}

async function resetLink({ auth, linkOrigin }: Opened, user: User): Promise<string> {
  return `${linkOrigin}/reset?token=${await auth.users.issueResetToken(user.id)}`;
}
