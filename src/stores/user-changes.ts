import { anonymousEmail, anonymousUsername, type User, type UserChanges } from "../domain/user.ts";
import { knownChanges } from "./known-changes.ts";

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
  mustChangePassword: true,
  locale: true,
  data: true,
  revokedTokens: true,
  deletedAt: true,
};

/** The user with some fields changed, as one more write of its row. A field given as undefined is left as it is. */
export function changedUser(user: User, changes: UserChanges, now: Date): User {
  return { ...user, ...knownChanges(changes, changeable), version: user.version + 1, updatedAt: now };
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
    mustChangePassword: false,
    locale: null,
    data: {} as User["data"],
    revokedTokens: [],
  };
  return changedUser(user, changes, now);
}
