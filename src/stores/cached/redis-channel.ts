import type { InvalidationChannel } from "./channel.ts";
import { type Link, linkedChannel } from "./linked-channel.ts";

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
  subscribe(channel: string): Promise<unknown>;
  on(event: "message", listener: (channel: string, message: string) => void): unknown;
  on(event: "error" | "close", listener: () => void): unknown;
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
}

/**
 * A channel over publish and subscribe of Redis or Valkey. In a cluster as well: what is published at one node is heard at all,
 * and what gets lost between two nodes is noticed by the numbers of the messages.
 *
 * @see https://redis.io/docs/latest/develop/pubsub/
 */
export function redisChannel({
  client,
  name = "latchkey:changes",
}: RedisChannelOptions): InvalidationChannel {
  const send = (text: string): Promise<unknown> => client.publish(name, text);
  return linkedChannel((hear, lost) => ({
    ...(isIoRedis(client) ? ioRedis(client, name, hear, lost) : nodeRedis(client, name, hear, lost)),
    send,
  }));
}

type Subscription = Pick<Link, "ready" | "end">;
type Hear = (text: string) => void;

function isIoRedis(client: NodeRedisPublisher | IoRedisPublisher): client is IoRedisPublisher {
  return "isCluster" in client;
}

// Both clients would connect again by themselves, in their own time and without a word of what they missed.
function nodeRedis(client: NodeRedisPublisher, name: string, hear: Hear, lost: () => void): Subscription {
  const subscriber = client.duplicate();
  subscriber.on("error", lost);
  const ready = subscriber.connect().then(() => subscriber.subscribe(name, hear));
  return { ready, end: () => quietly(() => subscriber.destroy()) };
}

function ioRedis(client: IoRedisPublisher, name: string, hear: Hear, lost: () => void): Subscription {
  const subscriber = client.duplicate();
  subscriber.on("error", lost);
  subscriber.on("close", lost);
  subscriber.on("message", (_channel, message) => hear(message));
  return { ready: subscriber.subscribe(name), end: () => quietly(() => subscriber.disconnect()) };
}

// A client that was closed already says so.
function quietly(work: () => unknown): void {
  try {
    work();
  } catch {}
}
