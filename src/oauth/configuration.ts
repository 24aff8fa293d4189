import type { Configuration } from "openid-client";
import type { Clock } from "../ports/clock.ts";
import type { Provider } from "../ports/provider.ts";
import { type BoundedFetch, boundedFetch, type CallBounds } from "./bounded-fetch.ts";

type Library = typeof import("openid-client");

/** The library, and what it knows of one provider. */
export interface ConfiguredLibrary {
  readonly library: Library;
  readonly configuration: Configuration;
}

/** How long metadata that was discovered is used. */
const metadataTtlMs = 3_600_000;

/** Loads the library and asks for the provider's metadata at the first call, and for the metadata again after an hour. */
export function configuredLibrary(
  provider: Provider,
  bounds: CallBounds,
  clock: Clock,
): () => Promise<ConfiguredLibrary> {
  const call = boundedFetch(bounds, provider.dangerouslyAllowHttp === true);
  return lasting(clock, async () => {
    const library = await import("openid-client");
    return { library, configuration: await configurationOf(library, provider, { call, clock }) };
  });
}

/** Does `work` once for all who wait for it, and again after {@link metadataTtlMs}. A failure is not kept. */
function lasting<T>(clock: Clock, work: () => Promise<T>): () => Promise<T> {
  let kept: { readonly result: Promise<T>; readonly until: number } | null = null;
  return () => {
    const now = clock.now().getTime();
    if (kept !== null && now < kept.until) return kept.result;
    const attempt = { result: work(), until: now + metadataTtlMs };
    kept = attempt;
    attempt.result.catch(() => {
      if (kept === attempt) kept = null;
    });
    return attempt.result;
  };
}

async function configurationOf(
  library: Library,
  { server, clientId, clientSecret, dangerouslyAllowHttp }: Provider,
  { call, clock }: { readonly call: BoundedFetch; readonly clock: Clock },
): Promise<Configuration> {
  const authentication = authenticationOf(library, clientSecret, clock);
  const extensions = [
    // The signature of the ID token, too: the line to the provider is not the only thing to rely on.
    library.enableNonRepudiationChecks,
    ...(dangerouslyAllowHttp ? [library.allowInsecureRequests] : []),
  ];
  if (server.kind === "discovered") {
    return library.discovery(new URL(server.issuer), clientId, undefined, authentication, {
      execute: extensions,
      [library.customFetch]: call as NonNullable<Configuration[typeof library.customFetch]>,
    });
  }
  const metadata = {
    issuer: server.issuer,
    authorization_endpoint: server.authorizationEndpoint,
    token_endpoint: server.tokenEndpoint,
  };
  const configuration = new library.Configuration(metadata, clientId, undefined, authentication);
  configuration[library.customFetch] = call as NonNullable<Configuration[typeof library.customFetch]>;
  for (const extend of extensions) extend(configuration);
  return configuration;
}

function authenticationOf(library: Library, secret: Provider["clientSecret"], clock: Clock) {
  if (secret === null) return library.None();
  if (typeof secret === "string") return library.ClientSecretPost(secret);
  return async (...args: Parameters<ReturnType<Library["ClientSecretPost"]>>) =>
    library.ClientSecretPost(await secret(clock.now()))(...args);
}
