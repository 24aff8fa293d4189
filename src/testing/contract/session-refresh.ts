import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import type { RefreshFamily } from "../../domain/refresh-family.ts";
import type { Session } from "../../domain/session.ts";
import type { Write } from "../../ports/store.ts";
import { faulty } from "../faulty.ts";
import { auditQuery } from "../queries.ts";
import { same } from "./same.ts";
import { addSession, addUser, committed, found, listed, live, refused, write } from "./steps.ts";
import type { Rules, Trial } from "./trial.ts";

const seconds = (from: Date, count: number): Date => new Date(from.getTime() + count * 1000);

/** The tokens that follow those of a session, made so many seconds after its last use. */
export function nextOf(
  { make }: Pick<Trial, "make">,
  { refresh, lastUsedAt }: Pick<Session, "refresh" | "lastUsedAt">,
  afterSeconds = 60,
): RefreshFamily {
  const number = refresh === null ? 0 : refresh.number + 1;
  return make.refreshFamily({ number, refreshedAt: seconds(lastUsedAt, afterSeconds) });
}

/** A session after a refresh that was the latest use of it. */
export function refreshedWith(session: Session, family: RefreshFamily): Session {
  return { ...session, refresh: family, lastUsedAt: family.refreshedAt };
}

/** The refresh tokens of sessions, one call at a time. */
export const refreshRules: Rules = {
  "a session has the refresh tokens that it was added with, or none": async (trial) => {
    const { stores, call, make } = trial;
    const user = await addUser(trial);
    const refresh = make.refreshFamily({ number: 2 ** 40, refreshedAt: new Date(1) });
    const [holder, other] = [await addSession(trial, user, { refresh }), await addSession(trial, user)];
    const handles = [stores, await trial.another()] as const;
    for (const handle of handles) {
      same(await live(trial, holder.id, handle), holder);
      strictEqual((await live(trial, other.id, handle)).refresh, null);
      const all = await handle.sessions.list(user.id, call());
      same(
        all.find(({ id }) => id === holder.id),
        holder,
      );
    }
    same((await committed(trial, [write.end(holder.id)], handles[1])).ended, [holder]);
    // In a cache it may now lie where the one that ended lay; that is answered from the second time on.
    for (const handle of [...handles, ...handles])
      strictEqual((await live(trial, other.id, handle)).refresh, null);
  },

  "a refresh puts its token in the place of the one before, is a use, and leaves all else": async (trial) => {
    const user = await addUser(trial);
    for (const refresh of [null, trial.make.refreshFamily({ number: 41 })]) {
      let session = await addSession(trial, user, { refresh, data: { cart: [1] } });
      const other = await addSession(trial, user, { refresh });
      for (const afterSeconds of [60, 0, 1]) {
        const family = nextOf(trial, session, afterSeconds);
        await committed(trial, [write.refresh(session, family)]);
        session = refreshedWith(session, family);
        same(await live(trial, session.id), session);
      }
      same(await live(trial, other.id), other);
    }
  },

  "a refresh from any number but that of the token is refused": async (trial) => {
    const user = await addUser(trial);
    const table = [
      [null, [0, -1, 1]],
      [0, [null, 1, -1]],
      [1, [0, null, 2]],
      [10, [1, 9, 11, 100]],
    ] as const;
    for (const [number, others] of table) {
      const refresh = number === null ? null : trial.make.refreshFamily({ number });
      const session = await addSession(trial, user, { refresh });
      for (const from of others) {
        const family = trial.make.refreshFamily({ number: (from ?? -1) + 1 });
        await refused(trial, [{ kind: "session.refresh", sessionId: session.id, from, family }], "conflict");
      }
      same(await live(trial, session.id), session);
    }
  },

  "a used token is no longer the one, and of two uses the second is refused": async (trial) => {
    const session = await addSession(trial, await addUser(trial));
    const [first, second] = [nextOf(trial, session), nextOf(trial, session)];
    await committed(trial, [write.refresh(session, first)]);
    await refused(trial, [write.refresh(session, second)], "conflict");
    same((await live(trial, session.id)).refresh, first);
  },

  "a refresh neither brings back what ended, expired or never was, nor makes it": async (trial) => {
    const { make, clock } = trial;
    const user = await addUser(trial);
    const refresh = make.refreshFamily();
    const soon = seconds(clock.now(), 1);
    const ended = await addSession(trial, user, { refresh });
    await committed(trial, [write.end(ended.id)]);
    const expired = [
      await addSession(trial, user, { refresh, idleExpiresAt: soon }),
      await addSession(trial, user, { refresh, idleExpiresAt: soon, expiresAt: soon }),
      await addSession(trial, user, { idleExpiresAt: soon }),
    ];
    const unknown = make.session(user, { refresh });
    clock.advance(1);
    for (const session of [ended, ...expired, unknown])
      await refused(trial, [write.refresh(session, nextOf(trial, session, 3_600))], "conflict");
    for (const { id } of [ended, unknown]) strictEqual(await found(trial, id), null);
    for (const { id } of expired) strictEqual((await found(trial, id))?.expired, true);
  },

  "a refresh never moves the last use back": async (trial) => {
    const { stores, call } = trial;
    const session = await addSession(trial, await addUser(trial));
    const usedAt = seconds(session.lastUsedAt, 120);
    const { id: sessionId, idleExpiresAt } = session;
    await stores.sessions.touch([{ sessionId, usedAt, idleExpiresAt }], call());
    const family = nextOf(trial, session, 60);
    await committed(trial, [write.refresh(session, family)]);
    same(await live(trial, sessionId), { ...session, lastUsedAt: usedAt, refresh: family });
  },

  "a refresh decides who is least recently used": async (trial) => {
    const user = await addUser(trial);
    const first = await addSession(trial, user);
    const second = await addSession(trial, user, { lastUsedAt: seconds(first.lastUsedAt, 30) });
    await committed(trial, [write.refresh(first, nextOf(trial, first, 60))]);
    const added = trial.make.session(user, { lastUsedAt: seconds(first.lastUsedAt, 90) });
    await committed(trial, [write.session(added, 2)]);
    deepStrictEqual(await listed(trial, user.id), [added.id, first.id]);
    strictEqual(await found(trial, second.id), null);
  },

  "data, uses and the cap leave the tokens as they are": async (trial) => {
    const { stores, call, make } = trial;
    const user = await addUser(trial);
    const session = await addSession(trial, user, { refresh: make.refreshFamily({ number: 3 }) });
    const { id: sessionId, refresh } = session;
    await committed(trial, [write.setData(session, { cart: [1] })]);
    const [usedAt, idleExpiresAt] = [seconds(session.lastUsedAt, 60), seconds(session.idleExpiresAt, 60)];
    await stores.sessions.touch([{ sessionId, usedAt, idleExpiresAt }], call());
    await committed(trial, [write.session(make.session(user), 2), write.session(make.session(user), 2)]);
    same((await live(trial, sessionId)).refresh, refresh);
    await committed(trial, [write.refresh(session, nextOf(trial, session))]);
  },

  "a session that takes another's place has the tokens that it is given, or none": async (trial) => {
    const { make } = trial;
    const user = await addUser(trial);
    for (const handOver of [write.rotate, write.replace]) {
      for (const given of [null, make.refreshFamily({ number: 4 })]) {
        const old = await addSession(trial, user, { refresh: make.refreshFamily({ number: 9 }) });
        // So that a cache has it, and then the other in its place.
        same(await live(trial, old.id), old);
        const next = make.session(user, { rotatedFrom: old.id, refresh: given });
        await committed(trial, [handOver(old.id, next)]);
        for (let look = 0; look < 2; look++) same(await live(trial, next.id), next);
        await refused(trial, [write.refresh(old, nextOf(trial, old))], "conflict");
        await committed(trial, [write.refresh(next, nextOf(trial, next))]);
      }
    }
  },

  "a refresh is seen by every handle at once": async (trial) => {
    const handles = [trial.stores, await trial.another()];
    let session = await addSession(trial, await addUser(trial));
    for (const writer of handles) {
      // Twice, so that an answer from a cache counts too.
      for (const reader of [...handles, ...handles]) same(await live(trial, session.id, reader), session);
      const family = nextOf(trial, session);
      await committed(trial, [write.refresh(session, family)], writer);
      session = refreshedWith(session, family);
    }
    for (const reader of handles) same(await live(trial, session.id, reader), session);
  },

  "what a caller does to tokens that it was given is not in the store": async (trial) => {
    const session = await addSession(trial, await addUser(trial));
    const family = nextOf(trial, session);
    const [digest, refreshedAt] = [Uint8Array.from(family.digest), new Date(family.refreshedAt)];
    await committed(trial, [write.refresh(session, family)]);
    for (let look = 0; look < 3; look++) {
      const read = (await live(trial, session.id)).refresh;
      same(read, { digest, number: 0, refreshedAt });
      for (const held of [family, read]) {
        held?.digest.fill(0);
        held?.refreshedAt.setTime(0);
      }
    }
  },

  "a refresh is refused with what it comes with, and takes that along": async (trial) => {
    const { make, stores, call } = trial;
    const user = await addUser(trial);
    const session = await addSession(trial, user);
    const family = nextOf(trial, session);
    const refresh = write.refresh(session, family);
    const late: Write = { kind: "session.refresh", sessionId: session.id, from: 0, family };
    const row = (): Write => write.audit(make.auditRow({ type: "session.revoked", sessionId: session.id }));
    const stale = write.require({ ...user, generation: 2 });
    for (const writes of [
      [stale, refresh],
      [refresh, row(), stale],
    ])
      await refused(trial, writes, "stale");
    const rename = write.update(user, { name: "Ana" });
    for (const writes of [
      [row(), late],
      [write.require(user), late, row()],
      [rename, late],
      [refresh, write.update({ ...user, version: 2 }, {})],
    ])
      await refused(trial, writes, "conflict");
    same(await live(trial, session.id), session);
    same(await stores.directory.user(user.id, call()), user);
    deepStrictEqual([...(await stores.directory.auditRows(auditQuery({ limit: 9 }), call()))], []);
    await committed(trial, [write.require(user), refresh, row(), rename]);
  },
};

/** Refreshes in transactions that fail while they run. */
export const refreshFaults: Rules = {
  "a refresh whose transaction fails has not been": async (trial) => {
    const user = await addUser(trial);
    const refresh = trial.make.refreshFamily();
    const session = await addSession(trial, user, { refresh });
    const writes = [write.require(user), write.refresh(session, nextOf(trial, session))];
    for (let beforeWrite = 0; beforeWrite <= writes.length; beforeWrite++) {
      const { directory } = faulty(trial.stores, () => ({ beforeWrite }));
      await rejects(directory.commit(writes, trial.call()));
      same(await live(trial, session.id), session);
    }
    await committed(trial, writes);
  },

  "tokens that cannot be told apart from none, or from others, are not taken": async (trial) => {
    const session = await addSession(trial, await addUser(trial));
    const bad: readonly Partial<RefreshFamily>[] = [
      { digest: new Uint8Array(31) },
      { digest: new Uint8Array(33) },
      { digest: new Uint8Array(0) },
      { number: -1 },
      { number: 0.5 },
      { number: Number.NaN },
    ];
    for (const overrides of bad) {
      const family = trial.make.refreshFamily(overrides);
      await rejects(async () =>
        trial.stores.directory.commit([write.refresh(session, family)], trial.call()),
      );
    }
    same(await live(trial, session.id), session);
  },
};

/** Refresh tokens past the end of a process. */
export const refreshDurability: Rules = {
  "refresh tokens outlive the process": async (trial) => {
    const user = await addUser(trial);
    const refresh = trial.make.refreshFamily({ number: 5 });
    const [used, kept] = [
      await addSession(trial, user, { refresh }),
      await addSession(trial, user, { refresh }),
    ];
    const family = nextOf(trial, used);
    await committed(trial, [write.refresh(used, family)]);
    const reopened = await trial.reopen();
    same(await live(trial, used.id, reopened), refreshedWith(used, family));
    same(await live(trial, kept.id, reopened), kept);
    await committed(trial, [write.refresh({ ...used, refresh: family }, nextOf(trial, used))], reopened);
  },
};
