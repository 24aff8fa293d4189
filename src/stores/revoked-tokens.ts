import type { RevokedToken } from "../domain/user.ts";

// On the way of every check, and nearly always empty.
const none = "[]";

/** Revoked tokens as JSON, times as milliseconds. */
export function revokedTokensText(tokens: readonly RevokedToken[]): string {
  if (tokens.length === 0) return none;
  return JSON.stringify(tokens.map(({ tokenId, expiresAt }) => [tokenId, expiresAt.getTime()]));
}

/** Reads {@link revokedTokensText}. Every call makes a new list. */
export function revokedTokensOf(text: string): readonly RevokedToken[] {
  if (text === none) return [];
  const pairs: readonly (readonly [tokenId: string, expiresAt: number])[] = JSON.parse(text);
  return pairs.map(([tokenId, expiresAt]) => ({ tokenId, expiresAt: new Date(expiresAt) }));
}
