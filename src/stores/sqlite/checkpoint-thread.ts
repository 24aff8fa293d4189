/** What the thread of `checkpoints.ts` runs: a checkpoint for each message, on a connection of its own. */
import { parentPort, workerData } from "node:worker_threads";
import type { CheckpointTask } from "./checkpoints.ts";

if (parentPort) {
  const { path, synchronous } = workerData as CheckpointTask;
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
  // Waits for nobody: where another process is at it, the log is being emptied anyway.
  const db = new DatabaseSync(path, { timeout: 0 });
  db.exec(`PRAGMA synchronous = ${synchronous}`);
  const checkpoint = db.prepare("PRAGMA wal_checkpoint(PASSIVE)");
  parentPort.on("message", (word: "checkpoint" | "close") => {
    if (word === "checkpoint") return void checkpoint.get();
    db.close();
    process.exit();
  });
}
