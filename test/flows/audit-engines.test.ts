import { createPool } from "mysql2/promise";
import pg from "pg";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { audit } from "../../src/features/audit.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { mysql } from "../../src/stores/mysql/mysql.ts";
import { postgres } from "../../src/stores/postgres/postgres.ts";
import { mysqlUrl, newDatabase } from "../stores/mysql-database.ts";
import { backends } from "../support/backends.ts";
import { world } from "../support/world.ts";

const postgresUrl = inject("postgresUrl");

async function onPostgres(): Promise<Stores> {
  const admin = new pg.Client(postgresUrl ?? "");
  await admin.connect();
  const name = `audit_${process.pid}_${Date.now()}`;
  await admin.query(`CREATE DATABASE ${name}`);
  const url = Object.assign(new URL(postgresUrl ?? ""), { pathname: `/${name}` }).href;
  const pool = new pg.Pool({ connectionString: url });
  onTestFinished(async () => {
    await pool.end();
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await admin.end();
  });
  return postgres({ pool });
}

async function onMysql(): Promise<Stores> {
  const { url, drop } = await newDatabase();
  const pool = createPool({ uri: url });
  onTestFinished(async () => {
    await pool.end();
    await drop();
  });
  return mysql({ pool });
}

const engines = [
  ...backends.map(({ backend, open }) => ({ backend, isMissing: false, open })),
  { backend: "postgres", isMissing: postgresUrl === null, open: onPostgres },
  { backend: "mysql", isMissing: mysqlUrl === null, open: onMysql },
];

describe.each(engines)("an audit log on $backend", ({ isMissing, open }) => {
  test.skipIf(isMissing)(
    "gives back the very texts that were sealed, whoever seals",
    { timeout: 60_000 },
    async () => {
      const feature = audit({ sealSeconds: 0, retentionSeconds: 86_400 });
      const here = world({ stores: await open(), features: [feature] });
      const log = here.auth.use(feature);
      const odd = ["é\u0301 \u{1F511} ß", "\\ \" ' % _", "\u2028\u2029\u{10FFFF}", "{}", "null"];
      for (const reason of odd) {
        const payload = { method: "GET", path: `/${reason}`, because: reason, suppressed: 0 };
        const row = here.services.events.row(
          { type: "permission.denied", userId: null, sessionId: null, payload },
          { ip: "2001:db8::1", userAgent: reason, requestId: reason },
        );
        here.clock.advance(0.001);
        await here.write({ kind: "audit.insert", row });
      }
      await here.registered();
      await Promise.all(Array.from({ length: 4 }, () => log.seal()));
      const before = await log.verify();
      expect(before).toMatchObject({ fault: null, firstSeq: 1 });
      expect(before.signedSeq).not.toBeNull();
      here.clock.advance(3 * 86_400);
      await here
        .browser()
        .post("/api/v1/auth/login", { email: "nobody@example.com", password: "not the one" });
      await log.seal();
      expect(await log.dropOld()).toBeGreaterThan(0);
      expect(await log.verify()).toMatchObject({ fault: null });
    },
  );
});
