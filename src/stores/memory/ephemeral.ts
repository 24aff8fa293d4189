import type { EphemeralStore, Limit, Reservation } from "../../ports/ephemeral-store.ts";
import type { Engine } from "../../ports/store.ts";
import { assertDistinct } from "../distinct-limits.ts";
import { granted } from "../left.ts";

/** What is kept under a key: a value (a spent mark is an empty one) or the attempts of a counter. */
interface Entry {
  readonly content: string | number;
  /** Milliseconds since the epoch; the instant itself is past it. */
  readonly expiresAt: number;
}

/** Entries looked at for each one written. With two, expired ones go at least as fast as new ones come. */
const examinedPerWrite = 2;

/** One-time tokens, counters and spent marks in this process. */
export function ephemeral(engine: Engine): EphemeralStore {
  const entries = new Map<string, Entry>();
  let cursor = entries.entries();

  function live(key: string, now: Date): Entry | null {
    const entry = entries.get(key);
    return entry !== undefined && entry.expiresAt > now.getTime() ? entry : null;
  }

  function write(key: string, entry: Entry, now: Date): void {
    entries.set(key, entry);
    for (let step = 0; step < examinedPerWrite; step++) dropOneExpired(now);
  }

  // Goes round the map, so that keys which nobody asks for again do not stay until a sweep.
  function dropOneExpired(now: Date): void {
    const { value, done } = cursor.next();
    if (done) cursor = entries.entries();
    else if (value[1].expiresAt <= now.getTime()) entries.delete(value[0]);
  }

  function stored(key: string, now: Date): string | null {
    const content = live(key, now)?.content;
    return typeof content === "string" ? content : null;
  }

  function taken(key: string, now: Date): number {
    const content = live(key, now)?.content;
    return typeof content === "number" ? content : 0;
  }

  function reserve(limits: readonly Limit[], now: Date): Reservation {
    assertDistinct(limits);
    const frees = (key: string): number => entries.get(key)?.expiresAt ?? 0;
    const exhausted = limits.filter(({ key, limit }) => taken(key, now) >= limit);
    const [last] = exhausted.sort((a, b) => frees(b.key) - frees(a.key));
    if (last !== undefined) {
      const leftMs = frees(last.key) - now.getTime();
      return { ok: false, key: last.key, retryAfterSeconds: Math.ceil(leftMs / 1000) };
    }
    for (const { key, windowSeconds } of limits) {
      const expiresAt = live(key, now)?.expiresAt ?? later(now, windowSeconds);
      write(key, { content: taken(key, now) + 1, expiresAt }, now);
    }
    const counters = limits.map(({ key }) => ({ taken: taken(key, now), endsAt: frees(key) }));
    return granted(limits, counters, now);
  }

  function sweep(limit: number, now: Date): number {
    let swept = 0;
    for (const [key, { expiresAt }] of entries) {
      if (swept >= limit) break;
      if (expiresAt > now.getTime()) continue;
      entries.delete(key);
      swept++;
    }
    return swept;
  }

  return {
    engine,
    async ping() {},
    async close() {},
    read: (key, { now }) => stored(key, now),
    async put(key, value, ttlSeconds, { now }) {
      write(key, { content: value, expiresAt: later(now, ttlSeconds) }, now);
    },
    async take(key, { now }) {
      const value = stored(key, now);
      if (value !== null) entries.delete(key);
      return value;
    },
    async add(key, ttlSeconds, { now }) {
      if (live(key, now) !== null) return false;
      write(key, { content: "", expiresAt: later(now, ttlSeconds) }, now);
      return true;
    },
    async remove(keys) {
      for (const key of keys) entries.delete(key);
    },
    reserve: async (limits, { now }) => reserve(limits, now),
    async refund(keys, { now }) {
      for (const key of keys) {
        const entry = live(key, now);
        const count = taken(key, now);
        if (entry === null || count === 0) continue;
        // What attempts that succeed leave behind would otherwise stay until a sweep.
        if (count === 1) entries.delete(key);
        else entries.set(key, { content: count - 1, expiresAt: entry.expiresAt });
      }
    },
    sweep: async (limit, { now }) => sweep(limit, now),
  };
}

function later(now: Date, seconds: number): number {
  return now.getTime() + seconds * 1000;
}
