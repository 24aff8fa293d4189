import { decodeBase64url } from "./base64url.ts";
import { type JsonObject, own, readJsonObject } from "./json-object.ts";

/** Longer tokens are refused unread. */
export const tokenMaxBytes = 8_192;

/** The parts of a header that are looked at. Keys in it (`jwk`, `jku`, `x5c`, `x5u`) are not: whoever forges a token writes them. */
export interface JwsHeader {
  readonly algorithm: string;
  readonly type: string | null;
  readonly keyId: string | null;
}

/** A signed token taken apart. Nothing is verified by reading. */
export interface CompactJws {
  readonly header: JwsHeader;
  readonly payload: Buffer;
  readonly signature: Buffer;
  /** What the signature covers, ASCII. */
  readonly signed: string;
}

/** Headers that were read before, by their text: the tokens of one issuer have few. */
export type KnownHeaders = ReadonlyMap<string, JwsHeader>;

/**
 * Reads the compact serialisation of a signature. One token has one spelling.
 *
 * @returns null for what is too long, not three parts of base64url, has no JSON object for a header, or one with `crit`
 * (nothing that has to be understood is), `b64`, no `alg`, or a `typ` or `kid` that is no text
 * @see RFC 7515, sections 5.2 and 7.1
 */
export function readCompact(token: string, headers?: KnownHeaders): CompactJws | null {
  if (token.length > tokenMaxBytes) return null;
  const first = token.indexOf(".");
  const second = token.indexOf(".", first + 1);
  if (first < 1 || second < 0 || token.indexOf(".", second + 1) >= 0) return null;
  const encoded = token.slice(0, first);
  const header = headers?.get(encoded) ?? readHeader(encoded);
  if (header === null) return null;
  const payload = decodeBase64url(token.slice(first + 1, second));
  const signature = decodeBase64url(token.slice(second + 1));
  if (payload === null || signature === null) return null;
  return { header, payload, signature, signed: token.slice(0, second) };
}

function readHeader(encoded: string): JwsHeader | null {
  const bytes = decodeBase64url(encoded);
  const fields = bytes === null ? null : readJsonObject(bytes);
  if (fields === null || own(fields, "crit") !== undefined || own(fields, "b64") !== undefined) return null;
  const algorithm = own(fields, "alg");
  const type = textOrNull(fields, "typ");
  const keyId = textOrNull(fields, "kid");
  if (typeof algorithm !== "string" || type === undefined || keyId === undefined) return null;
  return { algorithm, type, keyId };
}

function textOrNull(fields: JsonObject, name: string): string | null | undefined {
  const value = own(fields, name);
  if (value === undefined) return null;
  return typeof value === "string" ? value : undefined;
}
