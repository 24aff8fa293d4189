import { foldText } from "../domain/fold-text.ts";
import type { User } from "../domain/user.ts";
import type { UserPage, UserQuery } from "../ports/directory-store.ts";
import type { Awaitable } from "../ports/store.ts";
import { cursorOf, cursorText, type UserOrder, type UserPlace } from "./user-cursor.ts";

/** Accounts that one page reads, those that it leaves out included. */
export const mostUsersRead = 10_000;
const mostOnPage = 200;
/** Longer than any address or username. */
const longestSearch = 320;

/** Which accounts of a range are wanted; null: whatever it is. */
export interface UserFilter extends Pick<UserQuery, "status" | "role" | "tier" | "isSuperuser"> {
  /** Leaves out those whose username begins like this. */
  readonly notUsername: string | null;
}

/** Accounts that follow each other in an order. */
export interface UserRange {
  readonly by: UserOrder;
  /** What their keys begin with; "" where the order is by age. */
  readonly prefix: string;
  /** The first one, whether or not it is there. */
  readonly from: UserPlace;
  /** Not included; null: to the end. */
  readonly until: UserPlace | null;
}

/** How an engine reads accounts. */
export interface UserReader {
  /** The place of the account that has `count` others of the range before it, or null. Keys alone are read. */
  nth(range: UserRange, count: number): Awaitable<UserPlace | null>;
  /** The first accounts of a range that are wanted, at most `limit`. Others that it lets through are left out here. */
  first(range: UserRange, filter: UserFilter, limit: number): Awaitable<readonly User[]>;
}

/** A part of what is asked for, in one order. */
interface Stage extends UserRange {
  readonly filter: UserFilter;
}

/** Comes after every key that begins with `prefix`, where texts are compared by their UTF-8 bytes. */
export function prefixEnd(prefix: string): string {
  return prefix + lastCharacter.repeat(longestSearch);
}

const lastCharacter = "\u{10ffff}";

/** Where the order by age begins: before every account, the newest one too. */
const newest: UserPlace = { createdAtMs: Number.MAX_SAFE_INTEGER, key: "" };

/**
 * One page of accounts: the newest first, or those found by username and then those found by address alone. It reads no more
 * than {@link mostUsersRead}, whatever is asked for.
 */
export async function userPage(query: UserQuery, reader: UserReader): Promise<UserPage> {
  const limit = Math.min(query.limit, mostOnPage);
  const stages = limit < 1 ? [] : stagesOf(query);
  const users: User[] = [];
  for (const stage of asked(stages, query.after)) {
    const wanted = limit - users.length;
    if (wanted === 0) return { users, next: cursorText(stage.by, stage.from) };
    // Where nothing is left out, nothing is read that is not shown.
    const until = isAny(stage.filter) ? null : await reader.nth(stage, mostUsersRead / stages.length);
    const found = await reader.first({ ...stage, until }, stage.filter, wanted + 1);
    users.push(...found.slice(0, wanted).filter((user) => isWanted(user, stage.filter)));
    const rest = found[wanted];
    const next = rest === undefined ? until : placeIn(stage.by, rest);
    if (next !== null) return { users, next: cursorText(stage.by, next) };
  }
  return { users, next: null };
}

/** An account's place in an order. */
export function placeIn(by: UserOrder, user: User): UserPlace {
  if (by === "newest") return { createdAtMs: user.createdAt.getTime(), key: user.id };
  return { createdAtMs: 0, key: by === "username" ? user.username : user.emailKey };
}

/** Whether an account is one of those that are asked for. */
export function isWanted(user: User, filter: UserFilter): boolean {
  const { status, role, tier, isSuperuser, notUsername } = filter;
  return (
    (status === null || user.status === status) &&
    (role === null || user.roles.includes(role)) &&
    (tier === null || user.tier === tier) &&
    (isSuperuser === null || user.isSuperuser === isSuperuser) &&
    (notUsername === null || !user.username.startsWith(notUsername))
  );
}

function isAny(filter: UserFilter): boolean {
  return Object.values(filter).every((wanted) => wanted === null);
}

function stagesOf({ search, status, role, tier, isSuperuser }: UserQuery): readonly Stage[] {
  const prefix = foldText((search ?? "").trim());
  const filter: UserFilter = { status, role, tier, isSuperuser, notUsername: null };
  if (prefix === "") return [{ by: "newest", prefix, from: newest, until: null, filter }];
  if (prefix.length > longestSearch || /\p{Cs}/u.test(prefix)) return [];
  const range = { prefix, from: { createdAtMs: 0, key: prefix }, until: null };
  return [
    { ...range, by: "username", filter },
    { ...range, by: "email", filter: { ...filter, notUsername: prefix } },
  ];
}

/** The stages from where a page is to begin; all of them where that was never handed out for this search. */
function asked(stages: readonly Stage[], after: string | null): readonly Stage[] {
  const cursor = after === null ? null : cursorOf(after);
  if (cursor === null) return stages;
  const [by, from] = cursor;
  const at = stages.findIndex((stage) => stage.by === by && from.key.startsWith(stage.prefix));
  return stages
    .slice(Math.max(at, 0))
    .map((stage, index) => (at >= 0 && index === 0 ? { ...stage, from } : stage));
}
