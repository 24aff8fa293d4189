import { deepStrictEqual } from "node:assert/strict";
import type { Session, StoreCall, Stores, User } from "latchkey";
import { type Add, atOnce, committing } from "./bulk.ts";
import type { Effort } from "./effort.ts";
import { perUser, spreadSession, spreadUser } from "./seed.ts";
import { type Backend, backends } from "./store-backends.ts";
import { checks } from "./store-checks.ts";
import { figure, type Row } from "./table.ts";

/** Sessions that are added together before anything is measured. */
const batch = 1_000;
/** Such additions under way at a time. */
const batchesAtOnce = 8;
/** Sessions that are added one by one, as sign-ins do, the others being there; fewer where so few are asked for. */
const mostSignIns = 2_000;
/** Sign-ins and checks under way at a time while measuring. */
const concurrency = 32;

/** Names that `Effort.onlyStores` may have. */
export const storeNames: readonly string[] = backends.map(({ name }) => name);

/** What a session takes and what a check costs on each store, with more and more sessions in it. */
export async function* stores(effort: Effort): AsyncGenerator<Row> {
  const { onlyStores, storeSizes, manySessions } = effort;
  const usual = [10_000, 100_000, 1_000_000].filter((size) => size <= manySessions);
  const sizes = storeSizes.length > 0 ? storeSizes : usual;
  for (const backend of backends) {
    if (onlyStores.length > 0 && !onlyStores.includes(backend.name)) continue;
    const skipped = backend.skipped();
    if (skipped !== null) yield row(backend, "skipped", { "bytes per session": skipped });
    else for (const size of sizes) yield await measured(backend, size, effort);
  }
}

type Head = (typeof heads)[number];
const heads = [
  "bytes per session",
  "one check, µs",
  "checks/s, 32 at once",
  "CPU of the caller, µs",
  "added/s, 32 at once",
] as const;

// With every column, since the first row makes the head of the table.
function row({ name }: Backend, sessions: number | string, figures: Partial<Record<Head, string>>): Row {
  const columns = heads.map((head) => [head, figures[head] ?? ""]);
  return { store: `${name}()`, sessions, ...Object.fromEntries(columns) };
}

async function measured(backend: Backend, size: number, effort: Effort): Promise<Row> {
  const opened = await backend.open();
  const now = new Date();
  try {
    const before = await opened.bytes();
    const signIns = Math.min(mostSignIns, Math.ceil(size / 2));
    const users = Math.ceil((size - signIns) / perUser);
    await opened.filled((add) => fill(add, { users, now }));
    const signInSeconds = await signedIn(opened.stores, { from: users * perUser, to: size, now });
    const bytes = (await opened.bytes()) - before;
    await assertAdded(opened.stores, { from: 0, to: users * perUser, now });
    await assertAdded(opened.stores, { from: users * perUser, to: size, now });
    const one = await checks(opened.stores, size, { seconds: effort.seconds, atOnce: 1 });
    const many = await checks(opened.stores, size, { seconds: effort.seconds, atOnce: concurrency });
    return row(backend, size, {
      "bytes per session": figure(bytes / size),
      "one check, µs": figure(one.medianUs),
      "checks/s, 32 at once": figure(many.perSecond),
      "CPU of the caller, µs": figure(many.cpuUs),
      "added/s, 32 at once": figure((size - users * perUser) / signInSeconds),
    });
  } finally {
    await opened.close();
  }
}

/** Some seeded sessions: from the first one up to the last, which is not among them. */
interface Range {
  readonly from: number;
  readonly to: number;
  readonly now: Date;
}

const call = (): StoreCall => ({ now: new Date(), signal: AbortSignal.timeout(60_000) });

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1000;
}

/** Users and all sessions of theirs. */
async function fill(add: Add, { users, now }: { readonly users: number; readonly now: Date }): Promise<void> {
  const step = batch / perUser;
  const starts = Array.from({ length: Math.ceil(users / step) }, (_, index) => index * step);
  await atOnce(batchesAtOnce, starts, (first) => {
    const last = Math.min(users, first + step);
    const sessions = sessionsOf({ from: first * perUser, to: last * perUser, now });
    return add({ users: usersOf(first, last, now), sessions }, call());
  });
}

/** Seconds that it takes to add sessions through the store as sign-ins do, one transaction each; without the hashing. */
async function signedIn({ directory }: Stores, { from, to, now }: Range): Promise<number> {
  const add = committing(directory);
  const users = usersOf(from / perUser, Math.ceil(to / perUser), now);
  await add({ users, sessions: [] }, call());
  const sessions = sessionsOf({ from, to, now });
  return timed(() =>
    atOnce(concurrency, sessions, (session) => add({ users: [], sessions: [session] }, call())),
  );
}

function usersOf(first: number, last: number, now: Date): readonly User[] {
  return Array.from({ length: last - first }, (_, index) => spreadUser(first + index, now));
}

function sessionsOf({ from, to, now }: Range): readonly Session[] {
  return Array.from({ length: to - from }, (_, index) => spreadSession(from + index, now));
}

/**
 * Of sessions that were added together and of ones that signed in the store has to say the same: what was added, with its user,
 * and listed among the user's. What is measured could be something else otherwise.
 */
async function assertAdded({ sessions }: Stores, { from, to, now }: Range): Promise<void> {
  const samples = 50;
  for (let sample = 0; sample < samples; sample++) {
    const index = from + Math.floor((sample * (to - from)) / samples);
    const [session, user] = [spreadSession(index, now), spreadUser(Math.floor(index / perUser), now)];
    const [found] = await sessions.find([session.id], call());
    if (found == null || found.expired) throw new Error("a session that was added is not there");
    deepStrictEqual(comparable(found.session), comparable(session));
    deepStrictEqual(found.user, user);
    const listed = (await sessions.list(user.id, call())).map(({ id }) => id);
    const first = index - (index % perUser);
    const all = sessionsOf({ from: first, to: Math.min(to, first + perUser), now }).map(({ id }) => id);
    deepStrictEqual(listed.toSorted(), all.toSorted());
  }
}

// Some stores answer a digest as a Buffer.
function comparable(session: Session) {
  return { ...session, secretDigest: Buffer.from(session.secretDigest).toString("hex") };
}
