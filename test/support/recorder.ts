import type { StoreCall, Write } from "../../src/ports/store.ts";
import type { Stores } from "../../src/ports/stores.ts";

/** One call to a store, as it was made. */
export interface RecordedCall {
  /** `sessions.find`, `directory.commit`, … */
  readonly name: string;
  readonly args: readonly unknown[];
  /** Kinds of the writes of a commit; empty for any other call. */
  readonly writes: readonly Write["kind"][];
}

/** Stores that note every call. */
export interface Recorder {
  readonly stores: Stores;
  readonly calls: RecordedCall[];
  /** Asked before each call; a promise holds the call back, null lets it through at once. */
  before: (call: RecordedCall) => Promise<void> | null;
  /** Names of the calls made so far, `commit` with the kinds of its writes. */
  trace(): readonly string[];
}

/** Notes the calls to `inner`. `close` is noted and kept from the stores. */
export function recorder(inner: Stores): Recorder {
  const calls: RecordedCall[] = [];
  const recording: Recorder = {
    calls,
    before: () => null,
    trace: () =>
      calls.map(({ name, writes }) => (writes.length === 0 ? name : `${name}(${writes.join(" ")})`)),
    stores: {
      directory: noted("directory", inner.directory),
      sessions: noted("sessions", inner.sessions),
      ephemeral: noted("ephemeral", inner.ephemeral),
    },
  };
  return recording;

  function noted<P extends Stores[keyof Stores]>(name: keyof Stores, port: P): P {
    return new Proxy(port, {
      get(target, key) {
        const method: unknown = Reflect.get(target, key);
        if (typeof key !== "string" || typeof method !== "function") return method;
        return (...args: unknown[]) => {
          const writes = key === "commit" ? (args[0] as readonly Write[]).map(({ kind }) => kind) : [];
          const call: RecordedCall = {
            name: `${name}.${key}`,
            args: args.filter((arg) => !isCall(arg)),
            writes,
          };
          calls.push(call);
          if (key === "close") return Promise.resolve();
          const held = recording.before(call);
          const run = (): unknown => Reflect.apply(method, target, args);
          return held === null ? run() : held.then(run);
        };
      },
    });
  }
}

function isCall(value: unknown): value is StoreCall {
  return typeof value === "object" && value !== null && "signal" in value && "now" in value;
}
