import type { EventOrigin } from "../../domain/event.ts";
import type { Session } from "../../domain/session.ts";
import type { ProviderClient, Redeemed } from "../../oauth/client.ts";
import type { Sealed } from "../../oauth/sealed.ts";
import type { ProviderProfile } from "../../ports/provider.ts";
import type { ClientInfo } from "../../ports/request.ts";
import type { Services } from "../../ports/services.ts";

/** What flows about providers work with. */
export interface OAuthServices extends Services {
  /** By the provider's name. */
  readonly clients: ReadonlyMap<string, ProviderClient>;
  /** Names of the providers whose authoritative addresses link by themselves. */
  readonly linkByEmail: ReadonlySet<string>;
  /** Names of the providers whose answer is a fresh proof where one was asked for, also without the time of it. */
  readonly freshWithoutAuthTime: ReadonlySet<string>;
  /** Origin that providers send browsers back to. */
  readonly redirectBaseUrl: string;
  /** Seals attempts for the browser. */
  readonly attempts: Sealed;
  /** Seals the providers' tokens for the directory; null where they are not kept. */
  readonly tokens: Sealed | null;
  /** What to do about a provider that is known and not set up, by its name. */
  readonly unconfigured: Readonly<Record<string, string>>;
}

/** Where an answer of a provider comes in. */
export interface OAuthContext {
  readonly client: ClientInfo;
  readonly from: EventOrigin;
  /** The session that the browser carries now. */
  readonly current: Session | null;
  /** Device cookies that it sent. */
  readonly devices: readonly string[];
  /** Takes an attempt to register. @throws AuthError `rate_limited` */
  readonly takeRegistrationAttempt: () => Promise<void>;
}

/** An account at a provider, every check of the provider's answer passed. */
export interface ProvenAccount {
  readonly client: ProviderClient;
  readonly profile: ProviderProfile;
  readonly redeemed: Redeemed;
}
