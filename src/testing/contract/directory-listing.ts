import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { User, UserStatus } from "../../domain/user.ts";
import type { UserPage, UserQuery } from "../../ports/directory-store.ts";
import { userQuery } from "../queries.ts";
import { hostileTexts, withNul } from "./hostile.ts";
import { same } from "./same.ts";
import { addUser, committed, write } from "./steps.ts";
import type { Rules, Trial } from "./trial.ts";

const crowd = 1_000;
const usersAtOnce = 200;

function page({ stores, call }: Trial, asked: Partial<UserQuery>): UserPage | Promise<UserPage> {
  return stores.directory.users(userQuery(asked), call());
}

/** Everybody who is asked for, page after page. */
async function walk(
  trial: Trial,
  asked: Partial<UserQuery>,
  between: (pages: number) => Promise<unknown> = async () => undefined,
): Promise<readonly User[]> {
  const found: User[] = [];
  for (let after: string | null = null, pages = 1; ; pages++) {
    const { users, next }: UserPage = await page(trial, { ...asked, after });
    ok(users.length <= (asked.limit ?? 100), "a page has no more accounts than were asked for");
    found.push(...users);
    if (next === null) return found;
    ok(pages <= crowd * 2, "a walk comes to an end");
    after = next;
    await between(pages);
  }
}

function ids(users: readonly User[]): readonly string[] {
  return users.map(({ id }) => id);
}

/** Asserts that these users were given, each once, in whatever order. */
function assertGiven(users: readonly User[], expected: readonly User[], message?: string): void {
  deepStrictEqual([...ids(users)].sort(), [...ids(expected)].sort(), message);
}

const statuses: readonly UserStatus[] = ["active", "disabled", "deleted", "anonymized"];

/** Many users, in every combination of what can be asked for; groups of them were made at one instant. */
async function addCrowd(trial: Trial): Promise<readonly User[]> {
  const { make, clock } = trial;
  const users = Array.from({ length: crowd }, (_, index) => {
    // Their order is neither that of their ids nor that of their insertion.
    const createdAt = new Date(clock.now().getTime() + ((index * 7) % 101) * 1_000);
    return make.user({
      username: `${index % 3 === 0 ? "ana" : "bob"}.${(index * 31) % crowd}`,
      email: `${index % 2 === 0 ? "ana" : "eve"}${index}@example.com`,
      status: statuses[index % 10] ?? "active",
      roles: index % 4 === 0 ? ["editor", "admin"] : index % 4 === 1 ? ["administrator"] : [],
      tier: index % 5 === 0 ? "pro" : index % 5 === 1 ? "free" : null,
      isSuperuser: index % 250 === 0,
      createdAt,
    });
  });
  for (let from = 0; from < crowd; from += usersAtOnce)
    await committed(trial, users.slice(from, from + usersAtOnce).map(write.user));
  return users;
}

/** Listing and searching accounts. */
export const listingRules: Rules = {
  "accounts come back whole, the newest first": async (trial) => {
    const first = await addUser(trial, { roles: ["editor"], tier: "pro", mustChangePassword: true });
    trial.clock.advance(1);
    const second = await addUser(trial, { isSuperuser: true, name: "Ana" });
    same(await page(trial, {}), { users: [second, first], next: null });
    same(await page(trial, { limit: 0 }), { users: [], next: null });
  },

  "a thousand accounts are walked by every filter, none twice and none missed": async (trial) => {
    const users = await addCrowd(trial);
    const cases: readonly (readonly [Partial<UserQuery>, (user: User) => boolean])[] = [
      [{ limit: 37 }, () => true],
      [{ limit: 200 }, () => true],
      [{ limit: 1, isSuperuser: true }, ({ isSuperuser }) => isSuperuser],
      [{ limit: 90, isSuperuser: false }, ({ isSuperuser }) => !isSuperuser],
      [{ limit: 11, status: "disabled" }, ({ status }) => status === "disabled"],
      [{ limit: 199, status: "active" }, ({ status }) => status === "active"],
      [{ limit: 50, role: "admin" }, ({ roles }) => roles.includes("admin")],
      [{ limit: 50, tier: "pro" }, ({ tier }) => tier === "pro"],
      [
        { limit: 7, role: "editor", tier: "free", status: "active", isSuperuser: false },
        ({ roles, tier, status }) => roles.includes("editor") && tier === "free" && status === "active",
      ],
      [{ limit: 50, role: "nobody's" }, () => false],
      [{ limit: 50, tier: "nobody's" }, () => false],
    ];
    for (const [asked, isWanted] of cases) {
      const found = await walk(trial, asked);
      assertGiven(found, users.filter(isWanted), JSON.stringify(asked));
      const times = found.map(({ createdAt }) => createdAt.getTime());
      deepStrictEqual(
        times,
        times.toSorted((a, b) => b - a),
        "the newest come first",
      );
    }
  },

  "a search finds who begins like it, by username and then by address alone, none twice and none missed":
    async (trial) => {
      const users = await addCrowd(trial);
      for (const [search, filter] of [
        ["ana", {}],
        ["  ANA ", {}],
        ["ana.1", {}],
        ["ana1", {}],
        ["ana", { status: "disabled" }],
        ["ana", { role: "admin", tier: "pro" }],
        ["eve7@", {}],
      ] as const) {
        const key = search.trim().toLowerCase();
        const isWanted = (user: User): boolean =>
          (!("status" in filter) || user.status === filter.status) &&
          (!("role" in filter) || (user.roles.includes(filter.role) && user.tier === filter.tier));
        const named = users.filter((user) => user.username.startsWith(key) && isWanted(user));
        const addressed = users.filter(
          (user) => user.emailKey.startsWith(key) && !user.username.startsWith(key) && isWanted(user),
        );
        const found = await walk(trial, { search, ...filter, limit: 23 });
        deepStrictEqual(
          found.map(({ username, emailKey }) => (username.startsWith(key) ? username : emailKey)),
          [
            ...named.map(({ username }) => username).sort(),
            ...addressed.map(({ emailKey }) => emailKey).sort(),
          ],
          JSON.stringify([search, filter]),
        );
      }
    },

  "a search is a text and no pattern": async (trial) => {
    const names = ["a%c", "a_b", "axb", "a\\d", "a*e", "a'f", 'a"g', "b"];
    const users = await Promise.all(
      names.map((username) => addUser(trial, { username, email: `${username}@x.example` })),
    );
    for (const [search, expected] of [
      ["a%", ["a%c"]],
      ["a_", ["a_b"]],
      ["a\\", ["a\\d"]],
      ["a*", ["a*e"]],
      ["a'", ["a'f"]],
      ['a"', ['a"g']],
      ["%", []],
      ["_", []],
      ["%a", []],
      ["b@x.", ["b"]],
      ["b%x", []],
    ] as const) {
      const wanted = users.filter(({ username }) => (expected as readonly string[]).includes(username));
      same(await page(trial, { search }), { users: wanted, next: null }, search);
    }
    for (const search of ["", "  "]) assertGiven((await page(trial, { search })).users, users);
  },

  "a hostile search, role or tier finds nobody and does no harm": async (trial) => {
    const user = await addUser(trial);
    const strange = [
      ...hostileTexts.slice(1),
      ...hostileTexts.map(withNul),
      "\ud800",
      `${user.username}\u0000`,
    ];
    for (const text of [...strange, "x".repeat(300), "%".repeat(10_000), "\u{10ffff}".repeat(100)]) {
      for (const asked of [{ search: text }, { role: text }, { tier: text }])
        same(await page(trial, asked), { users: [], next: null }, JSON.stringify(asked).slice(0, 80));
    }
    same(await page(trial, { search: user.username }), { users: [user], next: null });
  },

  "a role is found by the whole of its name": async (trial) => {
    const odd = ['a"b', "a,b", "a\\", "[]", "é", "\u2028"];
    const users: User[] = [];
    for (const role of odd) users.push(await addUser(trial, { roles: ["first", role] }));
    for (const [index, role] of odd.entries())
      same((await page(trial, { role })).users, users.slice(index, index + 1), role);
    for (const role of ["b", "a", '"', "", "first,", "irst"])
      same((await page(trial, { role })).users, [], role);
    assertGiven((await page(trial, { role: "first" })).users, users);
  },

  "what was never handed out begins at the first page": async (trial) => {
    for (let count = 0; count < 5; count++) await addUser(trial);
    const [all, found] = [await page(trial, { limit: 2 }), await page(trial, { search: "user", limit: 2 })];
    for (const after of [...hostileTexts, ...hostileTexts.map(withNul), "\ud800", "[]", "e30", "bnVsbA"]) {
      same(await page(trial, { limit: 2, after }), all, after.slice(0, 80));
      same(await page(trial, { search: "user", limit: 2, after }), found, after.slice(0, 80));
    }
  },

  "a place that was meddled with, or is another search's, answers some page": async (trial) => {
    for (let count = 0; count < 30; count++) await addUser(trial);
    const places = await Promise.all(
      [{ limit: 3 }, { limit: 3, search: "user" }, { limit: 3, search: "user1" }].map((asked) =>
        page(trial, asked),
      ),
    );
    const nexts = places.map(({ next }) => next ?? "");
    const meddled = nexts.flatMap((next) => [
      next,
      next.slice(0, -3),
      `${next}AAAA`,
      next.toLowerCase(),
      next.replace(/[A-M]/, "z"),
      [...next].reverse().join(""),
    ]);
    for (const after of meddled) {
      for (const search of [null, "user", "user2", "nobody"]) {
        const { users } = await page(trial, { after, search, limit: 5 });
        ok(users.length <= 5);
        ok(search !== "nobody" || users.length === 0);
        ok(users.every(({ username }) => username.startsWith(search ?? "")));
      }
    }
  },

  "a page has 200 accounts at most, whatever is asked for": async (trial) => {
    await addCrowd(trial);
    const { users, next } = await page(trial, { limit: 5_000 });
    strictEqual(users.length, 200);
    ok(next !== null);
  },

  "who is there all along is given once, whatever else comes and changes": async (trial) => {
    const users: User[] = [];
    for (let count = 0; count < 60; count++) {
      users.push(await addUser(trial));
      if (count % 4 === 0) trial.clock.advance(1);
    }
    const found = await walk(trial, { limit: 7 }, async (pages) => {
      trial.clock.advance(1);
      await addUser(trial);
      const changed = users[pages * 5];
      if (changed !== undefined) await committed(trial, [write.update(changed, { name: "changed" })]);
    });
    assertGiven(
      found.filter(({ id }) => ids(users).includes(id)),
      users,
    );
  },

  "a change shows in the next page, an erased account under what is left of it": async (trial) => {
    const [user, other] = [await addUser(trial, { tier: "pro", roles: ["editor"] }), await addUser(trial)];
    await committed(trial, [write.update(other, { tier: "pro" }), write.erase(user.id)]);
    deepStrictEqual(ids((await page(trial, { tier: "pro" })).users), [other.id]);
    deepStrictEqual(ids((await page(trial, { role: "editor" })).users), []);
    deepStrictEqual(ids((await page(trial, { search: user.username })).users), []);
    deepStrictEqual(ids((await page(trial, { search: user.emailKey })).users), []);
    deepStrictEqual(ids((await page(trial, { status: "anonymized" })).users), [user.id]);
  },
};
