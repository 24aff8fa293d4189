import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Pool } from "pg";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import type { Session } from "../../src/domain/session.ts";
import { postgres } from "../../src/stores/postgres/postgres.ts";
import { fixtures, testClock } from "../../src/testing/testing.ts";
import { type OwnPostgres, startPostgres } from "../servers/start-postgres.ts";
import { postgresDatabase, postgresUrl } from "./postgres-database.ts";
import { serverFailover } from "./server-failover.ts";

const places = 4;
let former: OwnPostgres;
let session: Session;

/** A server that follows another: it has what lay in it, and only reads. */
beforeAll(async () => {
  if (postgresUrl === null) return;
  former = await startPostgres({ cleanup: afterAll });
  const pool = new Pool({ connectionString: former.url });
  const clock = testClock();
  session = fixtures(clock).session(null);
  const insert = { kind: "session.insert", session, cap: 0, evicted: () => [] } as const;
  const call = { now: clock.now(), signal: new AbortController().signal };
  await postgres({ pool }).directory.commit([insert], call);
  await pool.end();
  await former.node.kill();
  writeFileSync(join(former.node.folder, "standby.signal"), "");
  await former.node.start();
});

serverFailover("PostgreSQL", postgresUrl === null, async () => {
  const { name, open, clock, make } = await postgresDatabase();
  await open().migrations.up();
  const pool = new Pool({ connectionString: former.url, max: places });
  onTestFinished(() => pool.end());
  const stores = postgres({ pool });
  const call = () => ({ now: clock.now(), signal: AbortSignal.timeout(5_000) });
  const reads = Array.from({ length: places }, () => stores.sessions.find([session.id], call()));
  await Promise.all(reads);
  return {
    stores,
    session,
    make,
    call,
    move: () =>
      Object.assign(pool.options, { connectionString: postgresUrl, options: `-c search_path=${name}` }),
    promote: async () => {
      const owner = new Pool({ connectionString: former.url, max: 1 });
      await owner.query("SELECT pg_promote()");
      await owner.end();
    },
  };
});
