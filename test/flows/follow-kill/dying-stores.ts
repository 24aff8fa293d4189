import type { Stores } from "../../../src/ports/stores.ts";

/** Where a process dies: at its step number `at` (0: the first), when it hands over an event, or never. */
export interface Death {
  readonly at: number | "handing-over" | "never";
  /** Before what it does there, or after. */
  readonly isAfter: boolean;
}

/** A step that the process may die at: each call to a store, and each event that is handed over. */
export type Step = <T>(work: () => T | Promise<T>, name?: "handing-over") => Promise<T>;

/** Counts steps, and kills the process at one of them. */
export function deadlyStep({ at, isAfter }: Death): Step {
  let steps = 0;
  return async (work, name) => {
    const isLast = [steps++, name].includes(at as never);
    if (isLast && !isAfter) process.kill(process.pid, "SIGKILL");
    const answer = await work();
    if (isLast) process.kill(process.pid, "SIGKILL");
    return answer;
  };
}

/** Stores each of whose calls is a step. */
export function dyingStores(stores: Stores, step: Step): Stores {
  const dying = <P extends object>(port: P): P =>
    new Proxy(port, {
      get(target, key) {
        const method: unknown = Reflect.get(target, key);
        if (typeof method !== "function" || key === "close") return method;
        return (...args: unknown[]) => step(() => Reflect.apply(method, target, args));
      },
    });
  return {
    directory: dying(stores.directory),
    sessions: stores.sessions,
    ephemeral: dying(stores.ephemeral),
  };
}
