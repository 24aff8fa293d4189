import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { createClient } from "redis";
import type { User } from "../../src/domain/user.ts";
import type { Write } from "../../src/ports/store.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { systemClock, systemRandom } from "../../src/services/system.ts";
import { postgres } from "../../src/stores/postgres/postgres.ts";
import { redis } from "../../src/stores/redis/redis.ts";
import { split } from "../../src/stores/split.ts";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";
import { fixtures } from "../../src/testing/fixtures.ts";
import { eventually } from "../servers/eventually.ts";

/** Where two processes find the same state. */
export interface Place {
  /** Path of a file, or a URL of PostgreSQL. */
  readonly directory: { readonly sqlite: string } | { readonly postgres: string };
  /** Null: sessions are in the directory's engine. */
  readonly redis: { readonly url: string; readonly prefix: string } | null;
}

/** What another process can be asked to do to a user. */
export type Role = "sign-ins" | "rotations" | "end-all" | "capped";

/** Stores of a place, and what to do when they are not needed any more. */
export async function openPlace({
  directory,
  redis: keys,
}: Place): Promise<Stores & { end(): Promise<void> }> {
  const pool = "postgres" in directory ? new pg.Pool({ connectionString: directory.postgres, max: 8 }) : null;
  const first =
    pool === null ? sqlite({ path: "sqlite" in directory ? directory.sqlite : "" }) : postgres({ pool });
  const client = keys === null ? null : createClient({ url: keys.url });
  await client?.connect();
  const stores =
    client === null || keys === null ? first : split({ ...first, ...redis({ client, prefix: keys.prefix }) });
  const end = async (): Promise<void> => {
    for (const port of [stores.ephemeral, stores.sessions, stores.directory]) await port.close();
    client?.destroy();
    await pool?.end();
  };
  return { ...stores, end };
}

/** A process that plays a role each time that it is told to. */
export interface OtherProcess {
  readonly child: ChildProcess;
  /** Resolves when it knows the user as they are, and waits for the word. @throws Error where it failed */
  ready(userId: string): Promise<void>;
  /** Gives the word. @returns the lines that it printed after it @throws Error where it failed */
  go(): Promise<readonly string[]>;
}

/** Starts this file as a process of its own. */
export function startProcess(role: Role, place: Place): OtherProcess {
  const args = [fileURLToPath(import.meta.url), role, JSON.stringify(place)];
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  async function told(word: string): Promise<readonly string[]> {
    child.stdin.write(`${word}\n`);
    const printed: string[] = [];
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`${role} ended with ${child.exitCode}`);
      if (value === over) return printed;
      printed.push(value);
    }
  }
  return { child, ready: async (userId) => void (await told(userId)), go: () => told("go") };
}

/** The line after which a process waits for the next word. */
const over = "over";
const attempts = 60;
const make = fixtures(systemClock(), systemRandom());
const call = () => ({ now: new Date(), signal: AbortSignal.timeout(10_000) });

// Each begins with the user as they were before the word: what is done with that generation later must come to nothing.
const roles: Readonly<Record<Role, (stores: Stores, user: User) => Promise<void>>> = {
  async "sign-ins"(stores, user) {
    for (let turn = 0; turn < attempts; turn++) {
      const session = make.session(user);
      console.log(session.id);
      await stores.directory.commit([require(user), insert(session, 0)], call());
    }
  },
  async rotations(stores, user) {
    let from = make.session(user);
    console.log(from.id);
    let isGoing = (await stores.directory.commit([require(user), insert(from, 0)], call())).ok;
    for (let turn = 0; isGoing && turn < attempts; turn++) {
      const session = make.session(user, { rotatedFrom: from.id });
      console.log(session.id);
      const rotate: Write = { kind: "session.rotate", from: from.id, session };
      isGoing = (await stores.directory.commit([require(user), rotate], call())).ok;
      from = session;
    }
  },
  async "end-all"(stores, user) {
    // Somewhere amid the sign-ins of the others, of which the first ones have at least this many.
    const amid = Math.floor(Math.random() * attempts);
    await eventually(async () => (await stores.sessions.list(user.id, call())).length >= amid);
    const result = await stores.directory.commit(
      [
        { kind: "user.advance", userId: user.id, from: user.generation },
        { kind: "session.delete_all", userId: user.id, except: null, ended: () => [] },
      ],
      call(),
    );
    if (!result.ok) throw new Error(result.refused);
  },
  async capped(stores, user) {
    for (let turn = 0; turn < 40; turn++) {
      const session = make.session(user);
      const result = await stores.directory.commit([require(user), insert(session, 3)], call());
      if (!result.ok) throw new Error(result.refused);
      console.log([session.id, ...result.ended.map(({ id }) => id)].join(" "));
      const { length } = await stores.sessions.list(user.id, call());
      if (length > 3) throw new Error(`${length} sessions at one moment`);
    }
  },
};

function require({ id, generation }: User): Write {
  return { kind: "user.require", userId: id, generation };
}

function insert(session: ReturnType<typeof make.session>, cap: number): Write {
  return { kind: "session.insert", session, cap, evicted: () => [] };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [role = "", place = ""] = process.argv.slice(2);
  const stores = await openPlace(JSON.parse(place) as Place);
  let user: User | null = null;
  for await (const word of createInterface({ input: process.stdin })) {
    if (word !== "go") user = await stores.directory.user(word, call());
    if (user === null) throw new Error(`there is no user ${word}`);
    if (word === "go") await roles[role as Role](stores, user);
    console.log(over);
  }
  await stores.end();
}
