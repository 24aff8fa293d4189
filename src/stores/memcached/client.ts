/** What the driver tells of an operation. */
export type MemcachedCallback = (error: unknown, answer: unknown) => void;

/** What is used of a client of the package `memcached`; connecting and ending it are its owner's. */
export interface MemcachedClient {
  get(key: string, callback: MemcachedCallback): void;
  gets(key: string, callback: MemcachedCallback): void;
  add(key: string, value: string, lifetime: number, callback: MemcachedCallback): void;
  cas(key: string, value: string, cas: string, lifetime: number, callback: MemcachedCallback): void;
}

/**
 * Options to make a client with: `new Memcached(servers, memcachedOptions)`. What the driver does by default keeps a server
 * out of use for five hours after five failures, and waits for minutes for one that does not answer.
 */
export const memcachedOptions = {
  /** A node that fails keeps its place. Its keys never move to a node on which older values of them may lie. */
  remove: false,
  /** No second copies, which nobody would compare. */
  redundancy: 0,
  /** ms until a connection has to be there. */
  timeout: 1_000,
  /** Tries to get a connection for one command, besides the first: the driver refuses one while all of its pool are being opened, */
  retries: 4,
  /** after so many ms, */
  minTimeout: 20,
  /** each time so many times as long, */
  factor: 3,
  /** at most so many ms. */
  maxTimeout: 500,
  /** ms until a node that failed is tried again, */
  retry: 500,
  /** however often it failed. */
  failures: 1_000_000_000,
  /** ms without traffic after which a connection is closed, also one that hangs. */
  idle: 5_000,
} as const;

/** Fewest failures before the driver gives a node up. */
const fewestFailures = 1_000_000;

/** @throws TypeError - the client is none, or would do what loses sessions or leaves them behind */
export function assertFit(client: MemcachedClient): void {
  if (typeof client?.gets !== "function" || typeof client.cas !== "function")
    throw new TypeError("memcachedSessions: client is no client of the package memcached");
  const refuse = (option: string): never => {
    throw new TypeError(`memcachedSessions: make the client with memcachedOptions; ${option}`);
  };
  // The driver keeps its options on itself; another one that fits may have none.
  const option = (name: string): unknown => Reflect.get(client, name);
  if (option("remove")) refuse("with `remove` keys move to a node on which older values of them may lie");
  if (option("redundancy")) refuse("with `redundancy` a session that ended is left on other nodes");
  const failures = option("failures");
  if (typeof failures === "number" && failures < fewestFailures)
    refuse("with few `failures` a node is out of use for hours after a short outage");
}
