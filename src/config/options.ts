/**
 * What `createAuth` takes about itself; every default stands beside its option, and what a number may be where it has no
 * choice of its own. Times are in seconds.
 */
export interface ConfigOptions {
  /** Exact origin of the application, `https://app.example`. Cookies and links come from it, never from a request. */
  readonly origin: string;
  /** Further origins whose pages may send unsafe requests with the session cookie. Exact. Default none. */
  readonly trustedOrigins?: readonly string[];
  /** First secret signs, all verify. Each at least 32 bytes; in production of at least 8 different characters. */
  readonly secrets: readonly [string, ...string[]];
  /** Where Latchkey's routes lie. Default `/api/v1`. */
  readonly basePath?: string;
  /** Path of the sign-in page. Default `/login`. */
  readonly loginPath?: string;
  /** Where a signed-in person starts. Default `/app/dashboard`. */
  readonly appPath?: string;
  /** Where the page of somebody is sent who has to choose another password first. Default `/account#password`. */
  readonly passwordPath?: string;
  readonly cookie?: {
    /** Default `latchkey`; `__Host-` (or `__Secure-` with a domain) is put before it on https. */
    readonly name?: string;
    /** Default `lax`. `none` only with `trustedOrigins`. */
    readonly sameSite?: "lax" | "strict" | "none";
    /** Default: the origin's host alone. A public suffix is refused. */
    readonly domain?: string;
    /** `Max-Age` of cookies that are not remembered, at most 400 days. Default null: the cookie ends with the browser. */
    readonly maxAgeSeconds?: number | null;
  };
  /** Lifetimes are 10 s to 10 years. */
  readonly session?: {
    /** Default 1,800 (30 min). */
    readonly idleSeconds?: number;
    /** Default 86,400 (24 h). */
    readonly absoluteSeconds?: number;
    /** Default 1,209,600 (14 days). */
    readonly rememberedIdleSeconds?: number;
    /** Default 2,592,000 (30 days). */
    readonly rememberedAbsoluteSeconds?: number;
    /** Live sessions of one user, at most 10,000; 0 = unlimited, 1 = single. Engines of sessions alone hold about 1,000. Default 5. */
    readonly maxPerUser?: number;
    /** Interval between sweeps of what expired, at most 86,400; 0 = never by itself. Default 900. */
    readonly sweepIntervalSeconds?: number;
    /**
     * What a session cookie is bound to: sent by another browser, or from another address (IPv6: another /64), it is as good as
     * expired. Sessions that were started without a request are bound to nothing. Default `off`: addresses change on the road.
     */
    readonly binding?: "off" | "user-agent" | "ip+user-agent";
    /**
     * Whether the store holds data bag, address and browser of a session encrypted, under a key of the secrets. What lay there before is
     * still read. A session whose secret is gone is as good as expired. Default false.
     */
    readonly encrypt?: boolean;
    /**
     * `stateful`: a store keeps sessions. `stateless`: the cookie holds the whole session, encrypted, and no store knows of
     * it. Then sessions cannot be listed, capped or ended one by one, hold no data, and signing out only clears the cookie: a
     * copy of it works on until it expires or every proof of the user is ended (`revokeAll`, a changed password). Default `stateful`.
     */
    readonly mode?: "stateful" | "stateless";
  };
  /** How old a proof of identity may be for what needs a fresh one, at most 30 days. Default 600. */
  readonly freshSeconds?: number;
  /** Default true. `false` is refused where the origin is not loopback. */
  readonly csrf?: boolean;
  readonly login?: {
    /** Failed sign-ins per IP address and identifier in one window, at most 1,000. Default 5. */
    readonly maxAttempts?: number;
    /** At most 30 days. Default 900 (15 min). */
    readonly windowSeconds?: number;
  };
  /**
   * `open`: registering signs in at once. `confirm`: by a mailed link alone, so that nothing tells whether an address has an account.
   * `invite`: only who was invited. `closed`: only an operator creates accounts. Default `confirm` where a feature sends mail, else `open`.
   */
  readonly registration?: "open" | "confirm" | "invite" | "closed";
  /** Whether registering signs in. Default true. */
  readonly signInAfterRegistration?: boolean;
  /** Cross-origin reading of Latchkey's routes. Default none. */
  readonly cors?: {
    readonly origins: readonly string[] | "*";
    /** Default false. Refused together with `*`. */
    readonly credentials?: boolean;
    /** Request headers beyond `Authorization, Content-Type, X-CSRF-Token, X-API-Key`. */
    readonly headers?: readonly string[];
  };
  /** Largest body of Latchkey's own routes, in bytes: 1,024 to 16 MiB. Default 65,536. */
  readonly maxBodyBytes?: number;
  /** How long a store may take to answer before the request gets 503, in milliseconds: 10 to 30,000. Default 5,000. */
  readonly storeTimeoutMs?: number;
}
