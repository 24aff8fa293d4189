import { anonymousEmail, anonymousUsername, type User, type UserChanges } from "../domain/user.ts";

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

/** The user with some fields changed, as one more write of its row. A field given as undefined is left as it is. */
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
