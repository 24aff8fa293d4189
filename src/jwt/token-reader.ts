import { hash } from "node:crypto";
import { type ClaimRules, type Claims, claimsProblem, expiryOf, isAddressedTo, isPast } from "./claims.ts";
import { type CompactJws, type JwsHeader, readCompact } from "./compact.ts";
import { readJsonObject } from "./json-object.ts";
import type { VerifyingKey } from "./keys.ts";
import { recentTokens } from "./recent-tokens.ts";
import { candidates, isSignedByOneOf } from "./verify-jws.ts";

/** What a reader says of a text. `why` is for the operator. */
export type Reading<T> =
  /** No token, or one that somebody else is to judge. */
  | { readonly kind: "foreign" }
  /** `isKeyUnknown`: none of the keys has the name that it gives; they may have changed. */
  | { readonly kind: "bad"; readonly why: string; readonly isKeyUnknown: boolean }
  | { readonly kind: "good"; readonly claims: Claims; readonly content: T };

/** What a reader judges by. */
export interface ReaderOptions<T> extends ClaimRules {
  /** The keys as of now; another list makes the reader forget what it has verified. */
  readonly keys: () => readonly VerifyingKey[];
  /** What the claims mean here; null refuses the token. Called once for each token. */
  readonly content: (claims: Claims) => T | null;
}

/** Reads tokens. */
export interface TokenReader<T> {
  /** Signature, `typ`, `iss`, `aud`, `exp`, `nbf`. At once, and in this thread. */
  read(token: string, nowMs: number): Reading<T>;
}

/** Verified tokens that are remembered, at least; at most twice as many, of about 1 kB each. */
const remembered = 10_000;

/** Headers of verified tokens that are remembered. */
const mostHeaders = 64;

const foreign = Object.freeze({ kind: "foreign" } as const);

interface Known<T> {
  readonly expirySeconds: number;
  readonly reading: Extract<Reading<T>, { kind: "good" }>;
}

/**
 * Makes a reader. What it has verified it remembers by the token's digest; `exp` counts at every reading.
 *
 * @see RFC 7519, section 7.2; RFC 8725
 */
export function tokenReader<T>(options: ReaderOptions<T>): TokenReader<T> {
  const known = recentTokens<Known<T>>(remembered);
  const headers = new Map<string, JwsHeader>();
  let keys = options.keys();
  return {
    read(token, nowMs) {
      if (!hasThreeParts(token)) return foreign;
      const current = options.keys();
      if (current !== keys) {
        keys = current;
        known.clear();
      }
      // By digest: memory that is dumped or paged out holds no token that still works.
      const digest = hash("sha256", token, "base64url");
      const seen = known.get(digest);
      if (seen !== undefined) return isPast(seen.expirySeconds, nowMs) ? bad("it has expired") : seen.reading;
      const jws = readCompact(token, headers);
      const reading = readAnew(options, keys, jws, nowMs);
      if (jws === null || reading.kind !== "good") return reading;
      known.add(digest, { expirySeconds: expiryOf(reading.claims) ?? 0, reading });
      // Of verified tokens alone, so that nobody else fills it.
      if (headers.size < mostHeaders) headers.set(token.slice(0, token.indexOf(".")), jws.header);
      return reading;
    },
  };
}

/** What a token says, verified by nobody; null where it cannot be read. */
export function claimsUnverified(token: string): Claims | null {
  const jws = readCompact(token);
  return jws === null ? null : readJsonObject(jws.payload);
}

function readAnew<T>(
  options: ReaderOptions<T>,
  keys: readonly VerifyingKey[],
  jws: CompactJws | null,
  nowMs: number,
): Reading<T> {
  if (jws === null) return bad("it cannot be read");
  const claims = readJsonObject(jws.payload);
  // What has no claims names nobody else either.
  if (claims !== null && !isAddressedTo(options, jws.header.type, claims)) return foreign;
  if (!isSignedByOneOf(jws, keys)) {
    const isKeyUnknown = jws.header.keyId !== null && candidates(jws, keys).length === 0;
    return { ...bad("none of the keys has signed it"), isKeyUnknown };
  }
  if (claims === null) return bad("what is signed is no JSON object");
  const problem = claimsProblem(options, claims, nowMs);
  if (problem !== null) return bad(problem);
  const content = options.content(claims);
  return content === null ? bad("a claim is missing or of another type") : { kind: "good", claims, content };
}

function bad<T>(why: string): Extract<Reading<T>, { kind: "bad" }> {
  return { kind: "bad", why, isKeyUnknown: false };
}

function hasThreeParts(token: string): boolean {
  const second = token.indexOf(".", token.indexOf(".") + 1);
  return second > token.indexOf(".") && token.indexOf(".", second + 1) < 0;
}
