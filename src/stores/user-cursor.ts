/** In which order accounts are listed: the newest first, ties by id, the greatest first; or by one of their unique keys. */
export type UserOrder = "newest" | "username" | "email";

/** An account's place in an order. */
export interface UserPlace {
  /** When it was made; 0 where the order is by a key. */
  readonly createdAtMs: number;
  /** The username, the key of the address, or the id. */
  readonly key: string;
}

/** Longer than any text that is handed out: the key of an address has 254 units at most, of up to 3 bytes. */
const longest = 4_000;

/** A place as it is handed out, for whoever asks for what begins there. */
export function cursorText(by: UserOrder, { createdAtMs, key }: UserPlace): string {
  return Buffer.from(JSON.stringify([by, createdAtMs, key])).toString("base64url");
}

/** Reads {@link cursorText}; null for anything else. */
export function cursorOf(text: string): readonly [by: unknown, place: UserPlace] | null {
  const cells = text.length > longest ? null : parsed(Buffer.from(text, "base64url").toString());
  if (!Array.isArray(cells)) return null;
  const [by, createdAtMs, key] = cells as readonly unknown[];
  // Half a surrogate pair is nothing that databases compare.
  if (typeof createdAtMs !== "number" || typeof key !== "string" || /\p{Cs}/u.test(key)) return null;
  return Number.isSafeInteger(createdAtMs) ? [by, { createdAtMs, key }] : null;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}
