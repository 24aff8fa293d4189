import type { User } from "../domain/user.ts";
import type { UserQuery } from "../ports/directory-store.ts";
import type { Services } from "../ports/services.ts";

const pageSize = 100;

/**
 * Every account, in pages of 100. Not a snapshot: one that is made meanwhile may be missing.
 *
 * @throws AuthError `store_unavailable`
 */
export async function* allUsers({ stores, call }: Services): AsyncGenerator<readonly User[]> {
  const all = { search: null, status: null, role: null, tier: null, isSuperuser: null, limit: pageSize };
  let query: UserQuery = { ...all, after: null };
  for (;;) {
    const { users, next } = await stores.directory.users(query, call());
    yield users;
    if (next === null) return;
    query = { ...all, after: next };
  }
}
