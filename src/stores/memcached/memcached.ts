import type { DetachedSessions } from "../../ports/detached-sessions.ts";
import { type SlotEngine, slotSessions } from "../slot-sessions.ts";
import { assertFit, type MemcachedClient } from "./client.ts";
import { commands } from "./commands.ts";
import { gone, lifetime } from "./lifetime.ts";

export { type MemcachedCallback, type MemcachedClient, memcachedOptions } from "./client.ts";

/** Settings of {@link memcachedSessions}. */
export interface MemcachedSessionsOptions {
  /** `new Memcached(servers, memcachedOptions)`; the same servers in the same order in every process. It stays yours: end it after the store. */
  readonly client: MemcachedClient;
  /** What every key begins with: up to 200 letters, digits and `_ . : -`. Default `latchkey:`. */
  readonly prefix?: string;
}

const prefixShape = /^[A-Za-z0-9_.:-]{1,200}$/;
/** Keys that a ping asks for, to reach most of a handful of nodes. */
const pingedKeys = 8;

/**
 * Sessions on Memcached, beside a directory elsewhere (`split`). All sessions of a user are one item, which is only ever added or
 * compared and swapped: what Memcached evicts or loses signs that user out, and brings nothing back.
 *
 * The set of nodes is fixed. A node that cannot be reached is an error for the users whose sessions lie there; their keys
 * never move to another. To change the set signs out those whose keys move. Needs Memcached 1.4.23 or newer, with `cas` (no `-C`)
 * and items of 1 MB (the default `-I`). Every check reads one item, and the owner from the directory.
 *
 * @throws TypeError - an option cannot be used, or the client's would be unsafe
 */
export function memcachedSessions({
  client,
  prefix = "latchkey:",
}: MemcachedSessionsOptions): DetachedSessions {
  assertFit(client);
  if (typeof prefix !== "string" || !prefixShape.test(prefix))
    throw new TypeError("memcachedSessions: prefix has up to 200 letters, digits and _ . : -");
  const { get, gets, add, cas } = commands(client);

  const engine: SlotEngine = {
    engine: { name: "memcached" },
    expiresByItself: true,
    async ping({ signal }) {
      const keys = Array.from({ length: pingedKeys }, (_, index) => `${prefix}ping${index}`);
      await Promise.all(keys.map((key) => get(key, signal)));
    },
    // The client is its owner's.
    async close() {},
    async read(tag, { signal }) {
      const item = await gets(prefix + tag, signal);
      return item === null ? null : { text: item.value, mark: item.cas };
    },
    async swap(tag, before, after, { now, signal }) {
      const key = prefix + tag;
      if (before === null)
        return after === null || add(key, after.text, lifetime(after.lastEndMs, now), signal);
      if (after === null) return cas(key, { value: "", cas: before.mark }, gone, signal);
      return cas(key, { value: after.text, cas: before.mark }, lifetime(after.lastEndMs, now), signal);
    },
    async *ended() {},
  };
  return slotSessions(engine);
}
