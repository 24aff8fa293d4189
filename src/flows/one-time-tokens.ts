import { createCipheriv, createDecipheriv, hash, hkdfSync, timingSafeEqual } from "node:crypto";
import {
  type OneTimeToken,
  type OneTimeTokenPurpose,
  oneTimeTokenTtlSeconds,
} from "../domain/one-time-token.ts";
import { randomBase62, randomSecret } from "../domain/random.ts";
import { AuthError } from "../errors.ts";
import type { Services } from "../ports/services.ts";

/** What a new token is about. */
export interface NewOneTimeToken extends Pick<OneTimeToken, "userId" | "generation" | "detail"> {
  /** 22 base62 characters; a token of the same id and purpose works no more. Default: a random one. */
  readonly id?: string;
  /** In place of `detail`: readable by who has the token alone, since the store knows its secret no more than anybody. */
  readonly sealed?: string;
}

/**
 * Makes a token that works once. Only the digest of its secret is stored.
 *
 * @returns `id.secret`, 66 characters
 */
export async function issueOneTimeToken(
  services: Services,
  purpose: OneTimeTokenPurpose,
  { id: givenId, sealed, ...about }: NewOneTimeToken,
): Promise<string> {
  const bytes = (length: number): Uint8Array => services.random.bytes(length);
  const id = givenId ?? randomBase62(22, bytes);
  const secret = randomSecret(bytes);
  const detail = sealed === undefined ? {} : { detail: sealDetail(secret, sealed) };
  const token: OneTimeToken = { purpose, ...about, ...detail, secretDigest: digest(secret) };
  const ttlSeconds = oneTimeTokenTtlSeconds[purpose];
  await services.stores.ephemeral.put(keyOf(purpose, id), JSON.stringify(token), ttlSeconds, services.call());
  return `${id}.${secret}`;
}

/**
 * Looks at a token without spending it: whether its form is worth showing, what it is about.
 *
 * @throws AuthError `token_invalid` - unknown, used, expired or of another purpose, not told apart
 */
export async function readOneTimeToken(
  services: Services,
  purpose: OneTimeTokenPurpose,
  token: string,
): Promise<OneTimeToken> {
  const { id, secret } = parse(token);
  return check(await services.stores.ephemeral.read(keyOf(purpose, id), services.call()), secret);
}

/**
 * Spends a token: of any number of concurrent calls one succeeds.
 *
 * The secret is compared before anything is taken, so that who knows an id alone cannot use a token up.
 *
 * @throws AuthError `token_invalid`
 */
export async function takeOneTimeToken(
  services: Services,
  purpose: OneTimeTokenPurpose,
  token: string,
): Promise<OneTimeToken> {
  await readOneTimeToken(services, purpose, token);
  const { id, secret } = parse(token);
  return check(await services.stores.ephemeral.take(keyOf(purpose, id), services.call()), secret);
}

/**
 * What was sealed into a token that was read.
 *
 * @throws AuthError `token_invalid` - nothing was, or it is not whole
 */
export function openSealed(text: string, { detail }: OneTimeToken): string {
  const box = Buffer.from(detail ?? "", "base64url");
  try {
    const cipher = createDecipheriv("aes-256-gcm", sealingKey(parse(text).secret), nonce, { authTagLength });
    cipher.setAuthTag(box.subarray(-authTagLength));
    return cipher.update(box.subarray(0, -authTagLength), undefined, "utf8") + cipher.final("utf8");
  } catch {
    throw new AuthError("token_invalid");
  }
}

const authTagLength = 16;
// Each key seals one text: it comes from a secret that was drawn for this token alone.
const nonce: Uint8Array = new Uint8Array(12);

function sealDetail(secret: string, text: string): string {
  const cipher = createCipheriv("aes-256-gcm", sealingKey(secret), nonce, { authTagLength });
  return Buffer.concat([cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]).toString(
    "base64url",
  );
}

function sealingKey(secret: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, "", "latchkey/1/one-time-token", 32));
}

function parse(token: string): { id: string; secret: string } {
  const match = /^([A-Za-z0-9]{22})\.([A-Za-z0-9_-]{43})$/.exec(token);
  if (match === null) throw new AuthError("token_invalid");
  return { id: match[1] as string, secret: match[2] as string };
}

function check(stored: string | null, secret: string): OneTimeToken {
  if (stored === null) throw new AuthError("token_invalid");
  const token = JSON.parse(stored) as OneTimeToken;
  if (!timingSafeEqual(Buffer.from(token.secretDigest), Buffer.from(digest(secret))))
    throw new AuthError("token_invalid");
  return token;
}

function keyOf(purpose: OneTimeTokenPurpose, id: string): string {
  return `token:${purpose}:${id}`;
}

function digest(secret: string): string {
  return hash("sha256", secret, "base64url");
}
