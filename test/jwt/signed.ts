import type { VerifyingKey } from "../../src/jwt/keys.ts";
import { tokenReader } from "../../src/jwt/token-reader.ts";

/** Whether a reader finds that one of the keys has signed a token. Most vectors sign words: that these are no claims comes after. */
export function isSigned(token: string, keys: readonly VerifyingKey[]): boolean {
  const reader = tokenReader({
    issuer: null,
    audience: null,
    type: null,
    keys: () => keys,
    content: () => true,
  });
  const reading = reader.read(token, 0);
  if (reading.kind === "bad") return reading.why === "what is signed is no JSON object";
  return reading.kind === "good";
}
