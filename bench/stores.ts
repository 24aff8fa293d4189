import type { Session, StoreCall, Stores, Write } from "latchkey";
import type { Effort } from "./effort.ts";
import { seededSession, seededUser } from "./seed.ts";
import { type Backend, backends } from "./store-backends.ts";
import { figure, median, type Row } from "./table.ts";

/** Sessions of one user in a seeded store. */
const perUser = 5;
/** Sessions that one transaction adds while seeding. */
const batch = 1_000;
/** Transactions under way at a time while seeding, and checks under way at a time while measuring. */
const concurrency = 32;

/** What a session takes and what a check costs on each store, with more and more sessions in it. */
export async function stores(effort: Effort): Promise<readonly Row[]> {
  const sizes = [10_000, 100_000, 1_000_000].filter((size) => size <= effort.manySessions);
  const rows: Row[] = [];
  for (const backend of backends) {
    const skipped = backend.skipped();
    if (skipped !== null) {
      rows.push({ store: backend.name, sessions: "skipped", "bytes per session": skipped });
      continue;
    }
    for (const size of sizes.filter((one) => one <= (backend.mostSessions ?? one))) {
      rows.push(await measured(backend, size, effort));
    }
  }
  return rows;
}

async function measured(backend: Backend, size: number, effort: Effort): Promise<Row> {
  const opened = await backend.open();
  try {
    const before = await opened.bytes();
    const seconds = await timed(() => seed(opened.stores, size));
    const bytes = (await opened.bytes()) - before;
    const one = await checks(opened.stores, size, { seconds: effort.seconds, atOnce: 1 });
    const many = await checks(opened.stores, size, { seconds: effort.seconds, atOnce: concurrency });
    return {
      store: backend.name,
      sessions: size,
      "bytes per session": figure(bytes / size),
      "one check, µs": figure(one.medianUs),
      "checks/s, 32 at once": figure(many.perSecond),
      "CPU of the caller, µs": figure(many.cpuUs),
      "added/s": figure(size / seconds),
    };
  } finally {
    await opened.close();
  }
}

const call = (): StoreCall => ({ now: new Date(), signal: AbortSignal.timeout(60_000) });

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1000;
}

/** Users and {@link perUser} sessions of each, as sign-ins add them, without the hashing. */
async function seed({ directory }: Stores, sessions: number): Promise<void> {
  const now = new Date();
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < sessions) {
      const from = next;
      next += batch;
      await directory.commit(seedWrites(from, Math.min(sessions, from + batch), now), call());
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
}

function seedWrites(from: number, to: number, now: Date): readonly Write[] {
  const writes: Write[] = [];
  for (let index = from; index < to; index++) {
    if (index % perUser === 0) writes.push({ kind: "user.insert", user: tagged(index / perUser, now) });
    writes.push({ kind: "session.insert", session: taggedSession(index, now), cap: 0, evicted: () => [] });
  }
  return writes;
}

// Each user has a slot tag of their own, as real ones do, so that a cluster spreads them.
const tagOf = (user: number): string => user.toString(36).padStart(8, "0");

function tagged(number: number, now: Date) {
  return { ...seededUser(number, now), slotTag: tagOf(number) };
}

function taggedSession(index: number, now: Date): Session {
  const session = seededSession(index, now);
  return { ...session, id: tagOf(Math.floor(index / perUser)) + session.id.slice(8) };
}

interface Checked {
  readonly perSecond: number;
  readonly medianUs: number;
  readonly cpuUs: number;
}

async function checks(
  { sessions }: Stores,
  size: number,
  { seconds, atOnce }: { readonly seconds: number; readonly atOnce: number },
): Promise<Checked> {
  // Of users spread over all of them; ids are made before, so that only the store is timed.
  const now = new Date();
  const ids = Array.from(
    { length: 1_000 },
    (_, index) => taggedSession(Math.floor((index * size) / 1_000), now).id,
  );
  const latencies: number[] = [];
  let count = 0;
  const worker = async (first: number, until: number): Promise<void> => {
    for (let index = first; performance.now() < until; index += atOnce) {
      const from = performance.now();
      const [found] = await sessions.find([ids[index % ids.length] as string], call());
      if (found == null || found.expired) throw new Error("a seeded session was not found");
      if (latencies.length < 100_000) latencies.push((performance.now() - from) * 1000);
      count++;
    }
  };
  const run = (forSeconds: number): Promise<unknown> => {
    const until = performance.now() + forSeconds * 1000;
    return Promise.all(Array.from({ length: atOnce }, (_, index) => worker(index, until)));
  };
  await run(seconds / 3);
  latencies.length = 0;
  count = 0;
  const cpu = process.cpuUsage();
  const took = await timed(() => run(seconds));
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: count / took, medianUs: median(latencies), cpuUs: (user + system) / count };
}
