import type { DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { threadFile, threadFlags } from "../../thread-file.ts";

/** What the thread works on. */
export interface CheckpointTask {
  readonly path: string;
  readonly synchronous: "normal" | "full";
}

/** When checkpoints are made. */
export interface CheckpointPace {
  /** Commits from one checkpoint to the next, and before the thread is started. Default 250: about 1,000 pages. */
  readonly everyCommits?: number;
}

/**
 * Copies what was committed from the log (WAL) into the database file, in a thread: a checkpoint waits for the disk, and on the
 * connection of the stores it would stop the event loop for milliseconds, in the middle of somebody's request.
 *
 * @see https://sqlite.org/wal.html#checkpointing
 */
export interface Checkpoints {
  /** Notes that a transaction was committed. */
  committed(): void;
  /** Ends the thread. Idempotent. */
  close(): Promise<void>;
}

/** Pages of log at which SQLite makes a checkpoint by itself, within a commit: its default, which stands without the thread. */
const pagesAlone = 1_000;
/** With it: the thread is far behind by then, or dead, and the log must not grow for ever. 32 MiB. */
const pagesBesideThread = 8_000;

/** Checkpoints of the database that `db` is connected to. Who writes little never starts the thread. */
export function checkpointsOf(
  db: DatabaseSync,
  task: CheckpointTask,
  { everyCommits = 250 }: CheckpointPace = {},
): Checkpoints {
  let count = 0;
  let thread: Worker | null = null;
  let isOver = task.path === ":memory:";

  function start(): Worker {
    const options = { name: "latchkey-checkpoints", workerData: task, ...threadFlags() };
    const worker = new Worker(threadFile("./checkpoint-thread", import.meta.url), options);
    db.exec(`PRAGMA wal_autocheckpoint = ${pagesBesideThread}`);
    // Nothing is lost with it: SQLite makes the checkpoints again.
    worker.on("error", noop);
    worker.on("exit", giveUp);
    // Last, since listening undoes it: it does not keep the process alive.
    worker.unref();
    return worker;
  }

  function giveUp(): void {
    isOver = true;
    thread = null;
    if (db.isOpen) db.exec(`PRAGMA wal_autocheckpoint = ${pagesAlone}`);
  }

  return {
    committed() {
      if (isOver || ++count < everyCommits) return;
      count = 0;
      try {
        thread ??= start();
        thread.postMessage("checkpoint");
      } catch {
        // A process may be out of threads.
        giveUp();
      }
    },
    async close() {
      isOver = true;
      const ending = thread;
      if (ending === null) return;
      // Else a process with nothing more to do would end here, and not after it.
      ending.ref();
      await new Promise((resolve) => {
        ending.once("exit", resolve);
        ending.postMessage("close");
      });
    },
  };
}

function noop(): void {}
