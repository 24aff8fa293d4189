import type { User } from "../../domain/user.ts";
import type { Refusal } from "../../ports/store.ts";
import { flat } from "./flat.ts";
import { type Journal, table } from "./journal.ts";
import { userOf, userText } from "./records.ts";

/** The users of one engine. */
export interface UserTable {
  readonly size: number;
  get(id: string): User | null;
  /** The table's own copy of an id, for sharing. */
  ownId(id: string): string | null;
  byEmailKey(emailKey: string): User | null;
  byUsername(username: string): User | null;
  /** Writes a user, new or changed; refused where the address or the username is another's. */
  put(user: User): Refusal | null;
  /** Whether somebody but this user is an active superuser. */
  hasOtherSuperuser(userId: string): boolean;
  isInTier(name: string): boolean;
  /** Everybody, in no order. */
  all(): readonly User[];
  /** Ids of users with status `deleted` whose `deletedAt` is before `instant`, oldest first. */
  deletedBefore(instant: Date): readonly string[];
}

/** An empty table of users. */
export function userTable(log: Journal): UserTable {
  const rows = table<{ readonly id: string; readonly text: string }>(log);
  const idsByEmail = table<string>(log);
  const idsByUsername = table<string>(log);
  const superusers = table<true>(log);
  const deletedAt = table<number>(log);
  const tiers = table<string>(log);

  function get(id: string): User | null {
    const row = rows.get(id);
    return row === undefined ? null : userOf(row.text);
  }

  function put(user: User): Refusal | null {
    const { emailKey, username, status } = user;
    const id = rows.get(user.id)?.id ?? flat(user.id);
    if ((idsByEmail.get(emailKey) ?? id) !== id) return "email_taken";
    if ((idsByUsername.get(username) ?? id) !== id) return "username_taken";
    const before = get(id);
    if (before !== null) {
      idsByEmail.delete(before.emailKey);
      idsByUsername.delete(before.username);
    }
    rows.set(id, { id, text: userText(user) });
    idsByEmail.set(emailKey, id);
    idsByUsername.set(username, id);
    if (user.isSuperuser && status === "active") superusers.set(id, true);
    else superusers.delete(id);
    if (status === "deleted" && user.deletedAt !== null) deletedAt.set(id, user.deletedAt.getTime());
    else deletedAt.delete(id);
    if (user.tier === null) tiers.delete(id);
    else tiers.set(id, user.tier);
    return null;
  }

  return {
    get size() {
      return rows.size;
    },
    get,
    ownId: (id) => rows.get(id)?.id ?? null,
    byEmailKey: (emailKey) => get(idsByEmail.get(emailKey) ?? ""),
    byUsername: (username) => get(idsByUsername.get(username) ?? ""),
    put,
    isInTier: (name) => [...tiers.entries()].some(([, tier]) => tier === name),
    all: () => [...rows.entries()].map(([, { text }]) => userOf(text)),
    hasOtherSuperuser: (userId) => superusers.size > (superusers.has(userId) ? 1 : 0),
    deletedBefore(instant) {
      const due = [...deletedAt.entries()].filter(([, at]) => at < instant.getTime());
      return due.sort(([, a], [, b]) => a - b).map(([id]) => id);
    },
  };
}
