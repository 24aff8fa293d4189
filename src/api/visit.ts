import { ipForLimits } from "../domain/ip.ts";
import type { SignedIn } from "../domain/principal.ts";
import { isPasswordFirst } from "../domain/rights.ts";
import type { Session } from "../domain/session.ts";
import type { Permission } from "../domain/user.ts";
import { AuthError } from "../errors.ts";
import { mostDeviceCookies } from "../flows/sign-in/devices.ts";
import { cookieValues } from "../http/cookies.ts";
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
    holding: (visit, permission) => holding(pipeline(), visit, permission),
    async takeFromLimit(limit, visit) {
      assertVisit(visit);
      await takeFromLimit(pipeline().services, limit, visit.request, visit.client);
    },
  };
}

/**
 * The context of a flow that starts a session.
 *
 * @throws AuthError `origin_rejected` - another site's form would sign its visitor in as somebody of its choice
 */
export async function arriving(pipeline: Pipeline, visit: Visit): Promise<VisitContext> {
  assertVisit(visit);
  const { config } = pipeline.services;
  if (config.csrf) assertOrigin(visit.request, config);
  const { session } = await whoIs(pipeline, visit);
  return context(pipeline, visit, session);
}

/** For {@link present} and {@link inSession}. */
export interface PresentOptions {
  /** Whether it is for somebody too who has to choose another password first. Default false. */
  readonly whilePasswordChange?: boolean;
}

/** What the CSRF tokens of a visitor are bound to; null where there is nothing to protect. */
export async function csrfBindingOf(pipeline: Pipeline, visit: Visit): Promise<string | null> {
  return csrfBinding(await whoIs(pipeline, visit));
}

/** The context of a flow that ends a session, if there is one. */
export async function leaving(pipeline: Pipeline, visit: Visit): Promise<VisitContext> {
  return context(pipeline, visit, (await whoIs(pipeline, visit)).session);
}

/**
 * The context of a flow for somebody who is signed in, with the whole of their rights.
 *
 * @throws AuthError `not_authenticated`, `session_expired`; `password_change_required`; `forbidden` where the proof is restricted to scopes, or somebody
 * else acts in their place
 */
export async function present(
  pipeline: Pipeline,
  visit: Visit,
  { whilePasswordChange = false }: PresentOptions = {},
): Promise<SignedInContext> {
  const { principal, session, reason } = await whoIs(pipeline, visit);
  if (!principal.isAuthenticated) throw new AuthError(reason ?? "not_authenticated");
  if (!whilePasswordChange && isPasswordFirst(principal)) throw new AuthError("password_change_required");
  if (principal.scopes !== null) {
    throw new AuthError("forbidden", { message: "A restricted proof cannot manage the account." });
  }
  assertThemselves(principal);
  return { ...context(pipeline, visit, session), principal, isFresh: isFresh(pipeline, principal, session) };
}

/**
 * The context of a flow of administration.
 *
 * @throws AuthError `not_authenticated`, `session_expired`; `forbidden`, also where somebody else acts in their place
 */
export async function holding(
  pipeline: Pipeline,
  visit: Visit,
  permission: Permission,
): Promise<SignedInContext> {
  const { principal, session, reason } = await whoIs(pipeline, visit);
  if (!principal.isAuthenticated) throw new AuthError(reason ?? "not_authenticated");
  assertThemselves(principal);
  const finding = pipeline.services.rights.decide(principal, { kind: "permission", anyOf: [permission] });
  if (!finding.allow) throw new AuthError(finding.code, { diagnosis: finding.because });
  return { ...context(pipeline, visit, session), principal, isFresh: isFresh(pipeline, principal, session) };
}

// Of a session alone: other proofs are made anew for each request and say nothing of the person being there.
function isFresh({ services }: Pipeline, { via }: SignedIn, current: Session | null): boolean {
  const authTime = via === "session" ? (current?.authTime ?? null) : null;
  if (authTime === null) return false;
  return services.clock.now().getTime() - authTime.getTime() < services.config.freshSeconds * 1000;
}

/** The same, in a session of their own. @throws AuthError `forbidden` where the proof is no session */
export async function inSession(
  pipeline: Pipeline,
  visit: Visit,
  options?: PresentOptions,
): Promise<InSessionContext> {
  const found = await present(pipeline, visit, options);
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

/** For what is a person's own business. @throws AuthError `forbidden` where somebody else acts in their place */
export function assertThemselves({ impersonator }: SignedIn): void {
  if (impersonator == null) return;
  throw new AuthError("forbidden", { message: "This cannot be done in somebody else's place." });
}

// Flows change something, or ask how fresh a proof is.
async function whoIs(pipeline: Pipeline, visit: Visit): Promise<Authenticated> {
  assertVisit(visit);
  const { request, client } = visit;
  return authenticate(pipeline.strategies, request, client, changing);
}

/**
 * Refuses what is no visit. JavaScript leaves it out easily, and then nothing tells whose session it is about.
 *
 * @throws TypeError with the fix
 */
export function assertVisit(visit: Visit | undefined): void {
  const { request, client } = visit ?? {};
  if (typeof request?.headers?.get === "function" && client !== undefined) return;
  throw new TypeError(
    "the visit is missing, the request on whose behalf this is done: { request, client }, or `visit` of the adapter",
  );
}

function context(
  { services: { config, random } }: Pipeline,
  { request, client }: Visit,
  current: Session | null,
): VisitContext {
  return {
    client,
    from: eventOrigin(request, withRequestId(client, random)),
    limitIp: ipForLimits(client.ip),
    current,
    devices: cookieValues(request.headers.get("cookie"), `${config.cookie.name}-device`, mostDeviceCookies),
  };
}
