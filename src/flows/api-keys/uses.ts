import { setImmediate } from "node:timers/promises";
import type { ApiKeyUsage } from "../../domain/api-key.ts";
import type { CallOff } from "../../ports/clock.ts";
import type { ApiKeyUses } from "../../ports/directory-store.ts";
import type { Services } from "../../ports/services.ts";

/** Uses are gathered this long: what a killed process loses. */
const flushDelayMs = 5_000;
/** Paths of one key that are told apart in one hour; all others count as `*`. */
const mostPaths = 50;
const longestPath = 200;
/** Keys whose paths are remembered between two writes. */
const mostKeys = 10_000;
/** Rows that one transaction writes: short enough to let requests in between. */
const batchRows = 200;

const hourMs = 3_600_000;

/** Rows of usage that one step of a sweep takes. */
const sweepBatch = 200;

/** Drops the usage on record of hours that ended longer ago than `days`; returns how many rows. */
export async function dropOldUses(
  { stores, clock, call }: Pick<Services, "stores" | "clock" | "call">,
  days: number,
): Promise<number> {
  const before = new Date(clock.now().getTime() - days * 24 * hourMs);
  for (let dropped = 0; ; await setImmediate()) {
    const count = await stores.directory.dropApiKeyUsage(before, sweepBatch, call());
    dropped += count;
    if (count < sweepBatch) return dropped;
  }
}

/** One use of a key, once it is known how it was answered. */
export interface ApiKeyUse {
  readonly keyId: string;
  /** Without query. */
  readonly path: string;
  /** Status of the answer. */
  readonly status: number;
}

/** Counts uses of API keys in memory, and writes them in batches: a check itself writes nothing. */
export interface ApiKeyUseCounter {
  note(use: ApiKeyUse): void;
  /** Writes what was counted. What cannot be written stays, and is tried again with the next batch. */
  flush(): Promise<void>;
  /** The last {@link ApiKeyUseCounter.flush}; nothing is gathered after it. */
  close(): Promise<void>;
}

/** What was counted of one key and is not written yet. */
interface Tally {
  hour: number;
  /** Paths told apart in this hour, written or not. */
  readonly paths: Set<string>;
  readonly counts: Map<string, Count>;
  lastUsedAt: Date;
}

type Count = { -readonly [K in keyof Omit<ApiKeyUsage, "keyId">]: ApiKeyUsage[K] };

/** A counter that writes a few seconds after the first use. */
export function apiKeyUses({
  stores,
  clock,
  timers,
  background,
  log,
  call,
}: Pick<Services, "stores" | "clock" | "timers" | "background" | "log" | "call">): ApiKeyUseCounter {
  const tallies = new Map<string, Tally>();
  let callOff: CallOff | null = null;
  let writing: Promise<void> | null = null;
  let isDue = false;
  let isClosed = false;

  function note({ keyId, path, status }: ApiKeyUse): void {
    if (isClosed) return;
    const now = clock.now();
    const tally = tallyOf(keyId, now);
    if (tally.lastUsedAt < now) tally.lastUsedAt = now;
    count(tally, tally.hour, classOf(status), pathName(tally, path.slice(0, longestPath)), 1);
    due();
  }

  function tallyOf(keyId: string, at: Date): Tally {
    const hour = at.getTime() - (at.getTime() % hourMs);
    const known = tallies.get(keyId);
    if (known === undefined) {
      const fresh = { hour, paths: new Set<string>(), counts: new Map<string, Count>(), lastUsedAt: at };
      tallies.set(keyId, fresh);
      return fresh;
    }
    if (known.hour !== hour) known.paths.clear();
    known.hour = hour;
    return known;
  }

  function due(): void {
    isDue = true;
    callOff ??= timers.after(flushDelayMs, () => background.run("write uses of API keys", flush));
  }

  function rest(): void {
    callOff?.();
    callOff = null;
  }

  // One at a time: a directory that hangs would else be handed batch after batch.
  function flush(): Promise<void> {
    rest();
    writing ??= write().finally(() => {
      writing = null;
      if (isDue && !isClosed) due();
    });
    return writing;
  }

  async function write(): Promise<void> {
    const taken = takeAll();
    let written = 0;
    try {
      for (const batch of batches(taken)) {
        await stores.directory.recordApiKeyUses(batch, call());
        written += batch.length;
        await setImmediate();
      }
    } catch (cause) {
      for (const uses of taken.slice(written)) putBack(uses);
      throw cause;
    }
  }

  function takeAll(): readonly ApiKeyUses[] {
    isDue = false;
    const taken: ApiKeyUses[] = [];
    const earliest = clock.now().getTime() - hourMs;
    for (const [keyId, { counts, lastUsedAt, hour }] of tallies) {
      if (counts.size > 0) taken.push({ keyId, lastUsedAt, usage: [...counts.values()] });
      counts.clear();
      // A key that rests is forgotten, and the first of very many, with the paths that they were used for.
      if (hour < earliest || tallies.size > mostKeys) tallies.delete(keyId);
    }
    return taken;
  }

  function putBack({ keyId, lastUsedAt, usage }: ApiKeyUses): void {
    const tally = tallies.get(keyId) ?? tallyOf(keyId, lastUsedAt);
    for (const { hour, statusClass, path, count: times } of usage)
      count(tally, hour.getTime(), statusClass, path, times);
    isDue = true;
  }

  return {
    note,
    flush,
    async close() {
      isClosed = true;
      // What is under way may have been taken before the last uses were counted.
      await writing?.catch(() => undefined);
      await flush().catch((cause) => log.error("uses of API keys were lost at the end", {}, cause));
    },
  };
}

function pathName({ paths }: Tally, path: string): string {
  if (!paths.has(path) && paths.size >= mostPaths) return "*";
  paths.add(path);
  return path;
}

function count(
  { counts }: Tally,
  hour: number,
  statusClass: Count["statusClass"],
  path: string,
  times: number,
): void {
  const name = `${hour} ${statusClass} ${path}`;
  const known = counts.get(name);
  if (known !== undefined) known.count += times;
  else counts.set(name, { hour: new Date(hour), statusClass, path, count: times });
}

function classOf(status: number): Count["statusClass"] {
  const first = Math.floor(status / 100);
  return first >= 1 && first <= 5 ? (first as Count["statusClass"]) : 5;
}

// By rows, since one key may have many and many keys one each.
function* batches(due: readonly ApiKeyUses[]): Generator<readonly ApiKeyUses[]> {
  let batch: ApiKeyUses[] = [];
  let rows = 0;
  for (const uses of due) {
    batch.push(uses);
    rows += uses.usage.length;
    if (rows < batchRows) continue;
    yield batch;
    batch = [];
    rows = 0;
  }
  if (batch.length > 0) yield batch;
}
