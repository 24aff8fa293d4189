import type { Authenticated } from "./authenticate.ts";

/**
 * What the CSRF token of a request is bound to: its session; or, for a proof that browsers send by themselves and that has none,
 * whom it stands for, until all their proofs are ended. Null where there is nothing to protect.
 */
export function csrfBinding({
  principal,
  session,
  isAmbient,
}: Pick<Authenticated, "principal" | "session" | "isAmbient">): string | null {
  if (session !== null) return session.id;
  if (!principal.isAuthenticated || !isAmbient) return null;
  const { user, via, sessionId } = principal;
  // No session's id has a colon.
  return sessionId ?? `proof:${via}:${user.generation}:${user.id}`;
}
