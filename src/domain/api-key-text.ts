import { crc32 } from "node:zlib";
import { type Bytes, numberBase62, randomBase62 } from "./random.ts";

const idLength = 16;
// 62 to the 43rd is more than 2 to the 256th.
const secretLength = 43;
const checksumLength = 6;
const shape = /^lk_([a-z0-9]{1,16})_([A-Za-z0-9]{16})_([A-Za-z0-9]{43})([A-Za-z0-9]{6})$/;

/** An API key as its holder presents it. */
export interface ApiKeyText {
  /** Word for what it belongs to: `live`, `test`. */
  readonly environment: string;
  /** Public id. */
  readonly id: string;
  /** 256 bits, base62. */
  readonly secret: string;
}

/** Whether a text is meant as an API key, whole or not: by its fixed beginning, which secret scanners look for. */
export function looksLikeApiKey(text: string): boolean {
  return text.startsWith("lk_");
}

/** Whether keys can be made for an environment of this name: 1 to 16 of `a-z 0-9`. */
export function isApiKeyEnvironment(word: string): boolean {
  return /^[a-z0-9]{1,16}$/.test(word);
}

/** A new key. */
export function mintApiKey(environment: string, bytes: Bytes): ApiKeyText {
  return { environment, id: randomBase62(idLength, bytes), secret: randomBase62(secretLength, bytes) };
}

/** Writes `lk_<environment>_<id>_<secret><checksum>`. */
export function formatApiKey({ environment, id, secret }: ApiKeyText): string {
  const text = `lk_${environment}_${id}_${secret}`;
  return text + checksum(text);
}

/**
 * Reads a key; null for anything that was never handed out in this form. The checksum is no secret and proves nothing: it
 * tells a mistyped or made-up key from a real one before any look-up, here and in the scanners of code hosts.
 */
export function parseApiKey(text: string): ApiKeyText | null {
  // Before the pattern: nothing long is looked at.
  if (text.length > 3 + 16 + 1 + idLength + 1 + secretLength + checksumLength) return null;
  const [, environment, id, secret, sum] = shape.exec(text) ?? [];
  if (environment === undefined || id === undefined || secret === undefined) return null;
  return sum === checksum(text.slice(0, -checksumLength)) ? { environment, id, secret } : null;
}

function checksum(text: string): string {
  return numberBase62(crc32(text), checksumLength);
}
