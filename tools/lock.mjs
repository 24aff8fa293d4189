// A lock file between processes of one machine. Built-ins only, no syntax younger than Node 18.

import {
  closeSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";

const POLL_MS = 200;
const ABANDONED_BREAKER_MS = 10_000;
const ABANDONED_LOCK_MS = 15 * 60_000;

/**
 * Waits until this process holds `file`; `work` names what the holder does, for those who wait.
 * A lock whose processes have all ended is taken over, so a killed holder blocks nobody.
 *
 * `release` gives the lock up. `shareWith` adds a child: killed alone, this process leaves it behind, still at work.
 */
export async function acquireLock(file, work) {
  let isWaiting = false;
  while (!tryCreate(file)) {
    const holders = readHolders(file);
    if (isAbandoned(file, holders)) {
      breakLock(file);
    } else {
      if (!isWaiting) console.log(`latchkey: waiting for process ${holders.join(" and ")}, which is ${work}`);
      isWaiting = true;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
  return {
    release: () => rmSync(file, { force: true }),
    shareWith: (pid) => renameSync(writeDraft(file, [process.pid, pid]), file),
  };
}

/** Linking a finished file creates the lock and its content in one step: nobody ever reads half a lock. */
function tryCreate(file) {
  const draft = writeDraft(file, [process.pid]);
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function writeDraft(file, pids) {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, pids.join(" "));
  return draft;
}

/**
 * Removes a dead process's lock, under a second lock held for microseconds: without it two waiters could both see
 * the dead holder, and the slower one would remove the lock that the faster one had just taken.
 */
function breakLock(file) {
  const breaker = `${file}.break`;
  try {
    closeSync(openSync(breaker, "wx"));
  } catch {
    removeIfAbandoned(breaker);
    return;
  }
  if (isAbandoned(file, readHolders(file))) rmSync(file, { force: true });
  rmSync(breaker, { force: true });
}

function removeIfAbandoned(breaker) {
  if (ageMs(breaker) > ABANDONED_BREAKER_MS) rmSync(breaker, { force: true });
}

/**
 * Age counts too: a dead holder's number may have gone to another process, and containers reuse their few numbers.
 * A lock that is gone by now is nobody's, and not abandoned.
 */
function isAbandoned(file, holders) {
  if (holders.length === 0) return false;
  const isHeld = holders.some((pid) => pid !== process.pid && isRunning(pid));
  return !isHeld || ageMs(file) > ABANDONED_LOCK_MS;
}

function ageMs(file) {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats === undefined ? 0 : Date.now() - stats.mtimeMs;
}

function readHolders(file) {
  try {
    return readFileSync(file, "utf8").split(" ").map(Number);
  } catch {
    return [];
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
