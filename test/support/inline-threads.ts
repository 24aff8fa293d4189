import type { ThreadResult, Threads, ThreadTask } from "../../src/password/threads.ts";

/** The work of password threads done in this thread: the same modules, no start-up, and every task noted. */
export interface InlineThreads extends Threads {
  readonly tasks: ThreadTask[];
  /** Awaited before each task; a test holds work back here, or refuses it. */
  before: (task: ThreadTask) => Promise<void>;
  /** How many hashes and verifications were computed. */
  hashes(): number;
}

type Functions = Readonly<Record<string, (...args: readonly string[]) => unknown>>;

export function inlineThreads(): InlineThreads {
  const loaded = new Map<string, Promise<Functions>>();
  const tasks: ThreadTask[] = [];
  const threads: InlineThreads = {
    tasks,
    before: async () => {},
    hashes: () => tasks.filter(({ call }) => call !== "has").length,
    close: async () => {},
    async run(task): Promise<ThreadResult> {
      await threads.before(task);
      tasks.push(task);
      const key = `${task.module} ${JSON.stringify(task.options)}`;
      const functions = loaded.get(key) ?? load(task);
      loaded.set(key, functions);
      // A fixed duration: what is owed to the floor does not depend on how busy the machine is.
      return { value: await (await functions)[task.call]?.(...task.args), durationMs: 1 };
    },
  };
  return threads;
}

async function load({ module, options }: ThreadTask): Promise<Functions> {
  const { load: loadModule } = (await import(module)) as { load: (options: unknown) => Functions };
  return loadModule(options);
}
