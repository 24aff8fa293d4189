import type { Stores } from "../ports/stores.ts";
import type { InvalidationChannel } from "./cached/channel.ts";
import { recentSessions } from "./cached/recent.ts";
import { cachedStores } from "./cached/stores.ts";

export type { ChangedKeys, Changes, InvalidationChannel } from "./cached/channel.ts";
export type { ChannelLog } from "./cached/outage.ts";
export {
  type ListeningClient,
  type PostgresChannelOptions,
  postgresChannel,
} from "./cached/postgres-channel.ts";
export {
  type IoRedisPublisher,
  type IoRedisSubscriber,
  type NodeRedisPublisher,
  type NodeRedisSubscriber,
  type RedisChannelOptions,
  redisChannel,
} from "./cached/redis-channel.ts";

/** What {@link cached} takes. */
export interface CachedOptions {
  /** `postgresChannel({ client })`, `redisChannel({ client })`, or one of your own. Closed together with the stores. */
  readonly channel: InvalidationChannel;
  /** How old an answer may be where the channel brought nothing: 1 to 300 s, default 5. */
  readonly maxStalenessSeconds?: number;
  /** Sessions that are kept at most, about 400 bytes each, and 600 for each of their users: 100 to 10,000,000, default 50,000. */
  readonly maxSessions?: number;
}

/**
 * Stores that answer `sessions.find` from this process's memory where it was asked lately: opt-in, for more checks than a
 * database on the network can answer. Everything else goes to `stores` as it is.
 *
 * What it gives up is bounded. A session that another process ends, or a user whom it changes, is refused within 50 ms while
 * the channel lives, and after `maxStalenessSeconds` whatever happens: no answer is ever older than that, since a process may
 * die between a change and telling of it, and whoever changes rows by SQL of their own tells nobody. Own changes count at
 * once. Where the channel may have lost something, everything is forgotten. Only sessions that were found are kept, so a
 * sign-in counts everywhere at once. Requests that change something, and flows that ask how fresh a proof is, read past it.
 *
 * Every process on the same database has to use it with the same channel; one that does not is noticed after
 * `maxStalenessSeconds`. Stores that never answer what is stale (`sqlite`, `memory`) gain nothing from it.
 *
 * @throws TypeError for options outside their range, or a channel that is in use
 */
export function cached(stores: Stores, options: CachedOptions): Stores {
  const { channel, maxStalenessSeconds = 5, maxSessions = 50_000 } = options;
  assertBetween("maxStalenessSeconds", maxStalenessSeconds, 1, 300);
  assertBetween("maxSessions", maxSessions, 100, 10_000_000);
  const maxAgeMs = maxStalenessSeconds * 1_000;
  const elapsedMs = (): number => performance.now();
  return cachedStores({ stores, channel, recent: recentSessions({ maxAgeMs, maxSessions, elapsedMs }) });
}

function assertBetween(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new TypeError(`cached: ${name} has to be a whole number from ${least} to ${most}`);
}
