import type { Write } from "../../../src/ports/store.ts";
import {
  type Broken,
  brokenDirectory,
  ends,
  inserts,
  insisting,
  liveSession,
  noRows,
  rewriting,
  shifted,
  yieldOnce,
} from "./broken.ts";

/** Stores whose transactions treat sessions wrongly. */
export const brokenSessionWrites: readonly Broken[] = [
  rewriting(
    "the cap is one too high",
    "past the cap the least recently used others end, and are reported",
    (write) =>
      write.kind === "session.insert" ? [{ ...write, cap: write.cap === 0 ? 0 : write.cap + 1 }] : [write],
  ),
  rewriting("a cap of 0 is one of 1", "a cap of 0 is none, and visitors have none", (write) =>
    write.kind === "session.insert" ? [{ ...write, cap: Math.max(1, write.cap) }] : [write],
  ),
  brokenDirectory(
    "the cap is enforced after the insert, in a transaction of its own",
    "never more than the cap are live, however many are inserted at once",
    ({ commit }, { sessions }) => ({
      async commit(writes, call) {
        const uncapped = writes.map((write) =>
          write.kind === "session.insert" ? { ...write, cap: 0 } : write,
        );
        const result = await commit(uncapped, call);
        const [first] = writes;
        if (first?.kind !== "session.insert" || first.cap === 0) return result;
        await yieldOnce();
        const surplus = (await sessions.list(first.session.userId ?? "", call)).slice(first.cap);
        const ends = surplus.map(
          ({ id }): Write => ({ kind: "session.delete", sessionId: id, ended: noRows }),
        );
        return ends.length === 0 ? result : commit(ends, call);
      },
    }),
  ),
  brokenDirectory(
    "the least recently used one ends, even if it is the new one",
    "the session that is inserted stays, even if it was used longest ago",
    ({ commit }, { sessions }) => ({
      async commit(writes, call) {
        const [first] = writes;
        if (first?.kind !== "session.insert" || first.cap === 0) return commit(writes, call);
        await commit([{ ...first, cap: 0 }], call);
        const surplus = (await sessions.list(first.session.userId ?? "", call)).slice(first.cap);
        return commit(
          surplus.map(({ id }) => ({ kind: "session.delete", sessionId: id, ended: noRows })),
          call,
        );
      },
    }),
  ),
  rewriting(
    "a session takes the user's generation of the moment",
    "no insert with an outdated generation is accepted, even without requiring it",
    async (write, { directory }, call) => {
      if (write.kind !== "session.insert" || write.session.userId === null) return [write];
      await yieldOnce();
      const user = await directory.user(write.session.userId, call);
      const { generation } = user ?? write.session;
      return [{ ...write, session: { ...write.session, generation } }];
    },
  ),
  rewriting(
    "a rotated session stays",
    "a rotated session is there under its new id alone, and none is reported as ended",
    (write) =>
      write.kind === "session.rotate"
        ? [{ kind: "session.insert", session: write.session, cap: 0, evicted: noRows }]
        : [write],
  ),
  rewriting(
    "a rotation is reported as an end",
    "a rotated session is there under its new id alone, and none is reported as ended",
    (write) =>
      write.kind === "session.rotate"
        ? [
            { kind: "session.delete", sessionId: write.from, ended: noRows },
            { kind: "session.insert", session: write.session, cap: 0, evicted: noRows },
          ]
        : [write],
  ),
  rewriting(
    "a rotation does not mind an end in between",
    "of a rotation and an end of one session only one finds it",
    async (write, stores, call) => {
      if (write.kind !== "session.rotate" || (await liveSession(stores, write.from, call)) === null)
        return [write];
      await yieldOnce();
      return [
        { kind: "session.delete", sessionId: write.from, ended: noRows },
        { kind: "session.insert", session: write.session, cap: 0, evicted: noRows },
      ];
    },
  ),
  rewriting(
    "a rotation looks, then swaps",
    "of many concurrent rotations of one session exactly one succeeds",
    async (write, stores, call) => {
      if (write.kind !== "session.rotate" || (await liveSession(stores, write.from, call)) === null)
        return [write];
      await yieldOnce();
      return [
        { kind: "session.delete", sessionId: write.from, ended: noRows },
        { kind: "session.insert", session: write.session, cap: 0, evicted: noRows },
      ];
    },
  ),
  rewriting(
    "a rotation writes the data that it was given",
    "a rotated session has the data of the one before it, not what is given",
    (write) => (write.kind === "session.rotate" ? [ends(write.from), inserts(write.session)] : [write]),
  ),
  rewriting(
    "a rotation reads the data before the transaction, not in it",
    "no write to the data that is acknowledged is lost by a rotation",
    async (write, stores, call) => {
      const from = write.kind === "session.rotate" ? await liveSession(stores, write.from, call) : null;
      if (write.kind !== "session.rotate" || from === null) return [write];
      await yieldOnce();
      return [ends(from.id), inserts({ ...write.session, data: from.data })];
    },
  ),
  rewriting(
    "another user's session may be rotated",
    "another user's session is not rotated, neither into somebody's nor into a visitor's",
    (write) => (write.kind === "session.rotate" ? [ends(write.from), inserts(write.session)] : [write]),
  ),
  rewriting(
    "a sign-in writes the data that it was given",
    "a replaced session ends and is reported, and its data goes over as it is by then",
    (write) =>
      write.kind === "session.replace"
        ? [{ ...write, kind: "session.delete", sessionId: write.replaces }, inserts(write.session, write.cap)]
        : [write],
  ),
  rewriting(
    "a sign-in reads the data before the transaction, not in it",
    "no write to the data that is acknowledged is lost by a sign-in",
    async (write, stores, call) => {
      const from = write.kind === "session.replace" ? await liveSession(stores, write.replaces, call) : null;
      if (write.kind !== "session.replace" || from === null) return [write];
      await yieldOnce();
      return [ends(from.id), inserts({ ...write.session, data: from.data }, write.cap)];
    },
  ),
  rewriting(
    "the data of a session is taken by everybody who saw it",
    "of many sign-ins that replace one session exactly one ends it and has its data",
    async (write, stores, call) => {
      if (write.kind !== "session.replace") return [write];
      const { data } = (await liveSession(stores, write.replaces, call)) ?? write.session;
      await yieldOnce();
      return [{ ...write, session: { ...write.session, data } }];
    },
  ),
  rewriting(
    "whoever replaces a session takes its data",
    "another user's data is never taken over",
    async (write, stores, call) => {
      const from = write.kind === "session.replace" ? await liveSession(stores, write.replaces, call) : null;
      if (write.kind !== "session.replace" || from === null) return [write];
      return [ends(from.id), inserts({ ...write.session, data: from.data }, write.cap)];
    },
  ),
  rewriting(
    "the data of an expired session is taken",
    "a session that expired or is gone leaves no data to the one that replaces it",
    async (write, stores, call) => {
      if (write.kind !== "session.replace") return [write];
      const from = await liveSession(stores, write.replaces, shifted(call, -1));
      if (from === null) return [write];
      return [ends(from.id), inserts({ ...write.session, data: from.data }, write.cap)];
    },
  ),
  rewriting(
    "a replaced session ends after the cap was looked at",
    "a replaced session does not count towards the cap, and the others do",
    (write) =>
      write.kind === "session.replace"
        ? [
            { ...write, kind: "session.insert" },
            { kind: "session.delete", sessionId: write.replaces, ended: write.ended },
          ]
        : [write],
  ),
  insisting(
    "the last write to the data wins",
    "of many concurrent writes to one version of the data exactly one succeeds",
    async (write, stores, call) => {
      if (write.kind !== "session.set_data") return write;
      const session = await liveSession(stores, write.sessionId, call);
      return { ...write, dataVersion: session?.dataVersion ?? write.dataVersion };
    },
  ),
  rewriting(
    "data is merged into what is there",
    "the data is replaced whole, and its version counted",
    async (write, stores, call) => {
      if (write.kind !== "session.set_data") return [write];
      const session = await liveSession(stores, write.sessionId, call);
      return [{ ...write, data: { ...session?.data, ...write.data } }];
    },
  ),
  rewriting("anybody's session may be ended", "with a user's id only a session of theirs ends", (write) => {
    if (write.kind !== "session.delete") return [write];
    const { userId, ...anybodys } = write;
    return [anybodys];
  }),
  rewriting(
    "the excepted session ends too",
    "all of a user's sessions end but the excepted one, and nobody else's",
    (write) => (write.kind === "session.delete_all" ? [{ ...write, except: null }] : [write]),
  ),
  rewriting(
    "revoking all ends the live ones only",
    "ending takes expired and outdated rows along",
    async (write, { sessions }, call) => {
      if (write.kind !== "session.delete_all") return [write];
      const listed = await sessions.list(write.userId, call);
      const theirs = listed.filter(({ id }) => id !== write.except);
      return theirs.map(({ id }) => ({ kind: "session.delete", sessionId: id, ended: noRows }));
    },
  ),
  rewriting(
    "the sessions to revoke are looked up before the transaction",
    "no sign-in that races revoke-all leaves a session behind",
    async (write, { sessions }, call) => {
      if (write.kind !== "session.delete_all") return [write];
      const listed = await sessions.list(write.userId, call);
      await yieldOnce();
      return listed.map(({ id }) => ({ kind: "session.delete", sessionId: id, ended: noRows }));
    },
  ),
  brokenDirectory(
    "an end is reported to everybody who asks",
    "of many concurrent ends of one session exactly one ends it",
    ({ commit }, stores) => ({
      async commit(writes, call) {
        const [first] = writes;
        const session =
          first?.kind === "session.delete" ? await liveSession(stores, first.sessionId, call) : null;
        await yieldOnce();
        const result = await commit(writes, call);
        return session === null || !result.ok ? result : { ...result, ended: [session] };
      },
    }),
  ),
];
