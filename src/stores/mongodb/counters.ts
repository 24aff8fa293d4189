import { randomUUID } from "node:crypto";
import type { Limit, Reservation } from "../../ports/ephemeral-store.ts";
import type { StoreCall } from "../../ports/store.ts";
import { type Counted, granted } from "../left.ts";
import type { Collection } from "./collection.ts";
import { goneAt } from "./database.ts";
import { clearAfterMs, hashed } from "./values.ts";

/** Tries of one step against others. */
const mostTries = 100;

/** An attempt that was taken, or the end of the window that has none left. */
type Taken =
  | { readonly ok: true; readonly key: string; readonly window: string; readonly counter: Counted }
  | { readonly ok: false; readonly key: string; readonly freesAt: number };

/**
 * Takes one attempt from each counter; where one has none left, gives those back that it took. Counters are documents of their own
 * and are taken from one after the other: never more than a limit, for a moment perhaps fewer. A process that dies in
 * between leaves attempts taken until their windows end.
 */
export async function reserve(
  counters: Collection,
  limits: readonly Limit[],
  call: StoreCall,
): Promise<Reservation> {
  const all: Taken[] = [];
  try {
    for (const limit of limits) all.push(await takeOne(counters, limit, call));
  } catch (error) {
    // What was taken stays so where this fails as well; the caller is told of the first failure.
    await giveBack(counters, all).catch(() => undefined);
    throw error;
  }
  const refused = all.flatMap((taken) => (taken.ok ? [] : taken));
  const [last] = refused.toSorted((a, b) => b.freesAt - a.freesAt);
  if (last === undefined) {
    const each = all.map((taken) => (taken.ok ? taken.counter : undefined));
    return granted(limits, each, call.now);
  }
  await giveBack(counters, all);
  const waitMs = last.freesAt - call.now.getTime();
  return { ok: false, key: last.key, retryAfterSeconds: Math.ceil(waitMs / 1000) };
}

/** Gives one attempt back to each counter whose window is not over. */
export async function refund(
  counters: Collection,
  keys: readonly string[],
  { now }: StoreCall,
): Promise<void> {
  for (const key of keys) await lower(counters, { _id: { $eq: hashed(key) }, endsAt: { $gt: now } });
}

async function takeOne(counters: Collection, limit: Limit, call: StoreCall): Promise<Taken> {
  for (let tries = 0; tries < mostTries; tries++) {
    call.signal.throwIfAborted();
    const taken = (await another(counters, limit, call)) ?? (await first(counters, limit, call));
    if (taken !== null) return taken;
  }
  throw new Error(`mongodb: others were faster ${mostTries} times`);
}

// From a window that has attempts left; null where there is none.
async function another(
  counters: Collection,
  { key, limit }: Limit,
  { now }: StoreCall,
): Promise<Taken | null> {
  const which = { _id: { $eq: hashed(key) }, endsAt: { $gt: now }, taken: { $lt: limit } };
  const found = await counters.add(which, "taken", 1);
  if (found === null) return null;
  const counter = { taken: Number(found.taken), endsAt: timeOf(found.endsAt) };
  return { ok: true, key, window: String(found.window), counter };
}

// Of a new window; null where somebody else was faster.
async function first(
  counters: Collection,
  { key, limit, windowSeconds }: Limit,
  { now }: StoreCall,
): Promise<Taken | null> {
  const _id = hashed(key);
  const found = await counters.findOne({ _id: { $eq: _id } });
  const window = randomUUID();
  const endsAt = new Date(now.getTime() + windowSeconds * 1000);
  const begun = { window, taken: 1, endsAt, goneAt: goneAt(windowSeconds * 1000, clearAfterMs) };
  const counter = { taken: 1, endsAt: endsAt.getTime() };
  const taken = { ok: true, key, window, counter } as const;
  if (found === null) return (await counters.insert({ _id, ...begun })) ? taken : null;
  const freesAt = timeOf(found.endsAt);
  if (freesAt > now.getTime()) return Number(found.taken) < limit ? null : { ok: false, key, freesAt };
  const over = { _id: { $eq: _id }, window: { $eq: String(found.window) }, endsAt: { $lte: now } };
  return (await counters.set(over, begun)) ? taken : null;
}

// To the windows that they were taken from and no later ones.
async function giveBack(counters: Collection, all: readonly Taken[]): Promise<void> {
  for (const taken of all) {
    if (taken.ok) await lower(counters, { _id: { $eq: hashed(taken.key) }, window: { $eq: taken.window } });
  }
}

// One whose last attempt came back is forgotten, unless one was taken since.
async function lower(counters: Collection, which: object): Promise<void> {
  const left = await counters.add({ ...which, taken: { $gt: 0 } }, "taken", -1);
  if (left !== null && Number(left.taken) <= 0) await counters.delete({ ...which, taken: { $lte: 0 } });
}

function timeOf(value: unknown): number {
  if (value instanceof Date) return value.getTime();
  throw new Error("mongodb: a counter was not written by this library");
}
