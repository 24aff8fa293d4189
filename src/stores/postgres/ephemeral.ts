import type { EphemeralStore, Limit, Reservation } from "../../ports/ephemeral-store.ts";
import type { StoreCall } from "../../ports/store.ts";
import { counted } from "../counted.ts";
import { assertDistinct } from "../distinct-limits.ts";
import { type Counted, granted, tellsLeft } from "../left.ts";
import { digestOf, later, refusal } from "../sql/ephemeral.ts";
import type { Queries, SqlParts } from "../sql/queries.ts";
import { retried } from "../sql/retry.ts";
import { isAnswer } from "./link.ts";
import { statement } from "./statement.ts";

const read = statement<readonly [value: string]>(
  "SELECT value FROM ephemeral WHERE key_digest = $1 AND expires_at > $2",
);
const put = statement(`
  INSERT INTO ephemeral (key_digest, value, expires_at) VALUES ($1, $2, $3)
  ON CONFLICT (key_digest) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at`);
const take = statement<readonly [value: string, expiresAt: number]>(
  "DELETE FROM ephemeral WHERE key_digest = $1 RETURNING value, expires_at",
);
const add = statement(`
  INSERT INTO ephemeral (key_digest, value, expires_at) VALUES ($1, '', $2)
  ON CONFLICT (key_digest) DO UPDATE SET value = '', expires_at = excluded.expires_at WHERE ephemeral.expires_at <= $3`);
const remove = statement(`
  WITH gone AS (DELETE FROM ephemeral WHERE key_digest = ANY($1::bytea[]))
  DELETE FROM counters WHERE key_digest = ANY($1::bytea[])`);
/**
 * Takes from all counters or from none, in one statement: counters that are there are locked in the order of their digests,
 * looked at, and taken from where none is exhausted. A counter that another process makes meanwhile is not seen by the look;
 * its constraint then refuses what is too much, which undoes the whole statement. An ended window begins anew.
 */
const reserving = `
  WITH asked AS MATERIALIZED (
    SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[])
    WITH ORDINALITY AS a (key_digest, amount, most, expires_at, place)
  ), locked AS MATERIALIZED (
    SELECT c.key_digest, c.taken, c.expires_at FROM counters c
    WHERE c.key_digest = ANY($1::bytea[]) ORDER BY c.key_digest FOR UPDATE
  ), exhausted AS MATERIALIZED (
    SELECT a.place, l.expires_at AS frees_at FROM asked a JOIN locked l ON l.key_digest = a.key_digest
    WHERE l.expires_at > $5 AND l.taken + a.amount > a.most
  ), given AS (
    INSERT INTO counters (key_digest, taken, most, expires_at)
    SELECT a.key_digest, a.amount, a.most, a.expires_at FROM asked a
    WHERE NOT EXISTS (SELECT FROM exhausted) ORDER BY a.key_digest
    ON CONFLICT (key_digest) DO UPDATE SET
      taken = CASE WHEN counters.expires_at > $5 THEN counters.taken ELSE 0 END + excluded.taken,
      most = excluded.most,
      expires_at = CASE WHEN counters.expires_at > $5 THEN counters.expires_at ELSE excluded.expires_at END
    RETURNING key_digest, taken, expires_at
  )`;
type Reserved = readonly [place: number, endsAt: number, taken: number];
const reserve = statement<Reserved>(
  `${reserving} SELECT place, frees_at, -1::bigint FROM exhausted ORDER BY frees_at DESC LIMIT 1`,
);
/** The same, and what became of each counter: `taken` is -1 of one that is exhausted. */
const reserveTelling = statement<Reserved>(`${reserving}
  (SELECT place, frees_at, -1::bigint FROM exhausted ORDER BY frees_at DESC LIMIT 1)
  UNION ALL SELECT a.place, g.expires_at, g.taken FROM asked a JOIN given g ON g.key_digest = a.key_digest`);
// What attempts that succeed leave behind would otherwise stay until a sweep.
const refund = statement(`
  WITH asked AS (
    SELECT * FROM unnest($1::bytea[], $2::bigint[]) AS a (key_digest, amount)
  ), locked AS MATERIALIZED (
    SELECT c.key_digest, c.taken FROM counters c
    WHERE c.key_digest = ANY($1::bytea[]) AND c.expires_at > $3 ORDER BY c.key_digest FOR UPDATE
  ), rest AS MATERIALIZED (
    SELECT l.key_digest, l.taken - a.amount AS taken FROM locked l JOIN asked a ON a.key_digest = l.key_digest
  ), gone AS (
    DELETE FROM counters c USING rest r WHERE c.key_digest = r.key_digest AND r.taken <= 0
  )
  UPDATE counters c SET taken = r.taken FROM rest r WHERE c.key_digest = r.key_digest AND r.taken > 0`);
const sweep = statement<readonly [swept: number]>(`
  WITH old_values AS MATERIALIZED (
    SELECT key_digest FROM ephemeral WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED
  ), gone_values AS (
    DELETE FROM ephemeral e USING old_values o WHERE e.key_digest = o.key_digest RETURNING 1
  ), old_counters AS MATERIALIZED (
    SELECT key_digest FROM counters WHERE expires_at <= $1
    LIMIT $2 - (SELECT count(*) FROM gone_values) FOR UPDATE SKIP LOCKED
  ), gone_counters AS (
    DELETE FROM counters c USING old_counters o WHERE c.key_digest = o.key_digest RETURNING 1
  )
  SELECT (SELECT count(*) FROM gone_values) + (SELECT count(*) FROM gone_counters)`);

/** One-time tokens, counters and spent marks on PostgreSQL, each call one statement. */
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
      await each(call, (queries) => queries.run(put, digestOf(key), value, later(call.now, ttlSeconds)));
    },
    take: (key, call) =>
      each(call, async (queries) => {
        const [[value, expiresAt] = [null, 0]] = await queries.all(take, digestOf(key));
        return expiresAt > call.now.getTime() ? value : null;
      }),
    add: (key, ttlSeconds, call) =>
      each(call, async (queries) => {
        const values = [digestOf(key), later(call.now, ttlSeconds), call.now.getTime()] as const;
        return (await queries.run(add, ...values)) === 1;
      }),
    remove: async (keys, call) => {
      if (keys.length > 0) await each(call, (queries) => queries.run(remove, keys.map(digestOf)));
    },
    reserve: async (limits, call) => {
      assertDistinct(limits);
      if (limits.length === 0) return { ok: true };
      return retried(call, isOverLimit, () => each(call, (queries) => reserveAll(queries, limits, call)));
    },
    refund: async (keys, call) => {
      if (keys.length === 0) return;
      const amounts = [...counted(keys)];
      const [digests, counts] = [amounts.map(([key]) => digestOf(key)), amounts.map(([, count]) => count)];
      await each(call, (queries) => queries.run(refund, digests, counts, call.now.getTime()));
    },
    sweep: (limit, call) =>
      each(call, async (queries) => {
        const [[swept] = [0]] = await queries.all(sweep, call.now.getTime(), limit);
        return swept;
      }),
  };
}

async function reserveAll(
  queries: Queries,
  limits: readonly Limit[],
  { now }: StoreCall,
): Promise<Reservation> {
  const amounts = counted(limits.map(({ key }) => key));
  // A key that is named twice is taken from twice, by one row.
  const asked = limits.filter(({ key }, at) => limits.findIndex((other) => other.key === key) === at);
  const values = [
    asked.map(({ key }) => digestOf(key)),
    asked.map(({ key }) => amounts.get(key) ?? 1),
    asked.map(({ limit }) => limit),
    asked.map(({ windowSeconds }) => later(now, windowSeconds)),
    now.getTime(),
  ] as const;
  const rows = await queries.all(tellsLeft(limits) ? reserveTelling : reserve, ...values);
  const keyAt = (place: number): string => asked[place - 1]?.key ?? "";
  const counters = new Map<string, Counted>();
  for (const [place, endsAt, taken] of rows) {
    if (taken < 0) return refusal(keyAt(place), endsAt, now);
    counters.set(keyAt(place), { taken, endsAt });
  }
  return granted(
    limits,
    limits.map(({ key }) => counters.get(key)),
    now,
  );
}

/** Two processes made a counter at the same moment, and together wanted more than its limit. */
function isOverLimit(error: unknown): boolean {
  return isAnswer(error) && error.code === "23514" && error.constraint === "counters_within_limit";
}
