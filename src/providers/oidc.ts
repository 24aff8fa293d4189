import type { Provider } from "../ports/provider.ts";
import { domainOf, standardProfile } from "./claims.ts";

/** Settings of {@link oidc}. */
export interface OidcOptions {
  /** In routes and linked accounts: 1 to 32 of `a-z 0-9 -`. Default `oidc`. */
  readonly name?: string;
  /** For people. Default: the name. */
  readonly label?: string;
  /** Its metadata is at `<issuer>/.well-known/openid-configuration`. */
  readonly issuer: string;
  readonly clientId: string;
  /** Absent for a public client. */
  readonly clientSecret?: string;
  /** Default `openid email profile`. */
  readonly scopes?: readonly string[];
  /** Domains whose mailboxes are the provider's own, for `linkByEmail`: `["corp.example"]`. Default none. */
  readonly authoritativeFor?: readonly string[];
  /** Plain http towards a provider on this machine, for tests; refused for any other host. Default false. */
  readonly dangerouslyAllowHttp?: boolean;
}

/** Sign-in with any provider of OpenID Connect, found by discovery. @see OpenID Connect Discovery 1.0 */
export function oidc(options: OidcOptions): Provider {
  const { name = "oidc", authoritativeFor = [] } = options;
  const domains = authoritativeFor.map((domain) => domain.toLowerCase());
  return {
    name,
    label: options.label ?? name,
    clientId: options.clientId,
    clientSecret: options.clientSecret ?? null,
    server: { kind: "discovered", issuer: options.issuer },
    scopes: options.scopes ?? ["openid", "email", "profile"],
    profile: standardProfile,
    isAuthoritative: domains.length === 0 ? null : (email) => domains.includes(domainOf(email) ?? ""),
    ...(options.dangerouslyAllowHttp !== undefined && {
      dangerouslyAllowHttp: options.dangerouslyAllowHttp,
    }),
  };
}
