import fc from "fast-check";
import { createPool as createCallbackPool } from "mysql2";
import { createPool } from "mysql2/promise";
import { describe, expect, it, onTestFinished } from "vitest";
import type { MysqlPool } from "../../src/stores/mysql/mysql.ts";
import { mysql } from "../../src/stores/mysql/mysql.ts";
import { mysqlDatabase, mysqlUrl } from "./mysql-database.ts";

describe.skipIf(mysqlUrl === null)("values on MySQL", () => {
  it("come back as they were stored", async () => {
    const { open, call, make } = await mysqlDatabase();
    const { directory, ephemeral } = open();
    const character = fc.oneof(fc.constantFrom("\0", "\u0001", " ", "\\", "'", "?", "🔑", "é"), fc.string());
    const text = fc.array(character, { maxLength: 8 }).map((parts) => parts.join(""));
    const property = fc.asyncProperty(text, async (name) => {
      const user = make.user({ name, data: { [name]: name } as never, roles: [name] });
      const row = make.auditRow({ userId: user.id, userAgent: name });
      await directory.commit(
        [
          { kind: "user.insert", user },
          { kind: "audit.insert", row },
        ],
        call(),
      );
      expect(await directory.user(user.id, call())).toEqual(user);
      expect(await directory.auditRows({ userId: user.id, limit: 1 }, call())).toEqual([row]);
      await ephemeral.put(`key${name}`, name, 60, call());
      expect(await ephemeral.take(`key${name}`, call())).toBe(name);
    });
    await fc.assert(property, { numRuns: 40 });
  });

  it("that a collation takes for the same are different", async () => {
    const { open, call, make } = await mysqlDatabase();
    const { directory } = open();
    const names = ["a", "A", "a ", "á", "a\0", "ａ", "ß", "ss", "🔑", "🔒"];
    const users = names.map((name) => make.user({ username: name, emailKey: name }));
    for (const user of users) {
      expect(await directory.commit([{ kind: "user.insert", user }], call())).toMatchObject({ ok: true });
    }
    for (const user of users) {
      for (const kind of ["username", "email"] as const) {
        const found = await directory.userWithPassword({ kind, key: user.username }, call());
        expect(found?.user).toEqual(user);
      }
    }
  });

  it("with half a surrogate pair are stored with the replacement character, as in SQLite", async () => {
    const { open, call, make } = await mysqlDatabase();
    const { directory, sessions } = open();
    const user = make.user({ name: "a\ud800b", data: { kept: "\ud800" } as never });
    await directory.commit([{ kind: "user.insert", user }], call());
    expect(await directory.user(user.id, call())).toEqual({ ...user, name: "a\ufffdb" });
    const touch = { sessionId: "\ud800", usedAt: new Date(0), idleExpiresAt: new Date(0) };
    await sessions.touch([touch], call());
    await directory.commit([{ kind: "revocation.forget", sessionIds: ["\ud800"] }], call());
  });

  it("that do not fit are refused, not cut off", async () => {
    const { open, call, make } = await mysqlDatabase();
    const { directory } = open();
    const user = make.user({ username: "u".repeat(256) });
    await expect(directory.commit([{ kind: "user.insert", user }], call())).rejects.toThrow(/too long/);
    expect(await directory.isEmpty(call())).toBe(true);
  });

  it("are read by the stores' own rules, whatever the application told its pool", async () => {
    const { open, call, make } = await mysqlDatabase();
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
    const { directory, sessions, ephemeral } = open({}, theirs);
    const user = make.user({ isSuperuser: true, emailVerified: true });
    const session = make.session(user);
    const insert = { kind: "session.insert", session, cap: 3, evicted: () => [] } as const;
    await directory.commit([{ kind: "user.insert", user }, insert], call());
    expect(await sessions.find([session.id], call())).toEqual([{ expired: false, session, user }]);
    for (const isFirst of [true, false]) expect(await ephemeral.add("mark", 60, call())).toBe(isFirst);
    const setData = { kind: "session.set_data", sessionId: session.id, dataVersion: 0, data: {} } as const;
    expect(await directory.commit([setData], call())).toMatchObject({ ok: true });
  });

  it("may be many in one transaction, and keep their order", async () => {
    const { open, call, make } = await mysqlDatabase();
    const { directory } = open();
    const rows = Array.from({ length: 61 }, () => make.auditRow());
    await directory.commit(
      rows.map((row) => ({ kind: "audit.insert", row })),
      call(),
    );
    const read = await directory.auditRows({ userId: null, limit: 100 }, call());
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
