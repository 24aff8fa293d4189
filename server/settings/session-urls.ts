import type { Kind, Reading } from "./kind.ts";

/** Host and port of one server. */
export interface NodeAddress {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Where a Redis or Valkey is: one server, the primary that Sentinels name, or a cluster. */
export interface RedisAddress {
  readonly topology: "single" | "sentinel" | "cluster";
  /** The server, some of the cluster's, or the Sentinels. */
  readonly nodes: readonly NodeAddress[];
  /** The name under which Sentinels know the primary; null without them. */
  readonly master: string | null;
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number;
  readonly isTls: boolean;
}

/** Where a MongoDB is. */
export interface MongodbAddress {
  /** As the driver reads it, password and parameters included: a secret. */
  readonly url: string;
  readonly database: string;
}

/** Where sessions are kept. */
export type SessionPlace =
  | { readonly backend: "database" }
  /** In the process of the server. */
  | { readonly backend: "memory" }
  /** `path` is a folder, relative to the working directory or absolute. */
  | { readonly backend: "file"; readonly path: string }
  /** `prefix`, here and below: a word that tells applications apart, without what comes between it and a name. */
  | { readonly backend: "redis" | "valkey"; readonly address: RedisAddress; readonly prefix: string }
  | { readonly backend: "mongodb"; readonly address: MongodbAddress; readonly prefix: string }
  | { readonly backend: "memcached"; readonly nodes: readonly NodeAddress[]; readonly prefix: string };

const redisFix =
  "Write redis://user:password@host:6379/0 (rediss:// for TLS), several with commas between them for a cluster, or redis+sentinel://host:26379,host:26379/<master-name>.";

/** One or several Redis or Valkey servers. A comma makes a cluster, also one at the end of a single address. */
export function redisUrl(): Kind<RedisAddress> {
  return {
    accepts: "redis://…, rediss://…, a comma-separated list of them, or redis+sentinel://…/<master-name>",
    unit: null,
    read: (text) => {
      const sentinel = sentinelPattern.exec(text)?.groups;
      if (sentinel !== undefined) return sentinels(sentinel);
      const entries = text.split(",").filter((entry) => entry.trim() !== "");
      const servers = entries.map((entry) => server(entry.trim()));
      const [first] = servers;
      if (first === undefined || first === null || servers.includes(null))
        return refuse("is no address of a Redis");
      if (!text.includes(",")) return { ok: true, value: first };
      return cluster(servers.filter((each) => each !== null));
    },
  };
}

const sentinelPattern =
  /^(?:redis|valkey)(?<tls>s?)\+sentinel:\/\/(?:(?<auth>[^@/\s]*)@)?(?<hosts>[^@/?#\s]+)\/(?<master>[\w.-]+)(?:\/(?<database>\d{1,4}))?$/i;

function sentinels(found: Readonly<Record<string, string | undefined>>): Reading<RedisAddress> {
  const { tls, auth = "", hosts = "", master = "", database = "0" } = found;
  const nodes = hosts.split(",").map((host) => nodeAddress(host, 26_379));
  const [username, ...password] = auth.split(":").map(decoded);
  if (nodes.includes(null) || password.includes(null) || username === null)
    return refuse("is no address of Sentinels");
  return {
    ok: true,
    value: {
      topology: "sentinel",
      nodes: nodes.filter((node) => node !== null),
      master,
      username: username === "" || username === undefined ? null : username,
      password: password.length === 0 ? null : password.join(":"),
      database: Number(database),
      isTls: tls !== "",
    },
  };
}

function server(text: string): RedisAddress | null {
  if (/[\s\p{Cc}]/u.test(text) || !URL.canParse(text)) return null;
  const { protocol, username, password, hostname, port, pathname, search, hash } = new URL(text);
  const [user, pass] = [decoded(username), decoded(password)];
  const database = /^\/?(\d{0,4})$/.exec(pathname)?.[1];
  if (!/^(?:redis|valkey)s?:$/.test(protocol) || hostname === "" || database === undefined) return null;
  if (search !== "" || hash !== "" || user === null || pass === null) return null;
  return {
    topology: "single",
    nodes: [{ host: hostname.replace(/^\[(.*)\]$/, "$1"), port: port === "" ? 6_379 : Number(port) }],
    master: null,
    username: user === "" ? null : user,
    password: pass === "" ? null : pass,
    database: Number(database),
    isTls: /^(?:rediss|valkeys):$/.test(protocol),
  };
}

function cluster(servers: readonly RedisAddress[]): Reading<RedisAddress> {
  const [first] = servers;
  if (first === undefined) return refuse("is no address of a Redis");
  const isSame = (other: RedisAddress): boolean =>
    other.username === first.username && other.password === first.password && other.isTls === first.isTls;
  // The driver discovers nodes that are not in the list, and has to know how to reach those too.
  if (!servers.every(isSame)) return refuse("names servers of a cluster with different passwords or schemes");
  if (servers.some(({ database }) => database !== 0))
    return refuse("names a database by number, which a cluster does not have");
  return { ok: true, value: { ...first, topology: "cluster", nodes: servers.flatMap(({ nodes }) => nodes) } };
}

function refuse(problem: string): Reading<never> {
  return { ok: false, problem, fix: redisFix };
}

/** A MongoDB; the database is `latchkey` where the address names none. */
export function mongodbUrl(): Kind<MongodbAddress> {
  return {
    accepts: "mongodb://… or mongodb+srv://…",
    unit: null,
    read: (text) => {
      const found =
        /^mongodb(?:\+srv)?:\/\/(?:[^@/\s]+@)?[^@/?#\s,]+(?:,[^@/?#\s,]+)*(?:\/(?<database>[^?#/\s]*))?(?:\?\S*)?$/i.exec(
          text,
        );
      const database = found === null ? null : decoded(found.groups?.database ?? "");
      if (database === null)
        return {
          ok: false,
          problem: "is no address of a MongoDB",
          fix: "Write mongodb://user:password@host:27017/database, what is special in a password as %xx.",
        };
      return { ok: true, value: { url: text, database: database === "" ? "latchkey" : database } };
    },
  };
}

/** Memcached servers: the fixed set that keys are spread over. */
export function memcachedUrl(): Kind<readonly NodeAddress[]> {
  const fix = "Write memcached://host:11211, several with commas between them. There is no password to give.";
  return {
    accepts: "a comma-separated list: memcached://host:port",
    unit: null,
    read: (text) => {
      const entries = text.split(",").filter((entry) => entry.trim() !== "");
      const nodes = entries.map((entry) => nodeAddress(entry.trim().replace(/^memcached:\/\//i, ""), 11_211));
      const found = nodes.filter((node) => node !== null);
      if (found.length === 0 || found.length < nodes.length)
        return { ok: false, problem: "is no list of Memcached servers", fix };
      return { ok: true, value: found };
    },
  };
}

function nodeAddress(text: string, defaultPort: number): NodeAddress | null {
  const {
    host,
    bracketed,
    port = String(defaultPort),
  } = /^(?:\[(?<bracketed>[0-9a-f:.]+)\]|(?<host>[a-z0-9._-]+))(?::(?<port>\d{1,5}))?$/i.exec(text)?.groups ??
  {};
  const name = host ?? bracketed;
  if (name === undefined || Number(port) < 1 || Number(port) > 65_535) return null;
  return { host: name, port: Number(port) };
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
