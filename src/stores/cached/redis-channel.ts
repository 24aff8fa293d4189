import type { InvalidationChannel } from "./channel.ts";
import { type Link, linkedChannel } from "./linked-channel.ts";
import type { ChannelLog } from "./outage.ts";

/** What is used of a subscribing client of node-redis. */
export interface NodeRedisSubscriber {
  connect(): Promise<unknown>;
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  on(event: "error", listener: () => void): unknown;
  destroy(): unknown;
}

/** What is used of `createClient()`, `createCluster()` or `createSentinel()` of node-redis. */
export interface NodeRedisPublisher {
  duplicate(): NodeRedisSubscriber;
  publish(channel: string, message: string): Promise<unknown>;
}

/** What is used of a subscribing client of ioredis. */
export interface IoRedisSubscriber {
  readonly status: string;
  connect(): Promise<unknown>;
  subscribe(channel: string): Promise<unknown>;
  on(event: "message", listener: (channel: string, message: string) => void): unknown;
  on(event: "ready" | "error" | "close", listener: () => void): unknown;
  disconnect(): unknown;
}

/** What is used of `new Redis()` or `new Cluster()` of ioredis. */
export interface IoRedisPublisher {
  /** Tells the two drivers apart. */
  readonly isCluster: boolean;
  duplicate(): IoRedisSubscriber;
  publish(channel: string, message: string): Promise<unknown>;
}

/** What {@link redisChannel} takes. */
export interface RedisChannelOptions {
  /** A connected client, which publishes; a duplicate of it subscribes, on a connection of its own. */
  readonly client: NodeRedisPublisher | IoRedisPublisher;
  /** Default `latchkey:changes`. Processes on one server or cluster hear each other by it. */
  readonly name?: string;
  /** Told where the channel stays cut, and when it is whole again. Default: warnings of the process. */
  readonly log?: ChannelLog;
}

/**
 * A channel over publish and subscribe of Redis or Valkey. In a cluster as well: what is published at one node is heard at all,
 * and what gets lost between two nodes is noticed by the numbers of the messages. The user of the client has to be let at the
 * channel: `&latchkey:changes` in its ACL.
 *
 * @see https://redis.io/docs/latest/develop/pubsub/
 */
export function redisChannel({
  client,
  name = "latchkey:changes",
  log,
}: RedisChannelOptions): InvalidationChannel {
  const send = (text: string): Promise<unknown> => client.publish(name, text);
  return linkedChannel(
    (hear, lost) => ({
      ...(isIoRedis(client) ? ioRedis(client, name, hear, lost) : nodeRedis(client, name, hear, lost)),
      send,
    }),
    log,
  );
}

type Subscription = Pick<Link, "ready" | "end">;
type Hear = (text: string) => void;
type Lost = (reason?: unknown) => void;

function isIoRedis(client: NodeRedisPublisher | IoRedisPublisher): client is IoRedisPublisher {
  return "isCluster" in client;
}

// Both clients would connect again by themselves, in their own time and without a word of what they missed.
function nodeRedis(client: NodeRedisPublisher, name: string, hear: Hear, lost: Lost): Subscription {
  const subscriber = client.duplicate();
  subscriber.on("error", lost);
  const ready = subscriber.connect().then(() => subscriber.subscribe(name, hear));
  return { ready, end: () => quietly(() => subscriber.destroy()) };
}

function ioRedis(client: IoRedisPublisher, name: string, hear: Hear, lost: Lost): Subscription {
  const subscriber = client.duplicate();
  subscriber.on("error", lost);
  subscriber.on("close", lost);
  subscriber.on("message", (_channel, message) => hear(message));
  const ready = connected(subscriber).then(() => subscriber.subscribe(name));
  return { ready, end: () => quietly(() => subscriber.disconnect()) };
}

// A duplicate without a queue, as its original has none, refuses what it is told before it is connected.
function connected(subscriber: IoRedisSubscriber): Promise<void> {
  return new Promise((resolve, reject) => {
    if (subscriber.status === "ready") return resolve();
    subscriber.on("ready", resolve);
    subscriber.on("close", () => reject(new Error("the connection to Redis was closed")));
    if (subscriber.status === "wait") subscriber.connect().catch(reject);
  });
}

// A client that was closed already says so.
function quietly(work: () => unknown): void {
  try {
    work();
  } catch {}
}
