import { isImpersonation, mayImpersonate } from "../domain/impersonation.ts";
import { signedInAs } from "../domain/principal.ts";
import type { Session } from "../domain/session.ts";
import type { User } from "../domain/user.ts";
import type { Services } from "../ports/services.ts";
import type { Outcome, Stakes } from "../ports/strategy.ts";
import { touch } from "./touch.ts";

/** A session whose secret was presented, with the owner as of now. */
export interface Live {
  readonly session: Session;
  readonly user: User | null;
}

/** Whether the owner of a session may use it: active, and of its generation. */
export function isUsable({ session, user }: Live): boolean {
  return user !== null && user.status === "active" && user.generation === session.generation;
}

/**
 * Accepts a session in which somebody acts in its user's place: only while that somebody's own session is live, and they may still do
 * so. A second read, made for such sessions alone.
 *
 * @returns null where the cookie is as good as none
 */
export async function impersonated(
  services: Services,
  { session, user }: Live,
  stakes: Stakes | undefined,
): Promise<Outcome | null> {
  const { stores, rights } = services;
  if (session.rotatedFrom === null || user === null) return null;
  const call = stakes?.readsThrough ? { ...services.call(), readsThrough: true } : services.call();
  const [found] = await stores.sessions.find([session.rotatedFrom], call);
  if (found == null || found.expired || found.user === null || !isUsable(found)) return null;
  if (isImpersonation(found.session) || !mayImpersonate(rights, found.user, user)) return null;
  touch(services, session);
  // It has no cookie meanwhile, and must not run out of use.
  touch(services, found.session);
  const { id, amr, authTime, createdAt } = session;
  const proof = { via: "session", amr, authTime: authTime ?? createdAt, sessionId: id, scopes: null };
  return { kind: "accepted", session, principal: signedInAs(user, { ...proof, impersonator: found.user }) };
}
