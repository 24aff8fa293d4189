import { hasDuplicateKeys } from "../domain/duplicate-keys.ts";
import { AuthError } from "../errors.ts";
import type { RouteRequest } from "../ports/request.ts";

/** A body as read: plain data with no prototype tricks left in it. */
export type Body = Readonly<Record<string, unknown>>;

/** Nesting beyond this is refused: no route takes more than two levels, and recursion over input is an attack surface. */
const deepest = 8;

/**
 * Reads a JSON object or a form. A request without a body reads as `{}`.
 *
 * @param maxBytes - more is refused while reading, whatever `Content-Length` says
 * @throws AuthError `payload_too_large`, `unsupported_media_type`, `malformed_json`, `invalid_input` (fields given twice,
 * control characters, lone surrogates, deep nesting)
 */
export async function readBody(request: RouteRequest, maxBytes: number): Promise<Body> {
  if ((declaredLength(request.headers.get("content-length")) ?? 0) > maxBytes)
    throw new AuthError("payload_too_large");
  const bytes = request.body === null ? new Uint8Array() : await readBytes(request.body, maxBytes);
  const type = mediaType(request.headers.get("content-type"));
  if (bytes.length === 0 && type === null) return {};
  if (type === "application/json") return bytes.length === 0 ? {} : parseJson(bytes);
  if (type === "application/x-www-form-urlencoded") return parseForm(decode(bytes, "invalid_input"));
  throw new AuthError("unsupported_media_type");
}

/** What a `Content-Length` header declares, in bytes; null where it declares none. @see RFC 9110, section 8.6 */
export function declaredLength(header: string | null | undefined): number | null {
  return header && /^\d+$/.test(header) ? Number(header) : null;
}

/** The media type of a `Content-Type` header in lower case, or null. Charsets other than UTF-8 read as unsupported. */
export function mediaType(header: string | null | undefined): string | null {
  if (!header) return null;
  const [type = "", ...parameters] = header.toLowerCase().split(";");
  const charset = parameters.map((part) => part.trim()).find((part) => part.startsWith("charset="));
  return charset === undefined || /^charset="?utf-8"?$/.test(charset) ? type.trim() : "unsupported/charset";
}

async function readBytes(body: ReadableStream<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.byteLength;
      if (length > maxBytes) {
        // Not awaited: a peer that keeps sending must not hold the answer back.
        reader.cancel().catch(() => undefined);
        throw new AuthError("payload_too_large");
      }
      chunks.push(value);
    }
  } catch (error) {
    if (error instanceof AuthError) throw error;
    throw new AuthError("malformed_request", { diagnosis: "the body ended early", cause: error });
  }
  return Buffer.concat(chunks, length);
}

function parseJson(bytes: Uint8Array): Body {
  const text = decode(bytes, "malformed_json");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new AuthError("malformed_json", { cause: error });
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new AuthError("invalid_input", { message: "The body must be a JSON object." });
  }
  if (hasDuplicateKeys(text)) throw new AuthError("malformed_json", { message: "The JSON has a key twice." });
  refuseHostile(value, 1);
  return value as Body;
}

function parseForm(text: string): Body {
  const body: Record<string, unknown> = Object.create(null);
  for (const [name, value] of new URLSearchParams(text)) {
    if (name in body) throw invalid(name, "duplicate", "The field is given twice.");
    if (!isCleanText(value) || !isCleanText(name))
      throw invalid(name, "invalid_characters", "Control characters cannot be used.");
    body[name] = value;
  }
  return body;
}

function decode(bytes: Uint8Array, code: "malformed_json" | "invalid_input"): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch (error) {
    throw new AuthError(code, { message: "The body is not UTF-8.", cause: error });
  }
}

function refuseHostile(value: unknown, depth: number): void {
  if (depth > deepest) throw new AuthError("invalid_input", { message: "The body is nested too deeply." });
  if (typeof value === "string") {
    if (!isCleanText(value))
      throw new AuthError("invalid_input", { message: "Control characters cannot be used." });
  } else if (value !== null && typeof value === "object") {
    for (const [key, inner] of Object.entries(value)) {
      if (key === "__proto__" || !isCleanText(key))
        throw new AuthError("invalid_input", { message: "A key cannot be used." });
      refuseHostile(inner, depth + 1);
    }
  }
}

/** Whether a text holds neither NUL nor half of a surrogate pair: databases and hashes disagree about both. */
function isCleanText(text: string): boolean {
  return !text.includes("\0") && !/\p{Surrogate}/u.test(text);
}

function invalid(field: string, code: string, message: string): AuthError {
  return new AuthError("invalid_input", { fields: [{ field, code, message }] });
}
