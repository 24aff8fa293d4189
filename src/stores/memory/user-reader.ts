import type { User } from "../../domain/user.ts";
import type { UserOrder, UserPlace } from "../user-cursor.ts";
import { isWanted, placeIn, type UserRange, type UserReader } from "../user-pages.ts";
import type { UserTable } from "./users.ts";

/** Reads accounts in an order, for `userPage`. */
export function userReader(users: UserTable): UserReader {
  function inRange({ by, prefix, from, until }: UserRange): readonly User[] {
    const isIn = (user: User): boolean => {
      const place = placeIn(by, user);
      if (by !== "newest" && !place.key.startsWith(prefix)) return false;
      return compare(by, from, place) <= 0 && (until === null || compare(by, place, until) < 0);
    };
    return users
      .all()
      .filter(isIn)
      .sort((a, b) => compare(by, placeIn(by, a), placeIn(by, b)));
  }

  return {
    nth(range, count) {
      const user = inRange(range)[count];
      return user === undefined ? null : placeIn(range.by, user);
    },
    first: (range, filter, limit) =>
      inRange(range)
        .filter((user) => isWanted(user, filter))
        .slice(0, limit),
  };
}

function compare(by: UserOrder, a: UserPlace, b: UserPlace): number {
  if (a.createdAtMs !== b.createdAtMs) return b.createdAtMs - a.createdAtMs;
  if (a.key === b.key) return 0;
  return a.key < b.key === (by === "newest") ? 1 : -1;
}
