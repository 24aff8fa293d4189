import { setImmediate as nextTurn } from "node:timers/promises";
import type { User } from "../../domain/user.ts";
import type { DirectoryStore } from "../../ports/directory-store.ts";
import type { StoreCall } from "../../ports/store.ts";
import { type UserRow, userColumns, userOf } from "../rows.ts";
import type { SqlValue } from "../sql/steps.ts";
import type { UserPlace } from "../user-cursor.ts";
import { prefixEnd, type UserFilter, type UserRange, userPage } from "../user-pages.ts";
import type { Connection } from "./connection.ts";
import type { Prepare, Statement } from "./statement.ts";

interface OrderReading {
  readonly nth: Statement<readonly [createdAtMs: number, key: string]>;
  readonly first: Statement<UserRow>;
}

// Wrapped, so that none of it leads away from the index of the order: that is what bounds the work.
const wanted = `
  ifnull(status = ?, 1) AND instr(roles, ?) > 0 AND tier IS ifnull(?, tier) AND ifnull(is_superuser = ?, 1)
  AND ifnull(username < ? OR username >= ?, 1)`;

function filterValues({ status, role, tier, isSuperuser, notUsername }: UserFilter): readonly SqlValue[] {
  const rights = [
    role === null ? "" : JSON.stringify(role),
    tier,
    isSuperuser === null ? null : Number(isSuperuser),
  ];
  return [status, ...rights, notUsername, notUsername === null ? null : prefixEnd(notUsername)];
}

function userReading(prepare: Prepare): Readonly<Record<UserRange["by"], OrderReading>> {
  const ordered = (place: string, range: string, order: string): OrderReading => ({
    nth: prepare(`SELECT ${place} FROM users WHERE ${range} ORDER BY ${order} LIMIT 1 OFFSET ?`),
    first: prepare(`SELECT ${userColumns} FROM users WHERE ${range} AND ${wanted} ORDER BY ${order} LIMIT ?`),
  });
  return {
    newest: ordered(
      "created_at, id",
      "(created_at, id) <= (?, ?) AND (created_at, id) > (?, ?)",
      "created_at DESC, id DESC",
    ),
    username: ordered("0, username", "username >= ? AND username < ?", "username"),
    email: ordered("0, email_key", "email_key >= ? AND email_key < ?", "email_key"),
  };
}

/** Before every account there is. */
const oldest: UserPlace = { createdAtMs: Number.MIN_SAFE_INTEGER, key: "" };

function rangeValues({ by, prefix, from, until }: UserRange): readonly SqlValue[] {
  if (by !== "newest") return [from.key, until?.key ?? prefixEnd(prefix)];
  const end = until ?? oldest;
  return [from.createdAtMs, from.key, end.createdAtMs, end.key];
}

/** Accounts that are looked at in one go, some milliseconds; after them other work comes in between. */
const lookedAtOnce = 250;

/** Lists accounts on SQLite. */
export function userReads(connection: Connection): Pick<DirectoryStore, "users"> {
  const reading = connection.prepared(userReading);

  async function nth(range: UserRange, count: number, call: StoreCall): Promise<UserPlace | null> {
    const values = [...rangeValues(range), count];
    const row = await connection.read(() => reading()[range.by].nth.get(...values), call);
    return row === undefined ? null : { createdAtMs: row[0], key: row[1] };
  }

  async function first(
    range: UserRange,
    filter: UserFilter,
    { limit, call }: { readonly limit: number; readonly call: StoreCall },
  ): Promise<readonly User[]> {
    const found: User[] = [];
    for (let from: UserPlace | null = range.from; from !== null; await nextTurn()) {
      const next = await nth({ ...range, from }, lookedAtOnce, call);
      const values = [
        ...rangeValues({ ...range, from, until: next ?? range.until }),
        ...filterValues(filter),
      ];
      const rows = reading()[range.by].first;
      found.push(
        ...(await connection.read(() => rows.all(...values, limit - found.length), call)).map(userOf),
      );
      if (found.length >= limit) return found;
      from = next;
    }
    return found;
  }

  return {
    users: (query, call) =>
      userPage(query, {
        nth: (range, count) => nth(range, count, call),
        first: (range, filter, limit) => first(range, filter, { limit, call }),
      }),
  };
}
