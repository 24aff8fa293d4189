import { constants, createHmac, type KeyObject, sign, timingSafeEqual, verify } from "node:crypto";

/** The algorithms that are verified. `none` is not among them. @see RFC 7518, section 3.1; RFC 8037 */
export type Algorithm =
  | "HS256"
  | "HS384"
  | "HS512"
  | "RS256"
  | "RS384"
  | "RS512"
  | "PS256"
  | "PS384"
  | "PS512"
  | "ES256"
  | "ES384"
  | "ES512"
  | "EdDSA";

/** What one algorithm needs of a key, and how it signs. Everything runs at once and in this thread: on the way of a check nothing may queue behind password hashes. */
interface AlgorithmRow {
  readonly keyType: "oct" | "RSA" | "EC" | "OKP";
  /** Null where the algorithm hashes by itself. */
  readonly hash: string | null;
  /** Curve of the key. */
  readonly curve?: string;
  /** Bytes of a signature; absent where the key decides. */
  readonly signatureBytes?: number;
  readonly isPss?: boolean;
}

const table: Readonly<Record<Algorithm, AlgorithmRow>> = {
  HS256: { keyType: "oct", hash: "sha256", signatureBytes: 32 },
  HS384: { keyType: "oct", hash: "sha384", signatureBytes: 48 },
  HS512: { keyType: "oct", hash: "sha512", signatureBytes: 64 },
  RS256: { keyType: "RSA", hash: "sha256" },
  RS384: { keyType: "RSA", hash: "sha384" },
  RS512: { keyType: "RSA", hash: "sha512" },
  PS256: { keyType: "RSA", hash: "sha256", isPss: true },
  PS384: { keyType: "RSA", hash: "sha384", isPss: true },
  PS512: { keyType: "RSA", hash: "sha512", isPss: true },
  ES256: { keyType: "EC", hash: "sha256", curve: "P-256", signatureBytes: 64 },
  ES384: { keyType: "EC", hash: "sha384", curve: "P-384", signatureBytes: 96 },
  ES512: { keyType: "EC", hash: "sha512", curve: "P-521", signatureBytes: 132 },
  EdDSA: { keyType: "OKP", hash: null, curve: "Ed25519", signatureBytes: 64 },
};

/** The row of an algorithm; null for a name that is none. */
export function algorithmRow(name: string): AlgorithmRow | null {
  return Object.hasOwn(table, name) ? table[name as Algorithm] : null;
}

/** Whether a name is that of an algorithm. */
export function isAlgorithm(name: unknown): name is Algorithm {
  return typeof name === "string" && Object.hasOwn(table, name);
}

/** The algorithm that keys of this type and curve are for; null where they could be for several. */
export function onlyAlgorithmOf(keyType: string, curve: string | null): Algorithm | null {
  const fitting = (Object.keys(table) as Algorithm[]).filter((name) => {
    const row = table[name];
    return row.keyType === keyType && (row.curve ?? null) === curve;
  });
  return fitting.length === 1 ? (fitting[0] ?? null) : null;
}

/** A key and the one algorithm that it is for. */
export interface AlgorithmKey {
  readonly algorithm: Algorithm;
  readonly key: KeyObject;
}

/** Signs a text. */
export function signText({ algorithm, key }: AlgorithmKey, text: string): Buffer {
  const row = table[algorithm];
  if (row.keyType === "oct") return mac(row, key, text);
  return sign(row.hash, Buffer.from(text), { key, ...encoding(row) });
}

/** Whether a signature is that of a text, under the one algorithm of the key. */
export function isSignature({ algorithm, key }: AlgorithmKey, text: string, signature: Uint8Array): boolean {
  const row = table[algorithm];
  if (row.signatureBytes !== undefined && signature.length !== row.signatureBytes) return false;
  if (row.keyType === "oct") return timingSafeEqual(mac(row, key, text), signature);
  return verify(row.hash, Buffer.from(text), { key, ...encoding(row) }, signature);
}

function mac({ hash }: AlgorithmRow, key: KeyObject, text: string): Buffer {
  return createHmac(hash ?? "sha256", key)
    .update(text)
    .digest();
}

function encoding({ keyType, isPss }: AlgorithmRow): object {
  if (keyType === "EC") return { dsaEncoding: "ieee-p1363" };
  return isPss
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : {};
}
