import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type ApiKeys, type Auth, AuthError } from "latchkey";
import type { OAuth } from "latchkey/oauth";
import { apiKeysFromSettings } from "./api-keys-from-settings.ts";
import { serverApp } from "./app.ts";
import { type AuthParts, authFromSettings, secretsFromSettings } from "./auth-from-settings.ts";
import { type Closing, closingOf } from "./closing.ts";
import { createListener, type Fetch, type Listener } from "./listener.ts";
import type { ServerLog } from "./log.ts";
import { oauthFromSettings } from "./oauth-from-settings.ts";
import { securityHeaders } from "./security-headers.ts";
import { originAt, type Settings } from "./settings/settings.ts";
import { type OpenStores, openStores } from "./stores/open-stores.ts";

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
 * @throws SettingsError, SchemaError, DriverMissing, DirectoryFailure, UnfitBackend, or the error of the system (`EADDRINUSE`); nothing is left running
 */
export async function serve(settings: Settings, log: ServerLog): Promise<Serving> {
  const front = openFront(settings, log);
  const { server } = front.listener;
  try {
    const bound = await listen(server, settings);
    const origin = originAt(settings, bound.port);
    const ready = await openBack(settings, { origin, log, front });
    return { origin, address: addressUrl(bound), ...ready };
  } catch (error) {
    server.close();
    server.closeAllConnections();
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

function startingHeaders(origin: string): [string, string][] {
  const lines = securityHeaders(origin).map(([name, value]): [string, string] => [name, value]);
  return [...lines, ["Retry-After", "1"], ["Cache-Control", "no-store"], ["Content-Type", "text/plain"]];
}

interface BackParts {
  readonly origin: string;
  readonly log: ServerLog;
  readonly front: Front;
}

/** What answers: the stores, `Auth` and the app. */
async function openBack(settings: Settings, parts: BackParts): Promise<Omit<Serving, "origin" | "address">> {
  const { secrets, development } = await secretsFromSettings(settings);
  const opened = await openStores(settings, { log: parts.log, prepare: (migrations) => migrations.up() });
  try {
    const providers = oauthFromSettings(settings);
    const keys = apiKeysFromSettings(settings);
    const features = { apiKeys: keys, features: [providers] };
    const auth = openAuth(settings, { ...parts, secrets, stores: opened.stores, ...features });
    await auth.warmUp();
    const { stop } = answerBy(auth, opened, settings, {
      ...parts,
      oauth: auth.use(providers),
      apiKeys: auth.use(keys),
    });
    const newSecretPath = development?.isNew === true ? development.path : null;
    return { setupToken: await setupToken(auth, parts.log), newSecretPath, stop };
  } catch (error) {
    await opened.close();
    throw error;
  }
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

function openAuth(
  settings: Settings,
  {
    origin,
    log,
    secrets,
    stores,
    features,
    apiKeys,
  }: BackParts & Pick<AuthParts, "secrets" | "stores" | "features" | "apiKeys">,
): Auth {
  return authFromSettings(settings, {
    origin,
    secrets,
    stores,
    features,
    apiKeys,
    log,
    listeners: [(event) => log.event(event)],
    onError(error) {
      log.noteRefusal(error);
      return null;
    },
  });
}

function answerBy(
  auth: Auth,
  opened: OpenStores,
  settings: Settings,
  { origin, log, front, oauth, apiKeys }: BackParts & { readonly oauth: OAuth; readonly apiKeys: ApiKeys },
): Closing {
  const closing = closingOf(front.listener, () => auth.close().finally(opened.close), log);
  const app = serverApp({
    auth,
    oauth,
    apiKeys,
    log,
    trustedProxies: settings.trustedProxies,
    isOriginConfigured: settings.origin !== null,
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
