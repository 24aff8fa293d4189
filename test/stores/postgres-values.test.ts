import { Pool, types } from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import type { PostgresPool } from "../../src/stores/postgres/pool.ts";
import { postgres } from "../../src/stores/postgres/postgres.ts";
import { postgresDatabase, postgresUrl } from "./postgres-database.ts";
import { serverValues } from "./server-values.ts";

serverValues("PostgreSQL", postgresUrl === null, async () => {
  const database = await postgresDatabase();
  return {
    ...database,
    openToldOtherwise() {
      const [int8, bool, bytea, text] = [20, 16, 17, 25];
      for (const type of [int8, bool, bytea, text]) {
        const before = types.getTypeParser(type);
        types.setTypeParser(type, () => "the application's");
        onTestFinished(() => types.setTypeParser(type, before));
      }
      return database.open();
    },
  };
});

describe.skipIf(postgresUrl === null)("values on PostgreSQL", () => {
  it("may be of a user whose e-mail and name make the longest rows", async () => {
    const { open, call, make } = await postgresDatabase();
    const { sessions, directory } = open();
    const userAgent = "\ud83d\udd11".repeat(256);
    const session = make.session(null, { userAgent, data: { long: "é".repeat(2_000) } });
    await directory.commit([{ kind: "session.insert", session, cap: 0, evicted: () => [] }], call());
    expect(await sessions.find([session.id], call())).toEqual([{ expired: false, session, user: null }]);
  });
});

describe.skipIf(postgresUrl === null)("bytes on PostgreSQL", () => {
  it.each(["hex", "escape"])("come back as they were stored, written as %s", async (form) => {
    const { name, open, call, make } = await postgresDatabase();
    const options = `-c search_path=${name} -c bytea_output=${form}`;
    const { sessions, directory } = open({}, { options });
    for (let first = 0; first < 256; first += 32) {
      const secretDigest = Uint8Array.from({ length: 32 }, (_, at) => first + at);
      const session = make.session(null, { secretDigest });
      await directory.commit([{ kind: "session.insert", session, cap: 0, evicted: () => [] }], call());
      expect(await sessions.find([session.id], call())).toMatchObject([{ session: { secretDigest } }]);
    }
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
