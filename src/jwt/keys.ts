import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  hash,
  type JsonWebKey,
  type KeyObject,
} from "node:crypto";
import {
  type Algorithm,
  type AlgorithmKey,
  algorithmRow,
  isAlgorithm,
  onlyAlgorithmOf,
} from "./algorithms.ts";
import { decodeBase64url } from "./base64url.ts";

/** A key that verifies, with the one algorithm that it is for. */
export interface VerifyingKey extends AlgorithmKey {
  /** Null for a key without a name: any token of its algorithm is tried with it. */
  readonly keyId: string | null;
}

/** A key as JSON; what it may be beyond {@link JsonWebKey}. @see RFC 7517, section 4 */
export type Jwk = JsonWebKey & {
  readonly alg?: string;
  readonly kid?: string;
  readonly use?: string;
  readonly key_ops?: readonly string[];
};

/** RSA below this is broken by those who can pay for it. @see RFC 7518, section 3.3 */
const leastRsaBits = 2_048;

/**
 * Reads a key that tokens are to be verified with. A private key verifies as its public half.
 *
 * @param algorithm - what it is for where it does not say so itself, and only one thing is possible
 * @throws TypeError naming what is wrong: no algorithm or an unknown one, one that does not fit the key, another use, a weak key
 */
export function verifyingKey(jwk: Jwk, algorithm?: Algorithm): VerifyingKey {
  const named = algorithmOf(jwk, algorithm);
  if (jwk.use !== undefined && jwk.use !== "sig") throw new TypeError(`the key is for ${jwk.use}, not sig`);
  const operations = jwk.key_ops;
  if (operations !== undefined && !operations.includes("verify") && !operations.includes("sign")) {
    throw new TypeError("the key is for neither verify nor sign");
  }
  if (jwk.kid !== undefined && typeof jwk.kid !== "string") throw new TypeError("kid is no text");
  const key = jwk.kty === "oct" ? secretKey(jwk.k, named) : publicKey(jwk);
  return { keyId: jwk.kid ?? null, algorithm: named, key };
}

/**
 * Reads a set of keys. Keys that verify nothing here (another use, an algorithm that is not known) are left out, as RFC 7517
 * asks; a set that could mean two things is refused.
 *
 * @throws TypeError - no usable key, two of one `kid`, secrets beside public keys, a private key (`isPublic`)
 */
export function verifyingKeys(
  jwks: readonly Jwk[],
  { algorithm, isPublic = false }: { readonly algorithm?: Algorithm; readonly isPublic?: boolean } = {},
): readonly VerifyingKey[] {
  const ids = jwks.flatMap(({ kid }) => kid ?? []);
  if (new Set(ids).size !== ids.length) throw new TypeError("two keys have one kid");
  const secrets = jwks.filter(({ kty }) => kty === "oct").length;
  if (secrets > 0 && secrets < jwks.length) throw new TypeError("secrets and public keys in one set");
  if (isPublic && jwks.some((jwk) => jwk.kty === "oct" || jwk.d !== undefined)) {
    throw new TypeError("a secret or private key in a public set");
  }
  const problems: string[] = [];
  const keys = jwks.flatMap((jwk) => {
    try {
      return [verifyingKey(jwk, algorithm)];
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
      return [];
    }
  });
  if (keys.length === 0) throw new TypeError(`no usable key: ${problems.join("; ") || "the set is empty"}`);
  return keys;
}

/** A secret that tokens are signed and verified with. @throws TypeError where it is shorter than the hash. @see RFC 7518, section 3.2 */
export function secretVerifyingKey(
  secret: string | Uint8Array,
  algorithm: Algorithm = "HS256",
): VerifyingKey {
  const bytes = typeof secret === "string" ? Buffer.from(secret) : secret;
  return { keyId: null, algorithm, key: secretKeyOf(bytes, algorithm) };
}

/** A key that signs. @throws TypeError as {@link verifyingKey}, and for a public key */
export function signingKey(jwk: Jwk): VerifyingKey {
  const { keyId, algorithm } = verifyingKey(jwk);
  if (jwk.kty === "oct" || jwk.d === undefined) throw new TypeError("a private key is needed");
  return { keyId, algorithm, key: createPrivateKey({ key: jwk, format: "jwk" }) };
}

/** The public half of a key, as a key set publishes it. */
export function publicJwk({ keyId, algorithm, key }: VerifyingKey): Jwk {
  const half = key.type === "private" ? createPublicKey(key) : key;
  return {
    ...half.export({ format: "jwk" }),
    ...(keyId !== null && { kid: keyId }),
    alg: algorithm,
    use: "sig",
  };
}

/** SHA-256 over the members that make a key what it is, base64url. @see RFC 7638 */
export function thumbprint(key: KeyObject): string {
  const { crv, e, k, kty, n, x, y } = key.export({ format: "jwk" });
  // Alphabetical, and nothing else: JSON leaves out what is undefined.
  return hash("sha256", JSON.stringify({ crv, e, k, kty, n, x, y }), "base64url");
}

function algorithmOf(jwk: Jwk, algorithm: Algorithm | undefined): Algorithm {
  const curve = typeof jwk.crv === "string" ? jwk.crv : null;
  const wanted = jwk.alg ?? algorithm ?? onlyAlgorithmOf(String(jwk.kty), curve);
  if (!isAlgorithm(wanted)) throw new TypeError(`no known algorithm: ${JSON.stringify(wanted)}`);
  if (algorithm !== undefined && wanted !== algorithm) throw new TypeError(`the key is for ${wanted}`);
  const row = algorithmRow(wanted);
  if (row?.keyType !== jwk.kty || (row?.curve ?? null) !== curve) {
    throw new TypeError(`a key ${jwk.kty} ${curve ?? ""} is not for ${wanted}`);
  }
  return wanted;
}

function secretKey(k: unknown, algorithm: Algorithm): KeyObject {
  const bytes = typeof k === "string" ? decodeBase64url(k) : null;
  if (bytes === null) throw new TypeError("k is no base64url");
  return secretKeyOf(bytes, algorithm);
}

function secretKeyOf(bytes: Uint8Array, algorithm: Algorithm): KeyObject {
  const least = algorithmRow(algorithm)?.signatureBytes ?? 0;
  if (bytes.length < least) throw new TypeError(`${algorithm} needs a secret of at least ${least} bytes`);
  return createSecretKey(bytes);
}

function publicKey(jwk: Jwk): KeyObject {
  const key = createPublicKey({ key: jwk, format: "jwk" });
  const { modulusLength, publicExponent } = key.asymmetricKeyDetails ?? {};
  if (jwk.kty === "RSA") {
    if ((modulusLength ?? 0) < leastRsaBits) throw new TypeError(`RSA needs at least ${leastRsaBits} bits`);
    // With an exponent of 1 every message is its own signature.
    if (publicExponent === undefined || publicExponent < 3n || publicExponent % 2n === 0n) {
      throw new TypeError("an exponent of RSA is odd and at least 3");
    }
  }
  return key;
}
