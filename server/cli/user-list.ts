import type { Command } from "commander";
import type { Role, User, UserStatus } from "latchkey";
import type { AccountSearch } from "latchkey/administration";
import { misuse } from "./failure.ts";
import { findUser, userJson } from "./find-user.ts";
import { withAuth } from "./open.ts";
import { minute, tableLines } from "./table.ts";
import type { Terminal } from "./terminal.ts";

interface ListOptions {
  readonly search?: string;
  readonly status?: string;
  readonly role?: string;
  readonly tier?: string;
  readonly superuser?: true;
  readonly limit: string;
  readonly cursor?: string;
  readonly json?: true;
}

/** `latchkey user list | show` */
export function userListCommands(user: Command, terminal: Terminal): void {
  user
    .command("list")
    .description("accounts, the newest first")
    .option("--search <text>", "username or address begins so")
    .option("--status <status>", "active, disabled, deleted or anonymized")
    .option("--role <name>", "who has this role")
    .option("--tier <name>", "who is in this tier")
    .option("--superuser", "superusers alone")
    .option("--limit <n>", "at most this many, up to 200", "50")
    .option("--cursor <text>", "go on where a page ended, as --json shows it")
    .option("--json", "for programs")
    .action((options: ListOptions) => list(terminal, options));
  user
    .command("show")
    .description("one account")
    .argument("<user>", "e-mail address, username or id")
    .option("--json", "for programs")
    .action((typed: string, options: { json?: true }) => show(terminal, typed, options.json === true));
}

const statuses: readonly UserStatus[] = ["active", "disabled", "deleted", "anonymized"];

async function list(terminal: Terminal, options: ListOptions): Promise<void> {
  const search = searchOf(options);
  await withAuth(terminal, async ({ administration }) => {
    let { users, next } = await administration.operator.users(search);
    // A page may be empty where many had to be looked through; the next ones are not.
    while (users.length === 0 && next !== null)
      ({ users, next } = await administration.operator.users({ ...search, after: next }));
    if (options.json === true) return terminal.json({ items: users.map(userJson), next_cursor: next });
    if (users.length === 0) return terminal.say("There are no such accounts.");
    const rows = users.map((each) => [
      ...[each.username, each.email, each.status, rolesOf(each), each.tier ?? "-", minute(each.createdAt)],
      each.id,
    ]);
    terminal.say(...tableLines(["USERNAME", "EMAIL", "STATUS", "ROLES", "TIER", "CREATED", "ID"], rows));
    if (next !== null) terminal.say(`There are more: go on with --cursor ${next}`);
  });
}

function searchOf({ search, status, role, tier, superuser, limit, cursor }: ListOptions): AccountSearch {
  const known = statuses.find((each) => each === status);
  if (status !== undefined && known === undefined) throw misuse(`--status is one of ${statuses.join(", ")}.`);
  return {
    limit: wholeNumber("--limit", limit, 200),
    ...(search !== undefined && { search }),
    ...(known !== undefined && { status: known }),
    ...(role !== undefined && { role: role as Role }),
    ...(tier !== undefined && { tier }),
    ...(superuser === true && { isSuperuser: true }),
    ...(cursor !== undefined && { after: cursor }),
  };
}

async function show(terminal: Terminal, typed: string, isJson: boolean): Promise<void> {
  await withAuth(terminal, async ({ auth }) => {
    const user = await findUser(auth, typed);
    if (isJson) return terminal.json({ user: userJson(user) });
    const lines = Object.entries(userJson(user)).map(([name, value]) => [name, cell(value)]);
    terminal.say(...tableLines(["FIELD", "VALUE"], lines));
  });
}

function cell(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "-" : value.join(", ");
  return value === null ? "-" : String(value);
}

function rolesOf({ isSuperuser, roles }: User): string {
  const all = [...(isSuperuser ? ["superuser"] : []), ...roles];
  return all.length === 0 ? "-" : all.join(", ");
}

/** A number that an option was given. @throws CommanderError where it is none from 1 to `most` */
export function wholeNumber(option: string, text: string, most: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > most) throw misuse(`${option} is a whole number from 1 to ${most}.`);
  return value;
}
