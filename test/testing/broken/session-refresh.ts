import type { Session } from "../../../src/domain/session.ts";
import type { FoundSession } from "../../../src/ports/session-store.ts";
import type { StoreCall, Write } from "../../../src/ports/store.ts";
import type { Stores } from "../../../src/ports/stores.ts";
import {
  type Broken,
  brokenDirectory,
  brokenSessions,
  ends,
  inserts,
  insisting,
  liveSession,
  rewriting,
  shifted,
  yieldOnce,
} from "./broken.ts";

type Refresh = Extract<Write, { kind: "session.refresh" }>;

/** A refresh done as the end of the session and an insert of what `next` makes of it. */
function rewritten(
  mistake: string,
  caughtBy: string,
  next: (session: Session, write: Refresh) => Session,
): Broken {
  return rewriting(mistake, caughtBy, async (write, stores, call) => {
    const session = write.kind === "session.refresh" ? await asRead(write, stores, call) : null;
    return write.kind !== "session.refresh" || session === null
      ? [write]
      : [ends(session.id), inserts(next(session, write))];
  });
}

/** A refresh that looks at the session, lets others come between, and then writes what it made of what it saw. */
function slow(caughtBy: string, mistake = "a refresh looks, then writes"): Broken {
  return rewriting(mistake, caughtBy, async (write, stores, call) => {
    if (write.kind === "user.require") return [];
    const session = write.kind === "session.refresh" ? await asRead(write, stores, call) : null;
    if (write.kind !== "session.refresh" || session === null) return [write];
    await yieldOnce();
    return [ends(session.id), inserts(used(session, write))];
  });
}

async function asRead(write: Refresh, stores: Stores, call: StoreCall): Promise<Session | null> {
  const session = await liveSession(stores, write.sessionId, call);
  return (session?.refresh?.number ?? null) === write.from ? session : null;
}

function used(session: Session, { family }: Refresh): Session {
  const { refreshedAt } = family;
  const lastUsedAt = refreshedAt > session.lastUsedAt ? refreshedAt : session.lastUsedAt;
  return { ...session, refresh: family, lastUsedAt };
}

/** A refresh from whatever number the token has. */
function fromAny(caughtBy: string): Broken {
  return insisting(
    "the number of the token before is not compared",
    caughtBy,
    async (write, stores, call) => {
      if (write.kind !== "session.refresh") return write;
      const session = await liveSession(stores, write.sessionId, call);
      return { ...write, from: session?.refresh?.number ?? null };
    },
  );
}

/** The writes of a transaction in two: those of `isFirst`, then the others. */
function twice(mistake: string, caughtBy: string, isFirst: (write: Write) => boolean): Broken {
  return brokenDirectory(mistake, caughtBy, ({ commit }) => ({
    async commit(writes, call) {
      const first = writes.filter(isFirst);
      const others = writes.filter((write) => !isFirst(write));
      if (first.length === 0 || others.length === 0) return commit(writes, call);
      const result = await commit(first, call);
      return result.ok ? commit(others, call) : result;
    },
  }));
}

const isRefresh = ({ kind }: Write): boolean => kind === "session.refresh";

/** Stores that treat refresh tokens wrongly. */
export const brokenRefreshes: readonly Broken[] = [
  brokenSessions(
    "refresh tokens are not read",
    "a session has the refresh tokens that it was added with, or none",
    ({ find }) => ({
      find: async (ids, call) =>
        (await find(ids, call)).map((found) =>
          found === null || found.expired
            ? found
            : { ...found, session: { ...found.session, refresh: null } },
        ),
    }),
  ),
  brokenDirectory(
    "a refresh moves the idle limit",
    "a refresh puts its token in the place of the one before, is a use, and leaves all else",
    ({ commit }, { sessions }) => ({
      async commit(writes, call) {
        const result = await commit(writes, call);
        const touches = writes.flatMap((write) =>
          write.kind === "session.refresh"
            ? { sessionId: write.sessionId, usedAt: call.now, idleExpiresAt: shifted(call, 1e7).now }
            : [],
        );
        await sessions.touch(touches, call);
        return result;
      },
    }),
  ),
  rewriting(
    "a refresh empties the data",
    "a refresh puts its token in the place of the one before, is a use, and leaves all else",
    async (write, stores, call) => {
      const session = write.kind === "session.refresh" ? await asRead(write, stores, call) : null;
      if (session === null) return [write];
      const { id: sessionId, dataVersion } = session;
      return [write, { kind: "session.set_data", sessionId, dataVersion, data: {} }];
    },
  ),
  fromAny("a refresh from any number but that of the token is refused"),
  rewriting(
    "no token is taken for number 0",
    "a refresh from any number but that of the token is refused",
    async (write, stores, call) => {
      if (write.kind !== "session.refresh" || write.from !== 0) return [write];
      const session = await liveSession(stores, write.sessionId, call);
      return [{ ...write, from: session?.refresh?.number ?? null }];
    },
  ),
  fromAny("a used token is no longer the one, and of two uses the second is refused"),
  brokenDirectory(
    "an expired session is refreshed",
    "a refresh neither brings back what ended, expired or never was, nor makes it",
    ({ commit }) => ({
      commit: (writes, call) => commit(writes, writes.some(isRefresh) ? shifted(call, -1) : call),
    }),
  ),
  brokenDirectory(
    "a refresh of nothing is done",
    "a refresh neither brings back what ended, expired or never was, nor makes it",
    ({ commit }, stores) => ({
      async commit(writes, call) {
        const [first] = writes;
        const isOfNothing =
          first?.kind === "session.refresh" &&
          (await stores.sessions.find([first.sessionId], call))[0] === null;
        return isOfNothing ? { ok: true, ended: [], reported: [] } : commit(writes, call);
      },
    }),
  ),
  rewritten(
    "a refresh sets the last use",
    "a refresh never moves the last use back",
    (session, { family }) => ({ ...session, refresh: family, lastUsedAt: family.refreshedAt }),
  ),
  rewritten("a refresh is no use", "a refresh decides who is least recently used", (session, { family }) => ({
    ...session,
    refresh: family,
  })),
  rewriting(
    "a write to the data drops the tokens",
    "data, uses and the cap leave the tokens as they are",
    async (write, stores, call) => {
      if (write.kind !== "session.set_data") return [write];
      const session = await liveSession(stores, write.sessionId, call);
      return session === null ? [write] : [ends(session.id), inserts({ ...session, refresh: null })];
    },
  ),
  rewriting(
    "a rotation keeps the tokens of the session before",
    "a session that takes another's place has the tokens that it is given, or none",
    async (write, stores, call) => {
      if (write.kind !== "session.rotate") return [write];
      const { refresh } = (await liveSession(stores, write.from, call)) ?? write.session;
      return [{ ...write, session: { ...write.session, refresh } }];
    },
  ),
  rewriting(
    "a sign-in drops the tokens of the new session",
    "a session that takes another's place has the tokens that it is given, or none",
    (write) =>
      write.kind === "session.replace"
        ? [{ ...write, session: { ...write.session, refresh: null } }]
        : [write],
  ),
  brokenSessions(
    "a cache does not hear of refreshes",
    "a refresh is seen by every handle at once",
    ({ find }) => {
      const known = new Map<string, FoundSession | null>();
      return {
        async find(ids, call) {
          const [id = ""] = ids;
          if (!known.has(id)) known.set(id, (await find(ids, call))[0] ?? null);
          return [known.get(id) ?? null];
        },
      };
    },
  ),
  brokenSessions(
    "two callers are given one record",
    "what a caller does to tokens that it was given is not in the store",
    ({ find }) => {
      let known: readonly (FoundSession | null)[] = [];
      return {
        async find(ids, call) {
          const found = await find(ids, call);
          if (known.length === 0) known = found;
          return known;
        },
      };
    },
  ),
  twice(
    "a refresh is done before it is known whether the rest is",
    "a refresh is refused with what it comes with, and takes that along",
    isRefresh,
  ),
  twice(
    "the rest is done before it is known whether the refresh is",
    "a refresh is refused with what it comes with, and takes that along",
    (write) => !isRefresh(write),
  ),
  twice("a refresh is a transaction of its own", "a refresh whose transaction fails has not been", isRefresh),
  rewriting(
    "tokens are made to fit",
    "tokens that cannot be told apart from none, or from others, are not taken",
    (write) => {
      if (write.kind !== "session.refresh") return [write];
      const digest = new Uint8Array(32);
      digest.set(write.family.digest.subarray(0, 32));
      const number = Math.max(0, Math.floor(write.family.number || 0));
      return [{ ...write, family: { ...write.family, digest, number } }];
    },
  ),
  slow("of many concurrent refreshes from one number exactly one succeeds, and alone is on record"),
  twice(
    "a refresh is reported before it is done",
    "of many concurrent refreshes from one number exactly one succeeds, and alone is on record",
    ({ kind }) => kind === "audit.insert",
  ),
  fromAny("refreshes that read again after a conflict all come through, each from another number"),
  slow("a refresh that races an end never brings the session back"),
  slow("no refresh that races revoke-all leaves a session alive"),
  slow("a rotation that races refreshes has the tokens that it is given, and no other session is left"),
  slow("data, uses and a refresh at the same time are all kept", "a refresh writes the whole session"),
];
