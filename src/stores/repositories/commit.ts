import { emailKey } from "../../domain/identifier.ts";
import type { Session } from "../../domain/session.ts";
import type { DirectoryStore, UserWithPassword } from "../../ports/directory-store.ts";
import type { Committed, Refusal, StoreCall, Write } from "../../ports/store.ts";
import { countingCredential, foundCredential, keptCredential } from "./hashes.ts";
import type { NewRepositoryUser, RepositoryPair, RepositoryUser } from "./pair.ts";
import { type JoinedUsers, joined, keptAddress, keptUser } from "./users.ts";

/** What a transaction works with. */
export interface Halves {
  readonly pair: RepositoryPair;
  readonly companion: DirectoryStore;
  readonly users: JoinedUsers;
}

/**
 * Makes `DirectoryStore.commit`: the companion decides, in one transaction; then the repositories are told. Sessions live in both,
 * so that one which only one of them has is none.
 */
export function committer(halves: Halves): DirectoryStore["commit"] {
  return async (writes, call) => {
    const refused = await refusalOf(writes, halves);
    if (refused !== null) return { ok: false, refused };
    for (const id of existingUsers(writes)) await bringIn(id, halves, call);
    const kept = await Promise.all(writes.map((write) => keptWrite(write, halves, call)));
    const result = await halves.companion.commit(kept, call);
    if (!result.ok) return result;
    const taken = await createUsers(writes, halves, call);
    if (taken !== null) return taken;
    await writeHashes(writes, halves, call);
    await endSessions(writes, result.ended, halves);
    await insertSessions(writes, halves);
    return result;
  };
}

const unsupported: ReadonlySet<Write["kind"]> = new Set([
  "user.erase",
  "api_key.insert",
  "api_key.update",
  "api_key.delete",
  "linked_account.insert",
  "linked_account.update",
  "linked_account.delete",
]);

// Before anything is done: what the pair has no method for, and what only it can know.
async function refusalOf(writes: readonly Write[], { users }: Halves): Promise<Refusal | null> {
  for (const write of writes) {
    if (unsupported.has(write.kind)) return "unsupported";
    if (write.kind === "user.update" && write.changes.email !== undefined) return "unsupported";
    // There may be users whom Latchkey has never seen.
    if (write.kind === "directory.require_empty") return "first_user_exists";
    if (write.kind === "user.insert" && (await users.rowByEmail(write.user.emailKey)) !== null)
      return "email_taken";
  }
  return null;
}

function existingUsers(writes: readonly Write[]): ReadonlySet<string> {
  const ids = new Set(writes.flatMap((write) => userOf(write) ?? []));
  for (const write of writes) if (write.kind === "user.insert") ids.delete(write.user.id);
  return ids;
}

function userOf(write: Write): string | null {
  switch (write.kind) {
    case "user.require":
    case "user.update":
    case "user.advance":
      return write.userId;
    case "password.insert":
    case "password.replace":
      return write.credential.userId;
    case "session.insert":
    case "session.replace":
    case "session.rotate":
      return write.session.userId;
    default:
      return null;
  }
}

/** Gives the companion its half of a user whom the application has, and repairs a column that a process left unwritten. */
async function bringIn(id: string, { pair, companion, users }: Halves, call: StoreCall): Promise<void> {
  const row = await users.row(id);
  if (row === null) return;
  const column = row.passwordHash ?? null;
  const kept = await companion.userWithPassword({ kind: "id", key: id }, call);
  if (kept === null)
    await companion.commit(
      [{ kind: "user.insert", user: keptUser(joined(row, null, call.now)) }, ...found()],
      call,
    );
  else if (kept.password === null) await companion.commit(found(), call);
  else if (column !== null) {
    const { credential, isColumnStale } = countingCredential(column, kept.password);
    if (isColumnStale) await pair.users.updatePasswordHash(id, credential.encoded);
  }

  // A refusal says that another process was here first.
  function found(): Write[] {
    if (column === null) return [];
    const credential = keptCredential(foundCredential(id, column, call.now), null);
    return [{ kind: "password.insert", credential }];
  }
}

async function keptWrite(write: Write, { companion, users }: Halves, call: StoreCall): Promise<Write> {
  if (write.kind === "user.update" && write.changes.emailVerified) {
    const row = await users.row(write.userId);
    const address = keptAddress(write.userId, emailKey(row?.email ?? ""));
    return { ...write, changes: { ...write.changes, email: address, emailKey: address } };
  }
  if (write.kind === "user.insert") return { ...write, user: keptUser(write.user) };
  if (write.kind !== "password.insert" && write.kind !== "password.replace") return write;
  const by = { kind: "id", key: write.credential.userId } as const;
  const before: UserWithPassword | null = await companion.userWithPassword(by, call);
  return { ...write, credential: keptCredential(write.credential, before?.password ?? null) };
}

/** Adds the users to the application's table; an answer where somebody else took the address meanwhile. */
async function createUsers(
  writes: readonly Write[],
  halves: Halves,
  call: StoreCall,
): Promise<Committed | null> {
  for (const write of writes) {
    if (write.kind !== "user.insert") continue;
    const { id, email } = write.user;
    const made = await createUser({ id, email, passwordHash: hashOf(writes, id) }, halves, call);
    if (made === null) return { ok: false, refused: "email_taken" };
    if (made.id !== id) throw new TypeError("repositories: createUser has to keep the id that it is given");
  }
  return null;
}

/** Null where the address is taken. */
async function createUser(
  user: NewRepositoryUser,
  { pair, companion, users }: Halves,
  call: StoreCall,
): Promise<RepositoryUser | null> {
  try {
    return await pair.users.createUser(user);
  } catch (error) {
    // Its half without the other is nobody; the username is set free.
    await companion.commit([{ kind: "user.erase", userId: user.id, requires: "any" }], call);
    const holder = await users.rowByEmail(emailKey(user.email));
    if (holder === null || holder.id === user.id) throw error;
    return null;
  }
}

function hashOf(writes: readonly Write[], userId: string): string | null {
  for (const write of writes)
    if (write.kind === "password.insert" && write.credential.userId === userId)
      return write.credential.encoded;
  return null;
}

// Until the companion has no newer one: of two changes the column keeps the later, whichever is written last.
async function writeHashes(writes: readonly Write[], halves: Halves, call: StoreCall): Promise<void> {
  const inserted = new Set(writes.flatMap((write) => (write.kind === "user.insert" ? write.user.id : [])));
  for (const write of writes) {
    if (write.kind !== "password.replace" && write.kind !== "password.insert") continue;
    const { userId, encoded } = write.credential;
    if (inserted.has(userId)) continue;
    await halves.pair.users.updatePasswordHash(userId, encoded);
    await bringIn(userId, halves, call);
  }
}

async function endSessions(
  writes: readonly Write[],
  ended: readonly Session[],
  { pair }: Halves,
): Promise<void> {
  const ids = new Set(ended.map(({ id }) => id));
  for (const write of writes) {
    if (write.kind === "session.replace") ids.add(write.replaces);
    if (write.kind === "session.rotate") ids.add(write.from);
    if (write.kind === "session.delete" && (await isMeant(write, pair))) ids.add(write.sessionId);
  }
  for (const id of ids) await pair.sessions.revoke(id);
}

// Also where the companion has ended it before: the one who asked then may have died before the repository was told.
async function isMeant(
  { sessionId, userId }: Extract<Write, { kind: "session.delete" }>,
  { sessions }: RepositoryPair,
): Promise<boolean> {
  return userId === undefined || (await sessions.getUserId(sessionId)) === userId;
}

async function insertSessions(writes: readonly Write[], { pair }: Halves): Promise<void> {
  for (const write of writes) {
    if (!("session" in write) || write.session.userId === null) continue;
    const { id: sid, userId, expiresAt, isRemembered: remember, ip, userAgent } = write.session;
    const rotatedFromSid = write.session.rotatedFrom;
    await pair.sessions.insert({ sid, userId, expiresAt, remember, ip, userAgent, rotatedFromSid });
  }
}
