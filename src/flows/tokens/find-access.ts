import { AuthError } from "../../errors.ts";
import { type AccessClaims, type LiveAccess, liveAccess } from "../../jwt/access-claims.ts";
import type { Claims } from "../../jwt/claims.ts";
import { readByCurrentKeys } from "../../jwt/read-by-current-keys.ts";
import type { Reading } from "../../jwt/token-reader.ts";
import type { TokenServices } from "./token-services.ts";

/** Reads an access token by the keys as they are now. @throws AuthError `store_unavailable` - they cannot be read */
export async function readAccess(
  { clock, tokens }: TokenServices,
  token: string,
): Promise<Reading<AccessClaims>> {
  return readByCurrentKeys(tokens.reader, tokens.refreshKeys, token, () => clock.now().getTime());
}

/** What a verified token stands for now; null where its session, account or the token itself has ended. */
export async function findAccess(
  { stores, call, tokens }: TokenServices,
  content: AccessClaims,
  claims: Claims,
): Promise<LiveAccess | null> {
  const [found] = await stores.sessions.find([content.sessionId], call());
  const live = liveAccess(content, found ?? null);
  if (typeof live === "string") return null;
  return tokens.accepts === null || (await tokens.accepts(claims, live.user)) ? live : null;
}

/** A token that is presented as a proof and is none. `diagnosis` says why to the operator; the wire does not. */
export function tokenRefused(diagnosis: string): AuthError {
  return new AuthError("token_invalid", {
    status: 401,
    message: "The token is unknown, expired or revoked.",
    diagnosis,
  });
}
