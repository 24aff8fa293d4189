import type { MongodbAddress, NodeAddress, RedisAddress, SessionPlace } from "./session-urls.ts";
import type { Given } from "./settings.ts";

/** Each backend with a server: the field of its address, and the port it listens on where nobody says otherwise. */
export const sessionServers = {
  redis: { field: "redisUrl", port: 6_379 },
  valkey: { field: "valkeyUrl", port: 6_379 },
  mongodb: { field: "mongodbUrl", port: 27_017 },
  memcached: { field: "memcachedUrl", port: 11_211 },
} as const;

const defaultPath = "data/sessions";
const defaultPrefix = "latchkey";

/** The place that settings describe: the backend's own address, else SESSION_HOST and SESSION_PORT, else this machine. */
export function sessionPlace(given: Given): SessionPlace {
  const { sessionBackend: backend } = given;
  if (backend === "database" || backend === "memory") return { backend };
  if (backend === "file") return { backend, path: given.sessionPath ?? defaultPath };
  const node: NodeAddress = {
    host: given.sessionHost ?? "localhost",
    port: given.sessionPort ?? sessionServers[backend].port,
  };
  const prefix = given.sessionPrefix ?? defaultPrefix;
  if (backend === "memcached") return { backend, nodes: given.memcachedUrl ?? [node], prefix };
  if (backend === "mongodb") return { backend, address: given.mongodbUrl ?? mongodbAt(node), prefix };
  const address = backend === "redis" ? given.redisUrl : given.valkeyUrl;
  return { backend, address: address ?? redisAt(node), prefix };
}

function redisAt(node: NodeAddress): RedisAddress {
  return {
    topology: "single",
    nodes: [node],
    master: null,
    username: null,
    password: null,
    database: 0,
    isTls: false,
  };
}

function mongodbAt({ host, port }: NodeAddress): MongodbAddress {
  const name = host.includes(":") ? `[${host}]` : host;
  return { url: `mongodb://${name}:${port}/`, database: "latchkey" };
}
