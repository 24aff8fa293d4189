import { createPool as createCallbackPool } from "mysql2";
import { createPool } from "mysql2/promise";
import { describe, expect, it, onTestFinished } from "vitest";
import type { MysqlPool } from "../../src/stores/mysql/mysql.ts";
import { mysql } from "../../src/stores/mysql/mysql.ts";
import { auditQuery } from "../../src/testing/queries.ts";
import { mysqlDatabase, mysqlUrl } from "./mysql-database.ts";
import { serverValues } from "./server-values.ts";

serverValues("MySQL", mysqlUrl === null, async () => {
  const database = await mysqlDatabase();
  const theirs = {
    supportBigNumbers: true,
    bigNumberStrings: true,
    decimalNumbers: true,
    dateStrings: true,
    jsonStrings: true,
    rowsAsArray: false,
    typeCast: () => "the application's",
    flags: ["-FOUND_ROWS"],
  };
  return { ...database, openToldOtherwise: () => database.open({}, theirs) };
});

describe.skipIf(mysqlUrl === null)("values on MySQL", () => {
  it("that do not fit are refused, not cut off", async () => {
    const { open, call, make } = await mysqlDatabase();
    const { directory } = open();
    const user = make.user({ username: "u".repeat(256) });
    await expect(directory.commit([{ kind: "user.insert", user }], call())).rejects.toThrow(/too long/);
    expect(await directory.isEmpty(call())).toBe(true);
  });

  it("may be many in one transaction, and keep their order", async () => {
    const { open, call, make } = await mysqlDatabase();
    const { directory } = open();
    const rows = Array.from({ length: 61 }, () => make.auditRow());
    await directory.commit(
      rows.map((row) => ({ kind: "audit.insert", row })),
      call(),
    );
    const read = await directory.auditRows(auditQuery({ limit: 100 }), call());
    expect(read).toEqual(rows.toReversed());
  });
});

describe("a pool", () => {
  it("of mysql2/promise fits as it is", () => {
    const pool = createPool({ host: "127.0.0.1" });
    onTestFinished(() => pool.end());
    const fits: MysqlPool = pool;
    expect(() => mysql({ pool: fits })).not.toThrow();
  });

  it("that answers by callbacks is refused", () => {
    const pool = createCallbackPool({ host: "127.0.0.1" });
    onTestFinished(() => pool.end());
    expect(() => mysql({ pool: pool as unknown as MysqlPool })).toThrow("a `Pool` of mysql2/promise");
  });

  it.each([
    [{ pool: undefined }, "pool is a `Pool` of mysql2/promise"],
    [{ lockTimeoutSeconds: 0 }, "lockTimeoutSeconds"],
    [{ lockTimeoutSeconds: "1; DROP TABLE users" }, "lockTimeoutSeconds"],
    [{ transactionTimeoutSeconds: 0.5 }, "transactionTimeoutSeconds"],
  ])("with options that cannot be used is refused: %j", (options, message) => {
    const pool = { getConnection: () => Promise.reject(), end: () => Promise.resolve() };
    expect(() => mysql({ pool, ...(options as object) })).toThrow(TypeError);
    expect(() => mysql({ pool, ...(options as object) })).toThrow(message);
  });
});
