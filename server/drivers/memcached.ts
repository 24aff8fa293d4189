import { memcachedOptions } from "latchkey/memcached";
import type Memcached from "memcached";
import type { NodeAddress } from "../settings/session-urls.ts";
import { connectTimeoutMs, type DriverOptions, poolSize } from "./driver-options.ts";
import { loadDriver } from "./load-driver.ts";
import { outagesByServer } from "./outages.ts";

const probeMs = 1_000;

/** A client of a fixed set of Memcached servers. */
export interface MemcachedHandle {
  readonly client: Memcached;
  close(): void;
}

/** Opens a client; it connects when it is first used. @throws DriverMissing */
export async function memcachedClient(
  nodes: readonly NodeAddress[],
  options: DriverOptions,
): Promise<MemcachedHandle> {
  const { default: Client } = await loadDriver(options.asked, "memcached", () => import("memcached"));
  const client = new Client(
    nodes.map(({ host, port }) => `${host}:${port}`),
    { ...memcachedOptions, poolSize, timeout: connectTimeoutMs(options) },
  );
  const stopWatching = watch(client, options);
  return {
    client,
    close() {
      stopWatching();
      client.end();
    },
  };
}

/** Writes down outages. The driver says when a server fails and not when it is back, so it is asked while one is out. */
function watch(client: Memcached, { log }: DriverOptions): () => void {
  const outagesOf = outagesByServer(log);
  const out = new Set<string>();
  let timer: NodeJS.Timeout | null = null;
  client.on("issue", ({ server, messages }: Memcached.IssueData) => {
    outagesOf(`Memcached at ${server}`).failed(new Error(String(messages.at(-1))));
    // The driver keeps every message for ever.
    messages.length = 0;
    out.add(server);
    timer ??= setInterval(probe, probeMs).unref();
  });
  function probe(): void {
    client.version((_error, answers) => {
      for (const { server } of Array.isArray(answers) ? answers : [answers]) {
        if (typeof server !== "string" || !out.delete(server)) continue;
        outagesOf(`Memcached at ${server}`).worked();
      }
      if (out.size === 0) stop();
    });
  }
  function stop(): void {
    if (timer !== null) clearInterval(timer);
    timer = null;
  }
  return stop;
}
