import { foldText } from "../../domain/fold-text.ts";
import { identifier } from "../../domain/identifier.ts";
import type { DirectoryStore, UserPage, UserQuery } from "../../ports/directory-store.ts";
import type { StoreCall } from "../../ports/store.ts";
import { isWanted } from "../user-pages.ts";
import type { Halves } from "./commit.ts";

/**
 * A page of the accounts that Latchkey has seen. An address is found whole, since addresses are the application's; a username
 * by its beginning. The pair is asked once for each account on the page.
 */
export async function joinedPage(
  query: UserQuery,
  halves: Pick<Halves, "companion" | "users">,
  call: StoreCall,
): Promise<UserPage> {
  const search = query.search?.trim() || null;
  const sought = search === null ? null : identifier(search);
  if (sought?.kind === "email") return pageByEmail(sought.key, query, halves, call);
  const page: Awaited<ReturnType<DirectoryStore["users"]>> = await halves.companion.users(query, call);
  // What stands there for an address may begin like this by chance.
  const begin = foldText(search ?? "");
  const named = page.users.filter(({ username }) => username.startsWith(begin));
  const found = await Promise.all(named.map(({ id }) => halves.users.user(id, call)));
  return { ...page, users: found.filter((user) => user !== null) };
}

async function pageByEmail(
  key: string,
  { status, role, tier, isSuperuser, limit }: UserQuery,
  { users }: Pick<Halves, "users">,
  call: StoreCall,
): Promise<UserPage> {
  const row = await users.rowByEmail(key);
  const user = row === null ? null : await users.user(row.id, call);
  const filter = { status, role, tier, isSuperuser, notUsername: null };
  const isAsked = user !== null && limit > 0 && isWanted(user, filter);
  return { users: isAsked ? [user] : [], next: null };
}
