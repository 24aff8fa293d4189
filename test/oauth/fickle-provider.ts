import { createHash, randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { onTestFinished } from "vitest";
import { oidc, type Provider } from "../../src/features/oauth.ts";
import { type StandInRequest, sendJson, standIn } from "./stand-in.ts";

export type Json = Record<string, unknown>;

/** What a defect may get hold of. */
export interface Keys {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly publicJwk: JWK;
  readonly other: CryptoKey;
}

/** How a provider differs from an honest one, step by step; absent: not at all. */
export interface Defect {
  readonly metadata?: (honest: Json) => Json;
  /** The parameters that the browser brings back. */
  readonly answer?: (honest: URLSearchParams) => URLSearchParams;
  readonly claims?: (honest: Json) => Json;
  readonly idToken?: (claims: Json, keys: Keys) => Promise<string> | string;
  readonly token?: (honest: Json) => Json;
  readonly jwks?: (honest: Json) => Json;
  readonly userinfo?: (honest: Json) => Json;
  /** Answers in the place of one of its addresses. */
  readonly instead?: Readonly<Record<string, (response: ServerResponse) => void>>;
}

/** A provider of OpenID Connect on this machine, honest unless it is told otherwise. */
export interface FickleProvider {
  readonly url: string;
  /** For the feature; `overrides` changes it. */
  provider(overrides?: Partial<Provider>): Provider;
  /** Who signs in there next. */
  person: Json;
  defect: Defect;
  /** Forms posted to the token endpoint. */
  readonly redeemed: URLSearchParams[];
  /** The browser at the provider: from an authorization request to what it brings back. */
  authorize(url: string): URLSearchParams;
}

export const clientId = "latchkey-test";
export const clientSecret = "a client secret for tests";
const kid = "key-1";

const keyPairs = (async (): Promise<Keys> => {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  const other = await generateKeyPair("RS256");
  return { privateKey, publicKey, publicJwk: await exportJWK(publicKey), other: other.privateKey };
})();

/** An ID token as an honest provider signs it. */
export function signed(claims: Json, key: CryptoKey, header: Json = {}): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid, ...header }).sign(key);
}

interface Grant {
  readonly request: URLSearchParams;
  readonly person: Json;
}

/**
 * Starts one.
 *
 * @param atEnd - takes what closes it; default: the end of the test at hand
 */
export async function fickleProvider(
  name = "fickle",
  atEnd: (close: () => Promise<void>) => void = onTestFinished,
): Promise<FickleProvider> {
  const keys = await keyPairs;
  const grants = new Map<string, Grant>();
  const opened = new Map<string, Json>();
  const server = await standIn((request, response) => {
    const instead = self.defect.instead?.[request.url.pathname];
    if (instead !== undefined) return instead(response);
    const answer = answers[request.url.pathname];
    if (answer === undefined) return sendJson(response, { error: "not_found" }, 404);
    return answer(request, response);
  });
  atEnd(() => server.close());
  const { url } = server;

  const answers: Readonly<
    Record<string, (request: StandInRequest, response: ServerResponse) => void | Promise<void>>
  > = {
    "/.well-known/openid-configuration": (_request, response) => {
      const honest = {
        issuer: url,
        authorization_endpoint: `${url}/authorize`,
        token_endpoint: `${url}/token`,
        jwks_uri: `${url}/jwks`,
        userinfo_endpoint: `${url}/userinfo`,
        id_token_signing_alg_values_supported: ["RS256"],
        authorization_response_iss_parameter_supported: true,
      };
      sendJson(response, self.defect.metadata?.(honest) ?? honest);
    },
    "/jwks": (_request, response) => {
      const honest = { keys: [{ ...keys.publicJwk, kid, alg: "RS256", use: "sig" }] };
      sendJson(response, self.defect.jwks?.(honest) ?? honest);
    },
    "/token": async ({ form }, response) => {
      self.redeemed.push(form);
      const grant = grants.get(form.get("code") ?? "");
      grants.delete(form.get("code") ?? "");
      if (grant === undefined || !fits(form, grant.request)) {
        return sendJson(response, { error: "invalid_grant" }, 400);
      }
      const accessToken = randomBytes(16).toString("hex");
      opened.set(accessToken, grant.person);
      const now = Math.floor(Date.now() / 1000);
      const honestClaims = {
        iss: url,
        aud: clientId,
        nonce: grant.request.get("nonce"),
        iat: now,
        exp: now + 300,
        // Who is asked for somebody who was there a moment ago says when that was.
        ...(grant.request.has("max_age") && { auth_time: now }),
        ...grant.person,
      };
      const claims = self.defect.claims?.(honestClaims) ?? honestClaims;
      const idToken = (await self.defect.idToken?.(claims, keys)) ?? (await signed(claims, keys.privateKey));
      const honest = {
        access_token: accessToken,
        token_type: "Bearer",
        expires_in: 3_600,
        refresh_token: `refresh-${accessToken}`,
        scope: grant.request.get("scope"),
        id_token: idToken,
      };
      sendJson(response, self.defect.token?.(honest) ?? honest);
    },
    "/userinfo": ({ headers }, response) => {
      const person = opened.get(headers.authorization?.replace("Bearer ", "") ?? "");
      if (person === undefined) return sendJson(response, { error: "invalid_token" }, 401);
      sendJson(response, self.defect.userinfo?.(person) ?? person);
    },
  };

  const self: FickleProvider = {
    url,
    person: { sub: "1001", email: "ana@example.com", email_verified: true, name: "Ana" },
    defect: {},
    redeemed: [],
    provider: (overrides = {}) => ({
      ...oidc({ name, label: "Fickle", issuer: url, clientId, clientSecret, dangerouslyAllowHttp: true }),
      ...overrides,
    }),
    authorize(address) {
      const request = new URL(address).searchParams;
      if (request.get("code_challenge_method") !== "S256") throw new Error("no PKCE");
      const code = randomBytes(16).toString("hex");
      grants.set(code, { request, person: self.person });
      const honest = new URLSearchParams({ code, state: request.get("state") ?? "", iss: url });
      return self.defect.answer?.(honest) ?? honest;
    },
  };
  return self;
}

// As strict as the specification: everything that the request promised.
function fits(form: URLSearchParams, request: URLSearchParams): boolean {
  const challenge = createHash("sha256")
    .update(form.get("code_verifier") ?? "")
    .digest("base64url");
  return (
    challenge === request.get("code_challenge") &&
    form.get("redirect_uri") === request.get("redirect_uri") &&
    form.get("client_id") === clientId &&
    form.get("client_secret") === clientSecret
  );
}
