import Memcached from "memcached";
import type { DetachedSessions } from "../../src/ports/detached-sessions.ts";
import {
  type MemcachedSessionsOptions,
  memcachedOptions,
  memcachedSessions,
} from "../../src/stores/memcached/memcached.ts";

/** A client of the driver as the documentation says to make it. */
export function memcachedClient(servers: string | string[]): Memcached {
  return new Memcached(servers, memcachedOptions);
}

/** Sessions on a client of their own, which ends with them. */
export function sessionsOn(
  servers: string | string[],
  options: Omit<MemcachedSessionsOptions, "client"> = {},
): DetachedSessions {
  const client = memcachedClient(servers);
  const sessions = memcachedSessions({ client, ...options });
  return {
    ...sessions,
    async close() {
      await sessions.close();
      client.end();
    },
  };
}
