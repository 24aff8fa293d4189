import { createClient } from "redis";
import { afterAll, describe, expect, inject, it } from "vitest";
import type { Session } from "../../src/domain/session.ts";
import type { StoreCall, Write } from "../../src/ports/store.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { memory } from "../../src/stores/memory.ts";
import { redis } from "../../src/stores/redis/redis.ts";
import { split } from "../../src/stores/split.ts";
import { fixtures, testClock } from "../../src/testing/testing.ts";
import { dieEverywhere, type Engines, flows } from "./split-deaths.ts";

const url = inject("redisUrl");
const client = createClient({ url: url ?? "" });
if (url !== null) await client.connect();
afterAll(() => client.destroy());

let opened = 0;
const open = async (): Promise<Engines> => ({
  directory: memory(),
  sessions: redis({ client, prefix: `split:${process.pid}:${++opened}:` }).sessions,
});

describe.skipIf(url === null)(
  "a process that dies at any call to directory or Redis leaves no session that the directory has ended",
  () => {
    for (const [name, flow] of Object.entries(flows)) {
      it(`in ${name}`, async () => {
        expect(await dieEverywhere(flow, open)).toBeGreaterThan(5);
      });
    }
  },
);

describe.skipIf(url === null)(
  "a session that the directory has ended, and that Redis still has without a fence around its user",
  () => {
    it("stays refused when a check of another session of theirs asks the directory", async () => {
      const { directory, sessions } = await open();
      const stores = split({ ...directory, sessions });
      const clock = testClock();
      const make = fixtures(clock);
      const call = (): StoreCall => ({ now: clock.now(), signal: new AbortController().signal });
      const user = make.user();
      const [ended, other] = [make.session(user), make.session(user)];
      const insert = (session: Session): Write => ({
        kind: "session.insert",
        session,
        cap: 0,
        evicted: () => [],
      });
      await stores.directory.commit([{ kind: "user.insert", user }, insert(ended), insert(other)], call());
      // As if the fence had been lost together with a primary.
      const revoke: Write = { kind: "session.revoke", sessions: [ended], requires: "all", ended: () => [] };
      await directory.directory.commit([revoke], call());
      const check = async (): Promise<readonly boolean[]> =>
        (await stores.sessions.find([ended.id, other.id], call())).map((found) => found !== null);
      for (const seconds of [0, 1, 59, 2, 0]) {
        clock.advance(seconds);
        expect(await check()).toEqual([false, true]);
        await settled(stores);
      }
      // Left behind for longer than any end takes: taken away, and only then is the user answered for again.
      expect(await sessions.find([ended.id], call())).toEqual([null]);
      expect((await sessions.find([other.id], call()))[0]?.owner).toEqual(user);
    });
  },
);

// `close` waits for what goes on in the background; the client is the test's own.
const settled = (stores: Stores): Promise<void> => stores.sessions.close();

describe.skipIf(url === null)("a copy of a user in Redis", () => {
  async function known() {
    const prefix = `split:${process.pid}:${++opened}:`;
    const directory = memory();
    const { sessions } = redis({ client, prefix });
    const stores = split({ ...directory, sessions });
    const clock = testClock();
    const make = fixtures(clock);
    const call = (): StoreCall => ({ now: clock.now(), signal: new AbortController().signal });
    const user = make.user();
    const session = make.session(user);
    const insert: Write = { kind: "session.insert", session, cap: 0, evicted: () => [] };
    await stores.directory.commit([{ kind: "user.insert", user }, insert], call());
    await stores.sessions.find([session.id], call());
    await settled(stores);
    const copy = async () => (await sessions.find([session.id], call()))[0]?.owner ?? null;
    expect(await copy()).toEqual(user);
    return { prefix, stores, sessions, user, session, call, copy };
  }

  it("is the new one by the time that a change is acknowledged", async () => {
    const { stores, user, call, copy } = await known();
    const update: Write = {
      kind: "user.update",
      userId: user.id,
      version: 1,
      changes: { status: "disabled" },
    };
    expect(await stores.directory.commit([update], call())).toMatchObject({ ok: true });
    expect(await copy()).toMatchObject({ version: 2, status: "disabled" });
  });

  it("is forgotten even where the note of its place was lost", async () => {
    const { prefix, stores, user, call, copy } = await known();
    expect(await client.del(`${prefix}w:${user.id}`)).toBe(1);
    await stores.directory.forget(user.id, call());
    expect(await copy()).toBeNull();
  });

  it("that cannot be read fails the check, and is quoted by no error; nor is a session", async () => {
    const { prefix, sessions, user, session, call } = await known();
    const key = `${prefix}{${user.slotTag}}:o:${user.id}`;
    await client.set(key, `${(await client.get(key))?.slice(0, 43)}{"email":"ana@exam`);
    const failed = await Promise.resolve(sessions.find([session.id], call())).catch(
      (error: unknown) => error,
    );
    expect(String(failed)).toMatch(/cannot be read/);
    expect(String(failed)).not.toContain("ana@exam");
    const at = `${prefix}{${user.slotTag}}:s:${session.id.slice(8)}`;
    const text = (await client.get(at)) ?? "";
    await client.set(at, text.replace('["', '["broken'));
    await client.set(at, text.replace("]", ""));
    const again = await Promise.resolve(sessions.find([session.id], call())).catch((error: unknown) => error);
    expect(String(again)).toMatch(/cannot be read/);
    expect(String(again)).not.toContain(Buffer.from(session.secretDigest).toString("base64url").slice(0, 8));
  });
});
