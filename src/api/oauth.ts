import type { LinkedAccount } from "../domain/linked-account.ts";
import { AuthError } from "../errors.ts";
import { openTokens } from "../flows/oauth/account.ts";
import { finishOAuth, type OAuthOutcome } from "../flows/oauth/callback.ts";
import { unlinkAccount } from "../flows/oauth/link.ts";
import type { OAuthServices } from "../flows/oauth/services.ts";
import { type OAuthStart, startOAuth } from "../flows/oauth/start.ts";
import { cookieValue } from "../http/cookies.ts";
import { nextPath } from "../http/next-path.ts";
import type { ProviderTokens } from "../oauth/client.ts";
import type { SessionChange } from "../ports/change.ts";
import type { InSessionContext, Visit, Visits } from "../ports/visit.ts";
import { assertCarrier } from "./visit.ts";

/** How a sign-in with a provider is to begin. */
export interface OAuthStartOptions {
  /** Where to go on to; what is no path of this origin is dropped. */
  readonly next?: string | null;
  readonly isRemembered?: boolean;
  /** Whether the provider shall ask the person again. Default false: it may know them still. */
  readonly isFresh?: boolean;
}

/** A linked account as its owner may see it: without the provider's tokens. */
export type LinkedAccountInfo = Omit<LinkedAccount, "sealedTokens">;

/** A provider that is set up. */
export interface ProviderInfo {
  readonly name: string;
  readonly label: string;
  /** Whether signing in with it anew can be a fresh proof: it may say when the person was there, or is trusted to have asked. */
  readonly mayProveAnew: boolean;
}

/** What came of a provider's answer, for `seal` and for the way on. */
export type OAuthFinish = OAuthOutcome & { readonly change: SessionChange };

/** Sign-in with providers: what routes, pages and applications do with it. */
export interface OAuth {
  /** The configured ones, in order. */
  readonly providers: readonly ProviderInfo[];
  /** Begins a sign-in. @throws AuthError `not_found`, `rate_limited`, `provider_unavailable` */
  start(provider: string, options: OAuthStartOptions, visit: Visit): Promise<OAuthStart>;
  /** Begins to link an account to the caller's. @throws AuthError as {@link OAuth.start}; `fresh_auth_required` */
  startLink(provider: string, visit: Visit): Promise<OAuthStart>;
  /** Takes the provider's answer; see the flow `finishOAuth` for what is refused and how. */
  finish(provider: string, parameters: URLSearchParams, visit: Visit): Promise<OAuthFinish>;
  /** Removes the caller's link. @throws AuthError `fresh_auth_required`, `not_found`, `conflict` - the last way to sign in */
  unlink(provider: string, visit: Visit): Promise<void>;
  /** The linked accounts of a user, oldest first. */
  accounts(userId: string): Promise<readonly LinkedAccountInfo[]>;
  /** The provider's tokens as of the user's last sign-in with it; null unless they are kept (`keepTokens`) and there. */
  tokens(userId: string, provider: string): Promise<ProviderTokens | null>;
}

/** Each beginning costs a row and perhaps a call; an office behind one address signs in, too. */
const startLimit = { name: "oauth", limit: 300, windowSeconds: 3_600 };
/** The counter of the registration route: registering is one thing, whichever way it is asked for. */
const registrationLimit = { name: "register", limit: 100, windowSeconds: 3_600 };

/** Sign-in with providers, bound to requests. */
export function bindOAuth(services: OAuthServices, visits: Visits): OAuth {
  const { config, stores, call } = services;

  async function fresh(visit: Visit): Promise<InSessionContext> {
    const context = await visits.inSession(visit);
    // What is linked signs in from then on: an access token of a browser's session must not turn into that.
    assertCarrier(context.principal);
    const authTime = context.current.authTime?.getTime() ?? 0;
    if (services.clock.now().getTime() - authTime < config.freshSeconds * 1000) return context;
    throw new AuthError("fresh_auth_required", { message: "Sign in again to continue." });
  }

  return {
    providers: [...services.clients.values()].map(({ provider: { name, label, server } }) => ({
      name,
      label,
      mayProveAnew: server.kind === "discovered" || services.freshWithoutAuthTime.has(name),
    })),
    async start(provider, { next, isRemembered = false, isFresh = false }, visit) {
      await visits.takeFromLimit(startLimit, visit);
      const { from } = await visits.leaving(visit);
      const path = nextPath(next, config.origin);
      return startOAuth(services, { provider, next: path, isRemembered, isFresh, linkTo: null }, from);
    },
    async startLink(provider, visit) {
      const { principal, from } = await fresh(visit);
      await visits.takeFromLimit(startLimit, visit);
      const beginning = { provider, next: null, isRemembered: false, isFresh: false };
      return startOAuth(services, { ...beginning, linkTo: principal.user }, from);
    },
    async finish(provider, parameters, visit) {
      const { client, from, current, devices } = await visits.leaving(visit);
      const takeRegistrationAttempt = () => visits.takeFromLimit(registrationLimit, visit);
      const cookie = visit.request.headers.get("cookie");
      const attempt = cookieValue(cookie, `${config.cookie.name}-oauth`);
      const context = { client, from, current, devices, takeRegistrationAttempt };
      const outcome = await finishOAuth(services, { provider, parameters, attempt }, context);
      const change = outcome.kind === "signed-in" ? outcome.signIn.change : {};
      return { ...outcome, change: { ...change, oauth: "clear" } };
    },
    async unlink(provider, visit) {
      const { principal, current, from } = await fresh(visit);
      await unlinkAccount(services, provider, { userId: principal.user.id, current, from });
    },
    accounts: async (userId) => (await stores.directory.linkedAccounts(userId, call())).map(withoutTokens),
    async tokens(userId, provider) {
      const accounts = await stores.directory.linkedAccounts(userId, call());
      const account = accounts.find((each) => each.provider === provider);
      return account === undefined ? null : openTokens(services, account);
    },
  };
}

function withoutTokens({ sealedTokens: _, ...info }: LinkedAccount): LinkedAccountInfo {
  return info;
}
