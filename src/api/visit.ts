import { ipForLimits } from "../domain/ip.ts";
import type { SignedIn } from "../domain/principal.ts";
import type { Session } from "../domain/session.ts";
import { AuthError } from "../errors.ts";
import { eventOrigin, withRequestId } from "../http/event-origin.ts";
import { type Authenticated, authenticate, changing } from "../pipeline/authenticate.ts";
import type { Pipeline } from "../pipeline/check.ts";
import { csrfBinding } from "../pipeline/csrf-binding.ts";
import { takeFromLimit } from "../pipeline/limit.ts";
import { assertOrigin } from "../pipeline/origin.ts";
import type { InSessionContext, SignedInContext, Visit, VisitContext, Visits } from "../ports/visit.ts";

export type { Visit } from "../ports/visit.ts";

/** The visits of a pipeline, which may still have to be built. */
export function bindVisits(pipeline: () => Pipeline): Visits {
  return {
    arriving: (visit) => arriving(pipeline(), visit),
    leaving: (visit) => leaving(pipeline(), visit),
    present: (visit) => present(pipeline(), visit),
    inSession: (visit) => inSession(pipeline(), visit),
    takeFromLimit: (limit, { request, client }) => takeFromLimit(pipeline().services, limit, request, client),
  };
}

/**
 * The context of a flow that starts a session.
 *
 * @throws AuthError `origin_rejected` - another site's form would sign its visitor in as somebody of its choice
 */
export async function arriving(pipeline: Pipeline, visit: Visit): Promise<VisitContext> {
  const { config } = pipeline.services;
  if (config.csrf) assertOrigin(visit.request, config);
  const { session } = await whoIs(pipeline, visit);
  return context(visit, session);
}

/** What the CSRF tokens of a visitor are bound to; null where there is nothing to protect. */
export async function csrfBindingOf(pipeline: Pipeline, visit: Visit): Promise<string | null> {
  return csrfBinding(await whoIs(pipeline, visit));
}

/** The context of a flow that ends a session, if there is one. */
export async function leaving(pipeline: Pipeline, visit: Visit): Promise<VisitContext> {
  return context(visit, (await whoIs(pipeline, visit)).session);
}

/**
 * The context of a flow for somebody who is signed in, with the whole of their rights.
 *
 * @throws AuthError `not_authenticated`, `session_expired`; `forbidden` where the proof is restricted to scopes
 */
export async function present(pipeline: Pipeline, visit: Visit): Promise<SignedInContext> {
  const { principal, session, reason } = await whoIs(pipeline, visit);
  if (!principal.isAuthenticated) throw new AuthError(reason ?? "not_authenticated");
  if (principal.scopes !== null) {
    throw new AuthError("forbidden", { message: "A restricted proof cannot manage the account." });
  }
  return { ...context(visit, session), principal };
}

/** The same, in a session of their own. @throws AuthError `forbidden` where the proof is no session */
export async function inSession(pipeline: Pipeline, visit: Visit): Promise<InSessionContext> {
  const found = await present(pipeline, visit);
  if (found.current === null) throw new AuthError("forbidden", { message: "This needs a session." });
  return { ...found, current: found.current };
}

/**
 * For what hands the caller's session on under a new id, or gives a lasting way in, and asks for no password: an access token lives
 * minutes, and must become neither.
 *
 * @throws AuthError `forbidden`
 */
export function assertCarrier({ via }: SignedIn): void {
  if (via !== "session") throw new AuthError("forbidden", { message: "This needs the browser's session." });
}

// Flows change something, or ask how fresh a proof is.
async function whoIs(pipeline: Pipeline, { request, client }: Visit): Promise<Authenticated> {
  return authenticate(pipeline.strategies, request, client, changing);
}

function context({ request, client }: Visit, current: Session | null): VisitContext {
  return {
    client,
    from: eventOrigin(request, withRequestId(client)),
    limitIp: ipForLimits(client.ip),
    current,
  };
}
