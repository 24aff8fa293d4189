import { describe, expect, test } from "vitest";
import { audit } from "../../src/features/audit.ts";
import { endOfLog, sealAudit } from "../../src/flows/audit/seal-audit.ts";
import { memory } from "../../src/stores/memory.ts";
import { type World, type WorldOptions, world } from "../support/world.ts";

const day = 86_400;

function sealed(options: WorldOptions & { readonly retentionSeconds?: number } = {}) {
  const { retentionSeconds = null, ...rest } = options;
  const feature = audit({ sealSeconds: 0, retentionSeconds });
  const here = world({ ...rest, features: [feature] });
  return { ...here, log: here.auth.use(feature), here };
}

async function rows(here: World) {
  return here.services.stores.directory.sealedAudit({ afterSeq: 0, limit: 1_000 }, here.call());
}

describe("sealing", () => {
  test("gives every row a position in the order of writing, and signs the end", async () => {
    const { here, log } = sealed();
    await here.registered();
    const { sealed: count, checkpoint } = await log.seal();
    const all = await rows(here);
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, index) => index + 1));
    expect(all.map(({ id }) => id)).toEqual((await here.audit()).slice(0, count).map(({ id }) => id));
    expect(checkpoint).toMatchObject({ seq: count, chainHash: all[count - 1]?.chainHash });
    expect(await log.verify()).toMatchObject({ fault: null, rows: count, signedSeq: count, lastSeq: count });
  });

  test("signs nothing where nothing happened but its own checkpoint", async () => {
    const { here, log } = sealed();
    await here.registered();
    expect((await log.seal()).checkpoint).not.toBeNull();
    expect(here.heard("audit.sealed").map(({ payload }) => payload)).toEqual([
      { fromSeq: 1, toSeq: expect.any(Number), chainHash: expect.any(String) },
    ]);
    expect((await log.seal()).checkpoint).toBeNull();
    expect((await log.seal()).checkpoint).toBeNull();
    expect(here.heard("audit.sealed")).toHaveLength(1);
    await here.browser().post("/api/v1/auth/login", { email: "a@example.com", password: "not the password" });
    expect((await log.seal()).checkpoint).not.toBeNull();
  });

  test.each([1, 2, 15, 16, 17, 33, 100, 257])("finds the end of %d rows", async (count) => {
    const { here } = sealed();
    const row = () =>
      here.services.events.row(
        { type: "user.logged_out", userId: null, sessionId: null, payload: {} },
        { ip: null, userAgent: null, requestId: null },
      );
    for (let rows = 0; rows < count; rows++) await here.write({ kind: "audit.insert", row: row() });
    await sealAudit(here.services);
    const last = (await rows(here)).at(-1);
    const end = { seq: count, chainHash: last?.chainHash, hasNews: true };
    expect(await endOfLog(here.services, 0)).toEqual(end);
    expect(await endOfLog(here.services, count - 1)).toEqual(end);
    expect(await endOfLog(here.services, count)).toBeNull();
  });

  test("several at once seal and sign each row once", async () => {
    const { here, log } = sealed();
    const other = here.again({ features: [audit({ sealSeconds: 0 })] });
    const feature = audit({ sealSeconds: 0 });
    const third = here.again({ features: [feature] });
    await other.registered();
    await Promise.all([log.seal(), third.auth.use(feature).seal(), log.seal()]);
    await log.seal();
    const all = await rows(here);
    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, index) => index + 1));
    expect(await log.verify()).toMatchObject({ fault: null });
  });

  test("a checkpoint verifies under a former secret, and under the public key of one that was dropped", async () => {
    const stores = memory();
    const first = sealed({ stores, secrets: ["the first secret of thirty-two bytes or more"] });
    await first.here.registered();
    const { checkpoint } = await first.log.seal();
    const rotated = sealed({
      stores,
      secrets: [
        "the second secret of thirty-two bytes, or more",
        "the first secret of thirty-two bytes or more",
      ],
    });
    expect(await rotated.log.verify()).toMatchObject({ fault: null, signedSeq: checkpoint?.seq });
    const dropped = sealed({ stores, secrets: ["the second secret of thirty-two bytes, or more"] });
    expect(await dropped.log.verify()).toMatchObject({
      fault: null,
      signedSeq: null,
      unknownKeys: [checkpoint?.seq],
    });
    const { publicKeys } = first.log;
    expect(await dropped.log.verify({ publicKeys })).toMatchObject({
      fault: null,
      signedSeq: checkpoint?.seq,
    });
    await expect(dropped.log.verify({ publicKeys: ["no key"] })).rejects.toThrow(TypeError);
  });

  test("a noted end is found again, and another log is told from it", async () => {
    const { here, log } = sealed();
    await here.registered();
    await log.seal();
    const { lastSeq, chainHash } = await log.verify();
    const anchor = { seq: lastSeq ?? 0, chainHash: chainHash ?? "" };
    await here.registered("bea@example.com");
    await log.seal();
    expect((await log.verify({ anchor })).fault).toBeNull();
    const other = { ...anchor, chainHash: "x".repeat(43) };
    expect((await log.verify({ anchor: other })).fault).toMatchObject({ kind: "changed", seq: anchor.seq });
    const beyond = { ...anchor, seq: 1_000 };
    expect((await log.verify({ anchor: beyond })).fault).toMatchObject({ kind: "missing" });
  });
});

describe("retention", () => {
  test("drops what is old up to a checkpoint, and what remains verifies from there", async () => {
    const { here, log } = sealed({ retentionSeconds: 30 * day });
    await here.registered();
    const { checkpoint } = await log.seal();
    here.clock.advance(20 * day);
    await here.registered("bea@example.com");
    await log.seal();
    expect(await log.dropOld()).toBe(0);
    here.clock.advance(12 * day);
    expect(await log.dropOld()).toBe(checkpoint?.seq);
    expect(await log.verify()).toMatchObject({ fault: null, firstSeq: (checkpoint?.seq ?? 0) + 1 });
    here.clock.advance(100 * day);
    await log.seal();
    await log.dropOld();
    expect(await log.verify()).toMatchObject({ fault: null });
  });

  test("keeps what a follower has not been told", async () => {
    const { here, log } = sealed({ retentionSeconds: 30 * day });
    await here.write({ kind: "cursor.move", name: "listener:slow", from: null, to: 0 });
    await here.registered();
    await here.registered("bea@example.com");
    await log.seal();
    here.clock.advance(40 * day);
    await here.write({ kind: "cursor.move", name: "listener:slow", from: 0, to: 3 });
    expect(await log.dropOld()).toBe(3);
    expect(await log.verify()).toMatchObject({ fault: null, firstSeq: 4 });
  });
});
