import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import type { OutboxMail } from "../../src/domain/outbox.ts";
import type { User } from "../../src/domain/user.ts";
import type { Write } from "../../src/ports/store.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { type Fixtures, fixtures, testClock } from "../../src/testing/testing.ts";
import { type Address, chained, type Race, type Racer, startRacer } from "./racer.ts";

/** An empty state of a server, with the schema in it, and how another process finds it. */
export interface Course {
  readonly stores: Stores;
  readonly address: Address;
}

interface Track {
  readonly stores: Stores;
  readonly make: Fixtures;
  readonly user: User;
  /** Starts processes that are ready to go, one for each race. */
  start(...races: readonly Race[]): Promise<readonly Racer[]>;
  /** Lets them go at once; what each answered. */
  run(...races: readonly Race[]): Promise<readonly unknown[]>;
}

async function trackOn({ stores, address }: Course): Promise<Track> {
  const make = fixtures(testClock());
  const user = make.user();
  await stores.directory.commit([{ kind: "user.insert", user }], now());
  async function start(...races: readonly Race[]): Promise<readonly Racer[]> {
    const racers = await Promise.all(races.map((race) => startRacer(address, race)));
    onTestFinished(() => {
      for (const { child } of racers) child.kill("SIGKILL");
    });
    return racers;
  }
  return {
    stores,
    make,
    user,
    start,
    run: async (...races) => Promise.all((await start(...races)).map((racer) => racer.go())),
  };
}

const now = () => ({ now: new Date(), signal: new AbortController().signal });

/** What two processes do at once on one database: rules for one engine. */
export function serverRaces(engine: string, isSkipped: boolean, course: () => Promise<Course>): void {
  const track = async (): Promise<Track> => trackOn(await course());

  describe.skipIf(isSkipped)(`two processes on one ${engine} database`, () => {
    it("register each address once", async () => {
      const { run } = await track();
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
      const { run, stores, user } = await track();
      const race = { kind: "sign-in", user, times: 25, cap: 3 } as const;
      const [one, two] = (await run(race, race)) as [string[], string[]];
      const left = (await stores.sessions.list(user.id, now())).map(({ id }) => id);
      expect([one.length, two.length, left.length]).toEqual([25, 25, 3]);
      expect([...one, ...two]).toEqual(expect.arrayContaining(left));
    });

    it("leave no session of a sign-in that raced the end of all sessions", async () => {
      const { run, stores, user } = await track();
      await run({ kind: "sign-in", user, times: 30, cap: 0 }, { kind: "advance", userId: user.id, times: 1 });
      expect(await stores.sessions.list(user.id, now())).toEqual([]);
      expect((await stores.directory.user(user.id, now()))?.generation).toBe(2);
    });

    it("count every advance of a generation once", async () => {
      const { run, stores, user } = await track();
      const race = { kind: "advance", userId: user.id, times: 20 } as const;
      const [one, two] = (await run(race, race)) as [number, number];
      expect((await stores.directory.user(user.id, now()))?.generation).toBe(1 + one + two);
      expect(one + two).toBeGreaterThan(0);
    });

    it("take no more from a counter than its limit, and no fewer", async () => {
      const { run } = await track();
      const race = { kind: "reserve", times: 40, limit: 33 } as const;
      const [one, two] = (await run(race, race)) as [number, number];
      expect(one + two).toBe(33);
    });

    it("seal each row once, one after the other, without a gap", async () => {
      const { run, stores } = await track();
      const race = { kind: "seal", rows: 40 } as const;
      await run(race, race, race);
      while ((await stores.directory.sealAudit({ limit: 50, chain: chained }, now())) !== null);
      const rows = await stores.directory.sealedAudit({ afterSeq: 0, limit: 1_000 }, now());
      expect(new Set(rows.map(({ id }) => id)).size).toBe(120);
      const expected = rows.map(({ id }, at) => `${at + 1} ${id} after ${at === 0 ? "nothing" : at}`);
      expect(rows.map(({ chainHash }) => chainHash)).toEqual(expected);
    });

    it("claim each mail once", async () => {
      const { run, stores } = await track();
      const mails = Array.from({ length: 60 }, (_, index) => mail(`mail${index}`));
      await stores.directory.commit(
        mails.map((each): Write => ({ kind: "mail.insert", mail: each })),
        now(),
      );
      const claimed = (await run({ kind: "claim" }, { kind: "claim" })) as string[][];
      expect(claimed.flat().toSorted()).toEqual(mails.map(({ id }) => id).toSorted());
    });

    it("go on sealing where one was killed at it, from where the log ends", async () => {
      const { start, stores, make } = await track();
      await stores.directory.commit([{ kind: "audit.insert", row: make.auditRow() }], now());
      const [hanging] = (await start({ kind: "hang-sealing" })) as [Racer];
      expect(await hanging.go()).toBe("hanging");
      hanging.child.kill("SIGKILL");
      await once(hanging.child, "exit");
      const sealed = await stores.directory.sealAudit({ limit: 10, chain: () => "digest" }, now());
      expect(sealed).toEqual({ fromSeq: 1, toSeq: 1, chainHash: "digest" });
    });

    it("go on at once where one was killed within a transaction", async () => {
      const { start, stores, user } = await track();
      const [hanging] = (await start({ kind: "hang", user })) as [Racer];
      expect(await hanging.go()).toBe("hanging");
      hanging.child.kill("SIGKILL");
      await once(hanging.child, "exit");
      const advance = { kind: "user.advance", userId: user.id, from: 1 } as const;
      expect(await stores.directory.commit([advance], now())).toMatchObject({ ok: true });
    });
  });
}

function mail(id: string): OutboxMail {
  const [nobody, due] = [{ userId: null, locale: null, detail: null }, new Date(0)];
  return { id, purpose: "verify", ...nobody, attempts: 0, nextAttemptAt: due, createdAt: due };
}
