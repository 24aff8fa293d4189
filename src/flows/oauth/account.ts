import { isEmail } from "../../domain/identifier.ts";
import type { LinkedAccount, LinkedAccountChanges } from "../../domain/linked-account.ts";
import { uuidv7 } from "../../domain/random.ts";
import type { ProviderTokens, Redeemed } from "../../oauth/client.ts";
import type { OAuthServices, ProvenAccount } from "./services.ts";

/** The record of a link that is about to be made. */
export async function newLinkedAccount(
  services: OAuthServices,
  { client, profile, redeemed }: ProvenAccount,
  userId: string,
): Promise<LinkedAccount> {
  const now = services.clock.now();
  const id = uuidv7(now, (length) => services.random.bytes(length));
  return {
    kind: "linked-account",
    id,
    userId,
    provider: client.provider.name,
    issuer: redeemed.issuer,
    subject: profile.subject,
    email: storable(profile.email),
    sealedTokens: await sealTokens(services, id, redeemed),
    lastUsedAt: now,
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
}

/** What a sign-in changes in the record of its link. */
export async function usedLinkedAccount(
  services: OAuthServices,
  { profile, redeemed }: ProvenAccount,
  { id }: LinkedAccount,
): Promise<LinkedAccountChanges> {
  const sealedTokens = await sealTokens(services, id, redeemed);
  return { email: storable(profile.email), sealedTokens, lastUsedAt: services.clock.now() };
}

/** A provider's tokens as they lie sealed: with the link that they belong to, so that no other row's can stand in. */
interface TokensAtRest extends Omit<ProviderTokens, "expiresAt"> {
  readonly accountId: string;
  readonly expiresAt: string | null;
}

/** Longer ones are no tokens, and would not fit their column once sealed. */
const longestTokens = 16_384;

async function sealTokens(
  { tokens: sealed }: OAuthServices,
  accountId: string,
  { tokens }: Redeemed,
): Promise<string | null> {
  if (sealed === null) return null;
  const atRest: TokensAtRest = {
    ...tokens,
    accountId,
    expiresAt: tokens.expiresAt?.toISOString() ?? null,
  };
  return JSON.stringify(atRest).length > longestTokens ? null : sealed.seal(atRest);
}

/** The tokens that were kept with a link; null where none were, or the secret that sealed them is gone. */
export async function openTokens(
  { tokens: sealed }: OAuthServices,
  { id, sealedTokens }: LinkedAccount,
): Promise<ProviderTokens | null> {
  if (sealed === null || sealedTokens === null) return null;
  const atRest = (await sealed.open(sealedTokens)) as TokensAtRest | null;
  if (atRest === null || atRest.accountId !== id) return null;
  const { accessToken, refreshToken, scope, expiresAt } = atRest;
  return { accessToken, refreshToken, scope, expiresAt: expiresAt === null ? null : new Date(expiresAt) };
}

// It is shown and decides nothing; what cannot be an address is not worth showing.
function storable(email: string | null): string | null {
  return email !== null && isEmail(email) ? email : null;
}
