import type { Command } from "commander";
import type { Permission, Role, User } from "latchkey";
import type { RightsChange } from "latchkey/administration";
import { misuse } from "./failure.ts";
import { findUser, userJson } from "./find-user.ts";
import { withAuth } from "./open.ts";
import type { Terminal } from "./terminal.ts";

interface RoleOptions {
  readonly permission?: readonly string[];
  readonly superuser?: true;
  readonly json?: true;
}

/** `latchkey role list | add | remove` */
export function roleCommands(program: Command, terminal: Terminal): void {
  const role = program.command("role").description("what somebody may do");
  role
    .command("list")
    .description("roles and permissions of somebody")
    .argument("<user>", "e-mail address, username or id")
    .option("--json", "for programs")
    .action((typed: string, options: { json?: true }) => list(terminal, typed, options.json === true));
  for (const how of ["add", "remove"] as const) {
    role
      .command(how)
      .description(how === "add" ? "give rights; every session of theirs ends" : "take rights away, at once")
      .argument("<user>", "e-mail address, username or id")
      .argument("[roles...]", "names of roles")
      .option("--permission <name...>", "permissions beside those of roles: resource:action")
      .option("--superuser", "the right to do everything")
      .option("--json", "for programs")
      .action((typed: string, roles: string[], options: RoleOptions) =>
        change(terminal, how, typed, roles, options),
      );
  }
}

async function list(terminal: Terminal, typed: string, isJson: boolean): Promise<void> {
  await withAuth(terminal, async ({ auth }) => {
    tell(terminal, await findUser(auth, typed), isJson);
  });
}

async function change(
  terminal: Terminal,
  how: "add" | "remove",
  typed: string,
  roles: readonly string[],
  { permission = [], superuser, json }: RoleOptions,
): Promise<void> {
  if (roles.length + permission.length === 0 && superuser !== true)
    throw misuse(`Name what to ${how}: roles, --permission or --superuser.`);
  await withAuth(terminal, async ({ auth, administration }) => {
    const { id } = await findUser(auth, typed);
    const wanted = (user: User): RightsChange => ({
      roles: listAfter(how, user.roles, roles) as Role[],
      permissions: listAfter(how, user.permissions, permission) as Permission[],
      ...(superuser === true && { isSuperuser: how === "add" }),
    });
    tell(terminal, await administration.operator.changeRights(id, wanted), json === true);
  });
}

function listAfter(how: "add" | "remove", before: readonly string[], named: readonly string[]): string[] {
  if (how === "remove") return before.filter((name) => !named.includes(name));
  return [...new Set([...before, ...named])];
}

function tell(terminal: Terminal, user: User, isJson: boolean): void {
  if (isJson) {
    terminal.json({ user: userJson(user) });
    return;
  }
  const { username, isSuperuser, roles, permissions } = user;
  const shown = (names: readonly string[]): string => (names.length === 0 ? "none" : names.join(", "));
  terminal.say(`Roles of ${username}: ${shown(roles)}`, `Permissions besides: ${shown(permissions)}`);
  if (isSuperuser) terminal.say("A superuser, who may do everything.");
}
