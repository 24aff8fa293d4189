import fc from "fast-check";
import { Pool, types } from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import type { PostgresPool } from "../../src/stores/postgres/pool.ts";
import { postgres } from "../../src/stores/postgres/postgres.ts";
import { postgresDatabase, postgresUrl } from "./postgres-database.ts";

describe.skipIf(postgresUrl === null)("values on PostgreSQL", () => {
  it("come back as they were stored, NUL and what stands for it included", async () => {
    const { open, call, make } = await postgresDatabase();
    const { directory, ephemeral } = open();
    const character = fc.oneof(fc.constantFrom("\0", "\u0001", "0", "1", "\\", "'", "$1", "🔑"), fc.string());
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

  it("that differ in a NUL alone are different", async () => {
    const { open, call, make } = await postgresDatabase();
    const { directory } = open();
    const names = ["a", "a\0", "a\u00010", "a\u0001", "a\u00011", "a\0\0"];
    const users = names.map((username) => make.user({ username }));
    for (const user of users) await directory.commit([{ kind: "user.insert", user }], call());
    for (const user of users) {
      const found = await directory.userWithPassword({ kind: "username", key: user.username }, call());
      expect(found?.user).toEqual(user);
    }
  });

  it("with half a surrogate pair are stored with the replacement character, as in SQLite", async () => {
    const { open, call, make } = await postgresDatabase();
    const { directory } = open();
    const user = make.user({ name: "a\ud800b", data: { kept: "\ud800" } as never });
    await directory.commit([{ kind: "user.insert", user }], call());
    expect(await directory.user(user.id, call())).toEqual({ ...user, name: "a\ufffdb" });
  });

  it("are read by the stores' own rules, whatever the application told the driver", async () => {
    const { open, call, make } = await postgresDatabase();
    const [int8, bool, bytea, text] = [20, 16, 17, 25];
    for (const type of [int8, bool, bytea, text]) {
      const before = types.getTypeParser(type);
      types.setTypeParser(type, () => "the application's");
      onTestFinished(() => types.setTypeParser(type, before));
    }
    const { directory, sessions } = open();
    const user = make.user({ isSuperuser: true, emailVerified: true });
    const session = make.session(user);
    const insert = { kind: "session.insert", session, cap: 3, evicted: () => [] } as const;
    await directory.commit([{ kind: "user.insert", user }, insert], call());
    expect(await sessions.find([session.id], call())).toEqual([{ expired: false, session, user }]);
  });

  it("may be of a user whose e-mail and name make the longest rows", async () => {
    const { open, call, make } = await postgresDatabase();
    const { sessions, directory } = open();
    const userAgent = "\ud83d\udd11".repeat(256);
    const session = make.session(null, { userAgent, data: { long: "é".repeat(2_000) } });
    await directory.commit([{ kind: "session.insert", session, cap: 0, evicted: () => [] }], call());
    expect(await sessions.find([session.id], call())).toEqual([{ expired: false, session, user: null }]);
  });
});

describe("a pool", () => {
  it("of pg fits as it is", () => {
    const fits: PostgresPool = new Pool();
    expect(typeof fits.connect).toBe("function");
  });

  it.each([
    [{ pool: undefined }, "pool is a `Pool` of pg"],
    [{ lockTimeoutMs: 0 }, "lockTimeoutMs"],
    [{ lockTimeoutMs: "1; DROP TABLE users" }, "lockTimeoutMs"],
    [{ transactionTimeoutMs: 2 ** 31 }, "transactionTimeoutMs"],
  ])("with options that cannot be used is refused: %j", (options, message) => {
    expect(() => postgres({ pool: new Pool(), ...(options as object) })).toThrow(TypeError);
    expect(() => postgres({ pool: new Pool(), ...(options as object) })).toThrow(message);
  });
});
