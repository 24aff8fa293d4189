import type { Pool } from "pg";
import { afterAll, describe, expect, it } from "vitest";
import { postgres } from "../../src/stores/postgres/postgres.ts";
import {
  directoryContract,
  ephemeralContract,
  type StoreHarness,
  sessionContract,
} from "../../src/testing/testing.ts";
import { newSchema, postgresUrl, type Schema } from "./postgres-database.ts";

let schema: Schema | undefined;
const pools: Pool[] = [];
afterAll(async () => {
  for (const pool of pools) await pool.end();
  await schema?.drop();
});

function opened(): Schema {
  if (schema === undefined) throw new Error("no case has opened it");
  return schema;
}

// Each handle has connections of its own, as another process would; the next case goes on with them, which start slowly.
function harness(prepare: boolean): StoreHarness {
  let handles = 0;
  const handle = () => {
    const pool = pools[handles] ?? opened().pool();
    pools[handles++] = pool;
    return postgres({ pool, prepare });
  };
  return {
    async open() {
      if (schema === undefined) schema = await newSchema();
      else await schema.empty();
      handles = 0;
      return handle();
    },
    another: async () => handle(),
    reopen: async () => handle(),
    async removeUser(userId) {
      const application = opened().pool({ max: 1 });
      await application.query("DELETE FROM users WHERE id = $1", [userId]);
      await application.end();
    },
  };
}

const proofs = [
  ["with", "directory", directoryContract(harness(false))],
  ["with", "session", sessionContract(harness(false))],
  ["with", "ephemeral", ephemeralContract(harness(false))],
  ["with prepared statements", "session", sessionContract(harness(true))],
] as const;

for (const [how, port, cases] of proofs) {
  describe.skipIf(postgresUrl === null)(`PostgreSQL ${how} keeps the ${port} contract`, () => {
    for (const { section, name, run } of cases) it(`${section}: ${name}`, run);
  });
}

describe.skipIf(postgresUrl === null)("a pool", () => {
  it("ends with the stores that own it, and with no others", async () => {
    const own = await newSchema();
    const pool = own.pool();
    for (let again = 0; again < 3; again++) await postgres({ pool }).directory.close();
    // Heard, so that a connection that is lost while it is idle ends no process; once is enough.
    expect(pool.listenerCount("error")).toBe(1);
    expect(pool.ending).toBe(false);
    await postgres({ pool, ownsPool: true }).directory.close();
    expect(pool.ending).toBe(true);
    await own.drop();
  });
});
