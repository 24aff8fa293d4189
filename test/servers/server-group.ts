import { spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Account } from "./account.ts";
import { eventually } from "./eventually.ts";
import { isRunning, isStopped, signalTree } from "./process-tree.ts";
import type { Notice, StartOrder } from "./supervisor.ts";

/** Where a server listens, and the folder that is its own. */
export interface Place {
  readonly port: number;
  readonly folder: string;
}

/** How a server is started. */
export interface ServerPlan {
  readonly file: string;
  readonly args: (place: Place) => readonly string[];
  readonly environment?: (place: Place) => Readonly<Record<string, string>>;
  /** Texts of files in its folder, written before each start. */
  readonly files?: (place: Place) => Readonly<Record<string, string>>;
  /** Names of files in its folder that an earlier start has left and that would deceive `isReady`. */
  readonly staleFiles?: readonly string[];
  /** Whether it accepts connections, from what it has written since its start. */
  readonly isReady: (log: string, place: Place) => boolean;
  /** A folder with data prepared before; a new one by default. */
  readonly folder?: string;
  /** Whether it also runs as the user of the tests where that is root; no by default. */
  readonly mayBeRoot?: boolean;
  /** What ends it at once and leaves nothing behind; `SIGKILL` by default. */
  readonly endSignal?: NodeJS.Signals;
  /** Clears away what one that was killed has left outside its folder. */
  readonly clearAfterKill?: (place: Place) => void;
}

/** A server, with all processes that it consists of. */
export interface ServerNode {
  readonly port: number;
  readonly folder: string;
  /** Changes when it is started again. */
  readonly pid: number;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts a killed one again: same port, same data. */
  start(): Promise<void>;
  /** SIGSTOP, and waits until it holds: connections stand and nothing is answered, until `cont`. */
  stop(): void;
  /** SIGCONT */
  cont(): void;
}

/** Servers that end together, with the files that they leave. */
export interface ServerGroup {
  /** Removed at the end; belongs to the account that servers run as. */
  readonly directory: string;
  /** Starts a server on a free port of the loopback interface. @throws Error with the end of its log */
  add(plan: ServerPlan): Promise<ServerNode>;
  /** Runs a program to its end. @throws Error with the end of its output, where it fails */
  run(file: string, args: readonly string[]): Promise<void>;
  /** Writes a file that the servers' account can read alone; answers its path. */
  write(name: string, text: string): string;
  /** Ends all servers, and resolves when their files are gone. */
  end(): Promise<void>;
}

/** Below where systems take ports for outgoing connections, also with the 10,000 that a cluster's servers add. */
const PORTS = { first: 12_000, last: 22_700 };
const PORT_TRIES = 20;
const START_MS = 30_000;
const STOP_MS = 2_000;
const pause = new Int32Array(new SharedArrayBuffer(4));

/**
 * Prepares a place for servers that end with this process, however that ends.
 *
 * @param account - who runs the servers; null for the user of the tests
 */
export function openGroup(name: string, account: Account | null = null): ServerGroup {
  const directory = mkdtempSync(join(tmpdir(), `latchkey-${name}-`));
  own(directory, account);
  const supervisor = startSupervisor(directory);
  let folders = 0;
  let runs = 0;

  const newFolder = (): string => {
    const folder = join(directory, `server-${folders++}`);
    mkdirSync(folder, { mode: 0o700 });
    own(folder, account);
    return folder;
  };

  return {
    directory,
    async run(file, args) {
      const logFile = join(directory, `run-${runs++}.log`);
      const how = { environment: {}, endSignal: "SIGKILL", ...idsOf(account) } as const;
      const { exited } = await supervisor.start({ file, args, folder: directory, logFile, ...how });
      const ending = await exited;
      if (ending !== "code 0") throw new Error(`${file} ended with ${ending}: ${endOf(logFile, 0)}`);
    },
    write(name, text) {
      const file = join(directory, name);
      writePrivately(file, text, account);
      return file;
    },
    async add(plan) {
      const as = plan.mayBeRoot === true ? null : account;
      for (let tries = 1; ; tries++) {
        const folder = plan.folder ?? newFolder();
        const node = new SupervisedNode({ port: randomPort(), folder }, plan, as, supervisor);
        try {
          await node.start();
          return node;
        } catch (error) {
          const isPortTaken = /address.{0,20}in use|failed listening|could not bind/i.test(String(error));
          if (!isPortTaken || tries === PORT_TRIES) throw error;
        }
      }
    },
    end: supervisor.end,
  };
}

class SupervisedNode implements ServerNode {
  readonly port: number;
  readonly folder: string;
  readonly #plan: ServerPlan;
  readonly #account: Account | null;
  readonly #supervisor: Supervisor;
  #started: Started | null = null;

  constructor({ port, folder }: Place, plan: ServerPlan, account: Account | null, supervisor: Supervisor) {
    this.port = port;
    this.folder = folder;
    this.#plan = plan;
    this.#account = account;
    this.#supervisor = supervisor;
  }

  get pid(): number {
    if (this.#started === null) throw new Error("this server was never started");
    return this.#started.pid;
  }

  async start(): Promise<void> {
    const { file, args, environment, isReady, endSignal = "SIGKILL" } = this.#plan;
    this.#prepareFolder();
    const logFile = join(this.folder, "server.log");
    const from = sizeOf(logFile);
    const started = await this.#supervisor.start({
      file,
      args: args(this),
      folder: this.folder,
      logFile,
      environment: environment?.(this) ?? {},
      endSignal,
      ...idsOf(this.#account),
    });
    this.#started = started;
    let ending: string | null = null;
    void started.exited.then((how) => {
      ending = how;
    });
    await eventually(() => ending !== null || isReady(readFrom(logFile, from), this), START_MS);
    if (ending !== null) throw new Error(`${file} ended with ${ending}: ${endOf(logFile, from)}`);
  }

  #prepareFolder(): void {
    const { files, staleFiles = [] } = this.#plan;
    for (const name of staleFiles) rmSync(join(this.folder, name), { force: true });
    for (const [name, text] of Object.entries(files?.(this) ?? {})) {
      writePrivately(join(this.folder, name), text, this.#account);
    }
  }

  async kill(): Promise<void> {
    const tree = signalTree(this.pid, "SIGKILL");
    await this.#started?.exited;
    await eventually(() => !tree.some(isRunning));
    this.#plan.clearAfterKill?.(this);
  }

  stop(): void {
    const tree = signalTree(this.pid, "SIGSTOP");
    const giveUpAt = performance.now() + STOP_MS;
    // Until then a thread may still answer what comes next.
    while (!tree.every(isStopped) && performance.now() < giveUpAt) Atomics.wait(pause, 0, 0, 1);
  }

  cont(): void {
    signalTree(this.pid, "SIGCONT");
  }
}

interface Started {
  readonly pid: number;
  /** Resolves with `code 0`, or the name of the signal. */
  readonly exited: Promise<string>;
}

interface Supervisor {
  start(order: Omit<StartOrder, "id">): Promise<Started>;
  end(): Promise<void>;
}

function startSupervisor(directory: string): Supervisor {
  const script = fileURLToPath(new URL("./supervisor.ts", import.meta.url));
  const child = spawn(process.execPath, [script, directory], {
    cwd: directory,
    // A Node of the tests' own flags, conditions and coverage is none of its business.
    env: { ...process.env, NODE_OPTIONS: "--disable-warning=ExperimentalWarning", NODE_V8_COVERAGE: "" },
    stdio: ["pipe", "pipe", "inherit"],
    // A group of its own: what interrupts the tests must not reach the one that cleans up behind them.
    detached: true,
  });
  const hasExited = once(child, "exit");
  // Writing to one that has died is reported by what is waited for.
  child.stdin.on("error", () => {});
  const listeners = new Map<number, (notice: Notice) => void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const notice: Notice = JSON.parse(line);
    listeners.get(notice.id)?.(notice);
  });
  let orders = 0;
  return {
    start(order) {
      const id = orders++;
      return new Promise((resolve, reject) => {
        const exited = new Promise<string>((exit) => {
          void hasExited.then(() => exit("its supervisor"));
          listeners.set(id, (notice) => {
            if (notice.event === "started") resolve({ pid: notice.pid, exited });
            else if (notice.event === "exited") exit(notice.how);
            else reject(new Error(`${order.file}: ${notice.reason}`));
          });
        });
        void hasExited.then(() => reject(new Error("the supervisor of the servers has ended")));
        child.stdin.write(`${JSON.stringify({ ...order, id })}\n`);
      });
    },
    async end() {
      child.stdin.end();
      await hasExited;
    },
  };
}

function idsOf(account: Account | null): Pick<StartOrder, "uid" | "gid"> {
  return account ?? { uid: null, gid: null };
}

function writePrivately(file: string, text: string, account: Account | null): void {
  writeFileSync(file, text, { mode: 0o600 });
  own(file, account);
}

function own(path: string, account: Account | null): void {
  if (account !== null) chownSync(path, account.uid, account.gid);
}

function randomPort(): number {
  return PORTS.first + Math.floor(Math.random() * (PORTS.last - PORTS.first));
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function readFrom(file: string, from: number): string {
  return readFileSync(file).subarray(from).toString();
}

function endOf(file: string, from: number): string {
  return readFrom(file, from).trim().split("\n").slice(-8).join("\n");
}
