import { createHash } from "node:crypto";
import { emailKey } from "../../domain/identifier.ts";
import { randomSlotTag } from "../../domain/random.ts";
import { foreignUser, type User } from "../../domain/user.ts";
import type { DirectoryStore, UserWithPassword } from "../../ports/directory-store.ts";
import type { StoreCall } from "../../ports/store.ts";
import { countingCredential, foundCredential } from "./hashes.ts";
import type { RepositoryPair, RepositoryUser } from "./pair.ts";

/** Users of whom one half is in the application's table and the other in the companion. */
export interface JoinedUsers {
  /** The row of the application. @throws TypeError where it is somebody else's */
  row(id: string): Promise<RepositoryUser | null>;
  /** The row with this address, compared as Latchkey compares. */
  rowByEmail(key: string): Promise<RepositoryUser | null>;
  user(id: string, call: StoreCall): Promise<User | null>;
  userWithPassword(row: RepositoryUser, call: StoreCall): Promise<UserWithPassword>;
}

/** Makes {@link JoinedUsers}. */
export function joinedUsers({ users }: RepositoryPair, companion: DirectoryStore): JoinedUsers {
  async function row(id: string): Promise<RepositoryUser | null> {
    const found = await users.getUserById(id);
    if (found === null || found === undefined) return null;
    if (found.id !== id) throw new TypeError("repositories: getUserById answered another user");
    return found;
  }

  return {
    row,
    async rowByEmail(key) {
      const found = await users.getUserByEmail(key);
      // A collation of the database may take other letters for the same.
      return found !== null && found !== undefined && emailKey(found.email) === key ? found : null;
    },
    async user(id, call) {
      const found = await row(id);
      if (found === null) return null;
      return joined(found, await companion.user(id, call), call.now);
    },
    // The row was read before: where a change comes in between, the companion knows that its hash was replaced.
    async userWithPassword(found, call) {
      const kept = await companion.userWithPassword({ kind: "id", key: found.id }, call);
      const user = joined(found, kept?.user ?? null, call.now);
      const column = found.passwordHash ?? null;
      if (column === null) return { user, password: null };
      const known = kept?.password ?? null;
      if (known === null) return { user, password: foundCredential(user.id, column, call.now) };
      return { user, password: countingCredential(column, known).credential };
    },
  };
}

/** The user of two halves; where the companion has none yet, as it will have them. */
export function joined(row: RepositoryUser, kept: User | null, now: Date): User {
  const user = kept ?? newcomer(row.id, now);
  const key = emailKey(row.email);
  // The application may have changed the address since it was verified.
  const emailVerified = user.emailVerified && user.emailKey === keptAddress(row.id, key);
  return { ...user, email: row.email, emailKey: key, emailVerified };
}

/** A user as the companion keeps them: without the address, which is the application's alone. */
export function keptUser(user: User): User {
  const address = keptAddress(user.id, user.emailKey);
  return { ...user, email: address, emailKey: address };
}

/** What stands in the companion for an address: one for each user, and another for another address. */
export function keptAddress(id: string, key: string): string {
  const [user, address] = [idDigest(id), createHash("sha256").update(key).digest()];
  return `${user.toString("hex").slice(0, 40)}@${address.toString("hex").slice(0, 40)}.repositories.invalid`;
}

// Alike at each call until somebody writes: what follows from the id alone needs no write in a read.
function newcomer(id: string, now: Date): User {
  const username = `u${idDigest(id).toString("hex").slice(0, 31)}`;
  return { ...foreignUser({ id, username }), slotTag: slotTagOf(id), createdAt: now, updatedAt: now };
}

function slotTagOf(id: string): string {
  let round = 0;
  return randomSlotTag((length) => idDigest(`${round++}:${id}`).subarray(0, length));
}

function idDigest(id: string): Buffer {
  return createHash("sha256").update("latchkey repositories\n").update(id).digest();
}
