import { csrfToken } from "../../domain/csrf.ts";
import { type Doing, type EventOrigin, noOrigin } from "../../domain/event.ts";
import { isImpersonation } from "../../domain/impersonation.ts";
import { randomSecret, randomSessionId, randomSlotTag } from "../../domain/random.ts";
import {
  type AuthenticationMethod,
  digestSecret,
  idleLimit,
  isExpired,
  isTokenSession,
  noSecretDigest,
  type Session,
  type SessionBag,
  type SessionLifetimes,
} from "../../domain/session.ts";
import type { User } from "../../domain/user.ts";
import type { SessionChange } from "../../ports/change.ts";
import type { Services } from "../../ports/services.ts";
import type { Report, SessionLimit, Write } from "../../ports/store.ts";
import { leavingWrites } from "../leave-impersonation.ts";

/** A sign-in as its caller gets it. The token is in `change`, answered once and never stored. */
export interface SignIn {
  readonly user: User;
  /** Its `data` is what this request had read; the stored bag also has what other requests wrote since. */
  readonly session: Session;
  /** For `seal`. */
  readonly change: SessionChange;
}

/** What a new session is to be. */
export interface NewSession {
  /** Null for a visitor's data bag. */
  readonly user: User | null;
  /** Generation that was read together with the verified credential. */
  readonly generation: number;
  readonly amr: readonly AuthenticationMethod[];
  readonly authTime: Date | null;
  readonly isRemembered: boolean;
  /** What its limits are counted from. Default: now. */
  readonly startedAt?: Date;
  readonly from: EventOrigin;
  /** The session that this browser carried until now: it dies in the same transaction. */
  readonly replaces: Session | null;
  /** Absolute limit to keep when a session is rotated; default: counted from its start. */
  readonly expiresAt?: Date;
  readonly data: SessionBag;
  /** Makes it a session that tokens carry and no cookie, idle and absolute limit in one. */
  readonly tokenSession?: TokenSession;
}

/** What a session that tokens carry is to be. */
export interface TokenSession {
  readonly ttlSeconds: number;
}

/** A session record and the token whose secret only the browser will know. */
export interface DraftSession {
  readonly session: Session;
  readonly token: string;
}

/** Makes the record of a session, with a secret of 256 bits of which only the digest is in it. */
export function draftSession(services: Services, wanted: NewSession): DraftSession {
  const { config, clock, random } = services;
  const now = wanted.startedAt ?? clock.now();
  const bytes = (length: number): Uint8Array => random.bytes(length);
  const id = randomSessionId(wanted.user?.slotTag ?? randomSlotTag(bytes), bytes);
  const secret = randomSecret(bytes);
  const { tokenSession } = wanted;
  const { idleSeconds, absoluteSeconds } =
    tokenSession === undefined
      ? lifetimes(services, wanted.isRemembered)
      : { idleSeconds: tokenSession.ttlSeconds, absoluteSeconds: tokenSession.ttlSeconds };
  const expiresAt = wanted.expiresAt ?? new Date(now.getTime() + absoluteSeconds * 1000);
  const visitorIdle = config.session.absoluteSeconds;
  const session: Session = {
    id,
    secretDigest: tokenSession === undefined ? digestSecret(secret) : noSecretDigest,
    userId: wanted.user?.id ?? null,
    generation: wanted.user === null ? 0 : wanted.generation,
    authTime: wanted.authTime,
    amr: wanted.amr,
    isRemembered: wanted.isRemembered,
    createdAt: now,
    lastUsedAt: now,
    idleExpiresAt: idleLimit(now, wanted.user === null ? visitorIdle : idleSeconds, expiresAt),
    expiresAt,
    ip: wanted.from.ip,
    userAgent: wanted.from.userAgent,
    rotatedFrom: wanted.replaces?.id ?? null,
    data: wanted.data,
    dataVersion: 0,
    refresh: null,
  };
  const sealed = tokenSession === undefined ? services.sealedSessions : null;
  return { session, token: sealed?.seal(session) ?? services.sessionTokens.format({ id, secret }) };
}

/** Idle and absolute lifetime of a session, by whether it is remembered. */
export function lifetimes(services: Pick<Services, "config">, isRemembered: boolean): SessionLifetimes {
  const { session } = services.config;
  return isRemembered
    ? { idleSeconds: session.rememberedIdleSeconds, absoluteSeconds: session.rememberedAbsoluteSeconds }
    : { idleSeconds: session.idleSeconds, absoluteSeconds: session.absoluteSeconds };
}

/** What the browser is told of a session that it is to carry from now on; nothing of one that tokens carry. */
export function carry(services: Services, { session, token }: DraftSession): SessionChange {
  if (isTokenSession(session)) return {};
  const { config } = services;
  // Up, so that the milliseconds of the sign-in do not make 2,591,999 s of 30 days.
  const left = Math.max(0, Math.ceil((session.expiresAt.getTime() - services.clock.now().getTime()) / 1000));
  const maxAgeSeconds = session.isRemembered ? left : config.cookie.maxAgeSeconds;
  return { session: { token, maxAgeSeconds, csrfToken: mintCsrfToken(services, session.id) } };
}

/** A fresh CSRF token. @param binding - the session's id, or what stands for a proof without one */
export function mintCsrfToken({ keys, random }: Pick<Services, "keys" | "random">, binding: string): string {
  return csrfToken(binding, random.bytes(32), (text) => keys.sign("csrf", text));
}

/** The limit of a user's live sessions, and the rows of those that go for it. */
export function limitOf(
  { config, events }: Services,
  userId: string | null,
  from: EventOrigin,
): SessionLimit {
  const cap = config.session.maxPerUser;
  const draft = { type: "session.evicted", userId, payload: { cap } } as const;
  return { cap, evicted: (ended) => ended.map(({ id }) => events.row({ ...draft, sessionId: id }, from)) };
}

/**
 * The writes that start a session of a user at sign-in: the new one in, the one that the browser carried out (of an impersonation
 * both), the least recently used beyond the cap out, and the audit rows of all that.
 */
export function sessionWrites(services: Services, { session }: DraftSession, wanted: NewSession): Write[] {
  const { events } = services;
  const { from, replaces } = wanted;
  const userId = session.userId;
  const insert = { session, ...limitOf(services, userId, from) };
  const started = {
    type: "session.started",
    userId,
    sessionId: session.id,
    payload: { isVisitor: userId === null },
  } as const;
  const record: Write = { kind: "audit.insert", row: events.row(started, from) };
  if (replaces === null) return [{ kind: "session.insert", ...insert }, record];
  // Nothing goes over from it, not even to the person themselves: somebody else has worked in it.
  if (isImpersonation(replaces))
    return [...leavingWrites(services, replaces, from), { kind: "session.insert", ...insert }, record];
  const ended = replacedReport(services, { replaces, session, from });
  return [{ kind: "session.replace", ...insert, replaces: replaces.id, ended }, record];
}

// The same person's older session is rotated; somebody else's ends; a visitor's goes over silently with its data.
function replacedReport(
  services: Services,
  {
    replaces,
    session,
    from,
  }: { readonly replaces: Session; readonly session: Session; readonly from: EventOrigin },
): Report {
  const { id: sessionId, userId } = session;
  if (replaces.userId === null) return () => [];
  if (replaces.userId !== userId) return revokedReport(services, from);
  return (ended) =>
    ended.map(({ id: rotatedFrom }) =>
      services.events.row({ type: "session.rotated", userId, sessionId, payload: { rotatedFrom } }, from),
    );
}

/** Rows saying that sessions were revoked; one that had expired before and was only not swept yet is told as that. */
export function revokedReport(services: Services, from: EventOrigin, doing: Doing = { by: "self" }): Report {
  const { events } = services;
  return (ended) =>
    ended.map((session) => {
      const { id: sessionId, userId } = session;
      return stillLive(services, [session]).length === 0
        ? // Time ended it, and not the request that found it.
          events.row({ type: "session.expired", userId, sessionId, payload: {} }, noOrigin)
        : events.row({ type: "session.revoked", userId, sessionId, payload: doing }, from);
    });
}

/** Those of the ended sessions that had not expired before. */
export function stillLive({ clock }: Services, ended: readonly Session[]): readonly Session[] {
  const now = clock.now();
  return ended.filter((session) => !isExpired(session, now));
}

/** The data that a new session of `user` takes over: a visitor's, or their own; never another user's, nor an impersonation's. */
export function carriedData(replaces: Session | null, user: User): SessionBag {
  if (replaces === null || isImpersonation(replaces)) return {};
  return replaces.userId === null || replaces.userId === user.id ? replaces.data : {};
}
