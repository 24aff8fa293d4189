import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createPool } from "mysql2/promise";
import { Pool } from "pg";
import type { AuditRow } from "../../src/domain/audit.ts";
import type { User } from "../../src/domain/user.ts";
import type { Write } from "../../src/ports/store.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { systemClock, systemRandom } from "../../src/services/system.ts";
import { mysql } from "../../src/stores/mysql/mysql.ts";
import { postgres } from "../../src/stores/postgres/postgres.ts";
import { type Fixtures, fixtures } from "../../src/testing/fixtures.ts";

/** Where a racer finds its database. */
export type Address =
  /** `options` are those of the connections: the schema. */
  | { readonly engine: "postgres"; readonly url: string; readonly options: string }
  | { readonly engine: "mysql"; readonly url: string };

/** What a racer does as soon as it is told, and answers with one line of JSON. */
export type Race =
  /** Inserts a user for each address; answers the outcomes. */
  | { readonly kind: "register"; readonly emails: readonly string[] }
  /** Signs the user in many times at once, under a cap; answers the ids of the sessions that were accepted. */
  | { readonly kind: "sign-in"; readonly user: User; readonly times: number; readonly cap: number }
  /** Ends all sessions of the user many times, each from the generation that it reads; answers how many were accepted. */
  | { readonly kind: "advance"; readonly userId: string; readonly times: number }
  /** Takes attempts from one counter; answers how many were given. */
  | { readonly kind: "reserve"; readonly times: number; readonly limit: number }
  /** Writes audit rows, each in a transaction of its own, and seals a few of whatever is there after each. */
  | { readonly kind: "seal"; readonly rows: number }
  /** Claims mails, a few at a time, until there are none; answers their ids. */
  | { readonly kind: "claim" }
  /** Ends the session and waits within the transaction, the user locked, until it is killed. */
  | { readonly kind: "hang"; readonly user: User }
  /** Waits while it seals, until it is killed. */
  | { readonly kind: "hang-sealing" };

/** A process of its own that works on the database. */
export interface Racer {
  readonly child: ChildProcess;
  /** Lets it run a race at once, and answers what came of it. One at a time. */
  run(race: Race): Promise<unknown>;
}

/** Starts a process, connected and ready to go. */
export async function startRacer(address: Address): Promise<Racer> {
  const args = [fileURLToPath(import.meta.url), JSON.stringify(address)];
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => JSON.parse(String((await lines.next()).value));
  await next();
  return {
    child,
    run(race) {
      child.stdin.write(`${JSON.stringify(race)}\n`);
      return next();
    },
  };
}

type Runners = {
  readonly [K in Race["kind"]]: (
    race: Extract<Race, { kind: K }>,
    on: Stores,
    make: Fixtures,
  ) => Promise<unknown>;
};

const call = () => ({ now: new Date(), signal: new AbortController().signal });
const all = <T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)));

const runners: Runners = {
  register: ({ emails }, { directory }, make) =>
    Promise.all(
      emails.map(async (email) => {
        const user = make.user({ email, username: `u${Math.random().toString(36).slice(2)}` });
        const result = await directory.commit([{ kind: "user.insert", user }], call());
        return result.ok ? "ok" : result.refused;
      }),
    ),

  async "sign-in"({ user, times, cap }, { directory }, make) {
    const accepted: string[] = [];
    await all(times, async () => {
      const session = make.session(user);
      const writes: readonly Write[] = [
        { kind: "user.require", userId: user.id, generation: user.generation },
        { kind: "session.insert", session, cap, evicted: () => [] },
      ];
      if ((await directory.commit(writes, call())).ok) accepted.push(session.id);
    });
    return accepted;
  },

  async advance({ userId, times }, { directory }) {
    const results = await all(times, async () => {
      const user = await directory.user(userId, call());
      const from = user?.generation ?? 0;
      const result = await directory.commit(
        [
          { kind: "user.advance", userId, from },
          { kind: "session.delete_all", userId, except: null, ended: () => [] },
        ],
        call(),
      );
      return result.ok;
    });
    return results.filter((ok) => ok).length;
  },

  async reserve({ times, limit }, { ephemeral }) {
    const limits = [{ key: "counter", limit, windowSeconds: 600 }];
    const results = await all(times, () => ephemeral.reserve(limits, call()));
    return results.filter(({ ok }) => ok).length;
  },

  async seal({ rows }, { directory }, make) {
    await all(rows, async () => {
      await directory.commit([{ kind: "audit.insert", row: make.auditRow() }], call());
      await directory.sealAudit({ limit: 3, chain: chained }, call());
    });
    return null;
  },

  async claim(_, { directory }) {
    const ids: string[] = [];
    for (;;) {
      const leasedUntil = new Date(Date.now() + 600_000);
      const mails = await directory.claimMail({ limit: 3, leasedUntil }, call());
      if (mails.length === 0) return ids;
      ids.push(...mails.map(({ id }) => id));
    }
  },

  async hang({ user }, { directory }) {
    const end = { kind: "session.delete_all", userId: user.id, except: null, ended: hang } as const;
    await directory.commit([end], call());
  },

  async "hang-sealing"(_, { directory }) {
    await directory.sealAudit({ limit: 10, chain: hang }, call());
  },
};

function hang(): never {
  console.log('"hanging"');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  throw new Error("it was let go");
}

/** A digest that says what it follows. */
export function chained({ id, seq }: AuditRow, previous: string | null): string {
  return `${seq} ${id} after ${previous?.split(" ")[0] ?? "nothing"}`;
}

function open(address: Address): Stores {
  const { engine, url } = address;
  if (engine === "mysql") return mysql({ pool: createPool(url), migrate: false });
  return postgres({ pool: new Pool({ connectionString: url, options: address.options }), migrate: false });
}

function run<K extends Race["kind"]>(race: Extract<Race, { kind: K }>, stores: Stores): Promise<unknown> {
  const runner: Runners[K] = runners[race.kind as K];
  return runner(race, stores, fixtures(systemClock(), systemRandom()));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const stores = open(JSON.parse(process.argv[2] ?? ""));
  await stores.directory.ping(call());
  console.log('"ready"');
  for await (const race of createInterface({ input: process.stdin }))
    console.log(JSON.stringify(await run(JSON.parse(race), stores)));
}
