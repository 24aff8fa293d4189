/** What a provider says of a person: ID-token claims, userinfo, and what else was asked for under its name. Unchecked. */
export type Claims = Readonly<Record<string, unknown>>;

/** Who somebody is at a provider. */
export interface ProviderProfile {
  /** With the issuer it names the account for good. */
  readonly subject: string;
  readonly email: string | null;
  /** Whether the provider vouches that the person receives mail there; false where it does not say. */
  readonly isEmailVerified: boolean;
  readonly name: string | null;
}

/** Where a provider's endpoints are. */
export type ProviderServer =
  /** OpenID Connect: `issuer` is asked for its metadata, and ID tokens are required and verified. */
  | { readonly kind: "discovered"; readonly issuer: string }
  /** OAuth 2 alone: whose token it is, is asked at `resources`. `issuer` stands for the provider in linked accounts. */
  | {
      readonly kind: "fixed";
      readonly issuer: string;
      readonly authorizationEndpoint: string;
      readonly tokenEndpoint: string;
      /** Addresses that the access token opens, by the name under which their answers are among the claims. */
      readonly resources: Readonly<Record<string, string>>;
    };

/** A provider by which people sign in: data, and how its claims are read. */
export interface Provider {
  /** In routes and linked accounts: 1 to 32 of `a-z 0-9 -`. */
  readonly name: string;
  /** For people: `Google`. */
  readonly label: string;
  readonly clientId: string;
  /** Null for a public client; a function where the secret is made anew for each use. */
  readonly clientSecret: string | null | ((now: Date) => Promise<string>);
  readonly server: ProviderServer;
  readonly scopes: readonly string[];
  /** Further parameters of the authorization request. */
  readonly parameters?: Readonly<Record<string, string>>;
  /**
   * Those that make the provider ask the person again, where a fresh proof is wanted. Default `prompt=login`; one of OpenID Connect
   * gets `max_age=0` besides.
   */
  readonly freshParameters?: Readonly<Record<string, string>>;
  /** Reads the claims; null where they hold nobody. */
  readonly profile: (claims: Claims) => ProviderProfile | null;
  /** Whether nobody else can have had this verified address: the provider runs the mailbox. Null: never said, so `linkByEmail` is refused. */
  readonly isAuthoritative: ((email: string, claims: Claims) => boolean) | null;
  /** Plain http towards a provider on this machine, for tests; refused for any other host. */
  readonly dangerouslyAllowHttp?: boolean;
}

/** What every provider needs. */
export interface ProviderCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}
