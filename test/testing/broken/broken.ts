import type { Session } from "../../../src/domain/session.ts";
import type { DirectoryStore } from "../../../src/ports/directory-store.ts";
import type { EphemeralStore } from "../../../src/ports/ephemeral-store.ts";
import type { SessionStore } from "../../../src/ports/session-store.ts";
import type { Committed, StoreCall, Write } from "../../../src/ports/store.ts";
import type { Stores } from "../../../src/ports/stores.ts";

/** A store with one mistake, and the rule that has to catch it. */
export interface Broken {
  /** The mistake in words. */
  readonly mistake: string;
  readonly caughtBy: string;
  breakStores(stores: Stores): Stores;
}

export function brokenDirectory(
  mistake: string,
  caughtBy: string,
  change: (inner: DirectoryStore, stores: Stores) => Partial<DirectoryStore>,
): Broken {
  const breakStores = (stores: Stores): Stores => ({
    ...stores,
    directory: { ...stores.directory, ...change(stores.directory, stores) },
  });
  return { mistake, caughtBy, breakStores };
}

export function brokenSessions(
  mistake: string,
  caughtBy: string,
  change: (inner: SessionStore, stores: Stores) => Partial<SessionStore>,
): Broken {
  const breakStores = (stores: Stores): Stores => ({
    ...stores,
    sessions: { ...stores.sessions, ...change(stores.sessions, stores) },
  });
  return { mistake, caughtBy, breakStores };
}

export function brokenEphemeral(
  mistake: string,
  caughtBy: string,
  change: (inner: EphemeralStore) => Partial<EphemeralStore>,
): Broken {
  const breakStores = (stores: Stores): Stores => ({
    ...stores,
    ephemeral: { ...stores.ephemeral, ...change(stores.ephemeral) },
  });
  return { mistake, caughtBy, breakStores };
}

/** A directory whose transactions run other writes than were asked for. */
export function rewriting(
  mistake: string,
  caughtBy: string,
  rewrite: (write: Write, stores: Stores, call: StoreCall) => readonly Write[] | Promise<readonly Write[]>,
): Broken {
  return brokenDirectory(mistake, caughtBy, (inner, stores) => ({
    async commit(writes, call): Promise<Committed> {
      const rewritten: Write[] = [];
      for (const write of writes) rewritten.push(...(await rewrite(write, stores, call)));
      return inner.commit(rewritten, call);
    },
  }));
}

/** A directory that reads again and has its way, where it should have said that somebody was faster. */
export function insisting(
  mistake: string,
  caughtBy: string,
  renew: (write: Write, stores: Stores, call: StoreCall) => Promise<Write>,
): Broken {
  return brokenDirectory(mistake, caughtBy, ({ commit }, stores) => ({
    async commit(writes, call): Promise<Committed> {
      let result = await commit(writes, call);
      for (let tries = 0; tries < 100 && !result.ok && result.refused === "conflict"; tries++) {
        const renewed: Write[] = [];
        for (const write of writes) renewed.push(await renew(write, stores, call));
        result = await commit(renewed, call);
      }
      return result;
    },
  }));
}

/** The same call at another instant. */
export function shifted(call: StoreCall, ms: number): StoreCall {
  return { now: new Date(call.now.getTime() + ms), signal: call.signal };
}

/** Lets everything else run that is waiting: where an `await` stands between a look and a step. */
export async function yieldOnce(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await null;
}

/** A port whose second close fails. */
export function closesOnce(): { close(): Promise<void> } {
  let isClosed = false;
  return {
    async close() {
      if (isClosed) throw new Error("closed already");
      isClosed = true;
    },
  };
}

/** A report without rows. */
export const noRows = (): [] => [];

/** The end of a session, unreported. */
export function ends(sessionId: string): Write {
  return { kind: "session.delete", sessionId, ended: noRows };
}

/** A session put in as it is. */
export function inserts(session: Session, cap = 0): Write {
  return { kind: "session.insert", session, cap, evicted: noRows };
}

/** The session of an id, if a check could use it. */
export async function liveSession(
  { sessions }: Pick<Stores, "sessions">,
  id: string,
  call: StoreCall,
): Promise<Session | null> {
  const [found] = await sessions.find([id], call);
  return found === null || found === undefined || found.expired ? null : found.session;
}
