import { isUtf8 } from "node:buffer";
import { hasDuplicateKeys } from "../domain/duplicate-keys.ts";

/** A JSON object as it was sent. Read with {@link own}: a name such as `constructor` is data like any other. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Reads a JSON object; null for anything else: another value, a key given twice, what is not UTF-8. @see RFC 8725, section 2.4 */
export function readJsonObject(bytes: Buffer): JsonObject | null {
  if (!isUtf8(bytes)) return null;
  try {
    const text = bytes.toString();
    const value: unknown = JSON.parse(text);
    if (value === null || typeof value !== "object" || Array.isArray(value)) return null;
    // What would be written as it was read has lost nothing: that is most tokens, and the quicker question.
    if (JSON.stringify(value) !== text && hasDuplicateKeys(text)) return null;
    return value as JsonObject;
  } catch {
    return null;
  }
}

/** A field of its own; undefined where there is none. */
export function own(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
