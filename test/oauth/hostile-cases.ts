import { createHmac } from "node:crypto";
import { exportSPKI } from "jose";
import { clientId, type Defect, type Json, type Keys, signed } from "./fickle-provider.ts";

/** One way in which a provider, or somebody between, does not keep to the rules. */
export interface HostileCase {
  readonly name: string;
  readonly defect: Defect;
  /** What the audit log calls it. */
  readonly reason: string;
  /** Default 400. */
  readonly status?: number;
  /** Where it shows; default at the callback. */
  readonly at?: "start";
}

const past = Math.floor(Date.now() / 1000) - 3_600;
const advertising = (...algorithms: string[]): Required<Defect>["metadata"] => {
  return (honest) => ({ ...honest, id_token_signing_alg_values_supported: algorithms });
};

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function unsigned(claims: Json): string {
  return `${encoded({ alg: "none" })}.${encoded(claims)}.`;
}

/** The public key, which everybody has, as the secret of an HMAC. */
async function confused(claims: Json, { publicKey }: Keys): Promise<string> {
  const text = `${encoded({ alg: "HS256", kid: "key-1" })}.${encoded(claims)}`;
  const mac = createHmac("sha256", await exportSPKI(publicKey)).update(text);
  return `${text}.${mac.digest("base64url")}`;
}

function changed(changes: Json): Defect {
  return { claims: (honest) => ({ ...honest, ...changes }) };
}

function without(name: string): Defect {
  return { claims: ({ [name]: _, ...rest }) => rest };
}

function answering(name: string, value: string | null): Defect {
  return {
    answer(honest) {
      honest.delete(name);
      if (value !== null) honest.set(name, value);
      return honest;
    },
  };
}

/** Cases of the ID token. @see OpenID Connect Core 1.0, section 3.1.3.7 */
const idTokens: readonly HostileCase[] = [
  { name: "another issuer", defect: changed({ iss: "https://evil.example" }), reason: "id_token_iss" },
  { name: "no issuer", defect: without("iss"), reason: "id_token_malformed" },
  { name: "another audience", defect: changed({ aud: "somebody-else" }), reason: "id_token_aud" },
  { name: "no audience", defect: without("aud"), reason: "id_token_malformed" },
  {
    name: "more audiences and no authorized party",
    defect: changed({ aud: [clientId, "somebody-else"] }),
    reason: "id_token_aud",
  },
  {
    name: "more audiences and another authorized party",
    defect: changed({ aud: [clientId, "somebody-else"], azp: "somebody-else" }),
    reason: "id_token_azp",
  },
  { name: "another authorized party", defect: changed({ azp: "somebody-else" }), reason: "id_token_azp" },
  { name: "another nonce", defect: changed({ nonce: "of another request" }), reason: "id_token_nonce" },
  { name: "no nonce", defect: without("nonce"), reason: "id_token_malformed" },
  { name: "expired", defect: changed({ iat: past, exp: past + 60 }), reason: "id_token_exp" },
  { name: "no end", defect: without("exp"), reason: "id_token_malformed" },
  { name: "not valid yet", defect: changed({ nbf: past + 7_200 }), reason: "id_token_nbf" },
  { name: "no subject", defect: without("sub"), reason: "id_token_malformed" },
  { name: "a subject that is no text", defect: changed({ sub: 1001 }), reason: "id_token_malformed" },
  {
    name: "a subject that is too long",
    defect: changed({ sub: "x".repeat(256) }),
    reason: "profile_missing",
  },
  { name: "a subject with control characters", defect: changed({ sub: "a\nb" }), reason: "profile_missing" },
  { name: "no signature", defect: { idToken: unsigned }, reason: "id_token_alg" },
  {
    name: "no signature, advertised",
    defect: { idToken: unsigned, metadata: advertising("RS256", "none") },
    reason: "id_token_alg",
  },
  { name: "the public key as a secret", defect: { idToken: confused }, reason: "id_token_alg" },
  {
    name: "the public key as a secret, advertised",
    defect: { idToken: confused, metadata: advertising("RS256", "HS256") },
    reason: "id_token_alg",
  },
  {
    name: "signed by another key",
    defect: { idToken: (claims, { other }) => signed(claims, other) },
    reason: "id_token_signature",
  },
  {
    name: "signed by a key that is not listed",
    defect: { idToken: (claims, { other }) => signed(claims, other, { kid: "key-2" }) },
    reason: "id_token_key",
  },
  {
    name: "a header that has to be understood",
    defect: {
      idToken: async (claims, { privateKey }) => {
        const [, payload, signature] = (await signed(claims, privateKey)).split(".");
        return [encoded({ alg: "RS256", kid: "key-1", crit: ["exp"] }), payload, signature].join(".");
      },
    },
    reason: "id_token_alg",
  },
  {
    name: "a signature that is no base64url",
    defect: {
      idToken: async (claims, { privateKey }) => (await signed(claims, privateKey)).replace(/[^.]*$/, "%%%"),
    },
    reason: "response_malformed",
  },
  { name: "no token", defect: { idToken: () => "no token" }, reason: "response_malformed" },
  { name: "none", defect: { token: ({ id_token: _, ...rest }) => rest }, reason: "response_malformed" },
  { name: "keys that are none", defect: { jwks: () => ({ keys: "all" }) }, reason: "response_malformed" },
];

/** Cases of the answer that the browser brings. @see RFC 9207; RFC 9700, section 4.4 */
const answers: readonly HostileCase[] = [
  {
    name: "of another issuer (mix-up)",
    defect: answering("iss", "https://evil.example"),
    reason: "response_iss",
  },
  { name: "without the issuer that was announced", defect: answering("iss", null), reason: "response_iss" },
  { name: "without a code", defect: answering("code", null), reason: "response_malformed" },
  { name: "with a code that nobody issued", defect: answering("code", "guessed"), reason: "code_refused" },
  { name: "with another state", defect: answering("state", "swapped"), reason: "state_mismatch" },
  { name: "without a state", defect: answering("state", null), reason: "state_mismatch" },
  { name: "that the person declined", defect: answering("error", "access_denied"), reason: "access_denied" },
  {
    name: "that is an error",
    defect: answering("error", "server_error<script>"),
    reason: "authorization_error",
  },
  { name: "with a token in it", defect: answering("id_token", "x.y.z"), reason: "response_malformed" },
];

/** Cases of what the provider answers to us. */
const responses: readonly HostileCase[] = [
  {
    name: "metadata of another issuer",
    defect: { metadata: (honest) => ({ ...honest, issuer: "https://evil.example" }) },
    reason: "metadata_issuer",
    at: "start",
  },
  {
    name: "metadata of an issuer that is no address",
    defect: { metadata: (honest) => ({ ...honest, issuer: "nowhere" }) },
    reason: "response_malformed",
    at: "start",
  },
  {
    name: "metadata without a way for browsers",
    defect: { metadata: ({ authorization_endpoint: _, ...rest }) => rest },
    reason: "response_malformed",
    at: "start",
  },
  {
    name: "metadata that leads browsers to plain http",
    defect: { metadata: (honest) => ({ ...honest, authorization_endpoint: "http://evil.example/a" }) },
    reason: "endpoint_insecure",
    at: "start",
  },
  {
    name: "metadata that leads browsers to a script",
    defect: { metadata: (honest) => ({ ...honest, authorization_endpoint: "javascript:alert(1)" }) },
    reason: "endpoint_insecure",
    at: "start",
  },
  {
    name: "metadata that sends the code over plain http",
    defect: { metadata: (honest) => ({ ...honest, token_endpoint: "http://evil.example/token" }) },
    reason: "endpoint_insecure",
  },
  {
    name: "a token of another kind",
    defect: { token: (honest) => ({ ...honest, token_type: "mac" }) },
    reason: "response_malformed",
  },
  {
    name: "no access token",
    defect: { token: ({ access_token: _, ...rest }) => rest },
    reason: "response_malformed",
  },
  {
    name: "userinfo of somebody else",
    defect: { ...without("email"), userinfo: () => ({ sub: "2002", email: "eve@example.com" }) },
    reason: "userinfo_sub",
  },
];

const addresses = ["/.well-known/openid-configuration", "/token", "/jwks"] as const;

/** Each of its addresses, out of order in each way. */
const outages: readonly HostileCase[] = addresses.flatMap((address): HostileCase[] => {
  const at = address === addresses[0] ? ({ at: "start" } as const) : {};
  const all = { status: 502, ...at };
  return [
    {
      ...all,
      name: `${address} never answers`,
      defect: { instead: { [address]: () => undefined } },
      reason: "timeout",
    },
    {
      ...all,
      name: `${address} answers half and then nothing`,
      defect: { instead: { [address]: (response) => void response.writeHead(200).write("{") } },
      reason: "timeout",
    },
    {
      ...all,
      name: `${address} answers without end`,
      defect: {
        instead: {
          [address](response) {
            response.writeHead(200, { "Content-Type": "application/json" });
            for (let sent = 0; sent < 40; sent++) response.write(Buffer.alloc(65_536, 32));
          },
        },
      },
      reason: "too_large",
    },
    {
      ...all,
      name: `${address} redirects`,
      defect: {
        instead: {
          [address]: (response) =>
            void response.writeHead(302, { Location: "http://169.254.169.254/" }).end(),
        },
      },
      reason: "redirected",
    },
    {
      ...all,
      name: `${address} hangs up`,
      defect: { instead: { [address]: (response) => void response.destroy() } },
      reason: "unreachable",
    },
    {
      ...all,
      name: `${address} fails`,
      defect: { instead: { [address]: (response) => void response.writeHead(500).end("<h1>oops</h1>") } },
      reason: "http_status",
    },
    {
      ...all,
      status: 400,
      name: `${address} answers with what is no JSON`,
      defect: { instead: { [address]: (response) => void response.writeHead(200).end("<h1>hello</h1>") } },
      reason: "response_malformed",
    },
  ];
});

/** All of them, by what they are about. */
export const hostileCases: Readonly<Record<string, readonly HostileCase[]>> = {
  "an ID token with": idTokens,
  "an answer": answers,
  "a provider with": responses,
  "a provider whose": outages,
};
