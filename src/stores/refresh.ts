import type { RefreshFamily } from "../domain/refresh-family.ts";
import { isExpired, type Session } from "../domain/session.ts";
import type { RefreshWrite } from "../ports/detached-sessions.ts";

/**
 * A session with its next refresh token, or null where that is refused: it is expired, or the number of its token is another
 * than `from`. Everything but the tokens and `lastUsedAt` stays.
 */
export function refreshed(
  session: Session,
  { from, family }: Pick<RefreshWrite, "from" | "family">,
  now: Date,
): Session | null {
  if (isExpired(session, now) || (session.refresh?.number ?? null) !== from) return null;
  const { refreshedAt } = family;
  const lastUsedAt = refreshedAt > session.lastUsedAt ? refreshedAt : session.lastUsedAt;
  return { ...session, refresh: family, lastUsedAt };
}

/** A family in columns. */
export type FamilyRow = readonly [digest: Uint8Array, number: number, refreshedAt: number];

/**
 * A family as {@link FamilyRow}.
 *
 * @throws TypeError - the digest is not 32 bytes long, or the number no whole one from 0
 */
export function familyRow({ digest, number, refreshedAt }: RefreshFamily): FamilyRow {
  if (digest.length !== 32) throw new TypeError("a refresh token's digest has 32 bytes");
  if (!Number.isSafeInteger(number) || number < 0)
    throw new TypeError("a refresh token's number is a whole one from 0");
  return [digest, number, refreshedAt.getTime()];
}

/** The family of a row. */
export function familyOfRow([digest, number, refreshedAt]: FamilyRow): RefreshFamily {
  return { digest, number, refreshedAt: new Date(refreshedAt) };
}

/** A family in an engine that keeps text; the digest is base64url. */
export type FamilyCells = readonly [digest: string, number: number, refreshedAt: number];

/** A family as {@link FamilyCells}. @throws TypeError as {@link familyRow} */
export function familyCells(family: RefreshFamily): FamilyCells {
  const [digest, ...rest] = familyRow(family);
  return [Buffer.from(digest).toString("base64url"), ...rest];
}

/** Reads {@link familyCells}. */
export function familyOf([digest, ...rest]: FamilyCells): RefreshFamily {
  return familyOfRow([new Uint8Array(Buffer.from(digest, "base64url")), ...rest]);
}
