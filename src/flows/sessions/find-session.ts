import { isImpersonation } from "../../domain/impersonation.ts";
import type { User } from "../../domain/user.ts";
import type { LiveAccess } from "../../jwt/access-claims.ts";
import type { Services } from "../../ports/services.ts";
import type { FoundSession } from "../../ports/session-store.ts";

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

function isUsable(user: User, generation: number): boolean {
  return user.status === "active" && user.generation === generation;
}
