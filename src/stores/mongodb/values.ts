import { hash } from "node:crypto";
import type { StoreCall } from "../../ports/store.ts";
import type { Collection } from "./collection.ts";
import { goneAt, type MongoDocument } from "./database.ts";

/** How much longer than asked for the server keeps what it is to forget, in ms: the caller's clock decides, not the server's. */
export const clearAfterMs = 60_000;
/** Upserts of one `_id` at the same time; one of them inserts and the others are told to try again. */
const mostTries = 5;

/** The `_id` for a key: of one length, whatever is in the key, and the same for no two. */
export function hashed(key: string): string {
  // UTF-8 has no lone surrogates; as JSON they are text like any other.
  return hash("sha256", JSON.stringify(key), "base64url");
}

/** Stores a value, replacing what was there. */
export async function put(
  values: Collection,
  key: string,
  { value, ttlSeconds, now }: { readonly value: string; readonly ttlSeconds: number; readonly now: Date },
): Promise<void> {
  for (let tries = 0; tries < mostTries; tries++) {
    if (await values.put({ _id: { $eq: hashed(key) } }, fields(value, ttlSeconds, now))) return;
  }
  throw new Error(`mongodb: others were faster ${mostTries} times`);
}

/** The value, or null. */
export async function read(values: Collection, key: string, call: StoreCall): Promise<string | null> {
  return liveValue(await values.findOne({ _id: { $eq: hashed(key) } }), call);
}

/** The value, or null, deleted in the same step. */
export async function take(values: Collection, key: string, call: StoreCall): Promise<string | null> {
  return liveValue(await values.take({ _id: { $eq: hashed(key) } }), call);
}

/** Marks a key; true for one of any number. A mark that is over is taken over, by one: for the next it is no longer over. */
export async function add(
  values: Collection,
  key: string,
  { ttlSeconds, now }: { readonly ttlSeconds: number; readonly now: Date },
): Promise<boolean> {
  const mark = fields("", ttlSeconds, now);
  if (await values.insert({ _id: hashed(key), ...mark })) return true;
  return values.set({ _id: { $eq: hashed(key) }, endsAt: { $lte: now } }, mark);
}

function fields(value: string, ttlSeconds: number, now: Date): object {
  const endsAt = new Date(now.getTime() + ttlSeconds * 1000);
  return { value: JSON.stringify(value), endsAt, goneAt: goneAt(ttlSeconds * 1000, clearAfterMs) };
}

function liveValue(found: MongoDocument | null, { now }: StoreCall): string | null {
  if (found === null) return null;
  const { value, endsAt } = found;
  if (typeof value !== "string" || !(endsAt instanceof Date))
    throw new Error("mongodb: a value was not written by this library");
  return endsAt > now ? JSON.parse(value) : null;
}
