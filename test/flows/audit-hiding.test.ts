import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { chainHash } from "../../src/domain/audit-chain.ts";
import { audit } from "../../src/features/audit.ts";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";
import { password, type World, world } from "../support/world.ts";

const day = 86_400;
const retentionSeconds = 365 * day;
const [firstSecret, secondSecret] = [
  "the first secret of thirty-two bytes or more",
  "the second secret of thirty-two bytes, or more",
];

/** A log with two checkpoints on a real file, which a server goes on writing, and a second connection that knows no rules. */
async function watched() {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-audit-"));
  const path = join(folder, "app.db");
  const feature = audit({ sealSeconds: 0, retentionSeconds });
  const here = world({ stores: sqlite({ path }), features: [feature], secrets: [firstSecret] });
  const log = here.auth.use(feature);
  const db = new DatabaseSync(path);
  onTestFinished(() => {
    db.close();
    rmSync(folder, { recursive: true });
  });
  await here.registered();
  const first = (await log.seal()).checkpoint?.seq ?? 0;
  await somethingHappens(here);
  const newest = (await log.seal()).checkpoint?.seq ?? 0;
  await log.seal();
  const { lastSeq, chainHash: lastHash, fault } = await log.verify();
  expect(fault).toBeNull();
  return {
    ...{ here, log, first, newest },
    anchor: { seq: lastSeq ?? 0, chainHash: lastHash ?? "" },
    run: (sql: string) => db.prepare(sql).run(),
    rows: () => db.prepare("SELECT count(*) AS count FROM audit_events").get()?.count,
  };
}

async function somethingHappens(here: World): Promise<void> {
  await here.browser().post("/api/v1/auth/login", { email: "nobody@example.com", password });
}

const setBack = "UPDATE audit_checkpoints SET created_at = created_at - 2 * 365 * 86400000";

/** Gives every row the digest that it would have, from `beginning` on. */
async function chainedAnew(
  { here, run }: Awaited<ReturnType<typeof watched>>,
  beginning: string | null = null,
) {
  const { directory } = here.services.stores;
  let previous = beginning;
  for (const row of await directory.sealedAudit({ afterSeq: 0, limit: 1_000 }, here.call())) {
    previous = chainHash(row, previous);
    run(`UPDATE audit_events SET chain_hash = '${previous}' WHERE seq = ${row.seq}`);
  }
}

describe("rows that were taken away as if they had been due", () => {
  test("under a checkpoint that was dated back", async () => {
    const { log, run, first, anchor } = await watched();
    run(`DELETE FROM audit_events WHERE seq <= ${first}`);
    run(`${setBack} WHERE seq = ${first}`);
    const falsely = { kind: "checkpoint", seq: first, because: expect.stringMatching(/false/) };
    expect((await log.verify()).fault).toMatchObject(falsely);
    expect((await log.verify({ anchor })).fault).toMatchObject(falsely);
  });

  test("all of them", async () => {
    const { log, run, newest, anchor } = await watched();
    run(setBack);
    run("DELETE FROM audit_events");
    expect((await log.verify()).fault).toMatchObject({ kind: "checkpoint", seq: newest });
    expect((await log.verify({ anchor })).fault).toMatchObject({ kind: "missing", seq: 1 });
  });

  test("all of them when those that a checkpoint covers were due: an end that was noted has to be there", async () => {
    const { here, log, run, newest, anchor } = await watched();
    here.clock.advance(366 * day);
    run("DELETE FROM audit_events");
    expect((await log.verify()).fault).toBeNull();
    expect(anchor.seq).toBeGreaterThan(newest);
    expect((await log.verify({ anchor })).fault).toMatchObject({ kind: "missing" });
    const other = { seq: newest, chainHash: "x".repeat(43) };
    expect((await log.verify({ anchor: other })).fault).toMatchObject({ kind: "changed", seq: newest });
  });

  test("under a checkpoint that nobody known here signed", async () => {
    const { log, run, first } = await watched();
    run(`DELETE FROM audit_events WHERE seq <= ${first}`);
    run(`${setBack}, signature = 'somebody.else' WHERE seq = ${first}`);
    expect((await log.verify()).fault).toMatchObject({
      kind: "missing",
      seq: 1,
      because: expect.stringMatching(/not known/),
    });
  });

  test("under such a one, with what follows dated back as well where nothing is signed behind it", async () => {
    const here = await watched();
    const { log, run, newest } = here;
    run(`DELETE FROM audit_events WHERE seq <= ${newest}`);
    run(`${setBack}, signature = 'somebody.else' WHERE seq = ${newest}`);
    run("UPDATE audit_events SET created_at = created_at - 2 * 365 * 86400000");
    const checkpoints = await here.here.services.stores.directory.auditCheckpoints(here.here.call());
    await chainedAnew(here, checkpoints.at(-1)?.chainHash);
    expect((await log.verify()).fault).toMatchObject({
      kind: "missing",
      seq: 1,
      because: expect.stringMatching(/not known/),
    });
  });

  test("a day of retention is a day: what was sealed an hour and a half ago is not due", async () => {
    const { here, log, run, first } = await watched();
    here.clock.advance(5_400);
    run(`DELETE FROM audit_events WHERE seq <= ${first}`);
    expect((await log.verify({ retentionSeconds: day })).fault).toMatchObject({ kind: "missing", seq: 1 });
  });

  test("the server drops nothing for a checkpoint that was dated back, or that nobody known here signed", async () => {
    const { log, run, rows, newest } = await watched();
    const before = rows();
    run(setBack);
    expect(await log.dropOld()).toBe(0);
    run("UPDATE audit_checkpoints SET signature = 'somebody.else'");
    expect(await log.dropOld()).toBe(0);
    expect(rows()).toBe(before);
    expect(newest).toBeGreaterThan(0);
  });
});

describe("a secret that was dropped", () => {
  /** A log that was begun under one secret and went on under another, which alone is known now. */
  async function rotated() {
    const { here, log: former, first, anchor } = await watched();
    here.clock.advance(200 * day);
    const feature = audit({ sealSeconds: 0, retentionSeconds });
    const now = here.again({ features: [feature], secrets: [secondSecret] });
    const log = now.auth.use(feature);
    await somethingHappens(now);
    await log.seal();
    here.clock.advance(166 * day);
    return { here, now, log, first, anchor, publicKeys: former.publicKeys };
  }

  test("does not keep rows for longer, and the log that is left verifies", async () => {
    const { log, anchor, first, publicKeys } = await rotated();
    expect(await log.dropOld()).toBeGreaterThan(first);
    const verified = await log.verify();
    expect(verified).toMatchObject({ fault: null, unknownKeys: [] });
    expect(verified.firstSeq).toBeGreaterThan(first + 1);
    const noted = { ...anchor, seq: 1 };
    expect((await log.verify({ anchor: noted })).fault).toMatchObject({
      kind: "missing",
      because: expect.stringMatching(/not known/),
    });
    expect((await log.verify({ anchor: noted, publicKeys })).fault).toBeNull();
  });

  test("does not excuse what was not due", async () => {
    const { here, log } = await rotated();
    expect(await log.dropOld()).toBeGreaterThan(0);
    expect((await log.verify({ retentionSeconds: retentionSeconds + 2 * day })).fault).toMatchObject({
      kind: "missing",
      seq: 1,
    });
    expect(here.log).toEqual([]);
  });
});

describe("a history that was made anew without its checkpoints", () => {
  test("is not signed by the server that signed the other one, and is by one that is started anew", async () => {
    const here = await watched();
    const { log, run, newest } = here;
    run("UPDATE audit_events SET payload = '{}' WHERE seq = 2");
    await chainedAnew(here);
    run("DELETE FROM audit_checkpoints");
    await somethingHappens(here.here);
    expect((await log.seal()).checkpoint).toBeNull();
    expect(here.here.log).toMatchObject([
      { level: "error", message: expect.stringMatching(/signed/), fields: { seq: newest } },
    ]);
    const feature = audit({ sealSeconds: 0, retentionSeconds });
    const restarted = here.here.again({ features: [feature], secrets: [firstSecret] });
    expect((await restarted.auth.use(feature).seal()).checkpoint).not.toBeNull();
    expect((await log.verify()).fault).toMatchObject({ kind: "checkpoint" });
  });

  test("nor after a checkpoint was put in that stands in the way of its own", async () => {
    const here = await watched();
    const { log, run } = here;
    await somethingHappens(here.here);
    here.here.recorder.before = ({ writes }) => {
      if (writes.includes("audit.checkpoint"))
        run("INSERT INTO audit_checkpoints SELECT max(seq), 'x', 0, 'x.x' FROM audit_events");
      return null;
    };
    expect((await log.seal()).checkpoint).toBeNull();
    here.here.recorder.before = () => null;
    run("UPDATE audit_events SET payload = '{}' WHERE seq = 2");
    run("DELETE FROM audit_checkpoints");
    await chainedAnew(here);
    expect((await log.seal()).checkpoint).toBeNull();
    expect(here.here.log).toMatchObject([{ level: "error" }]);
  });

  test("nor one that begins behind what was signed", async () => {
    const { here, log, run, newest } = await watched();
    run(`DELETE FROM audit_events WHERE seq <= ${newest}`);
    await somethingHappens(here);
    expect((await log.seal()).checkpoint).toBeNull();
    expect(here.log).toMatchObject([{ level: "error" }]);
  });

  test.each(["first", "newest"] as const)(
    "shows by the row that reports its %s checkpoint",
    async (which) => {
      const { log, run, ...seqs } = await watched();
      run(`DELETE FROM audit_checkpoints WHERE seq = ${seqs[which]}`);
      expect((await log.verify()).fault).toMatchObject({ kind: "checkpoint", seq: seqs[which] });
    },
  );

  test("a report that cannot be read is a fault like another", async () => {
    const here = await watched();
    const { log, run, anchor } = here;
    run(`UPDATE audit_events SET payload = 'none' WHERE seq = ${anchor.seq}`);
    await chainedAnew(here);
    expect((await log.verify()).fault).toMatchObject({ kind: "checkpoint" });
  });
});

describe("nothing is amiss", () => {
  test("where several sign, the log is quiet for longer than rows are kept, and one of them drops them", async () => {
    const { here, log } = await watched();
    const others = [1, 2].map(() => {
      const feature = audit({ sealSeconds: 0, retentionSeconds });
      const other = here.again({ features: [feature], secrets: [firstSecret] });
      return { other, log: other.auth.use(feature) };
    });
    const all = [{ other: here, log }, ...others];
    for (const days of [1, 400, 0, 364, 3, 800]) {
      here.clock.advance(days * day);
      for (const each of all) {
        await each.log.seal();
        await somethingHappens(each.other);
        await Promise.all(all.map((one) => one.log.seal()));
        await each.log.dropOld();
        expect((await each.log.verify()).fault).toBeNull();
      }
    }
    const { firstSeq, lastSeq, signedSeq } = await log.verify();
    expect(firstSeq).toBeGreaterThan(10);
    expect(signedSeq).toBeGreaterThan((lastSeq ?? 0) - 5);
    expect(all.flatMap(({ other }) => other.log)).toEqual([]);
  });

  test("where what was signed last is gone, and rows are kept for ever from now on", async () => {
    const { here, log } = await watched();
    here.clock.advance(366 * day);
    expect(await log.dropOld()).toBeGreaterThan(0);
    const feature = audit({ sealSeconds: 0 });
    const now = here.again({ features: [feature], secrets: [firstSecret] });
    for (let times = 0; times < 2; times++) {
      await somethingHappens(now);
      expect((await now.auth.use(feature).seal()).checkpoint).not.toBeNull();
    }
    expect(now.log).toEqual([]);
  });

  test("where a checkpoint is signed while the log is verified", async () => {
    const { here, log } = await watched();
    const before = await log.verify();
    here.recorder.before = ({ name }) => {
      // Its checkpoints are read by now.
      if (name !== "directory.sealedAudit") return null;
      here.recorder.before = () => null;
      return (async () => {
        await somethingHappens(here);
        await log.seal();
        await log.seal();
      })();
    };
    const { fault, rows } = await log.verify();
    expect(fault).toBeNull();
    expect(rows).toBe(before.rows + 2);
  });
});
