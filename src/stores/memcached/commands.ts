import { bounded, settled } from "../settled.ts";
import type { MemcachedCallback, MemcachedClient } from "./client.ts";

/** Every command ends within this, whatever its signal says: the driver tells nobody of a connection that broke. */
const commandLimit = { limitMs: 10_000, engine: "memcached" };

/** A value and the name of its state. */
export interface Item {
  readonly value: string;
  readonly cas: string;
}

/** The commands, with what the driver passes off as an answer told apart from answers. Each throws where the server failed. */
export interface Commands {
  /** The value, or null. */
  get(key: string, signal: AbortSignal): Promise<string | null>;
  /** The item, or null. */
  gets(key: string, signal: AbortSignal): Promise<Item | null>;
  /** False where the key is there. */
  add(key: string, value: string, lifetime: number, signal: AbortSignal): Promise<boolean>;
  /** False where the item is not as it was; the driver says the same of some failures, which the next command then shows. */
  cas(key: string, item: Item, lifetime: number, signal: AbortSignal): Promise<boolean>;
}

/** Commands over a client. */
export function commands(client: MemcachedClient): Commands {
  return {
    async get(key, signal) {
      const { answer } = await told((done) => client.get(key, done), signal);
      if (answer === undefined) return null;
      return typeof answer === "string" ? answer : failed("get");
    },
    async gets(key, signal) {
      const { answer } = await told((done) => client.gets(key, done), signal);
      return answer === undefined ? null : itemOf(answer);
    },
    async add(key, value, lifetime, signal) {
      const { error, answer } = await told(
        (done) => client.add(key, value, lifetime, done),
        signal,
        isNotStored,
      );
      if (isNotStored(error)) return false;
      return answer === true || failed("add");
    },
    async cas(key, { value, cas }, lifetime, signal) {
      const { answer } = await told((done) => client.cas(key, value, cas, lifetime, done), signal);
      return typeof answer === "boolean" ? answer : failed("cas");
    },
  };
}

interface Told {
  readonly error: unknown;
  readonly answer: unknown;
}

// Errors but those that are an answer are thrown, whatever the driver makes them of.
async function told(
  send: (done: MemcachedCallback) => void,
  signal: AbortSignal,
  isAnswer: (error: unknown) => boolean = () => false,
): Promise<Told> {
  signal.throwIfAborted();
  const work = new Promise<Told>((resolve) => send((error, answer) => resolve({ error, answer })));
  const { error, answer } = await settled(bounded(work, commandLimit), signal);
  if (error === undefined || error === null || isAnswer(error)) return { error, answer };
  const first: unknown = Array.isArray(error) ? error[0] : error;
  throw first instanceof Error ? first : new Error(`memcached: ${String(first)}`);
}

function isNotStored(error: unknown): boolean {
  return error instanceof Error && "notStored" in error && error.notStored === true;
}

// The driver answers `{ [key]: value, cas }`, with its own namespace in the key.
function itemOf(answer: unknown): Item {
  if (typeof answer !== "object" || answer === null || !("cas" in answer)) return failed("gets");
  const { cas, ...values } = answer;
  const [value] = Object.values(values);
  if (typeof value !== "string" || typeof cas !== "string") return failed("gets");
  // All items have this one where the server runs without: every swap would then succeed.
  if (cas === "0") throw new Error("memcached: cas is disabled; start the server without -C");
  return { value, cas };
}

// An error of the server's reaches callers as `false`, where a miss is `undefined`.
function failed(command: string): never {
  throw new Error(`memcached: the server failed at ${command}`);
}
