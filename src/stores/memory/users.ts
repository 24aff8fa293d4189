import { anonymousEmail, anonymousUsername, type User, type UserChanges } from "../../domain/user.ts";
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
    hasOtherSuperuser: (userId) => superusers.size > (superusers.has(userId) ? 1 : 0),
    deletedBefore(instant) {
      const due = [...deletedAt.entries()].filter(([, at]) => at < instant.getTime());
      return due.sort(([, a], [, b]) => a - b).map(([id]) => id);
    },
  };
}

// Named one by one: a key that no flow may change does not get in through a cast.
const changeable: Readonly<Record<keyof UserChanges, true>> = {
  username: true,
  email: true,
  emailKey: true,
  emailVerified: true,
  name: true,
  status: true,
  roles: true,
  permissions: true,
  tier: true,
  isSuperuser: true,
  locale: true,
  data: true,
  deletedAt: true,
};

/** The user with some fields changed, as one more write of its row. */
export function changedUser(user: User, changes: UserChanges, now: Date): User {
  const isKnown = ([field, value]: [string, unknown]): boolean =>
    Object.hasOwn(changeable, field) && value !== undefined;
  const known = Object.entries(changes).filter(isKnown);
  return { ...user, ...Object.fromEntries(known), version: user.version + 1, updatedAt: now };
}

/** The user without anything personal. */
export function erasedUser(user: User, now: Date): User {
  const email = anonymousEmail(user.id);
  const changes: UserChanges = {
    username: anonymousUsername(user.id),
    email,
    emailKey: email,
    emailVerified: false,
    name: null,
    status: "anonymized",
    roles: [],
    permissions: [],
    tier: null,
    isSuperuser: false,
    locale: null,
    data: {} as User["data"],
  };
  return changedUser(user, changes, now);
}
