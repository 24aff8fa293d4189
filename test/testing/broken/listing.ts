import type { User } from "../../../src/domain/user.ts";
import type { DirectoryStore, UserPage, UserQuery } from "../../../src/ports/directory-store.ts";
import type { StoreCall } from "../../../src/ports/store.ts";
import { type Broken, brokenDirectory as broken } from "./broken.ts";

const walked = "a thousand accounts are walked by every filter, none twice and none missed";

/** Everybody who is asked for. */
async function everybody(
  { users }: Pick<DirectoryStore, "users">,
  query: UserQuery,
  call: StoreCall,
): Promise<readonly User[]> {
  const found: User[] = [];
  for (let after: string | null = null; ; ) {
    const page: UserPage = await users({ ...query, after, limit: 200 }, call);
    found.push(...page.users);
    if (page.next === null) return found;
    after = page.next;
  }
}

/** A listing that is changed page by page. */
function paging(
  mistake: string,
  caughtBy: string,
  change: (page: UserPage, query: UserQuery) => UserPage | Promise<UserPage>,
): Broken {
  return broken(mistake, caughtBy, ({ users }) => ({
    users: async (query, call) => change(await users(query, call), query),
  }));
}

/** A listing that asks for something else than it was asked. */
function asking(mistake: string, caughtBy: string, change: (query: UserQuery) => UserQuery): Broken {
  return broken(mistake, caughtBy, ({ users }) => ({ users: (query, call) => users(change(query), call) }));
}

/** A listing that looks at everybody and chooses by itself. */
function choosing(
  mistake: string,
  caughtBy: string,
  change: (query: UserQuery) => UserQuery,
  isWanted: (user: User, query: UserQuery) => boolean,
): Broken {
  return broken(mistake, caughtBy, (inner) => ({
    async users(query, call) {
      const all = await everybody(inner, change(query), call);
      return { users: all.filter((user) => isWanted(user, query)).slice(0, query.limit), next: null };
    },
  }));
}

export const brokenListings: readonly Broken[] = [
  paging("the oldest come first", "accounts come back whole, the newest first", ({ users, next }) => ({
    users: [...users].reverse(),
    next,
  })),
  paging("a full page loses its last account", walked, ({ users, next }, { limit }) => ({
    users: users.length === limit && limit > 1 ? users.slice(0, -1) : users,
    next,
  })),
  paging("a short page is taken for the last", walked, ({ users, next }, { limit }) => ({
    users,
    next: users.length < limit || users.length === 200 ? null : next,
  })),
  asking("the status is not looked at", walked, (query) => ({ ...query, status: null })),
  asking("no superuser is asked for as anybody", walked, (query) => ({
    ...query,
    isSuperuser: query.isSuperuser === false ? null : query.isSuperuser,
  })),
  broken("a page begins with the last account of the one before", walked, ({ users }) => {
    const last = new Map<string, User>();
    return {
      async users(query, call) {
        const page = await users(query, call);
        const before = last.get(query.after ?? "");
        if (page.next !== null) last.set(page.next, page.users.at(-1) as User);
        const fits = before !== undefined && page.users.length < query.limit;
        return fits ? { ...page, users: [before, ...page.users] } : page;
      },
    };
  }),
  choosing(
    "a search finds what lies within",
    "a search finds who begins like it, by username and then by address alone, none twice and none missed",
    (query) => ({ ...query, search: null }),
    ({ username, emailKey }, { search }) =>
      [username, emailKey].some((key) => key.includes((search ?? "").trim().toLowerCase())),
  ),
  asking(
    "a search minds case",
    "a search finds who begins like it, by username and then by address alone, none twice and none missed",
    (query) => ({ ...query, search: /[A-Z]/.test(query.search ?? "") ? "nobody at all" : query.search }),
  ),
  choosing(
    "a search is a pattern",
    "a search is a text and no pattern",
    (query) => ({ ...query, search: null }),
    ({ username, emailKey }, { search }) => {
      const pattern = (search ?? "").trim().replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
      const like = new RegExp(`^${pattern.replaceAll("_", ".").replaceAll("%", ".*")}`);
      return like.test(username) || like.test(emailKey);
    },
  ),
  asking(
    "a search ends at a NUL",
    "a hostile search, role or tier finds nobody and does no harm",
    (query) => ({ ...query, search: query.search === null ? null : (query.search.split("\u0000")[0] ?? "") }),
  ),
  choosing(
    "a role is found by a part of its name",
    "a role is found by the whole of its name",
    (query) => ({ ...query, role: null }),
    ({ roles }, { role }) => role === null || JSON.stringify(roles).includes(role),
  ),
  broken(
    "what was never handed out leads nowhere",
    "what was never handed out begins at the first page",
    ({ users }) => {
      const known = new Set<string | null>([null]);
      return {
        async users(query, call) {
          if (!known.has(query.after)) return { users: [], next: null };
          const page = await users(query, call);
          known.add(page.next);
          return page;
        },
      };
    },
  ),
  broken(
    "a place brings its own search along",
    "a place that was meddled with, or is another search's, answers some page",
    ({ users }) => {
      const searches = new Map<string | null, string | null>();
      return {
        async users(query, call) {
          const search = query.after === null ? query.search : (searches.get(query.after) ?? query.search);
          const page = await users({ ...query, search }, call);
          if (query.after === null && page.next !== null) searches.set(page.next, search);
          return page;
        },
      };
    },
  ),
  broken(
    "a page is as long as is asked for",
    "a page has 200 accounts at most, whatever is asked for",
    (inner) => ({
      async users(query, call) {
        if (query.limit <= 200) return inner.users(query, call);
        return { users: await everybody(inner, query, call), next: null };
      },
    }),
  ),
  broken(
    "pages are counted from the newest account",
    "who is there all along is given once, whatever else comes and changes",
    (inner) => ({
      async users(query, call) {
        const skipped = Number(query.after ?? 0);
        const all = await everybody(inner, query, call);
        const users = all.slice(skipped, skipped + query.limit);
        const end = skipped + users.length;
        return { users, next: end < all.length ? `${end}` : null };
      },
    }),
  ),
  broken(
    "pages are remembered",
    "a change shows in the next page, an erased account under what is left of it",
    ({ users, isEmpty, commit }) => {
      const tiers = new Map<string, string | null>();
      return {
        isEmpty,
        async commit(writes, call) {
          for (const write of writes)
            if (write.kind === "user.insert") tiers.set(write.user.id, write.user.tier);
          return commit(writes, call);
        },
        async users(query, call) {
          const page = await users({ ...query, tier: null }, call);
          const isKept = ({ id }: User): boolean => query.tier === null || tiers.get(id) === query.tier;
          return { ...page, users: page.users.filter(isKept) };
        },
      };
    },
  ),
];
