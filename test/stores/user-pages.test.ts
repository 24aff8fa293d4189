import { expect, it } from "vitest";
import { emailMaxLength } from "../../src/domain/identifier.ts";
import type { User } from "../../src/domain/user.ts";
import { cursorOf, cursorText } from "../../src/stores/user-cursor.ts";
import {
  mostUsersRead,
  placeIn,
  type UserRange,
  type UserReader,
  userPage,
} from "../../src/stores/user-pages.ts";
import { userQuery } from "../../src/testing/queries.ts";
import { fixtures, testClock } from "../../src/testing/testing.ts";

const make = fixtures(testClock());
const one = make.user();
/** All made at one instant: the greatest id is the newest. */
const users: readonly User[] = Array.from({ length: 25_000 }, (_, index) => {
  const name = `user${String(index).padStart(5, "0")}`;
  return { ...one, id: name, username: name, emailKey: `mail-of-${name}` };
});

/** Reads from a list, and counts what it looks at. */
function counting(all = users): { readonly reader: UserReader; readonly seen: () => number } {
  let seen = 0;
  const inRange = ({ by, prefix, from, until }: UserRange): readonly User[] => {
    const keyOf = (user: User): string => placeIn(by, user).key;
    const ordered = by === "newest" ? all.toReversed() : all;
    const comesFirst = (a: string, b: string): boolean => (by === "newest" ? a > b : a < b);
    return ordered.filter((user) => {
      const key = keyOf(user);
      const isBegun = from.key === "" || !comesFirst(key, from.key);
      return isBegun && key.startsWith(prefix) && (until === null || comesFirst(key, until.key));
    });
  };
  const reader: UserReader = {
    nth(range, count) {
      const user = inRange(range)[count];
      return user === undefined ? null : placeIn(range.by, user);
    },
    first(range, { role }, limit) {
      const found: User[] = [];
      for (const user of inRange(range)) {
        if (found.length === limit) break;
        seen++;
        if (role === null || user.roles.includes(role)) found.push(user);
      }
      return found;
    },
  };
  return { reader, seen: () => seen };
}

it.each([
  ["a filter", userQuery({ role: "admin", limit: 50 })],
  ["a search and a filter", userQuery({ search: "user", role: "admin", limit: 50 })],
  ["a search whose stages find the same", userQuery({ search: "mail-of", role: "admin", limit: 50 })],
])(
  "a page by %s that nobody fits reads no more than it may, and says that there is more",
  async (_, query) => {
    const { reader, seen } = counting();
    const page = await userPage(query, reader);
    expect(page.users).toEqual([]);
    expect(page.next).not.toBeNull();
    expect(seen()).toBeGreaterThan(0);
    expect(seen()).toBeLessThanOrEqual(mostUsersRead);
  },
);

it("a page without a filter reads what it shows, and one account more", async () => {
  const { reader, seen } = counting();
  expect((await userPage(userQuery({ limit: 50 }), reader)).users).toHaveLength(50);
  expect(seen()).toBe(51);
});

it("who is far down is found by going on from page to page", async () => {
  const { reader } = counting(users.with(0, { ...one, id: "user00000", roles: ["admin"] }));
  const pages: (readonly User[])[] = [];
  let after: string | null = null;
  do {
    const page = await userPage(userQuery({ role: "admin", limit: 50, after }), reader);
    pages.push(page.users);
    after = page.next;
  } while (after !== null);
  expect(pages.map((page) => page.length)).toEqual([0, 0, 1]);
});

it("a place is read as it was handed out, however long the key of the account's address", () => {
  const place = { createdAtMs: 0, key: "\u30ad".repeat(emailMaxLength) };
  expect(cursorOf(cursorText("email", place))).toEqual(["email", place]);
});
