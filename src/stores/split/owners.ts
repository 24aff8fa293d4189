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
  /** Publishes a user whom a check had to read from the directory. In the background: the check has its answer. */
  remember(key: OwnerKey, readAtMs: number, call: StoreCall): void;
  /** Resolves when nothing is left to do in the background. */
  settled(): Promise<void>;
}

/** A fence around some users. One that is neither lifted nor published falls by itself. */
export interface Fence {
  /** Nothing was changed: takes it away. In the background. */
  lift(call: StoreCall): void;
  /** The change is committed: takes it away, with the users as they are now. */
  publish(call: StoreCall): Promise<void>;
}

/** Owner of a session: every session id begins with its user's slot tag. */
export function ownerKey({ id, userId }: { readonly id: string; readonly userId: string }): OwnerKey {
  return { userId, slotTag: id.slice(0, slotTagLength) };
}

/**
 * Ids of sessions that are still in their engine though their end is on record. Whoever ends a session takes it, and may be about to
 * hand its data on; one that is there after the longest time that this can take was left behind.
 */
export function leftBehind(
  { revoked }: Pick<SessionOwner, "revoked">,
  { now }: StoreCall,
): readonly string[] {
  const isLong = ({ revokedAt }: Revocation): boolean =>
    now.getTime() - revokedAt.getTime() > fenceSeconds * 1000;
  return revoked.filter(isLong).map(({ sessionId }) => sessionId);
}

/** How long work that nobody waits for may take. */
const backgroundMs = 10_000;
const noFence: Fence = { lift() {}, async publish() {} };

/** Makes {@link Owners} of the two engines. */
export function owners(directory: DirectoryStore, sessions: DetachedSessions): Owners {
  const { owners: records } = sessions;
  const underWay = new Set<Promise<void>>();
  // The request that this is done for may be over before it is.
  const lasting = ({ now }: StoreCall): StoreCall => ({ now, signal: AbortSignal.timeout(backgroundMs) });

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
  async function publish(key: OwnerKey, reading: OwnerReading, call: StoreCall): Promise<void> {
    if (records === null) return;
    const there = (await sessions.list(key, call)).map(({ id }) => id);
    const owner = await directory.sessionOwner(key.userId, there, call);
    const left = owner === null ? [] : leftBehind(owner, call);
    if (owner === null || left.length < owner.revoked.length) return lift(key, reading, call);
    await sessions.take(left, call);
    await records.publish(owner.user, reading, call);
  }

  async function lift(key: OwnerKey, { fence }: OwnerReading, call: StoreCall): Promise<void> {
    if (fence !== null) await records?.lift(key, fence, call);
  }

  return {
    areKept: records !== null,
    async fence(keys, call) {
      const users = [...new Map(keys.map((key) => [key.userId, key])).values()];
      if (records === null || users.length === 0) return noFence;
      const name = randomUUID();
      await Promise.all(users.map((key) => records.fence(key, name, call)));
      return {
        lift(each) {
          for (const key of users) inBackground(() => records.lift(key, name, lasting(each)));
        },
        async publish(each) {
          await Promise.all(users.map((key) => publish(key, { fence: name, readAtMs: null }, each)));
        },
      };
    },
    remember(key, readAtMs, call) {
      if (records !== null) inBackground(() => publish(key, { fence: null, readAtMs }, lasting(call)));
    },
    async settled() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}
