import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { User } from "../../src/domain/user.ts";
import type { DetachedSessions } from "../../src/ports/detached-sessions.ts";
import type { StoreCall } from "../../src/ports/store.ts";
import { systemClock, systemRandom } from "../../src/services/system.ts";
import { fileSessions } from "../../src/stores/file/file.ts";
import { fixtures } from "../../src/testing/testing.ts";
import { sessionsOn } from "./memcached-servers.ts";

/** Where a process finds its sessions. */
export type Place = { readonly path: string } | { readonly address: string; readonly prefix: string };

/** What a process does: changes until it is killed, sign-ins of one user, or nothing but having the place open. */
export type Role = "work" | "sign-in" | "hold";

/** One change, as it is printed before it is made and once it is acknowledged. */
export interface Step {
  readonly user: number;
  readonly kind: "insert" | "data" | "take";
  readonly id: string;
  readonly isDone: boolean;
}

/** Sessions that a user of the role `work` may have, and users that change at the same time. */
export const workCap = 3;
export const workUsers = 4;
/** Sessions that a process of the role `sign-in` adds, and the cap under which it does. */
export const signIns = 60;
export const signInCap = 3;

/** A process, and the lines that it prints. */
export interface OtherProcess {
  readonly child: ChildProcess;
  readonly lines: Interface;
  readonly ended: Promise<number | null>;
}

/** Starts this file as a process of its own; it prints `ready`, and goes on at a line. */
export function startProcess(role: Role, place: Place, users: readonly User[]): OtherProcess {
  const args = [fileURLToPath(import.meta.url), role, JSON.stringify(place), JSON.stringify(users)];
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(child, "exit").then(([code]) => code as number | null);
  return { child, lines: createInterface({ input: child.stdout }), ended };
}

const make = fixtures(systemClock(), systemRandom());
const call = (): StoreCall => ({ now: new Date(), signal: AbortSignal.timeout(10_000) });

function open(place: Place): DetachedSessions {
  return "path" in place ? fileSessions(place) : sessionsOn(place.address, { prefix: place.prefix });
}

const roles: Readonly<
  Record<Role, (sessions: DetachedSessions, users: readonly User[]) => Promise<unknown>>
> = {
  async work(sessions, users) {
    await Promise.all(users.map((user, index) => workOf(sessions, user, index)));
  },
  async "sign-in"(sessions, [user]) {
    if (user === undefined) throw new Error("nobody to sign in");
    for (let turn = 0; turn < signIns; turn++) {
      const session = make.session(user);
      const gone = await sessions.insert(session, signInCap, call());
      console.log([session.id, ...gone.map(({ id }) => id)].join(" "));
      const { length } = await sessions.list({ userId: user.id, slotTag: user.slotTag }, call());
      if (length > signInCap) throw new Error(`${length} sessions at one moment`);
    }
    await sessions.close();
  },
  hold: () => once(process.stdin, "close"),
};

async function workOf(sessions: DetachedSessions, user: User, index: number): Promise<void> {
  const step = async (kind: Step["kind"], id: string, work: () => Promise<unknown>): Promise<void> => {
    console.log(JSON.stringify({ user: index, kind, id, isDone: false }));
    await work();
    console.log(JSON.stringify({ user: index, kind, id, isDone: true }));
  };
  const startMs = Date.now();
  for (let turn = 0; ; turn++) {
    // Of one after the other it is clear which was used last.
    const session = make.session(user, { lastUsedAt: new Date(startMs + turn) });
    const { id } = session;
    await step("insert", id, () => sessions.insert(session, workCap, call()));
    await step("data", id, () => sessions.setData({ sessionId: id, dataVersion: 0, data: { turn } }, call()));
    if (turn % 3 === 2) await step("take", id, () => sessions.take([id], call()));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [role = "", place = "", users = ""] = process.argv.slice(2);
  const sessions = open(JSON.parse(place) as Place);
  console.log("ready");
  await once(process.stdin, "data");
  await roles[role as Role](sessions, JSON.parse(users) as User[]);
  process.exit();
}
