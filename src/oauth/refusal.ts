/** Why a provider's answer was not believed. Words for the audit log, which `docs/oauth.md` lists; never text of the provider's. */
export type RefusalReason =
  | "access_denied"
  | "authorization_error"
  | "response_iss"
  | "response_malformed"
  | "code_refused"
  | "token_refused"
  | "metadata_issuer"
  | "userinfo_sub"
  | "profile_missing"
  | `id_token_${"iss" | "aud" | "azp" | "nonce" | "exp" | "nbf" | "auth_time" | "alg" | "key" | "signature" | "malformed"}`
  | "endpoint_insecure"
  | "http_status"
  | "timeout"
  | "too_large"
  | "redirected"
  | "unreachable";

const outages: readonly RefusalReason[] = [
  "http_status",
  "timeout",
  "too_large",
  "redirected",
  "unreachable",
];

/** A step with a provider that did not come to its end. */
export class ProviderRefusal extends Error {
  override readonly name = "ProviderRefusal";
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, options?: ErrorOptions) {
    super(`the provider's answer was refused: ${reason}`, options);
    this.reason = reason;
  }

  /** Codes of what lies behind it, for the operator: `OAUTH_INVALID_RESPONSE`. Empty where there is nothing. */
  get codes(): string {
    const codes = causesOf(this.cause).flatMap(({ code }) => (isCode(code) ? [code] : []));
    return [...new Set(codes)].join(" ");
  }

  /** Whether the provider failed to answer, rather than answered what cannot be believed. */
  get isOutage(): boolean {
    return outages.includes(this.reason);
  }
}

/** What the library throws, as far as it is read: every error has a code, and most a cause that says what was compared. */
interface Thrown {
  readonly code?: unknown;
  readonly error?: unknown;
  readonly cause?: unknown;
}

/** What a step threw, as a refusal. An error that the library has no code for is one of reading, too: a bad URL, bad base64. */
export function refusalOf(thrown: unknown): ProviderRefusal {
  const chain = causesOf(thrown);
  const own = chain.find((each) => each instanceof ProviderRefusal);
  if (own !== undefined) return own;
  const coded = chain.find(({ code }) => isCode(code) && code.startsWith("OAUTH_"));
  const reason = coded === undefined ? "response_malformed" : reasonOf(coded, chain);
  return new ProviderRefusal(reason, { cause: thrown });
}

function isCode(code: unknown): code is string {
  return typeof code === "string" && /^[A-Z_]{1,60}$/.test(code);
}

function causesOf(thrown: unknown): readonly Thrown[] {
  const chain: Thrown[] = [];
  for (
    let at = thrown;
    typeof at === "object" && at !== null && chain.length < 8;
    at = (at as Thrown).cause
  ) {
    chain.push(at as Thrown);
  }
  return chain;
}

function reasonOf({ code, error }: Thrown, chain: readonly Thrown[]): RefusalReason {
  switch (code) {
    case "OAUTH_AUTHORIZATION_RESPONSE_ERROR":
      return error === "access_denied" ? "access_denied" : "authorization_error";
    case "OAUTH_RESPONSE_BODY_ERROR":
      return error === "invalid_grant" ? "code_refused" : "token_refused";
    case "OAUTH_WWW_AUTHENTICATE_CHALLENGE":
      return "token_refused";
    case "OAUTH_JWT_CLAIM_COMPARISON_FAILED":
    case "OAUTH_JWT_TIMESTAMP_CHECK_FAILED":
      return claimReason(detail(chain, "claim"));
    case "OAUTH_KEY_SELECTION_FAILED":
      return "id_token_key";
    case "OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED":
      return detail(chain, "attribute") === "issuer" ? "metadata_issuer" : "userinfo_sub";
    case "OAUTH_HTTP_REQUEST_FORBIDDEN":
    case "OAUTH_REQUEST_PROTOCOL_FORBIDDEN":
      return "endpoint_insecure";
    case "OAUTH_RESPONSE_IS_NOT_CONFORM":
      return "http_status";
    case "OAUTH_INVALID_RESPONSE":
    case "OAUTH_UNSUPPORTED_OPERATION":
      return invalidReason(chain);
    default:
      return "response_malformed";
  }
}

// The library has one code for everything that is not as it should be; what it compared tells which it was.
function invalidReason(chain: readonly Thrown[]): RefusalReason {
  if (detail(chain, "alg") !== undefined || detail(chain, "header") !== undefined) return "id_token_alg";
  if (detail(chain, "signature") !== undefined) return "id_token_signature";
  if (detail(chain, "claims") !== undefined) return "id_token_malformed";
  const isAboutAnswer = detail(chain, "parameters") !== undefined;
  return isAboutAnswer ? "response_iss" : "response_malformed";
}

function claimReason(claim: unknown): RefusalReason {
  const known = ["iss", "aud", "azp", "nonce", "exp", "nbf", "auth_time"] as const;
  const named = known.find((each) => each === claim);
  return named === undefined ? "id_token_malformed" : `id_token_${named}`;
}

function detail(chain: readonly Thrown[], name: string): unknown {
  const holder = chain.find((each) => Object.hasOwn(each, name));
  return holder === undefined ? undefined : (holder as Readonly<Record<string, unknown>>)[name];
}
