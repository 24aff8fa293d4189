import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { errorPlace } from "../domain/error-place.ts";
import { AuthError } from "../errors.ts";
import { threadFile, threadFlags } from "../thread-file.ts";

/** A call of a function in a module, in whichever thread is free. */
export interface ThreadTask {
  /** URL of a module that exports `load(options)`, which answers an object of functions. Loaded once in each thread. */
  readonly module: string;
  /** Plain JSON; module and options together name what was loaded. */
  readonly options: unknown;
  /** Which of those functions. */
  readonly call: string;
  readonly args: readonly string[];
}

/** What a thread sends back. A failure says where it happened and never what the arguments were. */
export type ThreadReply =
  | { readonly ok: true; readonly value: unknown; readonly durationMs: number }
  | { readonly ok: false; readonly failure: string };

/** What a task gave, and how long the work itself took, without the wait for a thread. */
export interface ThreadResult {
  readonly value: unknown;
  readonly durationMs: number;
}

/** Where password work runs. */
export interface Threads {
  /**
   * @param signal - drops the task while it waits, with the signal's reason
   * @throws AuthError `overloaded` - the queue is full, the time limit has passed, or the threads are closed
   * @throws AuthError `internal_error` - the thread ended or the module threw
   */
  run(task: ThreadTask, signal?: AbortSignal): Promise<ThreadResult>;
  /** Finishes the work that has begun, refuses what waits, ends the threads. Idempotent. */
  close(): Promise<void>;
}

/** Settings of {@link passwordThreads}. */
export interface ThreadsOptions {
  /** Threads at most; default one for each core that this process may use. */
  readonly size?: number;
  /**
   * Tasks waiting at most; default 32 for each thread: at 15 ms of argon2id a wait of half a second, about as long as
   * a person at a sign-in form does not mind. A longer queue would serve people who have gone.
   */
  readonly maxQueue?: number;
  /** Time limit of one task; default 10 seconds, several times what the bounds of the hashers allow. */
  readonly taskLimitSeconds?: number;
}

interface Job {
  readonly task: ThreadTask;
  readonly resolve: (result: ThreadResult) => void;
  readonly reject: (reason: unknown) => void;
  /** Stops listening to the signal. */
  readonly forgetSignal: () => void;
}

interface Thread {
  readonly worker: Worker;
  job: Job | null;
  limit: NodeJS.Timeout | null;
}

/**
 * Threads for password hashing. None is started before the first task, and idle ones do not keep the process alive.
 *
 * They are not libuv's: its four threads also serve files, DNS and Web Crypto, which would wait behind hashes.
 *
 * @throws TypeError for settings out of range
 */
export function passwordThreads(options: ThreadsOptions = {}): Threads {
  return new WorkerThreads(options);
}

class WorkerThreads implements Threads {
  readonly #size: number;
  readonly #maxQueue: number;
  readonly #limitMs: number;
  readonly #threads = new Set<Thread>();
  readonly #waiting = new Set<Job>();
  #typicalMs = 15;
  #closing: Promise<void> | null = null;
  #idle: () => void = () => {};

  constructor({
    size = availableParallelism(),
    maxQueue = 32 * size,
    taskLimitSeconds = 10,
  }: ThreadsOptions) {
    if (!Number.isInteger(size) || size < 1)
      throw new TypeError("size must be a whole number of threads, at least 1");
    if (!Number.isInteger(maxQueue) || maxQueue < 0)
      throw new TypeError("maxQueue must be a whole number, at least 0");
    if (!(taskLimitSeconds > 0)) throw new TypeError("taskLimitSeconds must be more than 0");
    this.#size = size;
    this.#maxQueue = maxQueue;
    this.#limitMs = taskLimitSeconds * 1000;
  }

  async run(task: ThreadTask, signal?: AbortSignal): Promise<ThreadResult> {
    signal?.throwIfAborted();
    if (this.#closing) throw overloaded("password hashing has been closed", 1);
    const isFull = this.#waiting.size >= this.#maxQueue;
    if (isFull && !this.#freeThread())
      throw overloaded("the queue of password hashes is full", this.#drainSeconds());
    return new Promise((resolve, reject) => {
      const drop = (): void => {
        this.#waiting.delete(job);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", drop, { once: true });
      const job: Job = {
        task,
        resolve,
        reject,
        forgetSignal: () => signal?.removeEventListener("abort", drop),
      };
      this.#waiting.add(job);
      this.#next();
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    for (const job of this.#waiting) {
      job.forgetSignal();
      job.reject(overloaded("password hashing is closing", 1));
    }
    this.#waiting.clear();
    if (this.#running > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    await Promise.all([...this.#threads].map((thread) => thread.worker.terminate()));
  }

  get #running(): number {
    return [...this.#threads].filter((thread) => thread.job).length;
  }

  /** Whole seconds until the queue has been worked off, at least 1. */
  #drainSeconds(): number {
    return Math.max(1, Math.ceil((this.#waiting.size * this.#typicalMs) / this.#size / 1000));
  }

  #freeThread(): boolean {
    return this.#threads.size < this.#size || [...this.#threads].some((thread) => !thread.job);
  }

  #next(): void {
    for (const job of this.#waiting) {
      if (!this.#freeThread()) return;
      this.#waiting.delete(job);
      job.forgetSignal();
      try {
        this.#assign([...this.#threads].find((thread) => !thread.job) ?? this.#start(), job);
      } catch (cause) {
        job.reject(internalError("no password hashing thread could be started", cause));
      }
    }
  }

  #assign(thread: Thread, job: Job): void {
    thread.job = job;
    thread.limit = setTimeout(() => {
      this.#drop(thread, overloaded("a password hash passed its time limit; its thread was ended", 1));
      void thread.worker.terminate();
    }, this.#limitMs);
    thread.worker.postMessage(job.task);
  }

  #start(): Thread {
    const entry = threadFile("./thread-entry", import.meta.url);
    const worker = new Worker(entry, { name: "latchkey-password", ...threadFlags() });
    const thread: Thread = { worker, job: null, limit: null };
    const gone = (why: string): void => {
      this.#drop(thread, internalError(`a password hashing thread (${entry.href}) ended: ${why}`));
    };
    worker.on("message", (reply: ThreadReply) => this.#settle(thread, reply));
    worker.on("error", (error) => gone(errorPlace(error)));
    worker.on("exit", (code) => gone(`exit code ${code}`));
    // An idle thread does not keep the process alive; a busy one does by its time limit. Last, since listening undoes it.
    worker.unref();
    this.#threads.add(thread);
    return thread;
  }

  #settle(thread: Thread, reply: ThreadReply): void {
    const job = this.#release(thread);
    if (!job) return;
    if (reply.ok) {
      this.#typicalMs += (reply.durationMs - this.#typicalMs) / 16;
      job.resolve({ value: reply.value, durationMs: reply.durationMs });
    } else {
      job.reject(internalError(reply.failure));
    }
    this.#proceed();
  }

  /** Forgets a thread that is gone; the next task starts another in its place. */
  #drop(thread: Thread, reason: AuthError): void {
    if (!this.#threads.delete(thread)) return;
    this.#release(thread)?.reject(reason);
    this.#proceed();
  }

  #release(thread: Thread): Job | null {
    const { job } = thread;
    if (thread.limit) clearTimeout(thread.limit);
    thread.job = null;
    thread.limit = null;
    return job;
  }

  #proceed(): void {
    this.#next();
    if (this.#running === 0) this.#idle();
  }
}

function overloaded(diagnosis: string, retryAfterSeconds: number): AuthError {
  return new AuthError("overloaded", { diagnosis, retryAfterSeconds });
}

function internalError(diagnosis: string, cause?: unknown): AuthError {
  return new AuthError("internal_error", { diagnosis, cause });
}
