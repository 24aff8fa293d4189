import { noOrigin } from "../../domain/event.ts";
import { skewSeconds } from "../../jwt/claims.ts";
import type { OpenKeys } from "../../jwt/key-source.ts";
import type { TokenServices } from "./token-services.ts";

/** A new signing key and its times. */
export interface RotatedKey {
  readonly keyId: string;
  /** Until then it is published and the one before signs. */
  readonly signsFrom: Date;
  /** When the one before goes: nothing that it signed is valid any more. */
  readonly formerRetiresAt: Date;
}

/** Time for those who verify elsewhere to fetch the new key before it signs. */
const usualPublishSeconds = 900;
/** What processes need to see the change, and their clocks to agree. */
const slackSeconds = 60;

/**
 * Brings in a new signing key: published at once, signing after `publishSeconds` (default 900), while what the one before
 * signed stays good until it expires. No token stops working, whichever process issued it.
 *
 * @param publishSeconds - 10 to 2,592,000: below 10 a process that has not looked yet would be given a token of a key that it does not know
 * @throws TypeError - there are no keys that could be rotated, or another rotation is under way
 */
export async function rotateSigningKey(
  services: TokenServices,
  keys: OpenKeys | null,
  { publishSeconds = usualPublishSeconds }: { readonly publishSeconds?: number } = {},
): Promise<RotatedKey> {
  if (keys === null) throw new TypeError("tokens: HS256 signs with a key of the secrets; rotate those");
  if (!Number.isInteger(publishSeconds) || publishSeconds < 10 || publishSeconds > 2_592_000) {
    throw new TypeError("publishSeconds: a whole number from 10 to 2592000");
  }
  const { events, tokens } = services;
  const overlapSeconds = tokens.ttlSeconds + skewSeconds + slackSeconds;
  const { jwk, signsFrom } = await keys.rotate({ publishSeconds, overlapSeconds });
  const keyId = jwk.kid ?? "";
  const draft = { type: "signing_key.rotated", userId: null, sessionId: null, payload: { keyId } } as const;
  await services.commit([{ kind: "audit.insert", row: events.row(draft, noOrigin) }]);
  return { keyId, signsFrom, formerRetiresAt: new Date(signsFrom.getTime() + overlapSeconds * 1000) };
}
