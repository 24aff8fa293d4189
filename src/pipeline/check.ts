import type { Config } from "../config.ts";
import type { Principal } from "../domain/principal.ts";
import { isPasswordFirst } from "../domain/rights.ts";
import type { Session } from "../domain/session.ts";
import { AuthError, asAuthError } from "../errors.ts";
import { eventOrigin, originOf } from "../http/event-origin.ts";
import { namelessPath } from "../http/nameless-path.ts";
import { requestUrl, signInPath } from "../http/next-path.ts";
import { requestPaths } from "../http/request-paths.ts";
import { wantsPage } from "../http/wants-page.ts";
import type { SessionChange } from "../ports/change.ts";
import type { DenialCode, Guard, LimitFor, RequestLimit } from "../ports/guard.ts";
import type { AuthRequest, ClientInfo } from "../ports/request.ts";
import type { Services } from "../ports/services.ts";
import type { SessionData, Visit } from "../ports/session-data.ts";
import type { Answered, Strategy } from "../ports/strategy.ts";
import { Asking } from "./asking.ts";
import { type Authenticated, authenticate, changing, reading, tellAnswer } from "./authenticate.ts";
import { authorize, type Denial } from "./authorize.ts";
import { assertNotForged } from "./forged.ts";
import { type RouteLimit, takeFromLimit } from "./limit.ts";
import { assertOrigin, isUnsafe } from "./origin.ts";

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
  /** Asked before those, of requests that open a connection. */
  readonly connecting: readonly Strategy[];
  /** The limit that a request is counted against by who makes it; null where no feature limits anybody. */
  readonly limitFor: LimitFor | null;
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
  /** Whether no proof is looked at, whatever is sent: the answer is the same for everybody, and no store is asked. */
  readonly looksAtNobody?: boolean;
  /** Whether the caller makes the answer and tells its status to `answered` of the verdict. Default false: it is told here. */
  readonly tellsAnswer?: boolean;
}

/**
 * The whole way from a request to a verdict: who is it, may this request have been forged, may they go on. Builds no
 * Response and throws nothing; a backend that fails is the refusal `store_unavailable`.
 */
export function check(
  pipeline: Pipeline,
  request: AuthRequest,
  client: ClientInfo,
  rules: Rules,
): Promise<Verdict> {
  const { telemetry } = pipeline.services;
  if (telemetry === null) return decide(pipeline, request, client, rules);
  return telemetry.during(checking, async (end) => {
    const verdict = await decide(pipeline, request, client, rules);
    end(verdict.ok ? verdict.principal.via : verdict.error.code);
    return verdict;
  });
}

const checking = { kind: "check", name: "check" } as const;

async function decide(
  pipeline: Pipeline,
  request: AuthRequest,
  client: ClientInfo,
  rules: Rules,
): Promise<Verdict> {
  const { guards, limit, changesNothing = false, tellsAnswer = false } = rules;
  let who: Authenticated | undefined;
  let asking: Asking | undefined;
  try {
    if (limit !== undefined) await takeFromLimit(pipeline.services, limit, request, client);
    const isUnsafeMethod = isUnsafe(request.method) && !changesNothing;
    const stakes = isUnsafeMethod || readThrough(guards) ? changing : reading;
    const strategies = rules.looksAtNobody === true ? none : pipeline.strategies;
    const answer = authenticate(strategies, request, client, stakes);
    who = answer instanceof Promise ? await answer : answer;
    // A visitor's session came by itself as well, but gives nobody's rights: its origin is checked, as where one starts.
    const isVisitor = who.session !== null && !who.principal.isAuthenticated;
    const startsSession = rules.startsSession === true || (isUnsafeMethod && startSession(guards));
    const originOnly = startsSession || !who.isAmbient;
    if (isUnsafeMethod && (who.isAmbient || isVisitor || startsSession)) {
      await assertNotForged(pipeline, request, client, { who, originOnly });
    }
    asking = new Asking(pipeline.services, request, client, who);
    let denial: Denial | null = null;
    if (isPasswordFirst(who.principal) && !isForPasswordChange(guards)) denial = passwordFirst;
    else if (pipeline.limitFor !== null && !isForPasswordChange(guards))
      denial = await turnOf(who.principal, asking, pipeline.limitFor);
    if (denial === null) {
      const asked = authorize(who.principal, guards, asking);
      denial = asked instanceof Promise ? await asked : asked;
    }
    const verdict =
      denial === null
        ? new Pass(pipeline, request, client, who, asking.change)
        : denied(pipeline, request, client, who, denial, asking.change);
    if (who.answered !== undefined && !tellsAnswer) tellAnswer(request, who.answered, statusOf(verdict));
    return verdict;
  } catch (thrown) {
    const error = asAuthError(thrown);
    logFailure(pipeline.services, error);
    if (who?.answered !== undefined && !tellsAnswer) tellAnswer(request, who.answered, error.status);
    return { ok: false, error, change: asking?.change ?? who?.change, answered: who?.answered };
  }
}

const none: readonly Strategy[] = [];

// What hangs on how fresh a proof is.
function readThrough(guards: readonly Guard[]): boolean {
  for (const guard of guards) if (guard.readsThrough === true) return true;
  return false;
}

function startSession(guards: readonly Guard[]): boolean {
  for (const guard of guards) if (guard.startsSession === true) return true;
  return false;
}

function isForPasswordChange(guards: readonly Guard[]): boolean {
  return guards.some(({ whilePasswordChange }) => whilePasswordChange === true);
}

// Of the limits that hang on who it is. Each that counts for some reading of the path: which of them the router goes by is not known.
async function turnOf(principal: Principal, asking: Asking, limitFor: LimitFor): Promise<Denial | null> {
  if (!principal.isAuthenticated) return null;
  const limits = new Map<string, RequestLimit>();
  for (const path of requestPaths(asking.request.url)) {
    const found = limitFor(principal, path);
    const limit = found instanceof Promise ? await found : found;
    if (limit !== null) limits.set(limit.counter ?? limit.name, limit);
  }
  for (const limit of limits.values()) {
    const turn = await asking.takeTurn(limit);
    if (!turn.ok) return pastLimit(limit, turn.retryAfterSeconds);
  }
  return null;
}

function pastLimit({ name, limit, windowSeconds }: RequestLimit, retryAfterSeconds: number): Denial {
  const because = `past ${limit} in ${windowSeconds} s`;
  const decision = { allow: false, code: "rate_limited", because, retryAfterSeconds } as const;
  return { guard: `limits of ${name}`, decision };
}

const passwordFirst: Denial = {
  guard: "password",
  decision: {
    allow: false,
    code: "password_change_required",
    because: "another password has to be chosen first",
  },
};

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

  constructor(
    pipeline: Pipeline,
    request: AuthRequest,
    client: ClientInfo,
    who: Authenticated,
    change: SessionChange | undefined,
  ) {
    this.principal = who.principal;
    this.change = change;
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

function denied(
  { services }: Pipeline,
  request: AuthRequest,
  client: ClientInfo,
  who: Authenticated,
  { guard, decision }: Denial,
  change: SessionChange | undefined,
): Refused {
  const { config, events } = services;
  const isStranger = decision.code === "not_authenticated";
  const code = isStranger && who.reason !== undefined ? who.reason : decision.code;
  const error = new AuthError(code, {
    message: decision.message,
    retryAfterSeconds: decision.retryAfterSeconds,
    diagnosis: `${guard}: ${decision.because}`,
  });
  if (who.principal.isAuthenticated && decision.code === "forbidden" && decision.redirect === undefined) {
    const { pathname } = requestUrl(request.url);
    const payload = {
      method: request.method,
      path: namelessPath(pathname, config.basePath).slice(0, 200),
      because: `${guard}: ${decision.because}`,
    };
    const { id } = who.principal.user;
    const from = originOf(who.principal, request, client, services.random);
    events.report(
      { type: "permission.denied", userId: id, sessionId: who.session?.id ?? null, payload },
      from,
    );
  }
  const page = wantsPage(request, config.basePath);
  const redirect = page ? (decision.redirect ?? placeFor(decision.code, config, request)) : undefined;
  return { ok: false, error, redirect, change, answered: who.answered };
}

// Where a page request goes that can be made good.
function placeFor(
  code: DenialCode,
  { loginPath, passwordPath }: Config,
  request: AuthRequest,
): string | undefined {
  if (code === "not_authenticated") return signInPath(loginPath, request);
  return code === "password_change_required" ? passwordPath : undefined;
}

/** Writes failures of the system, not refusals, to the log. */
export function logFailure({ log }: Pick<Services, "log">, error: AuthError): void {
  if (error.status < 500 || error.code === "overloaded") return;
  log.error(error.message, { code: error.code, diagnosis: error.diagnosis }, error.cause);
}
