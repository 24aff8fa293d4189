import type { EphemeralStore, Limit, Reservation } from "../../ports/ephemeral-store.ts";
import type { StoreCall } from "../../ports/store.ts";
import { type Counted, granted } from "../left.ts";
import { peekScript, refundScript, reserveScript } from "./ephemeral-scripts.ts";
import { endOf, nowOf, serverTtl } from "./lifetimes.ts";
import type { Parts } from "./parts.ts";

/** How often an attempt is made anew that was refused because of attempts which came back. */
const mostTries = 5;

type Counters = Pick<EphemeralStore, "reserve" | "refund">;

/**
 * Counters on Redis.
 *
 * On one server a reservation is one script. In a cluster the counters of one call lie in different slots, and must: one
 * counter is reached by calls with different neighbours (an address with each of its accounts), so there is no slot that
 * all of them could share but a single one for everybody. There a call first looks at all counters, and only where none is
 * exhausted takes from one after the other, in the order of their keys. Where another call came first, it gives back what
 * it took and looks again. So a counter never gives more than its limit, and a refusal names one that was seen exhausted. While
 * two calls meet at the last attempts of a counter, the one that comes second may be refused for an attempt that the first
 * then gives back. A process that dies in between has used up the attempts it took until their windows end.
 */
export function counters({ link, keys }: Pick<Parts, "link" | "keys">): Counters {
  async function take(limits: readonly Limit[], call: StoreCall): Promise<Taken> {
    const [first, ...rest] = limits.map(({ key }) => keys.counter(key));
    if (first === undefined) return { ok: true, counters: [] };
    const args = limits.flatMap(({ limit, windowSeconds }) => [
      String(limit),
      endOf(windowSeconds, call),
      serverTtl(windowSeconds),
    ]);
    const answer = await link.run(reserveScript, [first, ...rest], [nowOf(call), ...args], call);
    const [number = 0, ...told] = answer as readonly number[];
    const exhausted = limits[number - 1];
    if (exhausted !== undefined) return { ok: false, ...refusal(exhausted.key, told[0] ?? 0, call) };
    const counters = limits.map((_, at) => ({ endsAt: told[at * 2] ?? 0, taken: told[at * 2 + 1] ?? 0 }));
    return { ok: true, counters };
  }

  async function takeEach(limits: readonly Limit[], call: StoreCall): Promise<Reservation> {
    const inOrder = limits.toSorted((a, b) => (a.key < b.key ? -1 : 1));
    let refused: Reservation = { ok: true };
    for (let tries = 0; tries < mostTries; tries++) {
      const exhausted = await look(limits, call);
      if (exhausted !== null) return exhausted;
      const taken = await tryEach(inOrder, call);
      if (taken.ok) {
        const each = limits.map((limit) => taken.counters[inOrder.indexOf(limit)]);
        return granted(limits, each, call.now);
      }
      refused = taken;
    }
    return refused;
  }

  async function look(limits: readonly Limit[], call: StoreCall): Promise<Reservation | null> {
    const ends = await Promise.all(
      limits.map(({ key, limit }) =>
        link.run(peekScript, [keys.counter(key)], [nowOf(call), String(limit)], call),
      ),
    );
    const last = Math.max(0, ...ends.map(Number));
    const at = ends.indexOf(last);
    const exhausted = last === 0 ? undefined : limits[at];
    return exhausted === undefined ? null : { ok: false, ...refusal(exhausted.key, last, call) };
  }

  async function tryEach(limits: readonly Limit[], call: StoreCall): Promise<Taken> {
    const taken: { readonly key: string; readonly end: string }[] = [];
    const counters: Counted[] = [];
    for (const limit of limits) {
      const one = await take([limit], call);
      if (one.ok) {
        taken.push({ key: keys.counter(limit.key), end: String(one.counters[0]?.endsAt) });
        counters.push(...one.counters);
        continue;
      }
      // To the very window that it was taken from.
      await Promise.all(taken.map(({ key, end }) => link.run(refundScript, [key], [nowOf(call), end], call)));
      return one;
    }
    return { ok: true, counters };
  }

  return {
    async reserve(limits, call) {
      if (link.isCluster && limits.length > 1) return takeEach(limits, call);
      const taken = await take(limits, call);
      return taken.ok ? granted(limits, taken.counters, call.now) : taken;
    },
    async refund(names, call) {
      const [first, ...rest] = names.map(keys.counter);
      if (first === undefined) return;
      const groups = link.isCluster
        ? [first, ...rest].map((key) => [key] as const)
        : [[first, ...rest] as const];
      await Promise.all(groups.map((group) => link.run(refundScript, group, [nowOf(call)], call)));
    },
  };
}

type Taken =
  | { readonly ok: true; readonly counters: readonly Counted[] }
  | Extract<Reservation, { ok: false }>;

function refusal(
  key: string,
  ends: number,
  { now }: StoreCall,
): { readonly key: string; readonly retryAfterSeconds: number } {
  return { key, retryAfterSeconds: Math.ceil((ends - now.getTime()) / 1000) };
}
