import { setImmediate } from "node:timers/promises";
import { longestSeconds } from "../../config/problems.ts";
import type { AuditRow } from "../../domain/audit.ts";
import { type Doing, type EventOrigin, noOrigin } from "../../domain/event.ts";
import type { AuthenticationMethod, Session } from "../../domain/session.ts";
import type { User } from "../../domain/user.ts";
import { AuthError } from "../../errors.ts";
import type { Services } from "../../ports/services.ts";
import { assertCommitted, refusalError } from "../refusals.ts";
import { commitSignIn } from "../sign-in/commit-sign-in.ts";
import { carriedData, carry, revokedReport, type SignIn, stillLive } from "../sign-in/start-session.ts";
import { rotation } from "./rotate-session.ts";

/** A session that somebody other than a sign-in page starts: an application, a test. */
export interface StartOptions {
  readonly isRemembered?: boolean;
  /** Absolute lifetime of this session, 10 s to 10 years; its idle limit stays as configured. Default: as configured. */
  readonly absoluteSeconds?: number;
  /** Default `["pwd"]`. */
  readonly amr?: readonly AuthenticationMethod[];
  readonly from?: EventOrigin;
  readonly replaces?: Session | null;
  /** When they proved who they are, where that was before: limits and freshness count from then. Default: now. */
  readonly startedAt?: Date;
}

/**
 * Starts a session for a user whom the application has recognised by its own means.
 *
 * @throws AuthError `not_found` - no such user, or one who may not sign in
 * @throws TypeError for an `absoluteSeconds` out of range, or a `startedAt` that lies ahead
 */
export async function startSession(
  services: Services,
  userId: string,
  options: StartOptions = {},
): Promise<SignIn> {
  const user = await services.stores.directory.user(userId, services.call());
  if (user === null || user.status !== "active") throw new AuthError("not_found");
  const from = options.from ?? noOrigin;
  const replaces = options.replaces ?? null;
  const now = services.clock.now();
  const startedAt = options.startedAt ?? now;
  if (!(startedAt <= now)) throw new TypeError("startedAt lies ahead");
  const result = await commitSignIn(services, {
    user,
    generation: user.generation,
    amr: options.amr ?? ["pwd"],
    authTime: startedAt,
    startedAt,
    isRemembered: options.isRemembered ?? false,
    from,
    replaces,
    ...(options.absoluteSeconds !== undefined && { expiresAt: expiry(startedAt, options.absoluteSeconds) }),
    data: carriedData(replaces, user),
  });
  if (!result.ok) throw refusalError(result.refused);
  return result.signIn;
}

function expiry(now: Date, absoluteSeconds: number): Date {
  if (!Number.isInteger(absoluteSeconds) || absoluteSeconds < 10 || absoluteSeconds > longestSeconds)
    throw new TypeError(`absoluteSeconds: a whole number, at least 10 and at most ${longestSeconds}`);
  return new Date(now.getTime() + absoluteSeconds * 1000);
}

/**
 * Ends one session of a user.
 *
 * @returns whether there was such a session; another user's reads as absent
 */
export async function revokeSession(
  services: Services,
  { userId, sessionId }: { readonly userId: string; readonly sessionId: string },
  from: EventOrigin,
  doing: Doing = { by: "self" },
): Promise<boolean> {
  const result = await services.commit([
    { kind: "session.delete", sessionId, userId, ended: revokedReport(services, from, doing) },
  ]);
  return result.ok && stillLive(services, result.ended).length > 0;
}

/**
 * Ends every session of a user, and every proof that is being made right now: the generation moves, so that a sign-in
 * which verified the password before and inserts its session after leaves none behind.
 *
 * @returns how many sessions ended
 * @throws AuthError `not_found`
 */
export async function revokeAllSessions(
  services: Services,
  userId: string,
  from: EventOrigin = noOrigin,
  doing: Doing = { by: "self" },
): Promise<number> {
  for (;;) {
    const user = await services.stores.directory.user(userId, services.call());
    if (user === null) throw new AuthError("not_found");
    const result = await services.commit([
      { kind: "user.advance", userId, from: user.generation },
      { kind: "session.delete_all", userId, except: null, ended: allRevoked(services, userId, from, doing) },
    ]);
    if (result.ok) return stillLive(services, result.ended).length;
    // Somebody moved the generation between the read and the write; what they left is ended by the next turn.
    if (result.refused !== "stale") assertCommitted(result);
  }
}

/**
 * Ends every session of a user but the one that asks, which goes on under a new id.
 *
 * @throws AuthError `conflict` - the asking session ended in the meantime
 */
export async function revokeOtherSessions(
  services: Services,
  { user, current }: { readonly user: User; readonly current: Session },
  from: EventOrigin,
): Promise<SignIn & { readonly ended: number }> {
  const generation = user.generation + 1;
  const { draft, writes } = rotation(services, {
    user,
    current,
    generation,
    authTime: current.authTime,
    from,
  });
  const result = await services.commit([
    { kind: "user.advance", userId: user.id, from: user.generation },
    ...writes,
    {
      kind: "session.delete_all",
      userId: user.id,
      except: draft.session.id,
      ended: allRevoked(services, user.id, from, { by: "self" }),
    },
  ]);
  assertCommitted(result);
  return {
    user: { ...user, generation },
    session: draft.session,
    change: carry(services, draft),
    ended: stillLive(services, result.ended).length,
  };
}

/** How many rows one step of a sweep takes: short enough to let requests in between. */
const sweepBatch = 200;

/** How a sweep tells what it has done so far. */
export interface SweepOptions {
  /** Called after each batch of sessions with their count since the beginning. */
  readonly onProgress?: (count: number) => void;
}

/**
 * Deletes what has expired, letting requests in between batches: sessions (with one `session.expired` each), one-time tokens and counters.
 *
 * @returns how many sessions
 */
export async function sweep(services: Services, { onProgress }: SweepOptions = {}): Promise<number> {
  const { stores, events } = services;
  let count = 0;
  for (;;) {
    // By session: a store may ask for a row again where it runs its transaction again.
    const rows = new Map<string, AuditRow>();
    const ended = await stores.sessions.sweep(
      sweepBatch,
      (expired) =>
        expired.map(({ id, userId }) => {
          const draft = { type: "session.expired", userId, sessionId: id, payload: {} } as const;
          const row = events.row(draft, noOrigin);
          rows.set(id, row);
          return row;
        }),
      services.call(),
    );
    services.published(ended.flatMap(({ id }) => rows.get(id) ?? []));
    count += ended.length;
    onProgress?.(count);
    if (ended.length < sweepBatch) break;
    await setImmediate();
  }
  while ((await stores.ephemeral.sweep(sweepBatch, services.call())) === sweepBatch) await setImmediate();
  return count;
}

function allRevoked(services: Services, userId: string, from: EventOrigin, doing: Doing) {
  const each = revokedReport(services, from, doing);
  return (ended: readonly Session[]) => [
    ...each(ended),
    services.events.row(
      {
        type: "sessions.revoked_all",
        userId,
        sessionId: null,
        payload: { ...doing, count: stillLive(services, ended).length },
      },
      from,
    ),
  ];
}
