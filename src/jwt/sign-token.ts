import { signText } from "./algorithms.ts";
import type { Claims } from "./claims.ts";
import { tokenMaxBytes } from "./compact.ts";
import type { VerifyingKey } from "./keys.ts";

/** Signs claims. @throws TypeError - they make a token that nobody would read, longer than 8 KiB. @see RFC 7515, section 7.1 */
export function signToken(type: string, claims: Claims, key: VerifyingKey): string {
  const header = { typ: type, alg: key.algorithm, ...(key.keyId !== null && { kid: key.keyId }) };
  const signed = `${encode(header)}.${encode(claims)}`;
  const token = `${signed}.${signText(key, signed).toString("base64url")}`;
  if (token.length > tokenMaxBytes) {
    throw new TypeError(`the token has ${token.length} bytes, ${tokenMaxBytes} are the most: fewer claims`);
  }
  return token;
}

function encode(fields: object): string {
  return Buffer.from(JSON.stringify(fields)).toString("base64url");
}
