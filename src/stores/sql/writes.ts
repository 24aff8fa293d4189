import { isExpired, type Session } from "../../domain/session.ts";
import type { User } from "../../domain/user.ts";
import type { Committed, Refusal, Report, Write } from "../../ports/store.ts";
import { familyRow } from "../refresh.ts";
import { passwordRow, type SessionRow, sessionOf, sessionRow, userOf, userRow } from "../rows.ts";
import { changedUser, erasedUser } from "../user-changes.ts";
import { credentialHandlers } from "./credential-writes.ts";
import { peopleHandlers } from "./people-writes.ts";
import type { Handler, Handlers, SqlRun } from "./run.ts";

/** Runs the writes in order, within a transaction that is undone where the answer is not `ok`. */
export async function runWrites(run: SqlRun, writes: readonly Write[]): Promise<Committed> {
  await lock(run, writes);
  for (const write of writes) {
    const refused = await runOne(write, run);
    if (refused !== null) return { ok: false, refused };
  }
  await writeAudit(run);
  return { ok: true, ended: run.ended, reported: run.reported };
}

/** Deletes at most `limit` expired sessions and reports them. */
export async function sweepSessions(run: SqlRun, limit: number, ended: Report): Promise<readonly Session[]> {
  endSessions(run, await run.steps.deleteExpired(run.now.getTime(), limit), ended);
  await writeAudit(run);
  return run.ended;
}

type Kind = Write["kind"];

function runOne<K extends Kind>(
  write: Extract<Write, { kind: K }>,
  run: SqlRun,
): Refusal | null | Promise<Refusal | null> {
  const handler: Handler<K> = handlers[write.kind as K];
  return handler(write, run);
}

/**
 * Locks everything that the list is about before its first write, each list in the same order: two transactions about one
 * user come one after the other, and never wait for each other in a circle.
 */
async function lock(run: SqlRun, writes: readonly Write[]): Promise<void> {
  const kinds = new Set(writes.map(({ kind }) => kind));
  if (writes.some(isAboutLog)) await run.steps.lockDirectory("audit");
  if (kinds.has("directory.require_empty")) await run.steps.lockDirectory("empty");
  if (kinds.has("directory.require_other_superuser")) await run.steps.lockDirectory("superusers");
  const ids = [...new Set(writes.flatMap(lockedUsers))].sort();
  if (ids.length === 0) return;
  for (const id of ids) run.users.set(id, null);
  for (const row of await run.steps.lockUsers(ids)) run.users.set(row[0], userOf(row));
}

// Who begins to follow the log finds what was not dropped by then, and what is dropped later is what they have seen.
function isAboutLog(write: Write): boolean {
  return write.kind === "audit.checkpoint" || (write.kind === "cursor.move" && write.from === null);
}

// Sessions are locked through their owner, so that "end all sessions" misses none that another transaction is about to add.
function lockedUsers(write: Write): readonly string[] {
  if ("session" in write) return write.session.userId === null ? [] : [write.session.userId];
  const isAbout = write.kind !== "session.delete" && "userId" in write;
  return isAbout ? [write.userId] : [];
}

const handlers: Handlers = {
  ...credentialHandlers,
  ...peopleHandlers,

  "user.require": ({ userId, generation }, { users }) => {
    const user = users.get(userId);
    return user?.status === "active" && user.generation === generation ? null : "stale";
  },

  "user.insert": async ({ user }, run) => {
    const refused = await run.steps.insertUser(userRow(user));
    if (refused === null) run.users.set(user.id, user);
    return refused;
  },

  "user.update": ({ userId, version, changes }, run) => {
    const user = run.users.get(userId) ?? null;
    return user?.version === version ? update(run, changedUser(user, changes, run.now)) : "conflict";
  },

  "user.advance": ({ userId, from }, run) => {
    const user = run.users.get(userId) ?? null;
    if (user?.generation !== from) return "stale";
    return update(run, { ...changedUser(user, {}, run.now), generation: from + 1 });
  },

  "user.erase": async ({ userId, requires }, run) => {
    const user = run.users.get(userId) ?? null;
    if (requires === "deleted" && user?.status !== "deleted") return "conflict";
    if (user === null) return null;
    await writeAudit(run);
    await run.steps.deletePasswords(userId);
    await run.steps.deleteCredentials(userId);
    await run.steps.deleteMailTo(userId);
    await run.steps.deletePersonal(userId);
    return update(run, erasedUser(user, run.now));
  },

  "directory.require_empty": async (_, { steps }) =>
    (await steps.hasAnyUser()) ? "first_user_exists" : null,

  "directory.require_other_superuser": async ({ userId }, { steps, users }) => {
    const user = users.get(userId);
    if (!user?.isSuperuser || user.status !== "active") return null;
    return (await steps.hasOtherSuperuser(userId)) ? null : "last_superuser";
  },

  "password.insert": async ({ credential }, { steps }) =>
    (await steps.insertPassword(passwordRow(credential))) ? null : "conflict",

  "password.replace": async ({ credential }, { steps }) =>
    (await steps.replacePassword(passwordRow(credential))) ? null : "conflict",

  "session.insert": (write, run) => insertSession(run, write),

  "session.replace": async ({ replaces, ended, session, ...rest }, run) => {
    const [before] = endSessions(run, await run.steps.deleteSession(replaces, null), ended);
    const data = before !== undefined && handsOver(before, session, run) ? before.data : session.data;
    return insertSession(run, { ...rest, session: { ...session, data } });
  },

  "session.rotate": async ({ from, session }, { steps, now }) => {
    const row = await steps.takeSession(from, session.userId, now.getTime());
    if (row === null) return "conflict";
    const { data } = sessionOf(row);
    await steps.addSession(sessionRow({ ...session, data }), { cap: 0, nowMs: now.getTime() });
    return null;
  },

  "session.delete": async ({ sessionId, userId, ended }, run) => {
    endSessions(run, await run.steps.deleteSession(sessionId, userId ?? null), ended);
    return null;
  },

  "session.delete_all": async ({ userId, except, ended }, run) => {
    endSessions(run, await run.steps.deleteSessions(userId, except), ended);
    return null;
  },

  "session.set_data": async ({ sessionId, dataVersion, data }, { steps, now }) => {
    const change = { sessionId, dataVersion, data: JSON.stringify(data), nowMs: now.getTime() };
    return (await steps.setData(change)) ? null : "conflict";
  },

  "session.refresh": async ({ sessionId, from, family }, { steps, now }) => {
    const change = { sessionId, from, family: familyRow(family), nowMs: now.getTime() };
    return (await steps.refresh(change)) ? null : "conflict";
  },

  "session.revoke": async ({ sessions, requires, ended }, run) => {
    const ids = new Set(await run.steps.insertRevocations(sessions, run.now.getTime()));
    // Each once, even where the list names one twice.
    const fresh = sessions.filter(({ id }) => ids.delete(id));
    if (requires === "all" && fresh.length < sessions.length) return "conflict";
    report(run, fresh, ended);
    return null;
  },

  "revocation.forget": async ({ sessionIds }, { steps }) => {
    await steps.deleteRevocations(sessionIds);
    return null;
  },

  "audit.insert": ({ row }, { audit }) => {
    audit.push(row);
    return null;
  },
};

type NewSession = Pick<Extract<Write, { kind: "session.insert" }>, "session" | "cap" | "evicted">;

async function insertSession(run: SqlRun, { session, cap, evicted }: NewSession): Promise<null> {
  const row = sessionRow(session);
  endSessions(run, await run.steps.addSession(row, { cap, nowMs: run.now.getTime() }), evicted);
  return null;
}

async function update(run: SqlRun, user: User): Promise<Refusal | null> {
  const refused = await run.steps.updateUser(userRow(user));
  if (refused === null) run.users.set(user.id, user);
  return refused;
}

// Whether a session's data is for the one that comes after it: never another user's.
function handsOver(before: Session, { userId }: Session, { now }: SqlRun): boolean {
  return !isExpired(before, now) && (before.userId === null || before.userId === userId);
}

function endSessions(run: SqlRun, rows: readonly SessionRow[], ended: Report): readonly Session[] {
  const sessions = rows.map(sessionOf);
  report(run, sessions, ended);
  return sessions;
}

function report(run: SqlRun, sessions: readonly Session[], ended: Report): void {
  const rows = ended(sessions);
  run.audit.push(...rows);
  run.ended.push(...sessions);
  run.reported.push(...rows);
}

async function writeAudit({ steps, audit }: SqlRun): Promise<void> {
  const rows = audit.splice(0);
  if (rows.length > 0) await steps.insertAudit(rows);
}
