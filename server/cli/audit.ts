import type { Command } from "commander";
import type { AuditRow, EventType } from "latchkey";
import { auditFollowerCommands } from "./audit-followers.ts";
import { auditLogCommands } from "./audit-log.ts";
import { findUser } from "./find-user.ts";
import { withAuth } from "./open.ts";
import { minute, tableLines } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import { timeOf } from "./time-option.ts";
import { wholeNumber } from "./user-list.ts";

interface SearchOptions {
  readonly user?: string;
  readonly type?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly limit: string;
  readonly cursor?: string;
  readonly json?: true;
}

/** `latchkey audit search` */
export function auditCommands(program: Command, terminal: Terminal): void {
  const audit = program.command("audit").description("what was done, by whom and when");
  audit
    .command("search")
    .description("rows of the audit log, newest first")
    .option("--user <user>", "e-mail address, username or id")
    .option("--type <type...>", "of these events: user.logged_in …")
    .option("--from <time>", "from this instant on: 2030-01-01 or 2030-01-01T00:00:00Z")
    .option("--to <time>", "before this instant")
    .option("--limit <n>", "at most this many, up to 200", "50")
    .option("--cursor <text>", "go on where a page ended, as --json shows it")
    .option("--json", "for programs")
    .action((options: SearchOptions) => search(terminal, options));
  auditLogCommands(audit, terminal);
  auditFollowerCommands(audit, terminal);
}

async function search(terminal: Terminal, options: SearchOptions): Promise<void> {
  const { user: typed, type, cursor, json } = options;
  const times = { from: timeOf("--from", options.from), to: timeOf("--to", options.to) };
  const limit = wholeNumber("--limit", options.limit, 200);
  await withAuth(terminal, async ({ auth, administration }) => {
    const userId = typed === undefined ? null : (await findUser(auth, typed)).id;
    const types = type === undefined ? null : (type as EventType[]);
    const wanted = { ...times, userId, types, before: cursor ?? null, limit };
    const { rows, next } = await administration.operator.audit(wanted);
    if (json === true) return terminal.json({ items: rows.map(rowJson), next_cursor: next });
    if (rows.length === 0) return terminal.say("There are no such rows.");
    const lines = rows.map((row) => [
      minute(row.createdAt),
      row.type,
      row.userId ?? "-",
      personal(row, "ip") ?? "-",
      row.payload,
    ]);
    terminal.say(...tableLines(["TIME", "EVENT", "USER", "IP", "PAYLOAD"], lines));
    if (next !== null) terminal.say(`There are more: go on with --cursor ${next}`);
  });
}

function rowJson(row: AuditRow): Readonly<Record<string, unknown>> {
  return {
    id: row.id,
    type: row.type,
    timestamp: row.createdAt.toISOString(),
    user_id: row.userId,
    session_id: row.sessionId,
    request_id: row.requestId,
    ip: personal(row, "ip"),
    user_agent: personal(row, "user_agent"),
    data: JSON.parse(row.payload),
  };
}

function personal(row: AuditRow, field: "ip" | "user_agent"): string | null {
  return row.personal.find((each) => each.field === field)?.value ?? null;
}
