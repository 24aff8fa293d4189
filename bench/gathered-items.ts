import type { MemcachedCallback, MemcachedClient } from "latchkey/memcached";
import type Memcached from "memcached";
import { atOnce } from "./bulk.ts";

/** Items that are sent at a time. */
const sentAtOnce = 64;

interface Item {
  readonly value: string;
  readonly lifetime: number;
  readonly cas: string;
}

/** A client that keeps what it is given until it is sent. */
export interface GatheringClient extends MemcachedClient {
  /** Sends the last value of each key, in the place of what is there. */
  send(): Promise<void>;
}

/**
 * A client for `memcachedSessions` that begins with nothing. The sessions of a user are one item, which each sign-in writes
 * again: values and lifetimes are the store's own, and the server is sent the last ones alone.
 */
export function gatheringMemcached(client: Memcached): GatheringClient {
  const items = new Map<string, Item>();
  let writes = 0;

  function put(key: string, value: string, lifetime: number, callback: MemcachedCallback): void {
    items.set(key, { value, lifetime, cas: String(++writes) });
    callback(undefined, true);
  }

  const set = ([key, { value, lifetime }]: readonly [string, Item]): Promise<void> =>
    new Promise((resolve, reject) => {
      client.set(key, value, lifetime, (error, isStored) => {
        if (isStored) resolve();
        else reject(error ?? new Error("memcached: an item was not stored"));
      });
    });

  return {
    get: (key, callback) => callback(undefined, items.get(key)?.value),
    gets(key, callback) {
      const item = items.get(key);
      callback(undefined, item === undefined ? undefined : { [key]: item.value, cas: item.cas });
    },
    add(key, value, lifetime, callback) {
      if (items.has(key)) callback(Object.assign(new Error("not stored"), { notStored: true }), false);
      else put(key, value, lifetime, callback);
    },
    cas(key, value, cas, lifetime, callback) {
      if (items.get(key)?.cas !== cas) callback(undefined, false);
      else put(key, value, lifetime, callback);
    },
    send: () => atOnce(sentAtOnce, items, set),
  };
}
