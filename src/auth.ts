import { bindFollowers, type EventFollowers } from "./api/followers.ts";
import { bindForms, type Forms } from "./api/forms.ts";
import { bindSessions, type Sessions } from "./api/sessions.ts";
import { bindUsers, type Users } from "./api/users.ts";
import { bindVisits } from "./api/visit.ts";
import type { ConfigOptions } from "./config/options.ts";
import { assertUsable, type Config, readConfig } from "./config.ts";
import { type Explanation, explain, type OwnedResource } from "./domain/explain.ts";
import { kept } from "./domain/kept.ts";
import { ownProofs, type Principal } from "./domain/principal.ts";
import type { Roles } from "./domain/rights.ts";
import type { Permission, User } from "./domain/user.ts";
import { asAuthError } from "./errors.ts";
import type { Feature } from "./features/feature.ts";
import {
  type Features,
  installFeatures,
  limitForOf,
  mailsOf,
  passwordServices,
  useFeature,
} from "./features/installed.ts";
import { loadRoutes } from "./features/routes.ts";
import { type FormTokens, formTokens } from "./flows/form-tokens.ts";
import { sessionData } from "./flows/sessions/session-data.ts";
import { sealedSessions } from "./jwt/sealed-sessions.ts";
import { authenticate, changing, inAskingOrder, reading, tellAnswer } from "./pipeline/authenticate.ts";
import { check, logFailure, type Pipeline, type Verdict } from "./pipeline/check.ts";
import { type Confirmation, checkConnection, type Opened, recheckConnection } from "./pipeline/connection.ts";
import { handleRoute } from "./pipeline/handle.ts";
import { type RouteLimit, takeFromLimit } from "./pipeline/limit.ts";
import { isUnsafe } from "./pipeline/origin.ts";
import { type Protect, protection } from "./pipeline/protect.ts";
import { type ErrorAnswer, errorAnswer, guardedOnError, type OnError } from "./pipeline/respond.ts";
import { routeTable } from "./pipeline/route-table.ts";
import { type HeaderSink, seal } from "./pipeline/seal.ts";
import type { SessionChange } from "./ports/change.ts";
import type { Clock, Random } from "./ports/clock.ts";
import type { Guard } from "./ports/guard.ts";
import type { Policy } from "./ports/policy.ts";
import type { AuthRequest, ClientInfo, RouteRequest } from "./ports/request.ts";
import type { Route } from "./ports/route.ts";
import type { Log, Services } from "./ports/services.ts";
import type { SessionTokenFormat } from "./ports/session-token.ts";
import type { Stores } from "./ports/stores.ts";
import type { Strategy } from "./ports/strategy.ts";
import type { Telemetry } from "./ports/telemetry.ts";
import type { Listener } from "./services/events.ts";
import { closer, readiness, sweepRegularly } from "./services/lifecycle.ts";
import { type EventSubscriptions, type Listeners, listenerList } from "./services/listeners.ts";
import { stderrLog } from "./services/log.ts";
import { systemClock, systemRandom } from "./services/system.ts";
import { wireServices } from "./services/wire.ts";
import { session } from "./strategies/session.ts";
import { statelessSession } from "./strategies/stateless-session.ts";

/** What `createAuth` takes; see {@link ConfigOptions} for everything with a default. */
export interface AuthOptions extends ConfigOptions {
  /** Where state lives: `sqlite({ path })`, `postgres({ pool })`, …; `split` joins a directory with sessions of another engine. */
  readonly stores: Stores;
  /** Default none: sessions and the session cookie are always there. */
  readonly features?: readonly Feature<unknown>[];
  /** The application's own, asked after those of the features. Named otherwise than `session`, `ticket`, `api-key` and `anonymous`. */
  readonly strategies?: readonly Strategy[];
  /**
   * What each role grants. A role that a user has and that is not named here grants nothing, and nobody can be given it. Default
   * none: then the names of roles are labels, for the guard `role` alone.
   */
  readonly roles?: Roles;
  /** How session tokens are written. Default `id.secret`. */
  readonly sessionTokens?: SessionTokenFormat;
  readonly policies?: readonly Policy[];
  readonly listeners?: readonly Listener[];
  /** Measures what takes time, or makes spans of it. Default none. */
  readonly telemetry?: Telemetry;
  /** Makes the answer to a refusal; null leaves it to Latchkey. */
  readonly onError?: OnError;
  /** Where failures of the system are told. Default: JSON lines on standard error. */
  readonly log?: Log;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: the platform's secure source. */
  readonly random?: Random;
}

/** Authentication for one application. */
export interface Auth {
  readonly config: Config;
  readonly users: Users;
  readonly sessions: Sessions;
  readonly forms: Forms;
  /** `on` for as long as this process lives; `follow` at least once, also after a crash. */
  readonly events: EventSubscriptions & EventFollowers;

  /**
   * Who is it, may the request have been forged, may they go on. Builds no Response and never throws: a failing backend
   * is the refusal `store_unavailable`. Seal `change` into the answer.
   *
   * @param guards - none: somebody has to be signed in
   */
  check(request: AuthRequest, client: ClientInfo, ...guards: readonly Guard[]): Promise<Verdict>;
  /**
   * The same for a request that opens a connection: a WebSocket upgrade, an event stream. Where it comes from is checked whatever its
   * method, and where the feature `tickets` is listed a `?ticket=` in its address is the proof. `latchkey/websocket` calls it.
   */
  checkConnection(request: AuthRequest, client: ClientInfo, ...guards: readonly Guard[]): Promise<Verdict>;
  /**
   * Whether a connection may stay open: what it was opened with has not ended, and the guards still allow. Uses nothing up and keeps no
   * session alive. Never throws: a failing backend is the refusal `store_unavailable`.
   */
  recheckConnection(opened: Opened): Promise<Confirmation>;
  /**
   * Who a request is from, without guards or CSRF.
   *
   * @throws AuthError of a rejected proof, `store_unavailable`; never for nobody
   */
  authenticate(
    request: AuthRequest,
    client: ClientInfo,
  ): Promise<{ readonly principal: Principal; readonly change?: SessionChange }>;
  /**
   * Takes an attempt of the client's address from a limit, for handlers and pages of one's own that do what a limited
   * route does: one name is one counter.
   *
   * @throws AuthError `rate_limited` with `retryAfterSeconds`, `store_unavailable`
   */
  takeFromLimit(limit: RouteLimit, request: AuthRequest, client: ClientInfo): Promise<void>;
  /** Puts {@link Auth.check} around a handler. Without a guard somebody has to be signed in; `anyone()` opens. */
  readonly protect: Protect;
  /** Answers one of Latchkey's own routes; null where the request is none of ours. */
  handle(request: RouteRequest, client: ClientInfo): Promise<Response | null>;
  /** Whether a principal holds a permission, as the guard `permission` decides it: never for nobody, always within the proof's scopes. */
  hasPermission(principal: Principal, permission: Permission): boolean;
  /**
   * Which rule allows or denies somebody to do something, from the evaluator that the guards ask: `explain(user, "read", "invoice")`
   * is about the permission `invoice:read`; with `ownerId` about `any(owner(…), permission("invoice:read"))`.
   *
   * @param who - a principal, within the scopes of its proof; or an account, with the whole of its rights
   */
  explain(who: Principal | User, action: string, resource: string | OwnedResource): Explanation;
  /** Writes a change into an answer: the only writer of cookies. A `Response` stays as it is: what is answered is a copy of it. */
  seal<R extends Response | HeaderSink>(response: R, change: SessionChange): R;
  /** A refusal as it goes over the wire, for adapters that build no Response. Ask {@link Auth.onError} before. */
  errorAnswer(refused: Extract<Verdict, { ok: false }>, client: ClientInfo): ErrorAnswer;
  /** What a handler threw, as a refusal; a failure of the system is logged. For adapters that call handlers. */
  caught(thrown: unknown): Extract<Verdict, { ok: false }>;
  /** As configured, but never throwing: a failure of it is logged, and null. Null where none is configured. */
  readonly onError: OnError | null;
  /** What a listed feature offers. @throws TypeError where it was not listed */
  use<T>(feature: Feature<T>): T;
  /** The table of Latchkey's own routes, in order. */
  routes(): Promise<readonly Route[]>;
  /** Gets ready: loads the routes, starts what features need. Optional; a listening server calls it at start. */
  warmUp(): Promise<void>;
  /** Whether every store answers and nothing is being closed. */
  isReady(): Promise<boolean>;
  /** Waits for work under way, then closes features and stores. Idempotent. */
  close(): Promise<void>;
}

/**
 * Checks the configuration, freezes it and puts everything together.
 *
 * @throws TypeError naming every option that cannot be used, and the fix
 */
export function createAuth(options: AuthOptions): Auth {
  // Before anything looks into the options: what is no list, say, fails there with an error that names no option.
  assertUsable(options);
  const config = readConfig({ ...options, registration: registrationMode(options) });
  assertOneEngine(options.stores);
  const subscriptions = listenerList(options.listeners ?? []);
  const services = wireServices({
    config,
    secrets: options.secrets,
    stores: options.stores,
    clock: options.clock ?? systemClock(),
    random: options.random ?? systemRandom(),
    log: options.log ?? stderrLog(),
    roles: options.roles ?? null,
    policies: options.policies ?? [],
    telemetry: options.telemetry ?? null,
    listeners: () => subscriptions.all,
    mails: () => mailsOf(features),
    passwords: () => passwordServices(features),
    sessionTokens: options.sessionTokens ?? null,
    sealedSessions,
  });
  // Features bring the strategies that the pipeline is made of, and act on behalf of requests that went through it.
  const visits = bindVisits(() => pipeline);
  const features: Features = installFeatures(options.features ?? [], services, visits);
  const tokens = formTokens(services);
  const pipeline = pipelineOf(options, services, features, tokens);
  return assemble(options, pipeline, features, { subscriptions, tokens });
}

function pipelineOf(
  options: AuthOptions,
  services: Services,
  features: Features,
  tokens: FormTokens,
): Pipeline {
  const own = options.strategies ?? [];
  // What is called so may do more: what asks for a session, say, would take its proofs for one.
  const taken = own.find(({ name }) => ownProofs.includes(name));
  if (taken !== undefined)
    throw new TypeError(`strategies: ${taken.name} is what proofs of another kind are called`);
  const fromFeatures = [...features.values()].flatMap(({ strategies = [] }) => strategies);
  const { sealedSessions } = services;
  const cookie = sealedSessions === null ? session(services) : statelessSession(services, sealedSessions);
  return {
    services,
    strategies: inAskingOrder([...fromFeatures, ...own, cookie]),
    connecting: [...features.values()].flatMap(({ connecting = [] }) => connecting),
    isFormTokenValid: tokens.isValid,
    limitFor: limitForOf(features),
    openData: (record, visit) => sessionData(services, record, visit),
  };
}

function assemble(
  options: AuthOptions,
  pipeline: Pipeline,
  features: Features,
  { subscriptions, tokens }: { readonly subscriptions: Listeners; readonly tokens: FormTokens },
): Auth {
  const { services } = pipeline;
  const { config } = services;
  const users = bindUsers(pipeline, () => passwordServices(features));
  const sessions = bindSessions(pipeline, async () => {
    for (const feature of features.values()) await feature.sweep?.();
  });
  const followers = bindFollowers(services);
  const closing = closer(services, [followers, ...features.values()], options.stores);
  const stopSweeping = sweepRegularly(services, () => sessions.sweep());
  const areStoresReady = readiness(services);
  const isReady = async (): Promise<boolean> => !closing.hasBegun() && (await areStoresReady());
  const onError = options.onError === undefined ? undefined : guardedOnError(options.onError, services.log);
  const loadTable = kept(async () => {
    const routes = await loadRoutes({ config, features, users, sessions, isReady });
    return { routes, lookup: routeTable(routes, config.basePath) };
  });

  return Object.freeze({
    config,
    users,
    sessions,
    forms: bindForms(pipeline, tokens),
    events: { on: subscriptions.on, follow: followers.follow, unfollow: followers.unfollow },
    check: (request: AuthRequest, client: ClientInfo, ...guards: readonly Guard[]) =>
      check(pipeline, request, client, { guards }),
    checkConnection: (request: AuthRequest, client: ClientInfo, ...guards: readonly Guard[]) =>
      checkConnection(pipeline, request, client, guards),
    recheckConnection: (opened: Opened) => recheckConnection(pipeline, opened),
    async authenticate(request: AuthRequest, client: ClientInfo) {
      const stakes = isUnsafe(request.method) ? changing : reading;
      const { principal, change, answered } = await authenticate(
        pipeline.strategies,
        request,
        client,
        stakes,
      );
      if (answered !== undefined) tellAnswer(request, answered, 200);
      return { principal, change };
    },
    takeFromLimit: (limit: RouteLimit, request: AuthRequest, client: ClientInfo) =>
      takeFromLimit(services, limit, request, client),
    protect: protection(pipeline, onError),
    async handle(request: RouteRequest, client: ClientInfo) {
      const { lookup } = await loadTable();
      return handleRoute(pipeline, lookup, request, client, onError);
    },
    seal: <R extends Response | HeaderSink>(response: R, change: SessionChange) =>
      seal(config, response, change),
    errorAnswer: (refused: Extract<Verdict, { ok: false }>, client: ClientInfo) =>
      errorAnswer(pipeline, refused, client),
    caught(thrown: unknown) {
      const error = asAuthError(thrown);
      logFailure(services, error);
      return { ok: false, error } as const;
    },
    onError: onError ?? null,
    use: <T>(feature: Feature<T>): T => useFeature(features, feature),
    hasPermission: (principal: Principal, permission: Permission) =>
      services.rights.holds(principal, permission),
    explain: (who: Principal | User, action: string, resource: string | OwnedResource) =>
      explain(services.rights, who, action, resource),
    routes: async () => (await loadTable()).routes,
    async warmUp() {
      await Promise.all([loadTable(), ...[...features.values()].map((feature) => feature.warmUp?.())]);
    },
    isReady,
    async close() {
      stopSweeping?.();
      await closing.close();
    },
  });
}

/** As configured; else `confirm` where a feature sends mail to where people read it. */
function registrationMode({ registration, features = [] }: AuthOptions): Config["registration"] {
  if (registration === "confirm" && features.every(({ sendsMail }) => sendsMail === undefined))
    throw new TypeError("registration: confirm needs mail; createAuth({ features: [mail(…)] })");
  return registration ?? (features.some(({ sendsMail }) => sendsMail === "for-real") ? "confirm" : "open");
}

// One transaction changes a user and ends their sessions. Where no engine can run it, `split` stands in.
function assertOneEngine({ directory, sessions }: Stores): void {
  if (sessions.engine === directory.engine) return;
  throw new TypeError(
    `stores: sessions (${sessions.engine.name}) and directory (${directory.engine.name}) are not of one engine; join two engines with split()`,
  );
}
