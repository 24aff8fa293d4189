import { timingSafeEqual } from "node:crypto";
import type { EventOrigin } from "../../domain/event.ts";
import { AuthError } from "../../errors.ts";
import type { ProviderClient, Redeemed } from "../../oauth/client.ts";
import type { ProviderProfile } from "../../ports/provider.ts";
import { takeOneTimeToken } from "../one-time-tokens.ts";
import type { Admitted } from "./admission.ts";
import { type Attempt, openAttempt, redirectUri } from "./attempt.ts";
import { linkAccount } from "./link.ts";
import { configuredProvider, foreignAnswer, withProvider } from "./refusals.ts";
import type { OAuthContext, OAuthServices } from "./services.ts";
import { admitByProvider } from "./sign-in.ts";

/** An answer of a provider, as a browser brought it. */
export interface OAuthAnswer {
  /** By the address that it came to. */
  readonly provider: string;
  readonly parameters: URLSearchParams;
  /** What the browser carried since the beginning; null where it carried nothing. */
  readonly attempt: string | null;
}

/** What came of an answer. */
export type OAuthOutcome =
  | (Admitted & { readonly next: string | null })
  | { readonly kind: "linked"; readonly provider: string };

/**
 * Takes a provider's answer: signs in, registers, or links, as it was begun.
 *
 * The answer belongs to what this browser began, or nothing is asked of the provider: cookie, provider and state are compared
 * first, and only the right state is spent, so that nobody uses up an attempt from outside.
 *
 * @throws AuthError `provider_refused`, `provider_unavailable`, `email_taken`, `registration_closed`, `conflict`, `forbidden`,
 * `rate_limited`, `session_expired`; nobody is signed in then
 * @see RFC 9700, sections 2.1, 4.4 and 4.7
 */
export async function finishOAuth(
  services: OAuthServices,
  answer: OAuthAnswer,
  context: OAuthContext,
): Promise<OAuthOutcome> {
  const { from } = context;
  const client = configuredProvider(services, answer.provider);
  const attempt = await ownAttempt(services, answer, from);
  const { state, nonce, codeVerifier } = attempt;
  const checks = { state, nonce, codeVerifier, redirectUri: redirectUri(services, answer.provider) };
  const step = client.redeem(answer.parameters, checks);
  const redeemed = await withProvider(services, client, from, step);
  const proven = { client, redeemed, profile: profileOf(services, client, redeemed, from) };
  if (attempt.link !== null) {
    await linkAccount(services, proven, { link: attempt.link, current: context.current, from });
    return { kind: "linked", provider: answer.provider };
  }
  const { isRemembered, isFresh, next } = attempt;
  return { ...(await admitByProvider(services, proven, { ...context, isRemembered, isFresh })), next };
}

/** The attempt that an answer belongs to, its state spent. */
async function ownAttempt(
  services: OAuthServices,
  { provider, parameters, attempt: sealed }: OAuthAnswer,
  from: EventOrigin,
): Promise<Attempt> {
  const refuse = (reason: string): AuthError => foreignAnswer(services, { provider, from }, reason);
  const attempt = sealed === null ? null : await openAttempt(services, sealed);
  if (attempt === null) throw refuse("no_attempt");
  // A provider that is another one's client could else bring that one's code here. @see RFC 9700, section 4.4.2.2
  if (attempt.provider !== provider) throw refuse("provider_mismatch");
  if (attempt.expiresAt <= services.clock.now().getTime()) throw refuse("attempt_expired");
  const [state = "", ...more] = parameters.getAll("state");
  if (more.length > 0 || !isSame(state, attempt.state)) throw refuse("state_mismatch");
  await takeOneTimeToken(services, "oauth", state).catch((error: unknown) => {
    throw error instanceof AuthError && error.code === "token_invalid" ? refuse("state_reused") : error;
  });
  return attempt;
}

function profileOf(
  services: OAuthServices,
  { provider }: ProviderClient,
  { claims }: Redeemed,
  from: EventOrigin,
): ProviderProfile {
  const profile = provider.profile(claims);
  // 255 is what OpenID Connect allows, and what the column takes.
  if (profile !== null && /^[^\p{Cc}\p{Cs}]{1,255}$/u.test(profile.subject)) return profile;
  throw foreignAnswer(services, { provider: provider.name, from }, "profile_missing");
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
