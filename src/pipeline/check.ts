import type { Principal } from "../domain/principal.ts";
import type { Session } from "../domain/session.ts";
import { AuthError, asAuthError } from "../errors.ts";
import { eventOrigin, withRequestId } from "../http/event-origin.ts";
import { requestUrl, signInPath } from "../http/next-path.ts";
import { wantsPage } from "../http/wants-page.ts";
import type { SessionChange } from "../ports/change.ts";
import type { Guard } from "../ports/guard.ts";
import type { AuthRequest, ClientInfo } from "../ports/request.ts";
import type { Services } from "../ports/services.ts";
import type { SessionData, Visit } from "../ports/session-data.ts";
import type { Answered, Strategy } from "../ports/strategy.ts";
import { type Authenticated, authenticate, changing, reading, tellAnswer } from "./authenticate.ts";
import { authorize, type Denial } from "./authorize.ts";
import { csrfBinding } from "./csrf-binding.ts";
import { type RouteLimit, takeFromLimit } from "./limit.ts";
import { assertCsrfToken, assertOrigin, isUnsafe } from "./origin.ts";

/** What a check says of a request. */
export type Verdict = Allowed | Refused;

/** The request may go on. */
export interface Allowed {
  readonly ok: true;
  readonly principal: Principal;
  /** The data bag of the request's session. */
  readonly session: SessionData;
  /** To be sealed into the answer. */
  readonly change?: SessionChange;
  /** For who has set {@link Rules.tellsAnswer}: to be told the status of the answer. */
  readonly answered?: Answered;
}

/** The request may not go on. */
export interface Refused {
  readonly ok: false;
  readonly error: AuthError;
  /** Where a page request is sent in place of the error. */
  readonly redirect?: string;
  readonly change?: SessionChange;
  /** For who has set {@link Rules.tellsAnswer}: to be told the status of the answer. */
  readonly answered?: Answered;
}

/** What the pipeline is made of. */
export interface Pipeline {
  readonly services: Services;
  /** In asking order. */
  readonly strategies: readonly Strategy[];
  readonly isFormTokenValid: (token: string, binding: string) => boolean;
  readonly openData: (session: Session | null, visit: Visit) => SessionData;
}

/** What a route asks of its requests. */
export interface Rules {
  readonly guards: readonly Guard[];
  /** Attempts per IP address, whoever it is; only where the route's row names one. */
  readonly limit?: RouteLimit;
  /** Whether it starts a session: then there is no session yet whose CSRF token could be sent, and the origin alone is checked. */
  readonly startsSession?: boolean;
  /** Whether it answers as a read does, whatever its method: then nothing is gained by forging it. */
  readonly changesNothing?: boolean;
  /** Whether the caller makes the answer and tells its status to `answered` of the verdict. Default false: it is told here. */
  readonly tellsAnswer?: boolean;
}

/**
 * The whole way from a request to a verdict: who is it, may this request have been forged, may they go on. Builds no
 * Response and throws nothing; a backend that fails is the refusal `store_unavailable`.
 */
export async function check(
  pipeline: Pipeline,
  request: AuthRequest,
  client: ClientInfo,
  { guards, limit, startsSession = false, changesNothing = false, tellsAnswer = false }: Rules,
): Promise<Verdict> {
  let who: Authenticated | undefined;
  try {
    if (limit !== undefined) await takeFromLimit(pipeline.services, limit, request, client);
    const isUnsafeMethod = isUnsafe(request.method) && !changesNothing;
    const stakes = isUnsafeMethod ? changing : reading;
    const answer = authenticate(pipeline.strategies, request, client, stakes);
    who = answer instanceof Promise ? await answer : answer;
    // A visitor's session came by itself as well, but gives nobody's rights: its origin is checked, as where one starts.
    const isVisitor = who.session !== null && !who.principal.isAuthenticated;
    const originOnly = startsSession || !who.isAmbient;
    if (isUnsafeMethod && (who.isAmbient || isVisitor || startsSession)) {
      await assertNotForged(pipeline, request, client, { who, originOnly });
    }
    const context = { request, now: pipeline.services.clock.now() };
    const asked = authorize(who.principal, guards, context);
    const denial = asked instanceof Promise ? await asked : asked;
    const verdict =
      denial === null
        ? new Pass(pipeline, request, client, who)
        : denied(pipeline, request, client, who, denial);
    if (who.answered !== undefined && !tellsAnswer) tellAnswer(request, who.answered, statusOf(verdict));
    return verdict;
  } catch (thrown) {
    const error = asAuthError(thrown);
    logFailure(pipeline.services, error);
    if (who?.answered !== undefined && !tellsAnswer) tellAnswer(request, who.answered, error.status);
    return { ok: false, error, change: who?.change, answered: who?.answered };
  }
}

function statusOf(verdict: Verdict): number {
  if (verdict.ok) return 200;
  return verdict.redirect === undefined ? verdict.error.status : 302;
}

// A class for its getter: most handlers never open the bag, and a check should not pay for it.
class Pass implements Allowed {
  readonly ok = true;
  readonly principal: Principal;
  readonly change: SessionChange | undefined;
  readonly answered: Answered | undefined;
  readonly #pipeline: Pipeline;
  readonly #request: AuthRequest;
  readonly #client: ClientInfo;
  readonly #session: Session | null;
  #data: SessionData | null = null;

  constructor(pipeline: Pipeline, request: AuthRequest, client: ClientInfo, who: Authenticated) {
    this.principal = who.principal;
    this.change = who.change;
    this.answered = who.answered;
    this.#session = who.session;
    this.#pipeline = pipeline;
    this.#request = request;
    this.#client = client;
  }

  get session(): SessionData {
    this.#data ??= this.#open();
    return this.#data;
  }

  #open(): SessionData {
    const request = this.#request;
    const client = this.#client;
    const { config } = this.#pipeline.services;
    return this.#pipeline.openData(this.#session, {
      method: request.method,
      from: () => eventOrigin(request, client),
      assertOrigin: () => config.csrf && assertOrigin(request, config),
    });
  }
}

/** Both CSRF stages; a refusal is an event. @throws AuthError `origin_rejected`, `csrf_required`, `csrf_failed` */
async function assertNotForged(
  { services, isFormTokenValid }: Pipeline,
  request: AuthRequest,
  client: ClientInfo,
  { who, originOnly }: { readonly who: Authenticated; readonly originOnly: boolean },
): Promise<void> {
  const { config, keys, events } = services;
  const { session, principal } = who;
  if (!config.csrf) return;
  try {
    assertOrigin(request, config);
    if (originOnly) return;
    const binding = csrfBinding(who) ?? "";
    await assertCsrfToken(request, { keys, binding, isFormTokenValid, maxBodyBytes: config.maxBodyBytes });
  } catch (error) {
    const stage = error instanceof AuthError && error.code === "origin_rejected" ? "origin" : "token";
    const { pathname } = requestUrl(request.url);
    const payload = { method: request.method, path: pathname.slice(0, 200), stage } as const;
    const userId = principal.user?.id ?? null;
    const from = eventOrigin(request, withRequestId(client));
    events.report({ type: "csrf.refused", userId, sessionId: session?.id ?? null, payload }, from);
    throw error;
  }
}

function denied(
  { services }: Pipeline,
  request: AuthRequest,
  client: ClientInfo,
  who: Authenticated,
  { guard, decision }: Denial,
): Refused {
  const { config, events } = services;
  const isStranger = decision.code === "not_authenticated";
  const code = isStranger && who.reason !== undefined ? who.reason : decision.code;
  const error = new AuthError(code, {
    message: decision.message,
    diagnosis: `${guard}: ${decision.because}`,
  });
  if (who.principal.isAuthenticated && decision.code === "forbidden" && decision.redirect === undefined) {
    const { pathname } = requestUrl(request.url);
    const payload = {
      method: request.method,
      path: pathname.slice(0, 200),
      because: `${guard}: ${decision.because}`,
    };
    const { id } = who.principal.user;
    const from = eventOrigin(request, withRequestId(client));
    events.report(
      { type: "permission.denied", userId: id, sessionId: who.session?.id ?? null, payload },
      from,
    );
  }
  const page = wantsPage(request, config.basePath);
  const redirect = page
    ? (decision.redirect ?? (isStranger ? signInPath(config.loginPath, request) : undefined))
    : undefined;
  return { ok: false, error, redirect, change: who.change, answered: who.answered };
}

/** Writes failures of the system, not refusals, to the log. */
export function logFailure({ log }: Pick<Services, "log">, error: AuthError): void {
  if (error.status < 500 || error.code === "overloaded") return;
  log.error(error.message, { code: error.code, diagnosis: error.diagnosis }, error.cause);
}
