import type { EphemeralStore, Limit, Reservation } from "../../ports/ephemeral-store.ts";
import type { StoreCall } from "../../ports/store.ts";
import { counted } from "../counted.ts";
import { assertDistinct } from "../distinct-limits.ts";
import { granted, tellsLeft } from "../left.ts";
import { digestOf, later, refusal } from "../sql/ephemeral.ts";
import type { Queries, SqlParts } from "../sql/queries.ts";
import { retried } from "../sql/retry.ts";
import { isAnswer, isDuplicate } from "./link.ts";
import { statement } from "./statement.ts";
import { jsonRows } from "./values.ts";

const read = statement<readonly [value: string]>(
  "SELECT value FROM ephemeral WHERE key_digest = ? AND expires_at > ?",
);
const put = statement(`
  INSERT INTO ephemeral (key_digest, value, expires_at) VALUES (?, ?, ?)
  ON DUPLICATE KEY UPDATE value = ?, expires_at = ?`);
const find = statement<readonly [value: string, expiresAt: number]>(
  "SELECT value, expires_at FROM ephemeral WHERE key_digest = ?",
);
const deleteFound = statement("DELETE FROM ephemeral WHERE key_digest = ? AND value = ? AND expires_at = ?");
const add = statement("INSERT INTO ephemeral (key_digest, value, expires_at) VALUES (?, '', ?)");
const addAgain = statement(
  "UPDATE ephemeral SET value = '', expires_at = ? WHERE key_digest = ? AND expires_at <= ?",
);
const given =
  "JSON_TABLE(?, '$[*]' COLUMNS (digest VARCHAR(64) PATH '$[0]', amount BIGINT PATH '$[1]')) AS given";
const remove = statement(
  `DELETE e FROM ${given} STRAIGHT_JOIN ephemeral e ON e.key_digest = UNHEX(given.digest)`,
);
const removeCounters = statement(
  `DELETE c FROM ${given} STRAIGHT_JOIN counters c ON c.key_digest = UNHEX(given.digest)`,
);
const asked = `JSON_TABLE(?, '$[*]' COLUMNS (
    digest VARCHAR(64) PATH '$[0]', amount BIGINT PATH '$[1]', most BIGINT PATH '$[2]', expires_at BIGINT PATH '$[3]'
  )) AS asked`;
/**
 * Takes from all counters or from none, in one statement: what goes past the limit of one breaks its constraint, and all of the
 * statement is undone. A window that ended begins anew, and so does one from which nothing is taken. The assignments are made
 * from left to right: where `expires_at` is set, `taken` is the new one.
 */
const reserve = statement(`
  INSERT INTO counters (key_digest, taken, most, expires_at)
  SELECT UNHEX(asked.digest), asked.amount, asked.most, asked.expires_at FROM ${asked}
  ON DUPLICATE KEY UPDATE
    taken = IF(counters.expires_at > ?, counters.taken, 0) + asked.amount,
    expires_at = IF(counters.taken > asked.amount, counters.expires_at, asked.expires_at),
    most = asked.most`);
const exhausted = statement<readonly [digest: string, freesAt: number]>(`
  SELECT asked.digest, c.expires_at FROM ${asked} STRAIGHT_JOIN counters c ON c.key_digest = UNHEX(asked.digest)
  WHERE c.expires_at > ? AND c.taken + asked.amount > asked.most ORDER BY c.expires_at DESC LIMIT 1`);
const taken = statement<readonly [digest: string, taken: number, endsAt: number]>(`
  SELECT asked.digest, c.taken, c.expires_at FROM ${asked} STRAIGHT_JOIN counters c ON c.key_digest = UNHEX(asked.digest)`);
const refund = statement(`
  UPDATE ${given} STRAIGHT_JOIN counters c ON c.key_digest = UNHEX(given.digest)
  SET c.taken = GREATEST(c.taken - given.amount, 0) WHERE c.expires_at > ?`);
// What attempts that succeed leave behind would otherwise stay until a sweep.
const removeEmpty = statement(`
  DELETE c FROM ${given} STRAIGHT_JOIN counters c ON c.key_digest = UNHEX(given.digest) WHERE c.taken = 0`);
const sweep = statement("DELETE FROM ephemeral WHERE expires_at <= ? ORDER BY expires_at LIMIT ?");
const sweepCounters = statement("DELETE FROM counters WHERE expires_at <= ? ORDER BY expires_at LIMIT ?");

/** One-time tokens, counters and spent marks on MySQL. */
export function ephemeralStore({ connection, ping, close }: SqlParts): EphemeralStore {
  const each = connection.each.bind(connection);
  return {
    engine: connection.engine,
    ping,
    close,
    read: (key, call) =>
      each(call, async (queries) => {
        const [[value] = [null]] = await queries.all(read, digestOf(key), call.now.getTime());
        return value;
      }),
    put: async (key, value, ttlSeconds, call) => {
      const end = later(call.now, ttlSeconds);
      await each(call, (queries) => queries.run(put, digestOf(key), value, end, value, end));
    },
    take: (key, call) => each(call, (queries) => take(queries, digestOf(key), call.now.getTime())),
    add: (key, ttlSeconds, call) =>
      each(call, async (queries) => {
        const [own, end] = [digestOf(key), later(call.now, ttlSeconds)];
        try {
          return (await queries.run(add, own, end)) === 1;
        } catch (error) {
          if (!isDuplicate(error)) throw error;
          return (await queries.run(addAgain, end, own, call.now.getTime())) === 1;
        }
      }),
    async remove(keys, call) {
      if (keys.length === 0) return;
      const list = amountsOf(keys);
      await each(call, async (queries) => {
        await queries.run(remove, list);
        await queries.run(removeCounters, list);
      });
    },
    reserve: async (limits, call) => {
      assertDistinct(limits);
      if (limits.length === 0) return { ok: true };
      return retried(call, isOverLimit, () => each(call, (queries) => reserveAll(queries, limits, call)));
    },
    async refund(keys, call) {
      if (keys.length === 0) return;
      const list = amountsOf(keys);
      await each(call, (queries) => queries.run(refund, list, call.now.getTime()));
      await each(call, (queries) => queries.run(removeEmpty, list));
    },
    sweep: (limit, call) =>
      each(call, async (queries) => {
        const swept = await queries.run(sweep, call.now.getTime(), String(limit));
        return swept + (await queries.run(sweepCounters, call.now.getTime(), String(limit - swept)));
      }),
  };
}

// Deleting decides who gets a value: only one does it, and only of what was read.
async function take(queries: Queries, key: Uint8Array, nowMs: number): Promise<string | null> {
  for (;;) {
    const [row] = await queries.all(find, key);
    if (row === undefined) return null;
    const [value, expiresAt] = row;
    if ((await queries.run(deleteFound, key, value, expiresAt)) === 1)
      return expiresAt > nowMs ? value : null;
  }
}

async function reserveAll(
  queries: Queries,
  limits: readonly Limit[],
  { now }: StoreCall,
): Promise<Reservation> {
  const amounts = counted(limits.map(({ key }) => key));
  // A key that is named twice is taken from twice, by one row; rows in one order, so that nobody waits in a circle.
  const wanted = new Map(limits.map((limit) => [digestOf(limit.key).toString("hex"), limit] as const));
  const rows = [...wanted]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { key, limit, windowSeconds }]) => {
      return [digestOf(key), amounts.get(key) ?? 1, limit, later(now, windowSeconds)] as const;
    });
  try {
    await queries.run(reserve, jsonRows(rows), now.getTime());
    if (!tellsLeft(limits)) return { ok: true };
    // A second statement, since this one cannot answer: what others take in between is then told as taken, too.
    const found = await queries.all(taken, jsonRows(rows));
    const counters = new Map(found.map(([hex, taken, endsAt]) => [wanted.get(hex)?.key, { taken, endsAt }]));
    const each = limits.map(({ key }) => counters.get(key));
    return granted(limits, each, now);
  } catch (error) {
    if (!isOverLimit(error)) throw error;
    const [found] = await queries.all(exhausted, jsonRows(rows), now.getTime());
    // Given back meanwhile: there may be room now.
    if (found === undefined) throw error;
    const [hex, freesAt] = found;
    const key = wanted.get(hex)?.key ?? "";
    return refusal(key, freesAt, now);
  }
}

function amountsOf(keys: readonly string[]): string {
  const rows = [...counted(keys)].map(([key, amount]) => [digestOf(key), amount] as const);
  return jsonRows(rows.toSorted(([a], [b]) => Buffer.compare(a, b)));
}

/** The constraint of `counters`, as MariaDB and as MySQL say that it was broken. */
function isOverLimit(error: unknown): boolean {
  return isAnswer(error) && (error.errno === 4025 || error.errno === 3819);
}
