import type { DirectoryStore } from "../../ports/directory-store.ts";
import type { FoundSession, SessionStore } from "../../ports/session-store.ts";
import type { StoreCall } from "../../ports/store.ts";
import type { Stores } from "../../ports/stores.ts";
import { forwarded } from "../forwarded.ts";
import { changesOf, isNothing } from "./changes.ts";
import type { Changes, InvalidationChannel } from "./channel.ts";
import type { RecentSessions } from "./recent.ts";

/** What the cached ports are made of. */
interface Parts {
  readonly stores: Stores;
  readonly channel: InvalidationChannel;
  readonly recent: RecentSessions;
}

/** Puts a cache in front of `stores`. @see cached */
export function cachedStores(parts: Parts): Stores {
  const { stores, channel, recent } = parts;
  channel.open((changes) => recent.forget(changes));
  return { ...stores, directory: cachedDirectory(parts), sessions: cachedSessions(parts) };
}

function changed({ recent, channel }: Parts, changes: Changes): void {
  if (changes !== "everything" && isNothing(changes)) return;
  recent.forget(changes);
  channel.tell(changes);
}

function cachedDirectory(parts: Parts): DirectoryStore {
  const { directory } = parts.stores;
  return {
    ...forwarded(directory),
    async commit(writes, call) {
      try {
        const result = await directory.commit(writes, call);
        if (result.ok) changed(parts, changesOf(writes, result.ended));
        return result;
      } catch (error) {
        // Whether it was committed is not known.
        changed(parts, changesOf(writes));
        throw error;
      }
    },
    async forget(userId, call) {
      await directory.forget(userId, call);
      changed(parts, { sessions: [], users: [userId] });
    },
  };
}

function cachedSessions({ stores, channel, recent }: Parts): SessionStore {
  const { sessions } = stores;

  function read(ids: readonly string[], call: StoreCall): ReturnType<SessionStore["find"]> {
    const reading = recent.begin(call.now);
    const keep = (found: readonly (FoundSession | null)[]): readonly (FoundSession | null)[] => {
      recent.end(reading, found);
      return found;
    };
    const fail = (error: unknown): never => {
      recent.end(reading, null);
      throw error;
    };
    let found: ReturnType<SessionStore["find"]>;
    try {
      found = sessions.find(ids, call);
    } catch (error) {
      return fail(error);
    }
    return "then" in found ? found.then(keep, fail) : keep(found);
  }

  return {
    engine: sessions.engine,
    ping: (call) => sessions.ping(call),
    async close() {
      await channel.close();
      await sessions.close();
    },
    find: (ids, call) => (call.readsThrough ? null : recent.get(ids, call.now)) ?? read(ids, call),
    list: (userId, call) => sessions.list(userId, call),
    count: (call) => sessions.count(call),
    async touch(touches, call) {
      // The others go by an older use for a while, and count it once more at most.
      const own = { sessions: touches.map(({ sessionId }) => sessionId), users: [] };
      try {
        await sessions.touch(touches, call);
      } finally {
        recent.forget(own);
      }
    },
    sweep: (limit, ended, call) => sessions.sweep(limit, ended, call),
  };
}
