import { once } from "node:events";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { OutboxMail } from "../../src/domain/outbox.ts";
import type { User } from "../../src/domain/user.ts";
import type { Write } from "../../src/ports/store.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { fixtures, testClock } from "../../src/testing/testing.ts";
import { type Address, chained, type Race, type Racer, startRacer } from "./racer.ts";

/** A state of a server, with the schema in it, and how another process finds it. */
export interface Course {
  readonly stores: Stores;
  readonly address: Address;
  /** Takes all rows away. */
  empty(): Promise<void>;
  /** Ends the connections, and takes the state away. */
  end(): Promise<void>;
}

const now = () => ({ now: new Date(), signal: new AbortController().signal });

/** What two processes do at once on one database: rules for one engine. */
export function serverRaces(engine: string, isSkipped: boolean, course: () => Promise<Course>): void {
  describe.skipIf(isSkipped)(`two processes on one ${engine} database`, () => {
    const make = fixtures(testClock());
    const racers: Racer[] = [];
    let user: User;
    let stores: Stores;
    let ready: Course;

    beforeAll(async () => {
      ready = await course();
      ({ stores } = ready);
    });
    beforeEach(async () => {
      await ready.empty();
      user = make.user();
      await stores.directory.commit([{ kind: "user.insert", user }], now());
    });
    afterAll(async () => {
      for (const racer of racers) await end(racer);
      await ready.end();
    });

    /** Processes that are ready to go. */
    async function waiting(count: number): Promise<readonly Racer[]> {
      while (racers.length < count) racers.push(await startRacer(ready.address));
      return racers.slice(0, count);
    }

    /** Lets one process for each race go at once; what each answered. */
    async function run(...races: readonly Race[]): Promise<readonly unknown[]> {
      const all = await waiting(races.length);
      return Promise.all(all.map((racer, at) => racer.run(races[at] as Race)));
    }

    /** Kills a process in the middle of a race. */
    async function killedAt(race: Race): Promise<void> {
      const [racer] = (await waiting(1)) as [Racer];
      expect(await racer.run(race)).toBe("hanging");
      racers.shift();
      await end(racer);
    }

    it("register each address once", async () => {
      const emails = Array.from({ length: 20 }, (_, index) => `same${index}@example.com`);
      const [one, two] = (await run(
        { kind: "register", emails },
        { kind: "register", emails: emails.toReversed() },
      )) as [string[], string[]];
      for (const [index, outcome] of one.entries()) {
        expect([outcome, two[19 - index]].toSorted()).toEqual(["email_taken", "ok"]);
      }
    });

    it("hold the cap together", async () => {
      const race = { kind: "sign-in", user, times: 25, cap: 3 } as const;
      const [one, two] = (await run(race, race)) as [string[], string[]];
      const left = (await stores.sessions.list(user.id, now())).map(({ id }) => id);
      expect([one.length, two.length, left.length]).toEqual([25, 25, 3]);
      expect([...one, ...two]).toEqual(expect.arrayContaining(left));
    });

    it("leave no session of a sign-in that raced the end of all sessions", async () => {
      await run({ kind: "sign-in", user, times: 30, cap: 0 }, { kind: "advance", userId: user.id, times: 1 });
      expect(await stores.sessions.list(user.id, now())).toEqual([]);
      expect((await stores.directory.user(user.id, now()))?.generation).toBe(2);
    });

    it("count every advance of a generation once", async () => {
      const race = { kind: "advance", userId: user.id, times: 20 } as const;
      const [one, two] = (await run(race, race)) as [number, number];
      expect((await stores.directory.user(user.id, now()))?.generation).toBe(1 + one + two);
      expect(one + two).toBeGreaterThan(0);
    });

    it("take no more from a counter than its limit, and no fewer", async () => {
      const race = { kind: "reserve", times: 40, limit: 33 } as const;
      const [one, two] = (await run(race, race)) as [number, number];
      expect(one + two).toBe(33);
    });

    it("seal each row once, one after the other, without a gap", async () => {
      const race = { kind: "seal", rows: 40 } as const;
      await run(race, race, race);
      while ((await stores.directory.sealAudit({ limit: 50, chain: chained }, now())) !== null);
      const rows = await stores.directory.sealedAudit({ afterSeq: 0, limit: 1_000 }, now());
      expect(new Set(rows.map(({ id }) => id)).size).toBe(120);
      const expected = rows.map(({ id }, at) => `${at + 1} ${id} after ${at === 0 ? "nothing" : at}`);
      expect(rows.map(({ chainHash }) => chainHash)).toEqual(expected);
    });

    it("claim each mail once", async () => {
      const mails = Array.from({ length: 60 }, (_, index) => mail(`mail${index}`));
      await stores.directory.commit(
        mails.map((each): Write => ({ kind: "mail.insert", mail: each })),
        now(),
      );
      const claimed = (await run({ kind: "claim" }, { kind: "claim" })) as string[][];
      expect(claimed.flat().toSorted()).toEqual(mails.map(({ id }) => id).toSorted());
    });

    it("go on sealing where one was killed at it, from where the log ends", async () => {
      await stores.directory.commit([{ kind: "audit.insert", row: make.auditRow() }], now());
      await killedAt({ kind: "hang-sealing" });
      const sealed = await stores.directory.sealAudit({ limit: 10, chain: () => "digest" }, now());
      expect(sealed).toEqual({ fromSeq: 1, toSeq: 1, chainHash: "digest" });
    });

    it("go on at once where one was killed within a transaction", async () => {
      await killedAt({ kind: "hang", user });
      const advance = { kind: "user.advance", userId: user.id, from: 1 } as const;
      expect(await stores.directory.commit([advance], now())).toMatchObject({ ok: true });
    });
  });
}

async function end({ child }: Racer): Promise<void> {
  child.kill("SIGKILL");
  await once(child, "exit");
}

function mail(id: string): OutboxMail {
  const [nobody, due] = [{ userId: null, locale: null, detail: null }, new Date(0)];
  return { id, purpose: "verify", ...nobody, attempts: 0, nextAttemptAt: due, createdAt: due };
}
