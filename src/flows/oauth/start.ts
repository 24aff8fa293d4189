import { hash } from "node:crypto";
import type { EventOrigin } from "../../domain/event.ts";
import { oneTimeTokenTtlSeconds } from "../../domain/one-time-token.ts";
import { randomSecret } from "../../domain/random.ts";
import type { User } from "../../domain/user.ts";
import type { SessionChange } from "../../ports/change.ts";
import { issueOneTimeToken } from "../one-time-tokens.ts";
import { type Attempt, redirectUri } from "./attempt.ts";
import { configuredProvider, withProvider } from "./refusals.ts";
import type { OAuthServices } from "./services.ts";

/** What is begun with a provider. */
export interface OAuthBeginning {
  readonly provider: string;
  /** Path of this origin to go on to, or null. */
  readonly next: string | null;
  readonly isRemembered: boolean;
  /** Whether the provider shall ask the person again. */
  readonly isFresh: boolean;
  /** Whose account gets the provider's; null for a sign-in. */
  readonly linkTo: Pick<User, "id" | "generation"> | null;
}

/** Where the browser goes, and what it has to carry there and back. */
export interface OAuthStart {
  readonly url: string;
  readonly change: SessionChange;
}

/**
 * Begins a sign-in with a provider: code flow with PKCE (S256), a state that works once, and a nonce. State, nonce and verifier
 * rest in the browser that began, sealed, so that nobody else's answer fits it.
 *
 * @throws AuthError `not_found` - no such provider; `provider_refused`, `provider_unavailable` - its metadata cannot be used
 * @see RFC 9700, section 2.1
 */
export async function startOAuth(
  services: OAuthServices,
  { provider, next, isRemembered, isFresh, linkTo }: OAuthBeginning,
  from: EventOrigin,
): Promise<OAuthStart> {
  const client = configuredProvider(services, provider);
  const bytes = (length: number): Uint8Array => services.random.bytes(length);
  const generation = linkTo?.generation ?? 0;
  const state = await issueOneTimeToken(services, "oauth", { userId: linkTo?.id ?? null, generation });
  const attempt: Attempt = {
    provider,
    state,
    nonce: randomSecret(bytes),
    codeVerifier: randomSecret(bytes),
    next,
    isRemembered,
    isFresh,
    link: linkTo === null ? null : { userId: linkTo.id, generation },
    expiresAt: services.clock.now().getTime() + oneTimeTokenTtlSeconds.oauth * 1000,
  };
  const { nonce, codeVerifier } = attempt;
  const codeChallenge = hash("sha256", codeVerifier, "base64url");
  const request = { redirectUri: redirectUri(services, provider), state, nonce, codeChallenge, isFresh };
  const url = await withProvider(services, client, from, client.authorizationUrl(request));
  return { url, change: { oauth: await services.attempts.seal(attempt) } };
}
