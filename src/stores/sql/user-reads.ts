import type { DirectoryStore } from "../../ports/directory-store.ts";
import type { StoreCall } from "../../ports/store.ts";
import { type UserRow, userColumns, userOf } from "../rows.ts";
import type { UserPlace } from "../user-cursor.ts";
import { prefixEnd, type UserFilter, type UserRange, userPage } from "../user-pages.ts";
import type { Parameter, Rows, Statement } from "./queries.ts";
import type { SqlValue } from "./steps.ts";

/** The statements that list accounts in one order, in the order in which their values are given. */
interface OrderStatements {
  /** Of a range's beginning (for a key: and its end) and a number: the place of the account after that many. */
  readonly nth: Statement<readonly [createdAtMs: number, key: string]>;
  /** Of a range, a filter and a limit. */
  readonly first: Statement<UserRow>;
}

/** The statements that list accounts. */
export type UserStatements = Readonly<Record<UserRange["by"], OrderStatements>>;

/** Writes the statements; `at` is the placeholder of the first, second, … value. */
export function userStatements(
  statement: <Row extends readonly SqlValue[]>(text: string) => Statement<Row>,
  at: (place: number) => string,
): UserStatements {
  const from = `created_at <= ${at(1)} AND (created_at < ${at(2)} OR id <= ${at(3)})`;
  const until = `created_at >= ${at(4)} AND (created_at > ${at(5)} OR id > ${at(6)})`;
  const newest = "ORDER BY created_at DESC, id DESC";
  const keyed = (key: "username" | "email_key"): OrderStatements => {
    const range = `${key} >= ${at(1)} AND ${key} < ${at(2)}`;
    return {
      nth: statement(`SELECT 0, ${key} FROM users WHERE ${range} ORDER BY ${key} LIMIT 1 OFFSET ${at(3)}`),
      first: statement(`
        SELECT ${userColumns} FROM users WHERE ${range} AND ${wanted(at, 3)} ORDER BY ${key} LIMIT ${at(3 + filterWidth)}`),
    };
  };
  return {
    newest: {
      nth: statement(`SELECT created_at, id FROM users WHERE ${from} ${newest} LIMIT 1 OFFSET ${at(4)}`),
      first: statement(`
        SELECT ${userColumns} FROM users WHERE ${from} AND ${until} AND ${wanted(at, 7)} ${newest} LIMIT ${at(7 + filterWidth)}`),
    },
    username: keyed("username"),
    email: keyed("email_key"),
  };
}

/** Values of a filter. */
const filterWidth = 11;

// Static SQL: what is not asked for is an empty text. Roles are JSON, in which a name stands between its quotes.
function wanted(at: (place: number) => string, first: number): string {
  const value = (offset: number): string => at(first + offset);
  return [
    `(${value(0)} = '' OR status = ${value(1)})`,
    `(${value(2)} = '' OR POSITION(${value(3)} IN roles) > 0)`,
    `(${value(4)} = '' OR tier = ${value(5)})`,
    `(${value(6)} = '' OR is_superuser = ${value(7)})`,
    `(${value(8)} = '' OR username < ${value(9)} OR username >= ${value(10)})`,
  ].join(" AND ");
}

function filterValues({ status, role, tier, isSuperuser, notUsername }: UserFilter): readonly Parameter[] {
  const name = role === null ? "" : JSON.stringify(role);
  const truth = isSuperuser === null ? "" : "asked";
  const prefix = notUsername ?? "";
  return [
    ...[status ?? "", status ?? "", name, name, tier ?? "", tier ?? ""],
    ...[truth, Number(isSuperuser), prefix, prefix, prefixEnd(prefix)],
  ];
}

/** Lists accounts in a database on a server. */
export function userReads(rows: Rows, statements: UserStatements): Pick<DirectoryStore, "users"> {
  async function nth(range: UserRange, count: number, call: StoreCall): Promise<UserPlace | null> {
    const { from, prefix, by } = range;
    const values =
      by === "newest" ? [from.createdAtMs, from.createdAtMs, from.key] : [from.key, prefixEnd(prefix)];
    const [row] = await rows(call, statements[by].nth, ...values, `${count}`);
    return row === undefined ? null : { createdAtMs: row[0], key: row[1] };
  }

  return {
    users: (query, call) =>
      userPage(query, {
        nth: (range, count) => nth(range, count, call),
        first: async (range, filter, limit) => {
          const values = [...rangeValues(range), ...filterValues(filter), `${limit}`];
          return (await rows(call, statements[range.by].first, ...values)).map(userOf);
        },
      }),
  };
}

/** Before every account there is. */
const oldest: UserPlace = { createdAtMs: Number.MIN_SAFE_INTEGER, key: "" };

function rangeValues({ by, prefix, from, until }: UserRange): readonly Parameter[] {
  if (by !== "newest") return [from.key, until?.key ?? prefixEnd(prefix)];
  const end = until ?? oldest;
  return [from.createdAtMs, from.createdAtMs, from.key, end.createdAtMs, end.createdAtMs, end.key];
}
