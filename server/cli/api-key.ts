import type { Command } from "commander";
import { apiKeyJson } from "latchkey/administration";
import { findUser } from "./find-user.ts";
import { withAuth } from "./open.ts";
import { minute, tableLines } from "./table.ts";
import type { Terminal } from "./terminal.ts";

/** `latchkey api-key list | revoke` */
export function apiKeyCommands(program: Command, terminal: Terminal): void {
  const key = program.command("api-key").description("keys of programs that act in somebody's name");
  key
    .command("list")
    .description("the keys of a user, newest first")
    .argument("<user>", "e-mail address, username or id")
    .option("--json", "for programs")
    .action((typed: string, options: { json?: true }) => list(terminal, typed, options.json === true));
  key
    .command("revoke")
    .description("end a key at once, also in a running server")
    .argument("<user>", "e-mail address, username or id")
    .argument("<id>", "as `api-key list` shows it")
    .option("--json", "for programs")
    .action((typed: string, id: string, options: { json?: true }) =>
      revoke(terminal, typed, id, options.json === true),
    );
}

async function list(terminal: Terminal, typed: string, isJson: boolean): Promise<void> {
  await withAuth(terminal, async ({ auth, administration }) => {
    const user = await findUser(auth, typed);
    const keys = await administration.operator.apiKeys(user.id);
    if (isJson) return terminal.json({ items: keys.map(apiKeyJson) });
    if (keys.length === 0) return terminal.say(`${user.username} has no API keys.`);
    const rows = keys.map((each) => [
      ...[
        each.id,
        each.name,
        minute(each.createdAt),
        each.lastUsedAt === null ? "never" : minute(each.lastUsedAt),
      ],
      ...[each.expiresAt === null ? "never" : minute(each.expiresAt), each.permissions.join(", ") || "-"],
    ]);
    terminal.say(...tableLines(["ID", "NAME", "CREATED", "LAST USED", "EXPIRES", "PERMISSIONS"], rows));
  });
}

async function revoke(terminal: Terminal, typed: string, id: string, isJson: boolean): Promise<void> {
  await withAuth(terminal, async ({ auth, administration }) => {
    const user = await findUser(auth, typed);
    await administration.operator.revokeApiKey(user.id, id);
    if (isJson) return terminal.json({ revoked: id });
    terminal.say(`Revoked the API key ${id} of ${user.username}.`);
  });
}
