import type { Permission, User } from "../../src/domain/user.ts";
import { administration } from "../../src/features/administration.ts";
import type { Browser } from "../support/browser.ts";
import { password, type World, type WorldOptions, world } from "../support/world.ts";

export const admin = administration();

/** Somebody with an account and a browser in which they are signed in. */
export type Person = Browser & { readonly userId: string };

/** A world with administration. */
export function administered(options: WorldOptions = {}): World {
  return world({ ...options, features: [admin, ...(options.features ?? [])] });
}

/** Somebody with these fields, signed in. */
export async function person(here: World, username: string, fields: Partial<User> = {}): Promise<Person> {
  const { id } = await here.plant({ username, email: `${username}@example.com`, ...fields });
  return signIn(here, username, id);
}

/** A browser in which somebody signs in anew. */
export async function signIn(here: World, username: string, userId = ""): Promise<Person> {
  const browser = here.browser();
  const { status, text } = await browser.post("/api/v1/auth/login", { username, password });
  if (status !== 200) throw new Error(`signing in answered ${status}: ${text}`);
  return Object.assign(browser, { userId });
}

/** A superuser, signed in. */
export const root = (here: World, username = "root"): Promise<Person> =>
  person(here, username, { isSuperuser: true });

/** Somebody who holds these permissions and no others, signed in. */
export const holding = (here: World, username: string, ...permissions: readonly string[]): Promise<Person> =>
  person(here, username, { permissions: permissions as Permission[] });

export const users = "/api/v1/users";
