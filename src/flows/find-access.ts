import { isImpersonation } from "../domain/impersonation.ts";
import type { User } from "../domain/user.ts";
import { AuthError } from "../errors.ts";
import { type AccessClaims, type LiveAccess, liveAccess } from "../jwt/access-claims.ts";
import type { Claims } from "../jwt/claims.ts";
import { readByCurrentKeys } from "../jwt/read-by-current-keys.ts";
import type { Reading } from "../jwt/token-reader.ts";
import type { Services } from "../ports/services.ts";
import type { FoundSession } from "../ports/session-store.ts";
import type { TokenServices } from "./token-services.ts";

/** A session as it is in the database now, since something is to be written on its account; null where there is none. */
export async function findSession(
  { stores, call }: Services,
  sessionId: string,
): Promise<Extract<FoundSession, { expired: false }> | null> {
  const [found] = await stores.sessions.find([sessionId], { ...call(), readsThrough: true });
  return found == null || found.expired ? null : found;
}

/** A session that is somebody's, who may use it: active and of its generation; null for any other. */
export async function findLive(services: Services, sessionId: string): Promise<LiveAccess | null> {
  const found = await findSession(services, sessionId);
  if (found === null || found.user === null) return null;
  const { session, user } = found;
  // Who acts in somebody's place gets nothing that outlives it.
  return isUsable(user, session.generation) && !isImpersonation(session) ? { session, user } : null;
}

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

function isUsable(user: User, generation: number): boolean {
  return user.status === "active" && user.generation === generation;
}
