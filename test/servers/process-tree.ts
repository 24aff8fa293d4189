import { readdirSync, readFileSync } from "node:fs";

/** Sends a signal to a process and all that it has started; to what has ended already: nothing. */
export function signalTree(pid: number, signal: NodeJS.Signals): readonly number[] {
  // Stopped first: one that forks while its children are counted would leave some behind.
  if (signal === "SIGKILL") send(pid, "SIGSTOP");
  const tree = [pid, ...descendants(pid)];
  for (const each of tree) send(each, signal);
  return tree;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}

/** Whether a process runs; one that has ended and waits for its parent to notice does not. */
export function isRunning(pid: number): boolean {
  return statOf(pid) !== null;
}

/** Whether every thread of a process has stopped, which each does in its own time; one that has ended counts. */
export function isStopped(pid: number): boolean {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.every((thread) => stateOf(`/proc/${pid}/task/${thread}/stat`) === "T");
  } catch {
    return true;
  }
}

function stateOf(file: string): string {
  return readFileSync(file, "latin1").split(") ").at(-1)?.[0] ?? "";
}

function descendants(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of processFolders()) {
    const parent = statOf(Number(name));
    if (parent !== null) parents.set(Number(name), parent);
  }
  const found: number[] = [];
  const visit = (of: number): void => {
    for (const [child, parent] of parents) {
      if (parent !== of) continue;
      found.push(child);
      visit(child);
    }
  };
  visit(pid);
  return found;
}

function processFolders(): string[] {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

/** The parent of a running process. */
function statOf(pid: number): number | null {
  try {
    // The name stands in brackets and may hold anything, brackets as well.
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ") ?? [];
    return state === "Z" ? null : Number(parent);
  } catch {
    return null;
  }
}
