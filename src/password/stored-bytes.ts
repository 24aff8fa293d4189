import { timingSafeEqual } from "node:crypto";

/** How bytes are written in stored hashes. */
export type BytesSpelling = "base64" | "unpadded" | "adapted" | "hex";

/**
 * The bytes of a piece of a stored hash, or null unless it is exactly how those bytes are written: two spellings of one hash
 * would be two rows to whoever compares text. `adapted` is passlib's unpadded base64 with "." in the place of "+".
 */
export function storedBytes(text: string, spelling: BytesSpelling): Buffer | null {
  const bytes = Buffer.from(spelling === "adapted" ? text.replaceAll(".", "+") : text, encodingOf(spelling));
  return written(bytes, spelling) === text ? bytes : null;
}

/** Bytes as a stored hash has them. */
export function written(bytes: Uint8Array, spelling: BytesSpelling): string {
  const text = Buffer.from(bytes).toString(encodingOf(spelling));
  if (spelling === "base64" || spelling === "hex") return text;
  const unpadded = text.replace(/=+$/, "");
  return spelling === "adapted" ? unpadded.replaceAll("+", ".") : unpadded;
}

/** Constant time for bytes of one length; false for another length. */
export function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

function encodingOf(spelling: BytesSpelling): "base64" | "hex" {
  return spelling === "hex" ? "hex" : "base64";
}
