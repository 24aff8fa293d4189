import { AssertionError, deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { ApiKey, ApiKeyChanges } from "../../domain/api-key.ts";
import type { AuditCheckpoint, AuditRow } from "../../domain/audit.ts";
import type { PasswordCredential } from "../../domain/credential.ts";
import type { LinkedAccount, LinkedAccountChanges } from "../../domain/linked-account.ts";
import type { OutboxMail } from "../../domain/outbox.ts";
import type { RefreshFamily } from "../../domain/refresh-family.ts";
import type { Session, SessionBag } from "../../domain/session.ts";
import type { Tier } from "../../domain/tier.ts";
import type { User, UserChanges } from "../../domain/user.ts";
import type { FoundSession } from "../../ports/session-store.ts";
import type { Committed, Refusal, Report, Write } from "../../ports/store.ts";
import type { Stores } from "../../ports/stores.ts";
import type { Trial } from "./trial.ts";

/** A report without rows. */
export const silent: Report = () => [];

/** Short spellings of the writes that rules use over and over. */
export const write = {
  require: ({ id, generation }: User): Write => ({ kind: "user.require", userId: id, generation }),
  user: (user: User): Write => ({ kind: "user.insert", user }),
  update: ({ id, version }: User, changes: UserChanges): Write => ({
    kind: "user.update",
    userId: id,
    version,
    changes,
  }),
  advance: ({ id, generation }: User): Write => ({ kind: "user.advance", userId: id, from: generation }),
  password: (credential: PasswordCredential): Write => ({ kind: "password.insert", credential }),
  apiKey: (key: ApiKey): Write => ({ kind: "api_key.insert", key }),
  updateKey: ({ id, userId, version }: ApiKey, changes: ApiKeyChanges): Write => ({
    kind: "api_key.update",
    keyId: id,
    userId,
    version,
    changes,
  }),
  deleteKey: ({ id, userId }: ApiKey): Write => ({ kind: "api_key.delete", keyId: id, userId }),
  link: (account: LinkedAccount): Write => ({ kind: "linked_account.insert", account }),
  updateLink: ({ id, version }: LinkedAccount, changes: LinkedAccountChanges): Write => ({
    kind: "linked_account.update",
    accountId: id,
    version,
    changes,
  }),
  unlink: ({ id, userId }: LinkedAccount): Write => ({
    kind: "linked_account.delete",
    accountId: id,
    userId,
  }),
  session: (session: Session, cap = 0, evicted: Report = silent): Write => ({
    kind: "session.insert",
    session,
    cap,
    evicted,
  }),
  replace: (
    replaces: string,
    session: Session,
    { cap = 0, ended = silent, evicted = silent }: { cap?: number; ended?: Report; evicted?: Report } = {},
  ): Write => ({ kind: "session.replace", replaces, ended, session, cap, evicted }),
  rotate: (from: string, session: Session): Write => ({ kind: "session.rotate", from, session }),
  setData: ({ id, dataVersion }: Pick<Session, "id" | "dataVersion">, data: SessionBag): Write => ({
    kind: "session.set_data",
    sessionId: id,
    dataVersion,
    data,
  }),
  refresh: ({ id, refresh }: Pick<Session, "id" | "refresh">, family: RefreshFamily): Write => ({
    kind: "session.refresh",
    sessionId: id,
    from: refresh?.number ?? null,
    family,
  }),
  end: (sessionId: string, ended: Report = silent): Write => ({ kind: "session.delete", sessionId, ended }),
  endAll: (userId: string, except: string | null = null, ended: Report = silent): Write => ({
    kind: "session.delete_all",
    userId,
    except,
    ended,
  }),
  erase: (userId: string, requires: "deleted" | "any" = "any"): Write => ({
    kind: "user.erase",
    userId,
    requires,
  }),
  audit: (row: AuditRow): Write => ({ kind: "audit.insert", row }),
  checkpoint: (checkpoint: AuditCheckpoint): Write => ({ kind: "audit.checkpoint", checkpoint }),
  move: (name: string, from: number | null, to: number): Write => ({ kind: "cursor.move", name, from, to }),
  unfollow: (name: string): Write => ({ kind: "cursor.delete", name }),
  tier: (tier: Tier): Write => ({ kind: "tier.insert", tier }),
  updateTier: ({ name, version }: Tier, limits: Tier["limits"]): Write => ({
    kind: "tier.update",
    name,
    version,
    limits,
  }),
  deleteTier: (name: string): Write => ({ kind: "tier.delete", name }),
  requireTier: (name: string): Write => ({ kind: "tier.require", name }),
  mail: (mail: OutboxMail): Write => ({ kind: "mail.insert", mail }),
  unsend: ({ id: mailId }: Pick<OutboxMail, "id">): Write => ({ kind: "mail.delete", mailId }),
} as const;

/** Commits writes that must be accepted. */
export async function committed(
  trial: Trial,
  writes: readonly Write[],
  stores: Stores = trial.stores,
): Promise<Extract<Committed, { ok: true }>> {
  const result = await stores.directory.commit(writes, trial.call());
  if (!result.ok)
    throw new AssertionError({ message: `the store refused what it has to accept: ${result.refused}` });
  return result;
}

/** Commits writes that must be refused, for this reason. */
export async function refused(trial: Trial, writes: readonly Write[], reason: Refusal): Promise<void> {
  const result = await trial.stores.directory.commit(writes, trial.call());
  deepStrictEqual({ ...result }, { ok: false, refused: reason });
}

/** A user in the directory. */
export async function addUser(trial: Trial, overrides: Partial<User> = {}): Promise<User> {
  const user = trial.make.user(overrides);
  await committed(trial, [write.user(user)]);
  return user;
}

/** An API key in the directory. */
export async function addApiKey(
  trial: Trial,
  user: Pick<User, "id">,
  overrides: Partial<ApiKey> = {},
): Promise<ApiKey> {
  const key = trial.make.apiKey(user, overrides);
  await committed(trial, [write.apiKey(key)]);
  return key;
}

/** A linked account in the directory. */
export async function addLinkedAccount(
  trial: Trial,
  user: Pick<User, "id">,
  overrides: Partial<LinkedAccount> = {},
): Promise<LinkedAccount> {
  const account = trial.make.linkedAccount(user, overrides);
  await committed(trial, [write.link(account)]);
  return account;
}

/** A session in the store; of a visitor for null. */
export async function addSession(
  trial: Trial,
  user: User | null,
  overrides: Partial<Session> = {},
): Promise<Session> {
  const session = trial.make.session(user, overrides);
  await committed(trial, [write.session(session)]);
  return session;
}

/** What the session store says of one id. */
export async function found(
  trial: Trial,
  id: string,
  stores: Stores = trial.stores,
): Promise<FoundSession | null> {
  const answers = await stores.sessions.find([id], trial.call());
  strictEqual(answers.length, 1, "find answers each id at its position");
  return answers[0] ?? null;
}

/** The session behind an id, which must be there and unexpired. */
export async function live(trial: Trial, id: string, stores: Stores = trial.stores): Promise<Session> {
  const answer = await found(trial, id, stores);
  ok(answer !== null && !answer.expired, "the session is there and unexpired");
  return answer.session;
}

/** Whether a check would let this session in: there, unexpired, of an active user and of that user's generation. */
export function isAccepted(answer: FoundSession | null): boolean {
  if (answer === null || answer.expired || answer.user === null) return false;
  return answer.user.status === "active" && answer.user.generation === answer.session.generation;
}

/** Ids of a user's sessions as `list` gives them. */
export async function listed(
  trial: Trial,
  userId: string,
  stores: Stores = trial.stores,
): Promise<readonly string[]> {
  const sessions = await stores.sessions.list(userId, trial.call());
  return sessions.map(({ id }) => id);
}

/** How many results were accepted; all others must have been refused for this reason. */
export function winners(results: readonly Committed[], reason: Refusal): number {
  for (const result of results) if (!result.ok) strictEqual(result.refused, reason);
  return results.filter((result) => result.ok).length;
}

/** Ends of sessions as a report sees them, noted in `seen`, with one audit row for each. */
export function noting(
  { make }: Trial,
  seen: string[],
): (ended: readonly Session[]) => ReturnType<Trial["make"]["auditRow"]>[] {
  return (ended) => {
    seen.push(...ended.map(({ id }) => id));
    return ended.map(({ id }) => make.auditRow({ type: "session.evicted", sessionId: id }));
  };
}
