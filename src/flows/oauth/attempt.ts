import type { OAuthServices } from "./services.ts";

/** A sign-in with a provider that is under way, as its browser carries it, sealed. */
export interface Attempt {
  readonly provider: string;
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  /** Path of this origin to go on to, or null. */
  readonly next: string | null;
  readonly isRemembered: boolean;
  /** Whether the provider was to ask the person again. */
  readonly isFresh: boolean;
  /** Set where somebody who is signed in adds the account to theirs. */
  readonly link: { readonly userId: string; readonly generation: number } | null;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Reads an attempt; null for what was not sealed here. */
export async function openAttempt({ attempts }: OAuthServices, text: string): Promise<Attempt | null> {
  // Whatever opens was written by `startOAuth`, under a key of its own.
  return (await attempts.open(text)) as Attempt | null;
}

/** Where a provider sends browsers back to: one address for each, so that no provider's answer is taken for another's. */
export function redirectUri({ config, redirectBaseUrl }: OAuthServices, provider: string): string {
  const base = config.basePath === "/" ? "" : config.basePath;
  return `${redirectBaseUrl}${base}/auth/oauth/callback/${provider}`;
}
