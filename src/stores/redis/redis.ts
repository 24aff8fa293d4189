import type { DetachedSessions } from "../../ports/detached-sessions.ts";
import type { EphemeralStore } from "../../ports/ephemeral-store.ts";
import type { Engine } from "../../ports/store.ts";
import { type RedisClient, senderOf } from "./client.ts";
import { ephemeralStore } from "./ephemeral.ts";
import { keys } from "./keys.ts";
import { link as linkOver } from "./link.ts";
import { ownerRecords } from "./owners.ts";
import type { Parts } from "./parts.ts";
import { detachedSessions } from "./sessions.ts";
import { checkedLink } from "./start-check.ts";

export type {
  IoRedisClient,
  NodeRedisClient,
  NodeRedisCluster,
  NodeRedisCommandOptions,
  NodeRedisSentinel,
  RedisClient,
} from "./client.ts";
export { UnfitRedisError } from "./start-check.ts";

/** Settings of {@link redis}. */
export interface RedisOptions {
  /**
   * A client of node-redis (`createClient`, `createClientPool`, `createCluster`, `createSentinel`) or of ioredis (`Redis`,
   * `Cluster`). It stays yours: connect it, listen to its errors, close it after the store.
   */
  readonly client: RedisClient;
  /** What every key begins with; no braces. Default `latchkey:`. */
  readonly prefix?: string;
}

/** Two stores on one Redis, for `split`. */
export interface RedisStores {
  readonly sessions: DetachedSessions;
  readonly ephemeral: EphemeralStore;
  /**
   * Resolves once the servers answered and are fit; the first call of any method asks for it by itself.
   *
   * @throws UnfitRedisError - older than Redis 6.2, `maxmemory-policy` is not `noeviction`, or the user lacks a right
   */
  ready(): Promise<void>;
}

/**
 * Sessions, and one-time tokens, counters and marks, on Redis 6.2 or newer or on Valkey: one server, Sentinel, or Cluster.
 *
 * A check is one command. Every step is one script over the keys of one slot, with nothing before or after it that matters.
 * After a change of primary every check asks the directory, until a new copy of the user was made there; revocations that
 * the new primary never heard of hold. Set `min-replicas-to-write` to 1 where there are replicas, so that a primary which
 * was cut off stops answering for users after `min-replicas-max-lag` (10 s by default); without it, after 15 minutes at most.
 *
 * A command that waits in the client's queue is taken back when its call is given up. ioredis can take none back, and sends
 * again what a lost connection left without an answer, so that an attempt counts twice and a taken token reads as unknown:
 * set `enableOfflineQueue` and `autoResendUnfulfilledCommands` to false there. With `createSentinel` give the store a client
 * of its own.
 *
 * What the server runs late all the same, since it hung or the way to it did, does no harm: sessions and data are written by
 * version and end, copies of users by the server's clock, and a session that is added late has a secret that nobody was told.
 *
 * @throws TypeError - an option cannot be used
 */
export function redis({ client, prefix = "latchkey:" }: RedisOptions): RedisStores {
  const link = checkedLink(linkOver(senderOf(client)), prefix);
  const engine: Engine = { name: "redis" };
  const pinged = `${prefix}ping`;
  const parts: Parts = {
    engine,
    link,
    keys: keys(prefix),
    // A key, not PING: a server that is loading, or a cluster that is down, answers PING.
    async ping(call) {
      await link.send(["EXISTS", pinged], pinged, call);
    },
    // The client is its owner's.
    async close() {},
  };
  return {
    sessions: detachedSessions(parts, ownerRecords(parts)),
    ephemeral: ephemeralStore(parts),
    ready: link.ready,
  };
}
