import type { EphemeralStore, Limit, Reservation } from "../../ports/ephemeral-store.ts";
import { assertDistinct } from "../distinct-limits.ts";
import { type Counted, granted } from "../left.ts";
import { later, refusal } from "../sql/ephemeral.ts";
import type { Parts } from "./parts.ts";
import type { Prepare, Statement } from "./statement.ts";

interface EphemeralStatements {
  readonly read: Statement<readonly [value: string]>;
  readonly put: Statement;
  readonly take: Statement<readonly [value: string, expiresAt: number]>;
  readonly add: Statement;
  readonly remove: Statement;
  readonly removeCounter: Statement;
  readonly reserve: Statement<readonly [taken: number, expiresAt: number]>;
  readonly refund: Statement;
  readonly refundLast: Statement;
  readonly sweep: Statement;
  readonly sweepCounters: Statement;
}

function ephemeralStatements(prepare: Prepare): EphemeralStatements {
  return {
    read: prepare("SELECT value FROM ephemeral WHERE key = ? AND expires_at > ?"),
    put: prepare("INSERT OR REPLACE INTO ephemeral (key, value, expires_at) VALUES (?, ?, ?)"),
    take: prepare("DELETE FROM ephemeral WHERE key = ? RETURNING value, expires_at"),
    add: prepare(`
      INSERT INTO ephemeral (key, value, expires_at) VALUES (?, '', ?)
      ON CONFLICT (key) DO UPDATE SET value = '', expires_at = excluded.expires_at WHERE expires_at <= ?`),
    remove: prepare("DELETE FROM ephemeral WHERE key = ?"),
    removeCounter: prepare("DELETE FROM counters WHERE key = ?"),
    // An ended window begins anew with this attempt.
    reserve: prepare(`
      INSERT INTO counters (key, taken, expires_at) VALUES (?, 1, ?)
      ON CONFLICT (key) DO UPDATE SET
        taken = iif(expires_at > ?, taken + 1, 1),
        expires_at = iif(expires_at > ?, expires_at, excluded.expires_at)
      RETURNING taken, expires_at`),
    refund: prepare("UPDATE counters SET taken = taken - 1 WHERE key = ? AND taken > 1 AND expires_at > ?"),
    // What attempts that succeed leave behind would otherwise stay until a sweep.
    refundLast: prepare("DELETE FROM counters WHERE key = ? AND taken <= 1 AND expires_at > ?"),
    sweep: prepare(`
      DELETE FROM ephemeral WHERE key IN (SELECT key FROM ephemeral WHERE expires_at <= ? LIMIT ?)`),
    sweepCounters: prepare(`
      DELETE FROM counters WHERE key IN (SELECT key FROM counters WHERE expires_at <= ? LIMIT ?)`),
  };
}

/** One-time tokens, counters and spent marks on SQLite. */
export function ephemeralStore({ connection, run, ping, close }: Parts): EphemeralStore {
  const prepared = connection.prepared(ephemeralStatements);
  return {
    engine: connection.engine,
    ping,
    close,
    read: (key, call) =>
      connection.read(() => prepared().read.get(key, call.now.getTime())?.[0] ?? null, call),
    put: (key, value, ttlSeconds, call) =>
      run(call, () => {
        prepared().put.run(key, value, later(call.now, ttlSeconds));
      }),
    take: (key, call) =>
      run(call, () => {
        const [[value, expiresAt] = [null, 0]] = prepared().take.all(key);
        return expiresAt > call.now.getTime() ? value : null;
      }),
    add: (key, ttlSeconds, call) =>
      run(call, () => prepared().add.run(key, later(call.now, ttlSeconds), call.now.getTime()).changes === 1),
    remove: (keys, call) =>
      run(call, () => {
        for (const key of keys) {
          prepared().remove.run(key);
          prepared().removeCounter.run(key);
        }
      }),
    reserve: (limits, call) =>
      run(
        call,
        () => reserve(prepared(), limits, call.now),
        ({ ok }) => ok,
      ),
    refund: (keys, call) =>
      run(call, () => {
        for (const key of keys) {
          prepared().refundLast.run(key, call.now.getTime());
          prepared().refund.run(key, call.now.getTime());
        }
      }),
    sweep: (limit, call) =>
      run(call, () => {
        const swept = Number(prepared().sweep.run(call.now.getTime(), limit).changes);
        return swept + Number(prepared().sweepCounters.run(call.now.getTime(), limit - swept).changes);
      }),
  };
}

// Takes from all and looks at what it took: where one counter went past its limit, the transaction is undone.
function reserve({ reserve: take }: EphemeralStatements, limits: readonly Limit[], now: Date): Reservation {
  assertDistinct(limits);
  let last: { readonly key: string; readonly freesAt: number } | null = null;
  const counters: Counted[] = [];
  for (const { key, limit, windowSeconds } of limits) {
    const [[taken, freesAt] = [0, 0]] = take.all(
      key,
      later(now, windowSeconds),
      now.getTime(),
      now.getTime(),
    );
    counters.push({ taken, endsAt: freesAt });
    if (taken > limit && (last === null || freesAt > last.freesAt)) last = { key, freesAt };
  }
  return last === null ? granted(limits, counters, now) : refusal(last.key, last.freesAt, now);
}
