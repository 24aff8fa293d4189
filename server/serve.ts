import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Context, Hono } from "hono";
import { type Auth, AuthError } from "latchkey";
import { administration } from "latchkey/administration";
import { hono } from "latchkey/hono";
import { apiKeysFromSettings } from "./api-keys-from-settings.ts";
import { type ServerAppOptions, serverApp } from "./app.ts";
import type { Application, ApplicationParts } from "./application.ts";
import { auditFromSettings, webhooksFromSettings } from "./audit-from-settings.ts";
import { type AuthParts, authFromSettings, secretsFromSettings } from "./auth-from-settings.ts";
import { type Closing, closingOf } from "./closing.ts";
import { diagnosis } from "./doctor/diagnosis.ts";
import { thisVersion } from "./doctor/version.ts";
import { foundSpans } from "./drivers/opentelemetry.ts";
import { createListener, type Fetch, type Listener } from "./listener.ts";
import type { ServerLog } from "./log.ts";
import { mailFromSettings } from "./mail-from-settings.ts";
import { openMetrics } from "./metrics/metrics.ts";
import { oauthFromSettings } from "./oauth-from-settings.ts";
import { nothingOpened, type Opened } from "./opened.ts";
import { pagesFromSettings } from "./pages-from-settings.ts";
import { securityHeaders } from "./security-headers.ts";
import { originAt, type Settings } from "./settings/settings.ts";
import { openStores } from "./stores/open-stores.ts";
import { together } from "./telemetry/together.ts";

/** A server that listens. */
export interface Serving {
  readonly origin: string;
  /** What is listened on: `http://127.0.0.1:3000`. */
  readonly address: string;
  /** For the terminal of the operator and nowhere else: a token that makes its holder administrator; null where it has no use. */
  readonly setupToken: string | null;
  /** Path of the secret that was just made for this machine; null where there was one. */
  readonly newSecretPath: string | null;
  /**
   * Ends cleanly: no new connections, not ready at once, requests under way finish (10 s at most), then the stores
   * are closed. Idempotent.
   */
  stop(): Promise<void>;
}

/**
 * Starts a server: settings in, listening server out. It listens before anything else, so that the origin is known where
 * any free port was asked for, and answers 503 until it is ready.
 *
 * A database that does not answer ends the start. A backend of sessions that does not answer holds it up for a moment only: `/readyz`
 * says 503 until it does.
 *
 * @param application - routes of somebody's own. Default none
 * @throws SettingsError, SchemaError, DriverMissing, ThemeError, DirectoryFailure, UnfitBackend, StrictRefusal, or the error of the system (`EADDRINUSE`); nothing is left running
 */
export async function serve(settings: Settings, log: ServerLog, application?: Application): Promise<Serving> {
  const opened = nothingOpened();
  try {
    const front = openFront(settings, log);
    opened.add(() => hangUp(front.listener));
    const bound = await listen(front.listener.server, settings);
    const origin = originAt(settings, bound.port);
    const ready = await openBack(settings, { origin, log, front, opened, application });
    return { origin, address: addressUrl(bound), ...ready };
  } catch (error) {
    await opened.close().catch((failure) => log.error("not everything could be closed", {}, failure));
    throw error;
  }
}

/** What clients connect to. */
interface Front {
  readonly listener: Listener;
  answerWith(fetch: Fetch, origin: string): void;
}

function openFront(settings: Settings, log: ServerLog): Front {
  let origin = originAt(settings, settings.port);
  let answer: Fetch = () => new Response("Starting.\n", { status: 503, headers: startingHeaders(origin) });
  const listener = createListener({
    fetch: (request, bindings) => answer(request, bindings),
    headers: () => securityHeaders(origin),
    origin: () => origin,
    log,
    requestTimeoutSeconds: settings.requestTimeoutSeconds,
  });
  return {
    listener,
    answerWith(fetch, knownOrigin) {
      origin = knownOrigin;
      answer = fetch;
    },
  };
}

/** For a start that fails: whoever is connected was told by then that there is no server yet. */
async function hangUp({ server }: Listener): Promise<void> {
  server.close();
  server.closeAllConnections();
}

function startingHeaders(origin: string): [string, string][] {
  const lines = securityHeaders(origin).map(([name, value]): [string, string] => [name, value]);
  return [...lines, ["Retry-After", "1"], ["Cache-Control", "no-store"], ["Content-Type", "text/plain"]];
}

interface BackParts {
  readonly origin: string;
  readonly log: ServerLog;
  readonly front: Front;
  /** Gets what is opened here. */
  readonly opened: Opened;
  readonly application: Application | undefined;
}

/** What answers: the stores, `Auth` and the app. It answers once nothing is left that could fail. */
async function openBack(settings: Settings, parts: BackParts): Promise<Omit<Serving, "origin" | "address">> {
  const { origin, log, opened } = parts;
  // First: where they cannot be used, nothing has been made or changed yet.
  const pages = await pagesFromSettings(settings);
  const { secrets, development } = await secretsFromSettings(settings);
  const { stores, close } = await openStores(settings, { log, prepare: (migrations) => migrations.up() });
  opened.add(close);
  if (settings.isStrict) await (await import("./doctor/strict-start.ts")).assertStrictly(settings, log);
  const providers = oauthFromSettings(settings);
  const keys = apiKeysFromSettings(settings);
  const admin = administration();
  const auditLog = auditFromSettings(settings);
  const hooks = webhooksFromSettings(settings);
  const metrics = openMetrics();
  const found = await foundSpans();
  const telemetry = found === null ? metrics.telemetry : together(found, metrics.telemetry);
  const mail = mailFromSettings(settings, {
    observe: (outcome, purpose) => metrics.mailed(purpose, outcome),
  });
  const features = {
    apiKeys: keys,
    administration: admin,
    mail: mail?.feature ?? null,
    features: [providers, auditLog, ...(hooks === null ? [] : [hooks])],
    listeners: [metrics.listener],
    telemetry,
  };
  const auth = openAuth(settings, { origin, log, secrets, stores, ...features });
  opened.add(() => auth.close());
  await auth.warmUp();
  const managing = { apiKeys: auth.use(keys), administration: auth.use(admin) };
  const own = await openApplication(parts.application, { auth, ...managing }, settings);
  const token = await setupToken(auth, log);
  const { stop } = answerBy(auth, settings, {
    ...parts,
    ...managing,
    ...(own !== null && { own }),
    oauth: auth.use(providers),
    pages,
    diagnosis: diagnosis({ secrets, settings, origin, version: thisVersion }),
    metrics: { metrics, token: settings.metricsToken },
    ...(mail !== null && { mail: auth.use(mail.feature), shownMails: mail.shown }),
  });
  return { setupToken: token, newSecretPath: development?.isNew === true ? development.path : null, stop };
}

/** The routes of somebody's own; null where there are none. */
async function openApplication(
  application: Application | undefined,
  parts: Omit<ApplicationParts, "protect" | "client">,
  { trustedProxies }: Settings,
): Promise<Hono | null> {
  if (application === undefined) return null;
  const { protect, client } = hono<Context>(parts.auth, { trustedProxies });
  return application({ ...parts, protect, client });
}

/** Who holds it becomes administrator, so it is made only where the terminal is the machine's own. */
async function setupToken(auth: Auth, log: ServerLog): Promise<string | null> {
  if (auth.config.isProduction) return null;
  try {
    return await auth.users.issueSetupToken();
  } catch (error) {
    if (!(error instanceof AuthError) || error.code !== "store_unavailable") throw error;
    // It would have to be kept where nothing answers now, and the server waits for that as for the rest.
    log.warn("no link for the first administrator could be made; start again once the stores answer");
    return null;
  }
}

type Features = Pick<
  AuthParts,
  "features" | "apiKeys" | "administration" | "mail" | "telemetry" | "listeners"
>;

function openAuth(
  settings: Settings,
  parts: Pick<BackParts, "origin" | "log"> & Pick<AuthParts, "secrets" | "stores"> & Features,
): Auth {
  const { log, listeners = [] } = parts;
  return authFromSettings(settings, {
    ...parts,
    listeners: [(event) => log.event(event), ...listeners],
    onError(error) {
      log.noteRefusal(error);
      return null;
    },
  });
}

/** What the app is made of besides. */
type Offered = Pick<
  ServerAppOptions,
  "own" | "oauth" | "apiKeys" | "administration" | "mail" | "shownMails" | "metrics" | "diagnosis" | "pages"
>;

function answerBy(
  auth: Auth,
  settings: Settings,
  { origin, log, front, opened, application: _, ...offered }: BackParts & Offered,
): Closing {
  const closing = closingOf(front.listener, opened.close, log);
  const app = serverApp({
    ...offered,
    auth,
    log,
    trustedProxies: settings.trustedProxies,
    isOriginConfigured: settings.origin !== null,
    hasReference: settings.apiDocs,
    isStopping: closing.hasBegun,
  });
  front.answerWith((request, bindings) => app.fetch(request, bindings), origin);
  return closing;
}

/** @throws the system's error: `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL` */
async function listen(server: Server, { host, port }: Settings): Promise<AddressInfo> {
  server.listen({ host, port });
  await once(server, "listening");
  return server.address() as AddressInfo;
}

function addressUrl({ address, port, family }: AddressInfo): string {
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}
