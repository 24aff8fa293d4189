import type { Session } from "../../../src/domain/session.ts";
import type { FoundSession } from "../../../src/ports/session-store.ts";
import type { StoreCall, Write } from "../../../src/ports/store.ts";
import { type Broken, brokenSessions as broken, closesOnce, liveSession, noRows, shifted } from "./broken.ts";

/** Answers of `find` with one thing changed about each. */
function mapFound(
  mistake: string,
  caughtBy: string,
  change: (found: FoundSession) => FoundSession | null,
): Broken {
  return broken(mistake, caughtBy, ({ find }) => ({
    find: async (ids, call) =>
      (await find(ids, call)).map((found) => (found === null ? null : change(found))),
  }));
}

function mapSession(mistake: string, caughtBy: string, change: (session: Session) => Session): Broken {
  return mapFound(mistake, caughtBy, (found) =>
    found.expired ? found : { ...found, session: change(found.session) },
  );
}

const limits = "a session is there until the instant of its idle limit, and expired at it";

/** Session stores that find, list, touch or sweep wrongly. */
export const brokenSessionStores: readonly Broken[] = [
  broken("it cannot be closed twice", "ping resolves, and close may be called twice", closesOnce),
  broken("a session lives on at its limit", limits, ({ find }) => ({
    find: (ids, call) => find(ids, shifted(call, -1)),
  })),
  broken("a session ends before its limit", limits, ({ find }) => ({
    find: (ids, call) => find(ids, shifted(call, 1)),
  })),
  mapFound("an expired session is null", limits, (found) => (found.expired ? null : found)),
  mapFound(
    "the absolute limit is not looked at",
    "a session is there until the instant of its absolute limit, and expired at it",
    (found) => (found.expired ? null : found),
  ),
  broken(
    "finding deletes what expired",
    "finding writes nothing: an expired row stays",
    ({ find, sweep }) => ({
      async find(ids, call) {
        const answers = await find(ids, call);
        await sweep(100, noRows, call);
        return answers;
      },
    }),
  ),
  broken(
    "an orphan is taken for a visitor",
    "a session of an owner who is not there is null",
    ({ find }, { directory }) => {
      const inserted: Session[] = [];
      const { commit } = directory;
      Object.assign(directory, {
        commit: (writes: readonly Write[], call: StoreCall) => {
          for (const write of writes) if (write.kind === "session.insert") inserted.push(write.session);
          return commit(writes, call);
        },
      });
      return {
        async find(ids, call) {
          const answers = await find(ids, call);
          return ids.map((id, at) => {
            const session = inserted.find((one) => one.id === id);
            return answers[at] ?? (session === undefined ? null : { expired: false, session, user: null });
          });
        },
      };
    },
  ),
  broken("owners are cached", "the owner is found as they are now, whatever changed", ({ find }) => {
    const cached = new Map<string, FoundSession>();
    return {
      find: async (ids, call) =>
        (await find(ids, call)).map((found, at) => {
          const known = cached.get(ids[at] ?? "") ?? found;
          if (known !== null) cached.set(ids[at] ?? "", known);
          return found === null ? null : known;
        }),
    };
  }),
  broken("ends are cached per handle", "an end is seen by every handle at once", ({ find }) => {
    const cached = new Map<string, FoundSession>();
    return {
      find: async (ids, call) =>
        (await find(ids, call)).map((found, at) => {
          const known = cached.get(ids[at] ?? "") ?? found;
          if (known !== null) cached.set(ids[at] ?? "", known);
          return known;
        }),
    };
  }),
  broken(
    "answers come in another order",
    "each id is answered at its position, and the unknown with null",
    ({ find }) => ({
      find: async (ids, call) => [...(await find(ids, call))].reverse(),
    }),
  ),
  broken("ids end at a NUL", "an id that was never handed out is null, however hostile", ({ find }) => ({
    find: (ids, call) =>
      find(
        ids.map((id) => id.split("\u0000")[0] ?? ""),
        call,
      ),
  })),
  mapSession(
    "times are kept in whole seconds",
    "a session comes back as inserted, with its owner",
    (session) => ({
      ...session,
      lastUsedAt: new Date(Math.floor(session.lastUsedAt.getTime() / 1000) * 1000),
    }),
  ),
  mapSession(
    "null becomes an empty text",
    "a visitor's session comes back as inserted, without an owner",
    (session) => ({
      ...session,
      ip: session.ip ?? "",
    }),
  ),
  mapSession("the digest becomes text", "the digest is 32 bytes of its own", (session) => ({
    ...session,
    secretDigest: Buffer.from(session.secretDigest).toString("hex") as unknown as Uint8Array,
  })),
  mapSession("data is merged by assignment", "a key named __proto__ in the data stays data", (session) => ({
    ...session,
    data: Object.assign({}, session.data),
  })),
  broken(
    "sessions are handed out without a copy",
    "what a reader does to its copy changes nothing in the store",
    ({ find }) => {
      const shared = new Map<string, FoundSession | null>();
      return {
        async find(ids, call) {
          const answers = await find(ids, call);
          for (const [at, id] of ids.entries()) if (!shared.has(id)) shared.set(id, answers[at] ?? null);
          return ids.map((id) => shared.get(id) ?? null);
        },
      };
    },
  ),
  broken(
    "a list has the oldest first",
    "a user's sessions are listed most recently used first",
    ({ list }) => ({
      list: async (userId, call) => [...(await list(userId, call))].reverse(),
    }),
  ),
  broken(
    "a list has what expired",
    "a list leaves out what expired and what is of another generation",
    ({ list }) => ({
      list: (userId, call) => list(userId, shifted(call, -1)),
    }),
  ),
  broken(
    "a use brings an ended session back",
    "a use of an ended, an expired or an unknown session changes nothing",
    ({ touch }, { directory }) => {
      const inserted: Session[] = [];
      const { commit } = directory;
      Object.assign(directory, {
        commit: (writes: readonly Write[], call: StoreCall) => {
          for (const write of writes) if (write.kind === "session.insert") inserted.push(write.session);
          return commit(writes, call);
        },
      });
      return {
        async touch(touches, call) {
          await touch(touches, call);
          for (const { sessionId, usedAt, idleExpiresAt } of touches) {
            const session = inserted.find(({ id }) => id === sessionId);
            if (session === undefined) continue;
            const revived = { ...session, lastUsedAt: usedAt, idleExpiresAt };
            await commit([{ kind: "session.insert", session: revived, cap: 0, evicted: noRows }], call).catch(
              () => null,
            );
          }
        },
      };
    },
  ),
  broken(
    "a use revives what expired",
    "a use of an ended, an expired or an unknown session changes nothing",
    ({ touch }) => ({
      touch: (touches, call) => touch(touches, shifted(call, -3_600_000)),
    }),
  ),
  broken(
    "the last use to be written counts, not the latest",
    "a late use never moves a time back, and each time is judged alone",
    (inner, stores) => ({
      async touch(touches, call) {
        for (const { sessionId, usedAt, idleExpiresAt } of touches) {
          const session = await liveSession({ sessions: inner }, sessionId, call);
          if (session === null) continue;
          const next = { ...session, lastUsedAt: usedAt, idleExpiresAt };
          await stores.directory.commit(
            [
              { kind: "session.delete", sessionId, ended: noRows },
              { kind: "session.insert", session: next, cap: 0, evicted: noRows },
            ],
            call,
          );
        }
      },
    }),
  ),
  broken(
    "only the first use is written",
    "a use moves both times forward, and nothing else",
    ({ touch }) => ({
      touch: (touches, call) => touch(touches.slice(0, 1), call),
    }),
  ),
  broken(
    "a sweep knows no limit",
    "a sweep ends expired sessions alone, at most its limit, and reports each once",
    ({ sweep }) => ({
      sweep: (_, report, call) => sweep(1_000, report, call),
    }),
  ),
  broken(
    "a sweep reports to nobody",
    "a sweep ends expired sessions alone, at most its limit, and reports each once",
    ({ sweep }) => ({
      sweep: (limit, _, call) => sweep(limit, noRows, call),
    }),
  ),
  broken(
    "a sweep takes the living",
    "a sweep ends expired sessions alone, at most its limit, and reports each once",
    ({ sweep }) => ({
      sweep: (limit, report, call) => sweep(limit, report, shifted(call, 1_800_000)),
    }),
  ),
  broken(
    "a sweep deletes first and reports then",
    "a sweep that fails ends nothing, and the next one reports every session once",
    ({ sweep }, { directory }) => ({
      async sweep(limit, report, call) {
        const ended = await sweep(limit, noRows, call);
        await directory.commit(
          report(ended).map((row) => ({ kind: "audit.insert", row })),
          call,
        );
        return ended;
      },
    }),
  ),
  broken(
    "two sweeps report the same sessions",
    "concurrent sweeps end each expired session once, with one row",
    ({ sweep }) => {
      let underWay: ReturnType<typeof sweep> | null = null;
      return {
        async sweep(limit, report, call) {
          underWay ??= sweep(limit, report, call);
          return underWay;
        },
      };
    },
  ),
];
