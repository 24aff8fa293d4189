import { setTimeout as sleep } from "node:timers/promises";
import { isExpired, type Session } from "../domain/session.ts";
import { type DetachedSessions, expiredKeepSeconds } from "../ports/detached-sessions.ts";
import type { Touch } from "../ports/session-store.ts";
import type { Port, StoreCall } from "../ports/store.ts";
import { settled } from "./settled.ts";
import { added, type SlotChange, slotBytes, taken, used, withData, withRefresh } from "./slot-changes.ts";
import { isSlotTag, sessionIn, sessionsOf, slotOf, slotText } from "./slot-text.ts";
import { turns } from "./turns.ts";

/** What an engine holds of a slot. */
export interface Slot {
  /** As {@link slotText} wrote it. */
  readonly text: string;
  /** Names this state of the slot and no other, before or after. */
  readonly mark: string;
}

/** What a slot becomes. */
export interface NewSlot {
  readonly text: string;
  /** When the first of its sessions is expired, in ms. */
  readonly firstEndMs: number;
  /** When all of its sessions are expired, in ms. */
  readonly lastEndMs: number;
}

/** An engine as {@link slotSessions} needs it: one text per slot, replaced in one step or not at all. */
export interface SlotEngine extends Port {
  /** Whether the engine drops a slot at some time past `lastEndMs` and has no expired ones to name. */
  readonly expiresByItself: boolean;
  read(tag: string, call: StoreCall): Promise<Slot | null>;
  /**
   * Puts `after` in the place of `before`, null being nothing. False where somebody else was faster: `before` is then not what
   * is there. True only once it would outlive what the engine promises to outlive.
   */
  swap(
    tag: string,
    before: Slot | null,
    after: NewSlot | null,
    call: Pick<StoreCall, "now" | "signal">,
  ): Promise<boolean>;
  /** Texts of slots in which a session may be expired. Leaves out what it cannot read. */
  ended(call: StoreCall): AsyncIterable<string>;
}

/** Tries of one step against other processes; each failure is another's success. */
const mostTries = 200;
/** Slots that are changed at a time by one call. */
const slotsAtOnce = 20;

/**
 * Sessions on an engine that can compare and swap. All sessions of a slot, which is those of one user or one visitor (of two by a rare
 * chance), lie in one text: the cap, the list, and the end of a session are then one step, and nothing can be left half-done or
 * come back.
 *
 * A slot holds about a thousand sessions. Where a sign-in finds no room, the least recently used of the user's others go,
 * whatever the cap.
 */
export function slotSessions(engine: SlotEngine): DetachedSessions {
  const { run, idle } = turns();

  // In turns within this process, so that only other processes are raced.
  function change<T>(
    tag: string,
    by: (sessions: readonly Session[]) => SlotChange<T>,
    call: StoreCall,
  ): Promise<T> {
    return settled(
      run(tag, () => attempt(tag, by, call)),
      call.signal,
    );
  }

  async function attempt<T>(
    tag: string,
    by: (sessions: readonly Session[]) => SlotChange<T>,
    call: StoreCall,
  ): Promise<T> {
    for (let tries = 1; tries <= mostTries; tries++) {
      call.signal.throwIfAborted();
      const before = await engine.read(tag, call);
      const { after, answer } = by(before === null ? [] : kept(sessionsOf(before.text), call));
      call.signal.throwIfAborted();
      if (after === null || (await engine.swap(tag, before, newSlot(after), call))) return answer;
      // Processes that lost together do not meet again.
      await sleep(Math.random() * Math.min(50, tries * 2), undefined, { signal: call.signal });
    }
    throw new Error(`${engine.engine.name}: other processes were faster ${mostTries} times`);
  }

  function kept(sessions: readonly Session[], { now }: StoreCall): readonly Session[] {
    if (!engine.expiresByItself) return sessions;
    const longAgo = new Date(now.getTime() - expiredKeepSeconds * 1000);
    return sessions.filter((session) => !isExpired(session, longAgo));
  }

  async function findOne(id: string, call: StoreCall): Promise<Session | null> {
    const tag = slotOf(id);
    if (tag === null) return null;
    call.signal.throwIfAborted();
    const slot = await settled(engine.read(tag, call), call.signal);
    return slot === null ? null : sessionIn(slot.text, id);
  }

  return {
    engine: engine.engine,
    owners: null,
    ping: (call) => settled(engine.ping(call), call.signal),
    async close() {
      await idle();
      await engine.close();
    },
    async find(ids, call) {
      const found = await Promise.all(ids.map((id) => findOne(id, call)));
      return found.map((session) => (session === null ? null : { session, owner: null, readAtMs: 0 }));
    },
    async list({ userId, slotTag }, call) {
      if (!isSlotTag(slotTag)) throw new TypeError("a slot tag has 8 characters of 0-9 A-Z a-z");
      const slot = await settled(engine.read(slotTag, call), call.signal);
      if (slot === null) return [];
      return sessionsOf(slot.text).filter((session) => session.userId === userId);
    },
    async insert(session, cap, call) {
      const tag = slotOf(session.id);
      if (tag === null) throw new TypeError("a session's id has 24 characters of 0-9 A-Z a-z");
      if (session.secretDigest.length !== 32) throw new TypeError("a session's secretDigest has 32 bytes");
      return change(tag, (sessions) => added(sessions, { session, cap, now: call.now }), call);
    },
    async take(ids, call) {
      const one = (tag: string, own: readonly string[]) =>
        change(tag, (sessions) => taken(sessions, new Set(own)), call);
      return (await slotBySlot(ids, (id) => id, one)).flat();
    },
    async setData(write, call) {
      const tag = slotOf(write.sessionId);
      if (tag === null) return false;
      return change(tag, (sessions) => withData(sessions, write, call.now), call);
    },
    async refresh(write, call) {
      const tag = slotOf(write.sessionId);
      if (tag === null) return false;
      return change(tag, (sessions) => withRefresh(sessions, write, call.now), call);
    },
    async touch(touches, call) {
      const one = (tag: string, own: readonly Touch[]) =>
        change(tag, (sessions) => used(sessions, own, call.now), call);
      await slotBySlot(touches, ({ sessionId }) => sessionId, one);
    },
    async expired(limit, call) {
      const found: Session[] = [];
      if (limit < 1) return found;
      for await (const text of engine.ended(call)) {
        call.signal.throwIfAborted();
        found.push(...readable(text).filter((session) => isExpired(session, call.now)));
        if (found.length >= limit) break;
      }
      return found.slice(0, limit);
    },
  };
}

/** Does `work` for each slot, some at a time; what is no session id is left out. */
async function slotBySlot<T, R>(
  items: readonly T[],
  idOf: (item: T) => string,
  work: (tag: string, items: readonly T[]) => Promise<R>,
): Promise<readonly R[]> {
  const bySlot = new Map<string, T[]>();
  for (const item of items) {
    const tag = slotOf(idOf(item));
    if (tag !== null) bySlot.set(tag, [...(bySlot.get(tag) ?? []), item]);
  }
  const slots = [...bySlot];
  const results: R[] = [];
  for (let from = 0; from < slots.length; from += slotsAtOnce) {
    const some = slots.slice(from, from + slotsAtOnce);
    results.push(...(await Promise.all(some.map(([tag, own]) => work(tag, own)))));
  }
  return results;
}

// A sweep goes on past what was damaged; whoever needs that session is told.
function readable(text: string): readonly Session[] {
  try {
    return sessionsOf(text);
  } catch {
    return [];
  }
}

function newSlot(sessions: readonly Session[]): NewSlot | null {
  if (sessions.length === 0) return null;
  const text = slotText(sessions);
  if (Buffer.byteLength(text) > slotBytes) throw new Error("the sessions of one user take too much room");
  const ends = sessions.map(({ idleExpiresAt, expiresAt }) => Math.min(+idleExpiresAt, +expiresAt));
  return { text, firstEndMs: Math.min(...ends), lastEndMs: Math.max(...ends) };
}
