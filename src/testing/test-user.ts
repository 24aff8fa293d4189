import type { Auth } from "../auth.ts";
import { usernameKey } from "../domain/identifier.ts";
import { randomBase62 } from "../domain/random.ts";
import type { User } from "../domain/user.ts";
import type { Services } from "../ports/services.ts";
import { fixtures } from "./fixtures.ts";
import { testPassword } from "./test-password.ts";
import { worldOf } from "./worlds.ts";

/** An account that a test wants to have. On an `Auth` of `createAuth`: of these `email`, `username`, `name`, `password` and `isSuperuser` alone. */
export interface WantedUser extends Partial<User> {
  /** Default {@link testPassword}. */
  readonly password?: string;
}

/** Whom a test is about: an account, its id, or what it is to be. */
export type WhichUser = User | string | WantedUser;

/**
 * The account that is meant: one that has this address is taken as it is, any other is made.
 *
 * @param which - default: a new one, `user1@example.com`, `user2@example.com`, …
 * @throws Error for an id that nobody has
 * @throws TypeError for fields that an `Auth` of `createAuth` lets nobody choose
 */
export async function testUser(auth: Auth, which: WhichUser = {}): Promise<User> {
  if (typeof which === "string") {
    const found = await auth.users.find(which);
    if (found === null) throw new Error(`no user has the id ${which}`);
    return found;
  }
  if (isWhole(which)) return which;
  const email = which.email ?? (await freeAddress(auth));
  const known = await auth.users.findByIdentifier(email);
  if (known !== null) return known;
  const world = worldOf(auth);
  const wanted = { ...which, email };
  return world === null ? register(auth, wanted) : plant(auth, world.services, wanted);
}

function isWhole(which: User | WantedUser): which is User {
  return which.id !== undefined && which.slotTag !== undefined;
}

async function freeAddress(auth: Auth): Promise<string> {
  for (let number = 1; ; number++) {
    const email = `user${number}@example.com`;
    if ((await auth.users.findByIdentifier(email)) === null) return email;
  }
}

async function register(
  auth: Auth,
  { password = testPassword, ...wanted }: WantedUser & { readonly email: string },
): Promise<User> {
  const { email, username = null, name = null, isSuperuser = false, ...rest } = wanted;
  const others = Object.keys(rest);
  if (others.length > 0)
    throw new TypeError(`user: ${others.join(", ")}: only with testAuth; make the account, and pass it`);
  return auth.users.create({ email, username, name, password }, { isSuperuser });
}

// Past every flow, since none makes an account with roles.
async function plant(
  auth: Auth,
  services: Services,
  { password = testPassword, ...wanted }: WantedUser & { readonly email: string },
): Promise<User> {
  const make = fixtures(services.clock, services.random);
  const { username = await freeName(auth, services, wanted.email) } = wanted;
  const user = make.user({ ...wanted, username });
  const encoded = await services.passwords().hashing.hash(password);
  const result = await services.commit([
    { kind: "user.insert", user },
    { kind: "password.insert", credential: make.password(user, encoded) },
  ]);
  if (!result.ok) throw new Error(`the user ${username} was refused: ${result.refused}`);
  return user;
}

/** The part of the address before the `@`, where it can be used and is free. */
async function freeName(auth: Auth, { random }: Services, email: string): Promise<string> {
  const name = usernameKey(email.split("@")[0] ?? "");
  if (name !== null && (await auth.users.findByIdentifier(name)) === null) return name;
  return `u${randomBase62(8, (length) => random.bytes(length))}`.toLowerCase();
}
