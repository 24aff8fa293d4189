import type { Command } from "commander";
import type { SessionInfo } from "latchkey";
import { CommandFailure, misuse } from "./failure.ts";
import { findUser } from "./find-user.ts";
import { withAuth } from "./open.ts";
import { minute, tableLines } from "./table.ts";
import type { Terminal } from "./terminal.ts";

/** `latchkey session list | revoke` */
export function sessionCommands(program: Command, terminal: Terminal): void {
  const session = program.command("session").description("sign-ins");
  session
    .command("list")
    .description("the live sessions of a user, most recently used first")
    .argument("<user>", "e-mail address, username or id")
    .option("--json", "for programs")
    .action((typed: string, options: { json?: true }) => list(terminal, typed, options.json === true));
  session
    .command("revoke")
    .description("end a session at once, also in a running server")
    .argument("<user>", "e-mail address, username or id")
    .argument("[id]", "of one session, as `session list` shows it")
    .option("--all", "every session, and every sign-in under way")
    .option("--json", "for programs")
    .action((typed: string, id: string | undefined, options: RevokeOptions) =>
      revoke(terminal, typed, id, options),
    );
}

interface RevokeOptions {
  readonly all?: true;
  readonly json?: true;
}

async function list(terminal: Terminal, typed: string, isJson: boolean): Promise<void> {
  await withAuth(terminal, async ({ auth, settings }) => {
    const isComplete = settings.sessionStorage === "stateful";
    const user = await findUser(auth, typed);
    const sessions = await auth.sessions.list(user.id);
    if (!isComplete) terminal.complain(heldByCookies);
    if (isJson) return terminal.json({ items: sessions.map(sessionJson) });
    if (sessions.length === 0)
      return terminal.say(`${user.username} has no sessions${isComplete ? "" : " in the store"}.`);
    const rows = sessions.map((each) => [
      ...[each.id, minute(each.createdAt), minute(each.lastUsedAt), minute(each.expiresAt)],
      ...[each.ip ?? "-", each.userAgent ?? "-"],
    ]);
    terminal.say(...tableLines(["ID", "SIGNED IN", "LAST USED", "EXPIRES", "IP", "USER AGENT"], rows));
  });
}

async function revoke(
  terminal: Terminal,
  typed: string,
  id: string | undefined,
  options: RevokeOptions,
): Promise<void> {
  if ((id === undefined) !== (options.all === true)) throw misuse("Name one session, or write --all.");
  await withAuth(terminal, async ({ auth, settings }) => {
    const user = await findUser(auth, typed);
    const areInCookies = settings.sessionStorage === "stateless";
    const count = id === undefined ? await auth.sessions.revokeAll(user.id) : await revokeOne(user.id, id);
    if (options.json === true) return terminal.json({ ended: count });
    const ended = `${count} ${count === 1 ? "session" : "sessions"}`;
    terminal.say(
      areInCookies && id === undefined
        ? `Ended every session of ${user.username}: ${ended} in the store, and all that cookies hold, which nobody counts.`
        : `Ended ${ended} of ${user.username}.`,
    );

    async function revokeOne(userId: string, sessionId: string): Promise<number> {
      if (await auth.sessions.revoke(userId, sessionId)) return 1;
      if (areInCookies) terminal.complain(heldByCookies);
      throw new CommandFailure(
        `${user.username} has no session ${sessionId}${areInCookies ? " in the store" : ""}.`,
      );
    }
  });
}

// A list that lacks them must not pass for all there is.
const heldByCookies =
  "Cookies hold the sessions of browsers (SESSION_STORAGE=stateless): they are not listed and do not end one by one. `session revoke <user> --all` ends them all.";

function sessionJson(session: SessionInfo): Readonly<Record<string, unknown>> {
  return {
    id: session.id,
    created_at: session.createdAt.toISOString(),
    last_used_at: session.lastUsedAt.toISOString(),
    expires_at: session.expiresAt.toISOString(),
    idle_expires_at: session.idleExpiresAt.toISOString(),
    ip: session.ip,
    user_agent: session.userAgent,
    impersonated: session.amr.includes("imp"),
  };
}
