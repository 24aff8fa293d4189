import type { DetachedSessions, OwnerRecords } from "../../src/ports/detached-sessions.ts";
import type { DirectoryStore } from "../../src/ports/directory-store.ts";

/** A process that dies at one of its calls to a store. */
export interface Mortal {
  directory(inner: DirectoryStore): DirectoryStore;
  sessions(inner: DetachedSessions): DetachedSessions;
  /** Calls made so far. */
  readonly calls: number;
  readonly isDead: boolean;
}

/** Where the process dies: at its call number `at` (0: the first), before the store hears of it or before its answer comes. */
export interface Death {
  readonly at: number;
  readonly isAnswerLost: boolean;
}

/** A process that dies as `death` says, and makes no call after that. */
export function mortal(death: Death): Mortal {
  let calls = 0;
  let isDead = false;
  const dying = <P extends object>(inner: P, handle: (method: unknown, key: string) => unknown): P =>
    new Proxy(inner, {
      get(target, key) {
        const method: unknown = Reflect.get(target, key);
        return typeof key === "string" ? handle(method, key) : method;
      },
    });
  const step = async (work: () => unknown): Promise<unknown> => {
    if (isDead) throw new Error("this process is dead");
    const isLast = calls++ === death.at;
    if (isLast) isDead = true;
    if (isLast && !death.isAnswerLost) throw new Error("this process dies before the call");
    const answer = await work();
    if (isLast) throw new Error("this process dies before the answer");
    return answer;
  };
  const port = <P extends object>(inner: P): P =>
    dying(inner, (method, key) => {
      if (key === "owners") return method === null ? null : port(method as OwnerRecords);
      if (typeof method !== "function" || key === "close") return method;
      return (...args: unknown[]) => step(() => Reflect.apply(method, inner, args));
    });
  return {
    directory: port,
    sessions: port,
    get calls() {
      return calls;
    },
    get isDead() {
      return isDead;
    },
  };
}
