import { readiness } from "./readiness.ts";

/** What is used of a command's options in node-redis. */
export interface NodeRedisCommandOptions {
  readonly abortSignal?: AbortSignal;
  readonly timeout?: number | undefined;
  readonly typeMapping?: Readonly<Record<never, never>>;
}

/** What is used of `createClient()` or `createClientPool()` of node-redis. */
export interface NodeRedisClient {
  sendCommand(args: string[], options?: NodeRedisCommandOptions): Promise<unknown>;
}

/** What is used of `createCluster()` of node-redis. */
export interface NodeRedisCluster {
  readonly masters: readonly unknown[];
  sendCommand(
    firstKey: string,
    isReadonly: boolean,
    args: string[],
    options?: NodeRedisCommandOptions,
  ): Promise<unknown>;
}

/** What is used of `createSentinel()` of node-redis. */
export interface NodeRedisSentinel {
  getSentinelNode(): unknown;
  sendCommand(isReadonly: boolean, args: string[], options?: NodeRedisCommandOptions): Promise<unknown>;
}

/** What is used of `new Redis()`, with or without Sentinels, and of `new Cluster()` of ioredis. */
export interface IoRedisClient {
  readonly isCluster: boolean;
  readonly status: string;
  connect(): Promise<void>;
  call(command: string, args: string[]): Promise<unknown>;
  once(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
}

/** A client of node-redis or ioredis as it is; connecting and closing it are its owner's. */
export type RedisClient = NodeRedisClient | NodeRedisCluster | NodeRedisSentinel | IoRedisClient;

/** One command, sent to the primary that holds `key`. */
export interface Command {
  /** Name and arguments; everything is text, and goes over the wire as UTF-8. */
  readonly args: readonly [name: string, ...args: string[]];
  readonly key: string;
  /** Takes the command out of the client's queue where it still waits there. */
  readonly signal: AbortSignal;
}

/** Every client in one shape. */
export interface Sender {
  /** Whether keys may lie on different servers, so that a script is about one slot. */
  readonly isCluster: boolean;
  /** The server's answer, texts as strings; rejects with its error, or the connection's. */
  send(command: Command): Promise<unknown>;
}

/** A client in the one shape. @throws TypeError for what is no client */
export function senderOf(client: RedisClient): Sender {
  if (typeof client !== "object" || client === null) throw new TypeError("redis: client is missing");
  if ("call" in client) return ioRedis(client);
  if ("getSentinelNode" in client) return nodeRedisSentinel(client);
  if (!("sendCommand" in client))
    throw new TypeError("redis: client is neither a client of node-redis nor of ioredis");
  if ("masters" in client) return nodeRedisCluster(client);
  return nodeRedis(client);
}

// Texts stay strings whatever the client maps them to elsewhere. The signal ends every command in time; the client's own timeout
// costs an exception for each, five seconds after it was answered.
const optionsOf = (signal: AbortSignal): NodeRedisCommandOptions => ({
  abortSignal: signal,
  timeout: undefined,
  typeMapping: {},
});

function nodeRedis(client: NodeRedisClient): Sender {
  return {
    isCluster: false,
    send: ({ args, signal }) => client.sendCommand([...args], optionsOf(signal)),
  };
}

function nodeRedisCluster(client: NodeRedisCluster): Sender {
  return {
    isCluster: true,
    // Never read-only: a replica may lack what its primary acknowledged.
    send: ({ args, key, signal }) => client.sendCommand(key, false, [...args], optionsOf(signal)),
  };
}

// Where two commands begin in the same turn while none is under way, node-redis 6.3 takes a connection for each, keeps count of
// one only, and lets later ones wait for ever. So each begins a few microtasks after the one before.
function nodeRedisSentinel(client: NodeRedisSentinel): Sender {
  let begun: Promise<unknown> = Promise.resolve();
  const pause = (): void => undefined;
  return {
    isCluster: false,
    async send({ args, signal }) {
      const sent = begun.then(() => ({ answer: client.sendCommand(false, [...args], optionsOf(signal)) }));
      begun = sent.then(pause).then(pause).then(pause);
      return (await sent).answer;
    },
  };
}

// ioredis cannot take a command back from its queue, so none is handed over while it would wait there.
function ioRedis(client: IoRedisClient): Sender {
  const ready = readiness(client);
  return {
    isCluster: client.isCluster,
    async send({ args: [name, ...args], signal }) {
      if (client.status === "wait") client.connect().catch(() => undefined);
      // Where it has ended it says so itself.
      if (client.status !== "ready" && client.status !== "end") await ready(signal);
      signal.throwIfAborted();
      return client.call(name, args);
    },
  };
}
