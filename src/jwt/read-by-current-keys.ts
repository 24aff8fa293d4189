import { AuthError } from "../errors.ts";
import type { Awaitable } from "../ports/store.ts";
import type { Reading, TokenReader } from "./token-reader.ts";

/** Reads the keys again, since another process may have changed them; false where they cannot be read. */
export type RefreshKeys = () => Promise<boolean>;

/**
 * Reads a token; once more where none of the keys has the name that it gives, since they may have changed.
 *
 * @param refreshKeys - null where the keys never change
 * @param now - milliseconds since 1970
 * @throws AuthError `store_unavailable` - its key is not known, and whether there is such a key cannot be told just now
 */
export function readByCurrentKeys<T>(
  reader: TokenReader<T>,
  refreshKeys: RefreshKeys | null,
  token: string,
  now: () => number,
): Awaitable<Reading<T>> {
  const reading = reader.read(token, now());
  return refreshKeys !== null && isOfUnknownKey(reading)
    ? readAgain(reader, refreshKeys, token, now)
    : reading;
}

async function readAgain<T>(
  reader: TokenReader<T>,
  refreshKeys: RefreshKeys,
  token: string,
  now: () => number,
): Promise<Reading<T>> {
  const isCurrent = await refreshKeys();
  const reading = reader.read(token, now());
  if (isCurrent || !isOfUnknownKey(reading)) return reading;
  throw new AuthError("store_unavailable", {
    diagnosis: "a token names a key that is not known, and the signing keys cannot be read",
  });
}

function isOfUnknownKey<T>(reading: Reading<T>): boolean {
  return reading.kind === "bad" && reading.isKeyUnknown;
}
