import { isSignature } from "./algorithms.ts";
import type { CompactJws } from "./compact.ts";
import type { VerifyingKey } from "./keys.ts";

/** The keys that may have signed a token: of the algorithm that it names, and of the `kid` where both say one. */
export function candidates(
  { header }: Pick<CompactJws, "header">,
  keys: readonly VerifyingKey[],
): readonly VerifyingKey[] {
  return keys.filter(
    ({ algorithm, keyId }) =>
      algorithm === header.algorithm && (keyId === null || header.keyId === null || keyId === header.keyId),
  );
}

/**
 * Whether one of the keys has signed. The key says which algorithm; what the token says only chooses among the keys.
 *
 * @see RFC 7515, section 5.2; RFC 8725, sections 3.1 and 3.2
 */
export function isSignedByOneOf(jws: CompactJws, keys: readonly VerifyingKey[]): boolean {
  return candidates(jws, keys).some((key) => isSignature(key, jws.signed, jws.signature));
}
