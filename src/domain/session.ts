import { hash, timingSafeEqual } from "node:crypto";
import type { RefreshFamily } from "./refresh-family.ts";

/** How a person authenticated; `imp` says that somebody else acts in their place. @see RFC 8176 */
export type AuthenticationMethod = "pwd" | "otp" | "hwk" | "swk" | "fed" | "email" | "mfa" | "imp";

/** The JSON object that an application keeps on a session; 4 KiB in all. */
export type SessionBag = Readonly<Record<string, unknown>>;

/** A sign-in, or a visitor's data bag, that can be revoked. The secret itself is never part of it. */
export interface Session {
  /** Public id, 24 characters; begins with the user's slot tag. */
  readonly id: string;
  /** SHA-256 of the secret, 32 bytes. */
  readonly secretDigest: Uint8Array;
  /** Null for a visitor who is not signed in. */
  readonly userId: string | null;
  /** The user's generation when the credential was verified; 0 for a visitor. */
  readonly generation: number;
  /** When the person last proved who they are; null for a visitor. */
  readonly authTime: Date | null;
  readonly amr: readonly AuthenticationMethod[];
  readonly isRemembered: boolean;
  readonly createdAt: Date;
  /** Exact to one touch interval. */
  readonly lastUsedAt: Date;
  /** Idle limit; moves with use, never past `expiresAt`. */
  readonly idleExpiresAt: Date;
  /** Absolute limit. */
  readonly expiresAt: Date;
  readonly ip: string | null;
  readonly userAgent: string | null;
  /** Id of the session that this one replaced, or null. Of an impersonation (`amr` has `imp`): the impersonator's, which goes on. */
  readonly rotatedFrom: string | null;
  readonly data: SessionBag;
  /** Counts writes of `data`, for compare-and-swap. */
  readonly dataVersion: number;
  /** Its refresh tokens; null where it has none. It ends with its session. */
  readonly refresh: RefreshFamily | null;
}

/** Lifetimes of a session, in seconds. */
export interface SessionLifetimes {
  readonly idleSeconds: number;
  readonly absoluteSeconds: number;
}

/** Whether a session is past its idle or its absolute limit; the instant of the limit itself is past it. */
export function isExpired(session: Pick<Session, "idleExpiresAt" | "expiresAt">, now: Date): boolean {
  const at = now.getTime();
  return at >= session.idleExpiresAt.getTime() || at >= session.expiresAt.getTime();
}

/** Where the idle limit lies for a session used at `usedAt`: `idleSeconds` later, never past the absolute limit. */
export function idleLimit(usedAt: Date, idleSeconds: number, expiresAt: Date): Date {
  return new Date(Math.min(usedAt.getTime() + idleSeconds * 1000, expiresAt.getTime()));
}

/** Seconds between two writes of "last used": 60, or a tenth of the idle limit where that is less; at least 1. */
export function touchIntervalSeconds(idleSeconds: number): number {
  return Math.max(1, Math.min(60, Math.floor(idleSeconds / 10)));
}

const tokenShape = /^([A-Za-z0-9]{24})\.([A-Za-z0-9_-]{43})$/;

/** A session token as a cookie carries it. */
export interface SessionToken {
  readonly id: string;
  /** 256 bits, base64url. */
  readonly secret: string;
}

/** Reads `id.secret`; null for anything that was never handed out in this form. */
export function parseSessionToken(token: string): SessionToken | null {
  if (token.length !== 68) return null;
  const match = tokenShape.exec(token);
  return match === null ? null : { id: match[1] as string, secret: match[2] as string };
}

/** Whether both parts of a token are as they are handed out. */
export function isSessionToken({ id, secret }: SessionToken): boolean {
  return parseSessionToken(`${id}.${secret}`) !== null;
}

/** Writes `id.secret`. */
export function formatSessionToken(token: SessionToken): string {
  return `${token.id}.${token.secret}`;
}

/** SHA-256 of a session's secret, 32 bytes: what is stored. */
export function digestSecret(secret: string): Uint8Array {
  return hash("sha256", secret, "buffer");
}

/** Whether a presented secret is the session's, in a time that does not tell how much of it is right. */
export function isSecretOf({ secretDigest }: Pick<Session, "secretDigest">, secret: string): boolean {
  // As text, and from there into Node's pool: a digest asked for as a buffer gets memory of its own at each check, which costs
  // more than the hash.
  return timingSafeEqual(Buffer.from(hash("sha256", secret, "binary"), "binary"), secretDigest);
}

/** In the place of a secret's digest where a session has no secret: nothing that anybody could send has this digest. */
export const noSecretDigest: Uint8Array = new Uint8Array(32);

/** Whether a session is carried by access and refresh tokens, and by no cookie. */
export function isTokenSession({ secretDigest }: Pick<Session, "secretDigest">): boolean {
  return secretDigest.every((byte) => byte === 0);
}

/** Length of a user's slot tag and of a whole session id, in base62 characters. */
export const slotTagLength = 8;
export const sessionIdLength = 24;
