import { randomUUID } from "node:crypto";
import { slotTagLength } from "../../domain/session.ts";
import {
  type DetachedSessions,
  fenceSeconds,
  type OwnerKey,
  type OwnerReading,
} from "../../ports/detached-sessions.ts";
import type { DirectoryStore, Revocation, SessionOwner } from "../../ports/directory-store.ts";
import type { StoreCall } from "../../ports/store.ts";

/** What the session engine is told of users. Everything here is nothing where it keeps no copies of them. */
export interface Owners {
  /** Whether the engine keeps copies of users at all. */
  readonly areKept: boolean;
  /** From its resolution on no check is answered with a copy of these users. Rejects where that cannot be promised. */
  fence(keys: readonly OwnerKey[], call: StoreCall): Promise<Fence>;
  /** Publishes an owner that a check has just read from the directory. In the background: the check has its answer. */
  remember(owner: SessionOwner, readAtMs: number, call: StoreCall): void;
  /** Resolves when nothing is left to do in the background. */
  settled(): Promise<void>;
}

/** A fence around some users. One that is neither lifted nor published falls by itself. */
export interface Fence {
  /** Nothing was changed: takes it away. In the background. */
  lift(call: StoreCall): void;
  /** The change is committed: takes it away, with the users as they are now. In the background. */
  publish(call: StoreCall): void;
}

/** Owner of a session: every session id begins with its user's slot tag. */
export function ownerKey({ id, userId }: { readonly id: string; readonly userId: string }): OwnerKey {
  return { userId, slotTag: id.slice(0, slotTagLength) };
}

/** Ids that one `find` may ask for. */
const findMax = 3;
const noFence: Fence = { lift() {}, publish() {} };

/** Makes {@link Owners} of the two engines. */
export function owners(directory: DirectoryStore, sessions: DetachedSessions): Owners {
  const { owners: records } = sessions;
  const underWay = new Set<Promise<void>>();
  const lasting = (call: StoreCall): StoreCall => ({ now: call.now, signal: never });

  // A failure costs later checks a reading of the directory, and nothing else.
  function inBackground(work: () => Promise<unknown>): void {
    const task = work().then(
      () => undefined,
      () => undefined,
    );
    underWay.add(task);
    task.finally(() => underWay.delete(task));
  }

  // A copy answers for every session that is there, so those that have ended must be gone before.
  async function publish(owner: SessionOwner, reading: OwnerReading, call: StoreCall): Promise<void> {
    const long = (end: Revocation): boolean =>
      call.now.getTime() - end.revokedAt.getTime() > fenceSeconds * 1000;
    const idsOf = (ends: readonly Revocation[]): readonly string[] => ends.map(({ sessionId }) => sessionId);
    // Whoever ends a session takes it, and may be about to hand its data on. One that is still there after the longest
    // time that this can take was left behind.
    if (await isAnyThere(idsOf(owner.revoked.filter((end) => !long(end))), call)) return;
    await sessions.take(idsOf(owner.revoked.filter(long)), call);
    await records?.publish(owner.user, reading, call);
  }

  async function isAnyThere(ids: readonly string[], call: StoreCall): Promise<boolean> {
    for (let from = 0; from < ids.length; from += findMax) {
      const found = await sessions.find(ids.slice(from, from + findMax), call);
      if (found.some((one) => one !== null)) return true;
    }
    return false;
  }

  async function publishCurrent(key: OwnerKey, fence: string, call: StoreCall): Promise<void> {
    const owner = await directory.sessionOwner(key.userId, call);
    if (owner === null) await records?.lift(key, fence, call);
    else await publish(owner, { fence, readAtMs: null }, call);
  }

  return {
    areKept: records !== null,
    async fence(keys, call) {
      const users = [...new Map(keys.map((key) => [key.userId, key])).values()];
      if (records === null || users.length === 0) return noFence;
      const name = randomUUID();
      await Promise.all(users.map((key) => records.fence(key, name, call)));
      const forEach = (work: (key: OwnerKey, call: StoreCall) => Promise<void>) => (each: StoreCall) => {
        for (const key of users) inBackground(() => work(key, lasting(each)));
      };
      return {
        lift: forEach((key, each) => records.lift(key, name, each)),
        publish: forEach((key, each) => publishCurrent(key, name, each)),
      };
    },
    remember(owner, readAtMs, call) {
      if (records !== null) inBackground(() => publish(owner, { fence: null, readAtMs }, lasting(call)));
    },
    async settled() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}

// The request that this is done for may be over before it is.
const never: AbortSignal = new AbortController().signal;
