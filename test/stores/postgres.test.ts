import { afterAll, describe, it } from "vitest";
import { postgres } from "../../src/stores/postgres/postgres.ts";
import {
  directoryContract,
  ephemeralContract,
  type StoreHarness,
  sessionContract,
} from "../../src/testing/testing.ts";
import { newSchema, postgresUrl, type Schema } from "./postgres-database.ts";

const schemas: Schema[] = [];
afterAll(async () => {
  for (const schema of schemas) await schema.drop();
});

function last(): Schema {
  return schemas.at(-1) as Schema;
}

// Each handle has connections of its own, as another process would.
function harness(prepare: boolean): StoreHarness {
  const handle = () => postgres({ pool: last().pool(), ownsPool: true, prepare });
  return {
    async open() {
      // One case comes after the other.
      await schemas.pop()?.drop();
      schemas.push(await newSchema());
      return handle();
    },
    another: async () => handle(),
    reopen: async () => handle(),
    async removeUser(userId) {
      const application = last().pool({ max: 1 });
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
