import type { Clock } from "../ports/clock.ts";
import type { Claims, Provider } from "../ports/provider.ts";
import { type CallBounds, isCallable } from "./bounded-fetch.ts";
import { type ConfiguredLibrary, configuredLibrary } from "./configuration.ts";
import { ProviderRefusal, refusalOf } from "./refusal.ts";

/** What an authorization request carries. */
export interface AuthorizationRequest {
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  /** S256 of the verifier. */
  readonly codeChallenge: string;
  /** Whether the provider shall ask the person again. */
  readonly isFresh: boolean;
}

/** What an answer is held against. */
export interface AnswerChecks {
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

/** A provider's tokens, as it gave them. */
export interface ProviderTokens {
  readonly accessToken: string;
  readonly refreshToken: string | null;
  readonly scope: string | null;
  readonly expiresAt: Date | null;
}

/** What a code was redeemed for, every check passed. */
export interface Redeemed {
  readonly issuer: string;
  readonly claims: Claims;
  readonly tokens: ProviderTokens;
  /** When the person proved who they are, where the provider says it. */
  readonly authTime: Date | null;
}

/** The two steps with a provider. Both throw {@link ProviderRefusal}. */
export interface ProviderClient {
  readonly provider: Provider;
  authorizationUrl(request: AuthorizationRequest): Promise<string>;
  /** Redeems the code in the parameters of a callback. @see RFC 6749, section 4.1.3; OpenID Connect Core 1.0, section 3.1.3.7; RFC 9207 */
  redeem(answer: URLSearchParams, checks: AnswerChecks): Promise<Redeemed>;
}

/** A client of one provider. Nothing is loaded or asked before the first step. */
export function providerClient(provider: Provider, bounds: CallBounds, clock: Clock): ProviderClient {
  const allowsHttp = provider.dangerouslyAllowHttp === true;
  const configured = configuredLibrary(provider, bounds, clock);
  return {
    provider,
    authorizationUrl: (request) =>
      refusing(async () => {
        const { library, configuration } = await configured();
        const parameters = requestParameters(provider, request);
        const { href } = library.buildAuthorizationUrl(configuration, parameters);
        if (!isCallable(href, allowsHttp)) throw new ProviderRefusal("endpoint_insecure");
        return href;
      }),
    redeem: (answer, checks) =>
      refusing(async () => redeemed(provider, { ...(await configured()), clock }, answer, checks)),
  };
}

function requestParameters(
  { server, scopes, parameters, freshParameters = { prompt: "login" } }: Provider,
  { redirectUri, state, nonce, codeChallenge, isFresh }: AuthorizationRequest,
): Record<string, string> {
  return {
    ...parameters,
    ...(isFresh && freshParameters),
    // Who is asked this way has to say when the person was there. @see OpenID Connect Core 1.0, section 3.1.2.1
    ...(isFresh && server.kind === "discovered" && { max_age: "0" }),
    redirect_uri: redirectUri,
    scope: scopes.join(" "),
    state,
    code_challenge: codeChallenge,
    code_challenge_method: "S256",
    ...(server.kind === "discovered" && { nonce }),
  };
}

async function redeemed(
  provider: Provider,
  { library, configuration, clock }: ConfiguredLibrary & { readonly clock: Clock },
  answer: URLSearchParams,
  { redirectUri, state, nonce, codeVerifier }: AnswerChecks,
): Promise<Redeemed> {
  const isOpenId = provider.server.kind === "discovered";
  const url = new URL(redirectUri);
  url.search = String(answer);
  const tokens = await library.authorizationCodeGrant(configuration, url, {
    expectedState: state,
    pkceCodeVerifier: codeVerifier,
    ...(isOpenId && { expectedNonce: nonce, idTokenExpected: true }),
  });
  const kept: ProviderTokens = {
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token ?? null,
    scope: tokens.scope ?? null,
    expiresAt: expiryOf(tokens.expires_in, clock),
  };
  const idToken: Claims | undefined = tokens.claims();
  if (!isOpenId || idToken === undefined) {
    const claims = await askedClaims(provider, { library, configuration }, kept.accessToken);
    return { issuer: provider.server.issuer, claims, tokens: kept, authTime: null };
  }
  // The library compares it only where there are several audiences; a token that was made for another client is not for us.
  if (idToken.azp !== undefined && idToken.azp !== provider.clientId)
    throw new ProviderRefusal("id_token_azp");
  const claims = await completed(idToken, { library, configuration }, kept.accessToken);
  return { issuer: String(idToken.iss), claims, tokens: kept, authTime: instant(idToken.auth_time) };
}

/** The claims, with the address from userinfo where the ID token has none. What the ID token says stands. */
async function completed(
  idToken: Claims,
  { library, configuration }: ConfiguredLibrary,
  accessToken: string,
): Promise<Claims> {
  if (idToken.email !== undefined || configuration.serverMetadata().userinfo_endpoint === undefined)
    return idToken;
  const more = await library.fetchUserInfo(configuration, accessToken, String(idToken.sub));
  return { ...more, ...idToken };
}

/** What a provider without ID tokens says of the person whose access token this is. */
async function askedClaims(
  { server }: Provider,
  { library, configuration }: ConfiguredLibrary,
  accessToken: string,
): Promise<Claims> {
  if (server.kind !== "fixed") throw new ProviderRefusal("id_token_malformed");
  const claims: Record<string, unknown> = {};
  for (const [name, address] of Object.entries(server.resources)) {
    const headers = new Headers({ accept: "application/json" });
    const answer = await library.fetchProtectedResource(
      configuration,
      accessToken,
      new URL(address),
      "GET",
      null,
      headers,
    );
    if (answer.status !== 200) throw new ProviderRefusal("http_status");
    claims[name] = await answer.json().catch((cause: unknown) => {
      throw new ProviderRefusal("response_malformed", { cause });
    });
  }
  return claims;
}

async function refusing<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (thrown) {
    throw refusalOf(thrown);
  }
}

function expiryOf(expiresInSeconds: number | undefined, clock: Clock): Date | null {
  return expiresInSeconds === undefined ? null : instant(clock.now().getTime() / 1000 + expiresInSeconds);
}

// Dates end with the year 275760; what lies beyond is no time that anybody was there.
function instant(epochSeconds: unknown): Date | null {
  if (typeof epochSeconds !== "number") return null;
  const date = new Date(epochSeconds * 1000);
  return Number.isNaN(date.getTime()) ? null : date;
}
