import { describe, expect, it } from "vitest";
import type { OutboxMail } from "../../src/domain/outbox.ts";
import type { Tier } from "../../src/domain/tier.ts";
import type { Write } from "../../src/ports/store.ts";
import type { LockEngine, LockGround } from "./server-locks.ts";

/** What an engine calls the locks of these rules. */
export interface PeopleEngine extends LockEngine {
  /** What ends a reading whose rows nobody may delete meanwhile. */
  readonly share: string;
  /** Takes what transactions about the sealed log take. */
  readonly takeAuditLock: string;
}

/** What transactions about plans, mail and the sealed log do where others are at the same: rules for one engine. */
export function serverPeople(engine: PeopleEngine, ground: () => Promise<LockGround>): void {
  const { name, isSkipped, share, takeAuditLock } = engine;

  describe.skipIf(isSkipped)(`a plan on ${name}`, () => {
    it("that somebody is about to give is not deleted: who deletes it waits, and sees it given", async () => {
      const { open, other, waiting, make, call } = await ground();
      const { directory } = await open();
      const user = make.user();
      const tier = plan(call().now);
      await directory.commit(
        [
          { kind: "user.insert", user },
          { kind: "tier.insert", tier },
        ],
        call(),
      );
      const giver = await other();
      await giver.run(`SELECT 1 FROM tiers WHERE name = 'gold' ${share}`);
      await giver.run(`UPDATE users SET tier = 'gold' WHERE id = '${user.id}'`);
      const gone = directory.commit([{ kind: "tier.delete", name: "gold" }], call());
      await waiting();
      await giver.run("COMMIT");
      expect(await gone).toEqual({ ok: false, refused: "tier_in_use" });
      expect(await directory.tiers(call())).toEqual([tier]);
    });

    it("that somebody is deleting is not given", async () => {
      const { open, other, waiting, make, call } = await ground();
      const { directory } = await open();
      const user = make.user();
      const setUp: readonly Write[] = [
        { kind: "user.insert", user },
        { kind: "tier.insert", tier: plan(call().now) },
      ];
      await directory.commit(setUp, call());
      const deleter = await other();
      await deleter.run("DELETE FROM tiers WHERE name = 'gold'");
      const give: readonly Write[] = [
        { kind: "tier.require", name: "gold" },
        { kind: "user.update", userId: user.id, version: 1, changes: { tier: "gold" } },
      ];
      const given = directory.commit(give, call());
      await waiting();
      await deleter.run("COMMIT");
      expect(await given).toEqual({ ok: false, refused: "conflict" });
      expect((await directory.user(user.id, call()))?.tier).toBeNull();
    });
  });

  describe.skipIf(isSkipped)(`mail on ${name}`, () => {
    it("that somebody is claiming keeps nobody from claiming the rest", async () => {
      const { open, other, call } = await ground();
      const { directory } = await open();
      const { now } = call();
      const mails = ["a", "b", "c"].map((id) => mail(id, now));
      await directory.commit(
        mails.map((each): Write => ({ kind: "mail.insert", mail: each })),
        call(),
      );
      const claimer = await other();
      await claimer.run("SELECT 1 FROM outbox WHERE id = 'b' FOR UPDATE");
      const leasedUntil = new Date(now.getTime() + 60_000);
      const claim = () => directory.claimMail({ limit: 10, leasedUntil }, call());
      expect((await claim()).map(({ id }) => id)).toEqual(["a", "c"]);
      await claimer.run("ROLLBACK");
      expect(await claim()).toEqual([{ ...mail("b", now), attempts: 1, nextAttemptAt: leasedUntil }]);
    });
  });

  describe.skipIf(isSkipped)(`the sealed log on ${name}`, () => {
    it("has one sealer at a time: the next one waits, and goes on where that one ended", async () => {
      const { open, other, waiting, make, call } = await ground();
      const { directory } = await open();
      const rows = [make.auditRow(), make.auditRow()];
      await directory.commit(
        rows.map((row): Write => ({ kind: "audit.insert", row })),
        call(),
      );
      const sealer = await other();
      await sealer.run(takeAuditLock);
      const before: (string | null)[] = [];
      const chain = ({ seq }: { seq: number | null }, previous: string | null): string => {
        before.push(previous);
        return `digest ${seq}`;
      };
      const sealed = directory.sealAudit({ limit: 10, chain }, call());
      await waiting();
      await sealer.run(`UPDATE audit_events SET seq = 1, chain_hash = 'theirs' WHERE id = '${rows[0]?.id}'`);
      await sealer.run("COMMIT");
      expect(await sealed).toEqual({ fromSeq: 2, toSeq: 2, chainHash: "digest 2" });
      expect(before).toEqual(["theirs"]);
    });

    it("is not dropped from under somebody who begins to follow it", async () => {
      const { open, other, waiting, make, call } = await ground();
      const { directory } = await open();
      const { now } = call();
      await directory.commit([{ kind: "audit.insert", row: make.auditRow() }], call());
      await directory.sealAudit({ limit: 1, chain: () => "digest" }, call());
      const checkpoint = { seq: 1, chainHash: "digest", createdAt: now, signature: "s" };
      await directory.commit([{ kind: "audit.checkpoint", checkpoint }], call());
      const follower = await other();
      await follower.run(takeAuditLock);
      await follower.run("INSERT INTO audit_cursors (name, seq) VALUES ('follower', 0)");
      const dropped = directory.dropAudit({ throughSeq: 1, limit: 10 }, call());
      await waiting();
      await follower.run("COMMIT");
      expect(await dropped).toBe(0);
      const begun = directory.commit([{ kind: "cursor.move", name: "other", from: null, to: 0 }], call());
      expect(await begun).toMatchObject({ ok: true });
    });

    it.each<readonly [string, Write]>([
      ["begins to follow", { kind: "cursor.move", name: "late", from: null, to: 0 }],
      [
        "signs it",
        {
          kind: "audit.checkpoint",
          checkpoint: { seq: 1, chainHash: "x", createdAt: new Date(0), signature: "s" },
        },
      ],
    ])("is not dropped or sealed while somebody %s", async (_, write) => {
      const { open, other, waiting, call } = await ground();
      const { directory } = await open();
      const holder = await other();
      await holder.run(takeAuditLock);
      const done = directory.commit([write], call());
      await waiting();
      await holder.run("COMMIT");
      expect((await done).ok).toBe(write.kind === "cursor.move");
    });
  });
}

function plan(now: Date): Tier {
  const limits = [{ path: "*", limit: 5, windowSeconds: 60 }];
  return { id: "tier", name: "gold", limits, version: 1, createdAt: now, updatedAt: now };
}

function mail(id: string, now: Date): OutboxMail {
  const nobody = { userId: null, locale: null, detail: null };
  return { id, purpose: "verify", ...nobody, attempts: 0, nextAttemptAt: now, createdAt: now };
}
