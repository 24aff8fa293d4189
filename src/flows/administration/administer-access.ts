import type { User } from "../../domain/user.ts";
import { AuthError } from "../../errors.ts";
import type { Services } from "../../ports/services.ts";
import { type Acting, assertMayChange, doing, stillActing } from "../acting.ts";
import type { ApiKeyInfo } from "../api-keys/reads.ts";
import { assertCommitted } from "../refusals.ts";
import { revokeAllSessions, revokeSession } from "../sessions/sessions.ts";
import { audit } from "./life-cycle.ts";

/** Ends every session of somebody, and every sign-in under way; returns how many ended. @throws AuthError `forbidden` */
export async function endSessions(services: Services, user: User, acting: Acting): Promise<number> {
  assertMayChange(services, acting, user);
  return revokeAllSessions(services, user.id, acting.from, doing(acting));
}

/** Ends one session of somebody; false where they have none of this id. @throws AuthError `forbidden` */
export async function endSession(
  services: Services,
  { user, sessionId }: { readonly user: User; readonly sessionId: string },
  acting: Acting,
): Promise<boolean> {
  assertMayChange(services, acting, user);
  return revokeSession(services, { userId: user.id, sessionId }, acting.from, doing(acting));
}

/** The API keys of somebody, newest first. */
export async function apiKeysOf({ stores, call }: Services, user: User): Promise<readonly ApiKeyInfo[]> {
  const keys = await stores.directory.apiKeys(user.id, call());
  return keys.map(({ kind: _, secretDigest: __, ...info }) => info);
}

/** Ends an API key of somebody at once. @throws AuthError `not_found`; `forbidden` */
export async function revokeKeyOf(
  services: Services,
  { user, keyId }: { readonly user: User; readonly keyId: string },
  acting: Acting,
): Promise<void> {
  assertMayChange(services, acting, user);
  const { id: userId } = user;
  const result = await services.commit([
    ...stillActing(acting),
    { kind: "api_key.delete", keyId, userId },
    audit(services, acting, { type: "api_key.revoked", userId, payload: { ...doing(acting), keyId } }),
  ]);
  if (!result.ok && result.refused === "conflict") throw new AuthError("not_found");
  assertCommitted(result);
}
