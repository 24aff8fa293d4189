import { deepStrictEqual, doesNotReject, ok, strictEqual } from "node:assert/strict";
import type { Session } from "../../domain/session.ts";
import { hostileTexts, withNul } from "./hostile.ts";
import { same, scribble } from "./same.ts";
import { addSession, addUser, committed, found, isAccepted, listed, live, write } from "./steps.ts";
import type { Rules, Trial } from "./trial.ts";

/** Data bags that are easily mangled. */
const bags: readonly string[] = [
  "{}",
  '{"n":null,"t":true,"f":false,"i":-0.5,"big":1e21,"list":[],"deep":{"list":[[],{}]},"":"empty key"}',
  '{"__proto__":{"admin":true},"constructor":1,"toString":"x"}',
  `{"unicode":"Ünï 🔑 \\u0000 \\ud800 \u202e","quotes":"'\\"\`; --"}`,
  `{"long":"${"é".repeat(2_040)}"}`,
];

/** A session with something in every field. */
function fullSession({ make, clock }: Trial, overrides: Partial<Session>): Session {
  const at = (ms: number): Date => new Date(clock.now().getTime() + ms);
  return make.session(null, {
    secretDigest: Uint8Array.from({ length: 32 }, (_, index) => (index * 37) % 256),
    generation: 3,
    authTime: at(-5_001),
    amr: ["mfa", "pwd", "otp"],
    isRemembered: true,
    createdAt: at(-9_999),
    lastUsedAt: at(-1),
    idleExpiresAt: at(14 * 86_400_000 + 1),
    expiresAt: at(30 * 86_400_000 + 2),
    ip: "2001:db8::7",
    userAgent: "Ünïcode 🔑 '\"; -- \u202e",
    rotatedFrom: "r".repeat(24),
    dataVersion: 4,
    ...overrides,
  });
}

/** Finding and listing sessions. */
export const sessionReads: Rules = {
  "ping resolves, and close may be called twice": async ({ stores, call }) => {
    await stores.sessions.ping(call());
    await stores.sessions.close();
    await doesNotReject(async () => stores.sessions.close());
  },

  "a session comes back as inserted, with its owner": async (trial) => {
    const user = await addUser(trial, { generation: 3 });
    for (const bag of bags) {
      const session = fullSession(trial, { userId: user.id, data: JSON.parse(bag) });
      await committed(trial, [write.session(session)]);
      same(await found(trial, session.id), { expired: false, session, user });
    }
  },

  "a visitor's session comes back as inserted, without an owner": async (trial) => {
    const nothing = {
      authTime: null,
      amr: [],
      ip: null,
      userAgent: null,
      rotatedFrom: null,
      isRemembered: false,
    };
    const session = fullSession(trial, { ...nothing, generation: 0, dataVersion: 0 });
    await committed(trial, [write.session(session)]);
    same(await found(trial, session.id), { expired: false, session, user: null });
  },

  "the digest is 32 bytes of its own": async (trial) => {
    const session = await addSession(trial, null);
    const { secretDigest } = await live(trial, session.id);
    ok(secretDigest instanceof Uint8Array);
    strictEqual(secretDigest.length, 32);
    secretDigest.fill(0);
    same((await live(trial, session.id)).secretDigest, session.secretDigest);
  },

  "a key named __proto__ in the data stays data": async (trial) => {
    const { id } = await addSession(trial, null, { data: JSON.parse('{"__proto__":{"admin":true}}') });
    const { data } = await live(trial, id);
    ok(Object.hasOwn(data, "__proto__"));
    strictEqual(Reflect.get(data, "admin"), undefined);
  },

  "what a reader does to its copy changes nothing in the store": async (trial) => {
    const user = await addUser(trial);
    const session = await addSession(trial, user, { data: { cart: [1] } });
    for (let round = 0; round < 2; round++) {
      const read = await live(trial, session.id);
      scribble(read.data);
      scribble(read.amr);
      same(await live(trial, session.id), { ...session, data: { cart: [1] } });
    }
  },

  "what a writer does afterwards to what it handed in changes nothing in the store": async (trial) => {
    const data = { cart: [1] };
    const session = await addSession(trial, null, { data });
    data.cart.push(2);
    session.secretDigest.fill(0);
    session.expiresAt.setTime(0);
    const read = await live(trial, session.id);
    same(read.data, { cart: [1] });
    strictEqual(Buffer.from(read.secretDigest).equals(Buffer.alloc(32)), false);
  },

  "each id is answered at its position, and the unknown with null": async (trial) => {
    const user = await addUser(trial);
    const [first, second] = [await addSession(trial, user), await addSession(trial, null)];
    const { stores, call } = trial;
    const ids = [second.id, "unknown", first.id];
    const answers = await stores.sessions.find(ids, call());
    const idsOf = answers.map((answer) => (answer === null || answer.expired ? null : answer.session.id));
    deepStrictEqual(idsOf, [second.id, null, first.id]);
    const twice = await stores.sessions.find([first.id, first.id], call());
    strictEqual(twice.filter((answer) => answer !== null).length, 2);
    deepStrictEqual([...(await stores.sessions.find([], call()))], []);
  },

  "an id that was never handed out is null, however hostile": async (trial) => {
    const { id } = await addSession(trial, await addUser(trial));
    const { stores, call } = trial;
    const strangers = [...hostileTexts, ...hostileTexts.map(withNul), withNul(id), `${id} `, id.slice(0, -1)];
    for (const stranger of [...strangers, id.toLowerCase(), id.toUpperCase()]) {
      if (stranger !== id) strictEqual(await found(trial, stranger), null);
      deepStrictEqual([...(await stores.sessions.list(stranger, call()))], []);
    }
  },

  "a session is there until the instant of its idle limit, and expired at it": async (trial) => {
    const user = await addUser(trial);
    const { id } = await addSession(trial, user);
    trial.clock.advance(30 * 60 - 0.001);
    await live(trial, id);
    trial.clock.advance(0.001);
    deepStrictEqual({ ...(await found(trial, id)) }, { expired: true, id, userId: user.id });
  },

  "a session is there until the instant of its absolute limit, and expired at it": async (trial) => {
    const now = trial.clock.now().getTime();
    const limits = { idleExpiresAt: new Date(now + 20_000), expiresAt: new Date(now + 10_000) };
    const { id } = await addSession(trial, null, limits);
    trial.clock.advance(9.999);
    await live(trial, id);
    trial.clock.advance(0.001);
    deepStrictEqual({ ...(await found(trial, id)) }, { expired: true, id, userId: null });
  },

  "finding writes nothing: an expired row stays": async (trial) => {
    const { id } = await addSession(trial, await addUser(trial));
    trial.clock.advance(30 * 60);
    strictEqual((await found(trial, id))?.expired, true);
    strictEqual((await found(trial, id))?.expired, true);
  },

  "a session of an owner who is not there is null": async (trial) => {
    const nobody = trial.make.user();
    const session = trial.make.session(nobody);
    // A store with foreign keys refuses the row in the first place.
    await trial.stores.directory.commit([write.session(session)], trial.call()).catch(() => undefined);
    strictEqual(await found(trial, session.id), null);
    if (trial.removeUser === null) return;
    const user = await addUser(trial);
    const { id } = await addSession(trial, user);
    strictEqual(isAccepted(await found(trial, id)), true);
    await trial.removeUser(user.id);
    await trial.stores.directory.forget(user.id, trial.call());
    strictEqual(await found(trial, id), null);
    deepStrictEqual([...(await listed(trial, user.id))], []);
  },

  "the owner is found as they are now, whatever changed": async (trial) => {
    let user = await addUser(trial);
    const { id } = await addSession(trial, user);
    strictEqual(isAccepted(await found(trial, id)), true);
    const changes = [
      { roles: ["admin"] },
      { revokedTokens: [{ tokenId: "t", expiresAt: trial.clock.now() }] },
      { permissions: ["invoice:read"], isSuperuser: true },
      { status: "disabled" },
      { status: "deleted", deletedAt: trial.clock.now() },
      { status: "active", deletedAt: null },
    ] as const;
    for (const change of changes) {
      await committed(trial, [write.update(user, change)]);
      user = { ...user, ...change, version: user.version + 1 };
      const answer = await found(trial, id);
      same(answer?.expired === false ? answer.user : answer, user);
      strictEqual(isAccepted(answer), user.status === "active");
    }
    await committed(trial, [write.advance(user)]);
    strictEqual(isAccepted(await found(trial, id)), false, "a proof of an earlier generation is refused");
  },

  "the owner of a session is found erased at once": async (trial) => {
    const user = await addUser(trial);
    const { id } = await addSession(trial, user);
    strictEqual(isAccepted(await found(trial, id)), true);
    await committed(trial, [write.erase(user.id)]);
    const answer = await found(trial, id);
    strictEqual(answer?.expired === false ? answer.user?.status : "anonymized", "anonymized");
    strictEqual(isAccepted(answer), false);
  },

  "a user's sessions are listed most recently used first": async (trial) => {
    const user = await addUser(trial);
    const now = trial.clock.now().getTime();
    const ids: string[] = [];
    for (const seconds of [20, 40, 10, 30]) {
      ids.push((await addSession(trial, user, { lastUsedAt: new Date(now + seconds * 1000) })).id);
    }
    await addSession(trial, await addUser(trial));
    await addSession(trial, null);
    const [b, d, a, c] = ids;
    deepStrictEqual(await listed(trial, user.id), [d, c, b, a]);
  },

  "a list has the sessions whole": async (trial) => {
    const user = await addUser(trial, { generation: 3 });
    const { id } = trial.make.session(user);
    const session = fullSession(trial, { id, userId: user.id, data: { cart: [1] } });
    await committed(trial, [write.session(session)]);
    same(await trial.stores.sessions.list(user.id, trial.call()), [session]);
  },

  "a list leaves out what expired and what is of another generation": async (trial) => {
    const user = await addUser(trial);
    const old = await addSession(trial, user);
    await committed(trial, [write.advance(user)]);
    const now = { ...user, generation: 2 };
    const short = await addSession(trial, now, {
      idleExpiresAt: new Date(trial.clock.now().getTime() + 1_000),
    });
    const long = await addSession(trial, now);
    deepStrictEqual([...(await listed(trial, user.id))].sort(), [short.id, long.id].sort());
    trial.clock.advance(1);
    deepStrictEqual(await listed(trial, user.id), [long.id]);
    ok(!(await listed(trial, user.id)).includes(old.id));
  },

  "all unexpired sessions of users are counted, or none are": async (trial) => {
    const user = await addUser(trial);
    const count = async (): Promise<number | null> => trial.stores.sessions.count(trial.call());
    const first = await count();
    await addSession(trial, user, { idleExpiresAt: new Date(trial.clock.now().getTime() + 1_000) });
    const [ended] = [await addSession(trial, user), await addSession(trial, await addUser(trial))];
    await addSession(trial, null);
    await committed(trial, [write.advance(user)]);
    const counts = [first, await count()];
    trial.clock.advance(1);
    counts.push(await count());
    await committed(trial, [write.end(ended.id)]);
    counts.push(await count());
    // An engine that would have to read them all says so at any number.
    deepStrictEqual(counts, first === null ? [null, null, null, null] : [0, 3, 2, 1]);
  },
};
