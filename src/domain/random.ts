import { sessionIdLength, slotTagLength } from "./session.ts";

/** Gives `length` secure random bytes. */
export type Bytes = (length: number) => Uint8Array;

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** A whole number from 0 on, in `length` characters of `0-9 A-Z a-z`; what goes past them is cut off. */
export function numberBase62(value: number, length: number): string {
  let [text, rest] = ["", value];
  while (text.length < length) {
    text = base62[rest % 62] + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}

/** `length` characters of `0-9 A-Z a-z`, without bias: bytes past the last whole multiple of 62 are thrown away. */
export function randomBase62(length: number, bytes: Bytes): string {
  let text = "";
  while (text.length < length) {
    for (const byte of bytes(length - text.length + 8)) {
      if (byte < 248 && text.length < length) text += base62[byte % 62];
    }
  }
  return text;
}

/** A 256-bit secret, base64url, 43 characters. */
export function randomSecret(bytes: Bytes): string {
  return Buffer.from(bytes(32)).toString("base64url");
}

/** A slot tag, which every session id of its user begins with. */
export function randomSlotTag(bytes: Bytes): string {
  return randomBase62(slotTagLength, bytes);
}

/** A session id below a slot tag; 95 bits of its own. */
export function randomSessionId(slotTag: string, bytes: Bytes): string {
  return slotTag + randomBase62(sessionIdLength - slotTag.length, bytes);
}

/** A UUID of version 7: its first 48 bits are the time, so that rows of one time lie together. @see RFC 9562, section 5.7 */
export function uuidv7(now: Date, bytes: Bytes): string {
  const random = Buffer.from(bytes(10)).toString("hex");
  const time = now.getTime().toString(16).padStart(12, "0");
  const variant = (0x8 | (Number.parseInt(random[3] ?? "0", 16) & 0x3)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(4, 7)}-${random.slice(7, 19)}`;
}

/** A UUID of version 4: all of it is random. @see RFC 9562, section 5.4 */
export function uuidv4(bytes: Bytes): string {
  const text = Buffer.from(bytes(16)).toString("hex");
  const variant = (0x8 | (Number.parseInt(text[16] ?? "0", 16) & 0x3)).toString(16);
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-4${text.slice(13, 16)}-${variant}${text.slice(17, 20)}-${text.slice(20)}`;
}
