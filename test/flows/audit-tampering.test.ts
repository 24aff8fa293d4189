import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { audit } from "../../src/features/audit.ts";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";
import { password, world } from "../support/world.ts";

const day = 86_400;

/** A sealed log of a few dozen rows on a real file, and a second connection that knows no rules. */
async function tampered({ retentionSeconds = null as number | null } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-audit-"));
  const path = join(folder, "app.db");
  const feature = audit({ sealSeconds: 0, retentionSeconds });
  const here = world({ stores: sqlite({ path }), features: [feature] });
  const log = here.auth.use(feature);
  const db = new DatabaseSync(path);
  onTestFinished(() => {
    db.close();
    rmSync(folder, { recursive: true });
  });
  const ana = await here.registered();
  for (let times = 0; times < 6; times++) {
    await here.browser().post("/api/v1/auth/login", { email: `nobody${times}@example.com`, password });
    if (times === 3) await log.seal();
  }
  await log.seal();
  expect(await log.verify()).toMatchObject({ fault: null, unknownKeys: [] });
  return {
    here,
    log,
    ana,
    run: (sql: string) => db.prepare(sql).run(),
    get: (sql: string) => db.prepare(sql).get(),
  };
}

describe("what somebody with the database did is found at its first row", () => {
  test.each([
    ["type", "user.logged_in"],
    ["payload", "{}"],
    ["user_id", "somebody-else"],
    ["session_id", "another"],
    ["request_id", "another"],
    ["created_at", "1767225600001"],
    ["digests", "{}"],
    ["id", "0190163d-8694-739b-aea5-966c26f8ad91"],
    ["chain_hash", "A".repeat(43)],
  ])("a changed %s", async (column, value) => {
    const { log, run } = await tampered();
    run("PRAGMA foreign_keys = OFF");
    run(`UPDATE audit_events SET ${column} = '${value}' WHERE seq = 5`);
    expect((await log.verify()).fault).toMatchObject({ kind: "changed", seq: 5 });
  });

  test("a changed first row, and a changed last one", async () => {
    const { log, run } = await tampered();
    const { lastSeq } = await log.verify();
    run(`UPDATE audit_events SET payload = '{}' WHERE seq = ${lastSeq}`);
    expect((await log.verify()).fault).toMatchObject({ kind: "changed", seq: lastSeq });
    run("UPDATE audit_events SET payload = '{}' WHERE seq = 1");
    expect((await log.verify()).fault).toMatchObject({ kind: "changed", seq: 1 });
  });

  test("a changed address", async () => {
    const { log, run } = await tampered();
    run(
      "UPDATE audit_personal SET value = '192.0.2.99' WHERE event_id = (SELECT id FROM audit_events WHERE seq = 4)",
    );
    expect((await log.verify()).fault).toMatchObject({
      kind: "changed",
      seq: 4,
      because: expect.stringMatching(/ip/),
    });
  });

  test("a missing row, in the middle and at either end", async () => {
    const { log, run } = await tampered();
    const { lastSeq } = await log.verify();
    run(`DELETE FROM audit_events WHERE seq = ${lastSeq}`);
    // The checkpoint knows of it; behind the last one nothing does but who noted it.
    expect((await log.verify()).fault).toMatchObject({ kind: "missing", seq: lastSeq });
    run("DELETE FROM audit_events WHERE seq = 6");
    expect((await log.verify()).fault).toMatchObject({ kind: "missing", seq: 6 });
    run("DELETE FROM audit_events WHERE seq = 1");
    expect((await log.verify()).fault).toMatchObject({ kind: "missing", seq: 1 });
  });

  test("two rows that changed places, with and without their digests", async () => {
    const { log, run } = await tampered();
    const swap = (columns: string): void => {
      run("UPDATE audit_events SET seq = 1000 WHERE seq = 4");
      run("UPDATE audit_events SET seq = 4 WHERE seq = 5");
      run("UPDATE audit_events SET seq = 5 WHERE seq = 1000");
      if (columns === "seq") return;
      run("UPDATE audit_events SET chain_hash = 'held' WHERE seq = 4");
    };
    swap("seq");
    expect((await log.verify()).fault).toMatchObject({
      kind: "reordered",
      seq: 4,
      because: expect.stringMatching(/sealed at 5/),
    });
  });

  test("a row that was put in, with those behind it moved on", async () => {
    const { log, run } = await tampered();
    run("UPDATE audit_events SET seq = -seq WHERE seq >= 5");
    run("UPDATE audit_events SET seq = 1 - seq WHERE seq < 0");
    run(`INSERT INTO audit_events (position, id, type, created_at, payload, digests, seq, chain_hash)
      SELECT 10000, 'put-in', type, created_at, payload, digests, 5, chain_hash FROM audit_events WHERE seq = 4`);
    expect((await log.verify()).fault).toMatchObject({ kind: "changed", seq: 5, id: "put-in" });
  });

  test("a history that was made anew with its digests, against the signature", async () => {
    const { log, run, here } = await tampered();
    const { chainHash } = await import("../../src/domain/audit-chain.ts");
    run("UPDATE audit_events SET payload = '{}' WHERE seq = 3");
    const rows = await here.services.stores.directory.sealedAudit({ afterSeq: 0, limit: 1_000 }, here.call());
    let previous: string | null = null;
    for (const row of rows) {
      previous = chainHash(row, previous);
      run(`UPDATE audit_events SET chain_hash = '${previous}' WHERE seq = ${row.seq}`);
    }
    const first = (await here.services.stores.directory.auditCheckpoints(here.call()))[0];
    expect((await log.verify()).fault).toMatchObject({ kind: "checkpoint", seq: first?.seq });
    const digest = rows.find(({ seq }) => seq === first?.seq);
    expect(digest).toBeDefined();
    run(
      `UPDATE audit_checkpoints SET chain_hash = (SELECT chain_hash FROM audit_events e WHERE e.seq = audit_checkpoints.seq)`,
    );
    expect((await log.verify()).fault).toMatchObject({
      kind: "checkpoint",
      seq: first?.seq,
      because: expect.stringMatching(/false/),
    });
  });

  test("a checkpoint that was given another time", async () => {
    const { log, run, get } = await tampered();
    run("UPDATE audit_checkpoints SET created_at = created_at - 1000");
    const first = get("SELECT min(seq) AS seq FROM audit_checkpoints");
    expect((await log.verify()).fault).toMatchObject({
      kind: "checkpoint",
      seq: first?.seq,
      because: expect.stringMatching(/false/),
    });
  });

  test("rows that are gone though they had to be kept, and not those that were due", async () => {
    const { log, run, here } = await tampered({ retentionSeconds: 30 * day });
    const checkpoints = await here.services.stores.directory.auditCheckpoints(here.call());
    run(`DELETE FROM audit_events WHERE seq <= ${checkpoints[0]?.seq}`);
    expect((await log.verify()).fault).toMatchObject({ kind: "missing", seq: 1 });
    here.clock.advance(32 * day);
    expect((await log.verify()).fault).toBeNull();
    expect((await log.verify({ retentionSeconds: null })).fault).toMatchObject({ kind: "missing", seq: 1 });
  });
});

test("an erased account leaves the log as it was sealed, without what is personal", async () => {
  const { log, here, ana, get } = await tampered();
  const rows = `SELECT count(*) AS count FROM audit_personal
    WHERE event_id IN (SELECT id FROM audit_events WHERE user_id = '${ana.userId}')`;
  expect(get(rows)?.count).toBeGreaterThan(0);
  await here.write({ kind: "user.erase", userId: ana.userId, requires: "any" });
  expect(get(rows)?.count).toBe(0);
  expect((await log.verify()).fault).toBeNull();
});
