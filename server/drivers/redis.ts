import type { RedisClient } from "latchkey/redis";
import type { NodeAddress, RedisAddress } from "../settings/session-urls.ts";
import { clientName, connectTimeoutMs, type DriverOptions } from "./driver-options.ts";
import { loadDriver } from "./load-driver.ts";
import { outages, outagesByServer } from "./outages.ts";
import { type Kept, keepConnected } from "./redis-connecting.ts";

/** A client of Redis or Valkey that connects, and goes on trying, by itself. */
export interface RedisHandle extends Kept {
  readonly client: RedisClient;
}

type Redis = typeof import("redis");

/** Opens a client for the topology that the address names. @throws DriverMissing */
export async function redisClient(address: RedisAddress, options: DriverOptions): Promise<RedisHandle> {
  const redis = await loadDriver(options.asked, "redis", () => import("redis"));
  if (address.topology === "cluster") return cluster(redis, address, options);
  if (address.topology === "sentinel") return sentinel(redis, address, options);
  return single(redis, address, options);
}

function single({ createClient }: Redis, address: RedisAddress, options: DriverOptions): RedisHandle {
  const [node] = address.nodes;
  const client = createClient({
    ...clientOptions(address),
    socket: { ...node, ...socketOptions(address, options) },
    database: address.database,
  });
  const outage = outages(options.log, named(node));
  client.on("error", outage.failed);
  client.on("ready", outage.worked);
  const ask = async () => client.ping();
  return { client, ...keepConnected(client, { ask, outages: outage, silenceMs: options.storeTimeoutMs }) };
}

function cluster({ createCluster }: Redis, address: RedisAddress, options: DriverOptions): RedisHandle {
  const client = createCluster({
    rootNodes: address.nodes.map(({ host, port }) => ({ socket: { host, port } })),
    defaults: { ...clientOptions(address), socket: socketOptions(address, options) },
    // One node that hangs must not keep the others from being used.
    minimizeConnections: true,
    // A node that is gone is tried for this long before the others are asked who took over.
    topologyRefreshOnReconnectionAttemptStrategy: 1_000,
  });
  const ofNode = outagesByServer(options.log);
  const outage = outages(options.log, "The Redis cluster");
  client.on("error", outage.failed);
  client.on("node-error", (error: unknown, node: NodeAddress) => ofNode(named(node)).failed(error));
  client.on("node-ready", (node: NodeAddress) => ofNode(named(node)).worked());
  // A node that is not ready is waited for: a connection to one that hangs never gets there, and its replica may have taken over.
  const ask = () =>
    Promise.all(
      client.masters.map(({ client: node }) => (node?.isReady === false ? readiness(node) : node?.ping())),
    );
  // Longer than the driver needs by itself where a node is gone for good: to start anew disturbs what goes to the other nodes.
  return {
    client,
    ...keepConnected(client, { ask, outages: outage, silenceMs: 2 * options.storeTimeoutMs }),
  };
}

function sentinel({ createSentinel }: Redis, address: RedisAddress, options: DriverOptions): RedisHandle {
  const client = createSentinel({
    name: address.master ?? "",
    sentinelRootNodes: [...address.nodes],
    nodeClientOptions: {
      ...clientOptions(address),
      socket: socketOptions(address, options),
      database: address.database,
    },
    sentinelClientOptions: { socket: tlsOptions(address, options) },
  });
  const outage = outages(options.log, `The Redis that Sentinels call ${address.master}`);
  // Of one Sentinel, too, while the others are well; what is wrong with the primary `ask` and "client-error" tell.
  client.on("error", () => {});
  client.on("client-error", ({ type, error }: { readonly type: string; readonly error: unknown }) => {
    if (type === "MASTER") outage.failed(error);
  });
  const ask = async () => {
    if (!client.isReady) throw new Error("there is no primary");
    return client.sendCommand(false, ["PING"]);
  };
  return { client, ...keepConnected(client, { ask, outages: outage, silenceMs: options.storeTimeoutMs }) };
}

function readiness(node: { once(event: "ready", listener: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => void node.once("ready", resolve));
}

// Without a queue: a command that waited for a connection would run long after its caller was told that it failed.
function clientOptions({ username, password }: RedisAddress) {
  return {
    name: clientName,
    disableOfflineQueue: true,
    ...(username !== null && { username }),
    ...(password !== null && { password }),
  };
}

function socketOptions(address: RedisAddress, options: DriverOptions) {
  return {
    ...tlsOptions(address, options),
    // A server that takes a connection and then says nothing, not even hello. One that is in use is asked every second.
    socketTimeout: 2 * options.storeTimeoutMs + 2_000,
    // The driver's own gives up for good where a connection was silent.
    reconnectStrategy: (tries: number) => Math.min(25 * 2 ** tries, 1_000) + Math.random() * 100,
  };
}

function tlsOptions({ isTls }: RedisAddress, options: DriverOptions) {
  const connectTimeout = connectTimeoutMs(options);
  return isTls ? { tls: true as const, connectTimeout } : { connectTimeout };
}

function named(node: NodeAddress | undefined): string {
  return node === undefined ? "Redis" : `Redis at ${node.host}:${node.port}`;
}
