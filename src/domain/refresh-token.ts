import { createHmac, hash, timingSafeEqual } from "node:crypto";
import type { RefreshFamily } from "./refresh-family.ts";
import type { RevokedToken } from "./user.ts";

/** A refresh token taken apart. */
export interface RefreshToken {
  /** Public id of its session. */
  readonly sessionId: string;
  /** How many came before it; see {@link numberAfterRestart}. */
  readonly number: number;
  /** 256 bits, base64url. */
  readonly secret: string;
}

/** A refresh token as somebody presents it; the tag says whether it was minted here. */
export interface PresentedRefreshToken extends RefreshToken {
  readonly tag: string;
}

/** Keys of one use: the first signs, all verify. */
type DerivedKeys = readonly [Uint8Array, ...Uint8Array[]];

const shape = /^lkr_([A-Za-z0-9]{24})\.(0|[1-9]\d{0,14})\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{22})$/;

/** Numbers between two starts of the tokens of one session: nobody refreshes that often. */
const perStart = 1_000_000;

/** Reads `lkr_<session>.<number>.<secret>.<tag>`; null for anything of another shape. Nothing is verified by reading. */
export function parseRefreshToken(text: string): PresentedRefreshToken | null {
  const match = shape.exec(text);
  if (match === null) return null;
  const [, sessionId = "", number = "", secret = "", tag = ""] = match;
  return { sessionId, number: Number(number), secret, tag };
}

/** Writes a token with its tag. */
export function formatRefreshToken(token: RefreshToken, tagKeys: DerivedKeys): string {
  return `${bodyOf(token)}.${tagOf(tagKeys[0], token)}`;
}

/**
 * Whether a token was minted here, whatever has become of it since. Asked before anything is looked up: who knows a session's
 * id can neither probe for it nor end it by sending made-up tokens, and a real one is known as such at any age.
 */
export function isMinted(token: PresentedRefreshToken, tagKeys: DerivedKeys): boolean {
  const given = Buffer.from(token.tag);
  return tagKeys.some((key) => timingSafeEqual(Buffer.from(tagOf(key, token)), given));
}

/**
 * The token that comes after one: derived from it, so that it can be answered again to who lost the answer, and is stored
 * nowhere.
 */
export function successorOf(token: RefreshToken, key: Uint8Array): RefreshToken {
  const number = token.number + 1;
  const secret = createHmac("sha256", key)
    .update(`${bodyOf(token)}|${number}`)
    .digest("base64url");
  return { sessionId: token.sessionId, number, secret };
}

/** What is stored of a token. */
export function familyAt(token: RefreshToken, refreshedAt: Date): RefreshFamily {
  return { digest: digestOf(token), number: token.number, refreshedAt };
}

/** Whether a token is the one on record. */
export function isOnRecord(token: RefreshToken, family: RefreshFamily): boolean {
  return token.number === family.number && timingSafeEqual(digestOf(token), family.digest);
}

/**
 * The number that the tokens of a session start from anew, so that those handed out before are told apart from reused ones.
 *
 * @param revoked - of the session's user
 */
export function numberAfterRestart(
  sessionId: string,
  family: RefreshFamily | null,
  revoked: readonly RevokedToken[],
): number {
  const last = family === null ? -1 : startOf(family.number);
  return (Math.max(last, lastRevokedStart(sessionId, revoked)) + 1) * perStart;
}

/** How the record of a user's revoked tokens names all refresh tokens of a session up to one and those that come of it. */
export function revokedRefreshId({ sessionId, number }: Pick<RefreshToken, "sessionId" | "number">): string {
  return `${revokedPrefix(sessionId)}${startOf(number)}`;
}

/** Whether a refresh token was revoked, or another that was started with it or after it. */
export function isRevokedRefresh(token: RefreshToken, revoked: readonly RevokedToken[]): boolean {
  return startOf(token.number) <= lastRevokedStart(token.sessionId, revoked);
}

/** Whether an entry of that record is about the refresh tokens of a session. */
export function isRefreshOf(sessionId: string, { tokenId }: RevokedToken): boolean {
  return tokenId.startsWith(revokedPrefix(sessionId));
}

function lastRevokedStart(sessionId: string, revoked: readonly RevokedToken[]): number {
  const starts = revoked
    .filter((each) => isRefreshOf(sessionId, each))
    .map(({ tokenId }) => Number(tokenId.slice(revokedPrefix(sessionId).length)));
  return Math.max(-1, ...starts);
}

function revokedPrefix(sessionId: string): string {
  return `refresh.${sessionId}.`;
}

/** Whether a token is of a start before or after the one on record: it works no more, and its use says nothing about theft. */
export function isOfAnotherStart(token: RefreshToken, family: RefreshFamily): boolean {
  return startOf(token.number) !== startOf(family.number);
}

function startOf(number: number): number {
  return Math.floor(number / perStart);
}

function bodyOf({ sessionId, number, secret }: RefreshToken): string {
  return `lkr_${sessionId}.${number}.${secret}`;
}

// 128 bits, as text: of a tag with spare bits only one spelling is right.
function tagOf(key: Uint8Array, token: RefreshToken): string {
  return createHmac("sha256", key).update(bodyOf(token)).digest().subarray(0, 16).toString("base64url");
}

function digestOf(token: RefreshToken): Uint8Array {
  return hash("sha256", bodyOf(token), "buffer");
}
