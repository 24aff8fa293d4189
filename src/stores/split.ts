import { randomUUID } from "node:crypto";
import type { DetachedSessions } from "../ports/detached-sessions.ts";
import type { DirectoryStore } from "../ports/directory-store.ts";
import type { EphemeralStore } from "../ports/ephemeral-store.ts";
import type { SessionStore } from "../ports/session-store.ts";
import type { Engine } from "../ports/store.ts";
import type { Stores } from "../ports/stores.ts";
import { forwarded } from "./forwarded.ts";
import { committer } from "./split/commit.ts";
import type { Halves } from "./split/halves.ts";
import { owners } from "./split/owners.ts";
import { sessionReader } from "./split/reader.ts";
import { sweeper } from "./split/sweep.ts";

/** The engines that {@link split} joins. */
export interface SplitOptions {
  readonly directory: DirectoryStore;
  /** `redis({ client }).sessions`, `fileSessions({ path })`, … */
  readonly sessions: DetachedSessions;
  readonly ephemeral: EphemeralStore;
}

/**
 * Three ports for `createAuth` where sessions live in another engine than the directory: Redis beside PostgreSQL.
 *
 * No transaction spans two engines, so the directory alone decides. A change of a user, or the end of a session, is *fenced* in
 * the session engine (from here on a check asks the directory), *committed* in the directory, carried out in the session
 * engine and *published* there. Where the process dies in between, checks go on asking the directory, which knows; a
 * revocation that was acknowledged holds even if the session engine forgets it. A sign-in is committed first and its session
 * added after: a generation that moved in between makes that session one of the past.
 *
 * Two things are weaker than in one engine: the audit rows of sessions that a cap evicts, and of a refresh, are written right
 * after it, and a process that dies between the two steps of a sign-in leaves an audit row of a session that never was.
 */
export function split({ directory, sessions, ephemeral }: SplitOptions): Stores {
  const engine: Engine = { name: `${directory.engine.name}+${sessions.engine.name}` };
  const halves: Halves = { directory, sessions, owners: owners(directory, sessions) };
  return {
    directory: splitDirectory(engine, halves),
    sessions: splitSessions(engine, halves),
    ephemeral,
  };
}

function splitDirectory(engine: Engine, halves: Halves): DirectoryStore {
  const { directory, sessions } = halves;
  return {
    ...forwarded(directory),
    engine,
    commit: committer(halves),
    async forget(userId, call) {
      await directory.forget(userId, call);
      if (sessions.owners === null) return;
      const user = await directory.user(userId, call);
      // By the engine's own notes only where the user is gone: notes may be lost with a primary that the copy was not on.
      if (user === null) await sessions.owners.forget(userId, call);
      else await sessions.owners.fence({ userId, slotTag: user.slotTag }, randomUUID(), call);
    },
  };
}

function splitSessions(engine: Engine, halves: Halves): SessionStore {
  const { sessions, owners: known } = halves;
  const { find, list } = sessionReader(halves);
  return {
    engine,
    ping: (call) => sessions.ping(call),
    async close() {
      await known.settled();
      await sessions.close();
    },
    find,
    list,
    // Engines that hold sessions alone find them by id and by owner.
    count: () => null,
    touch: (touches, call) => sessions.touch(touches, call),
    sweep: sweeper(halves),
  };
}
