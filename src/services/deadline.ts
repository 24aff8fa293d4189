import { isThenable } from "../domain/thenable.ts";
import { AuthError } from "../errors.ts";
import type { Timers } from "../ports/clock.ts";
import type { Port, StoreCall } from "../ports/store.ts";
import type { Stores } from "../ports/stores.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { observed } from "./telemetry.ts";
import { timersOf } from "./timers.ts";

/**
 * The stores, each call bounded in time and each failure turned into `store_unavailable`: a backend that is down or hangs
 * never reads as "signed out", "allowed" or "unlimited".
 */
export function withDeadline(
  stores: Stores,
  timeoutMs: number,
  telemetry: Telemetry | null = null,
  timers: Timers = timersOf(),
): Stores {
  const limits = { timeoutMs, telemetry, timers };
  return {
    directory: bounded(stores.directory, "directory", limits),
    sessions: bounded(stores.sessions, "sessions", limits),
    ephemeral: bounded(stores.ephemeral, "ephemeral", limits),
  };
}

/** A call whose signal exists once somebody asks for it: an embedded store never does. */
class BoundedCall implements StoreCall {
  readonly now: Date;
  readonly readsThrough: boolean | undefined;
  #controller: AbortController | null = null;
  #isAborted = false;

  constructor({ now, readsThrough }: StoreCall) {
    this.now = now;
    this.readsThrough = readsThrough;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#isAborted) this.#controller.abort();
    return this.#controller.signal;
  }

  abort(): void {
    this.#isAborted = true;
    this.#controller?.abort();
  }
}

type Method = (...args: unknown[]) => unknown;

/** How long a call may take, and what a failure calls it. */
interface TimeLimit {
  readonly name: string;
  readonly timeoutMs: number;
  readonly timers: Timers;
}

interface Limits extends Omit<TimeLimit, "name"> {
  readonly telemetry: Telemetry | null;
}

function bounded<P extends Port>(port: P, name: string, { telemetry, ...rest }: Limits): P {
  const methods = port as unknown as Readonly<Record<string, unknown>>;
  const wrapped: Record<string, unknown> = { engine: port.engine };
  for (const method of methodNames(port)) {
    const inner = (methods[method] as Method).bind(port);
    const limit: TimeLimit = { name: `${name}.${method}`, ...rest };
    const call = (...args: unknown[]): unknown => callWithin(inner, args, limit);
    const operation = { kind: "store", name: limit.name } as const;
    wrapped[method] =
      telemetry === null
        ? call
        : (...args: unknown[]) =>
            observed(
              telemetry,
              operation,
              () => call(...args),
              () => "failed",
            );
  }
  return wrapped as unknown as P;
}

function callWithin(inner: Method, args: unknown[], limit: TimeLimit): unknown {
  const last = args.at(-1);
  // `close` takes no call: nothing to bound.
  if (!isCall(last)) return inner(...args);
  const call = new BoundedCall(last);
  args[args.length - 1] = call;
  try {
    const answer = inner(...args);
    // A thenable of another class (Knex, Bluebird) counts: callers see promises or values, and nothing in between.
    return isThenable(answer) ? settleWithin(Promise.resolve(answer), call, limit) : answer;
  } catch (error) {
    throw unavailable(limit.name, error);
  }
}

async function settleWithin(answer: Promise<unknown>, call: BoundedCall, limit: TimeLimit) {
  const { timers, timeoutMs } = limit;
  let callOff = (): void => {};
  const late = new Promise<never>((_, reject) => {
    const giveUp = (): void => {
      call.abort();
      reject(new Error(`no answer within ${timeoutMs} ms`));
    };
    callOff = timers.after(timeoutMs, giveUp, { holdsProcess: true });
  });
  try {
    return await Promise.race([answer, late]);
  } catch (error) {
    throw unavailable(limit.name, error);
  } finally {
    callOff();
  }
}

function unavailable(operation: string, cause: unknown): AuthError {
  return new AuthError("store_unavailable", {
    diagnosis: `${operation} failed`,
    cause,
    retryAfterSeconds: 1,
  });
}

function isCall(value: unknown): value is StoreCall {
  return typeof value === "object" && value !== null && "now" in value && "signal" in value;
}

// Methods of object literals and of classes alike.
function methodNames(port: Port): ReadonlySet<string> {
  const names = new Set<string>();
  for (let at: object | null = port; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) {
      if (name !== "constructor" && typeof Reflect.get(port, name) === "function") names.add(name);
    }
  }
  return names;
}
