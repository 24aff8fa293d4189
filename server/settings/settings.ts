import type { Roles } from "latchkey";
import type { DatabaseAddress } from "./database-url.ts";
import type { SmtpAddress } from "./mail-kinds.ts";
import type { MongodbAddress, NodeAddress, RedisAddress, SessionPlace } from "./session-urls.ts";

/** How much is logged, from most to nothing. */
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";

/** Sign-in with providers; null is what was left out, and a provider that lacks something is not there. */
export interface ProviderSettings {
  readonly googleClientId: string | null;
  readonly googleClientSecret: string | null;
  readonly githubClientId: string | null;
  readonly githubClientSecret: string | null;
  readonly microsoftClientId: string | null;
  readonly microsoftClientSecret: string | null;
  readonly microsoftTenant: string;
  readonly appleClientId: string | null;
  readonly appleTeamId: string | null;
  readonly appleKeyId: string | null;
  /** PKCS #8, PEM. */
  readonly applePrivateKey: string | null;
  readonly gitlabClientId: string | null;
  readonly gitlabClientSecret: string | null;
  readonly gitlabUrl: string;
  readonly discordClientId: string | null;
  readonly discordClientSecret: string | null;
  readonly oidcIssuer: string | null;
  readonly oidcClientId: string | null;
  readonly oidcClientSecret: string | null;
  readonly oidcLabel: string;
  /** Origin that providers send browsers back to; null: the server's own. */
  readonly oauthRedirectBaseUrl: string | null;
  /** Names of providers whose verified address may find its account. */
  readonly linkByEmail: readonly ("google" | "apple")[];
  /** Names of providers whose answer is a fresh proof where one was asked for, though it does not say of when. */
  readonly freshWithoutAuthTime: readonly (
    | "google"
    | "github"
    | "microsoft"
    | "apple"
    | "gitlab"
    | "discord"
    | "oidc"
  )[];
}

/** What the server is started with: checked, defaults filled in, times in the unit that the name says. */
export interface Settings extends ProviderSettings {
  /** The secret that signs; null only on loopback: the generated one is used. @see developmentSecret */
  readonly secretKey: string | null;
  /** Secrets that still verify. */
  readonly previousSecretKeys: readonly string[];
  /** Exact origin; null stands for `http://localhost:<port>` with the port that is listened on. @see originAt */
  readonly origin: string | null;
  readonly trustedOrigins: readonly string[];
  /** CIDR ranges, a prefix length always written out: `10.0.0.0/8`. */
  readonly trustedProxies: readonly string[];
  /** Name or address, without brackets. */
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  readonly basePath: string;
  readonly apiDocs: boolean;
  readonly loginPath: string;
  readonly appPath: string;
  readonly database: DatabaseAddress;
  readonly sessions: SessionPlace;
  /** Whether stores keep the sessions of browsers, or their cookies do. */
  readonly sessionStorage: "stateful" | "stateless";
  readonly sessionIdleSeconds: number;
  /** At least `sessionIdleSeconds`. */
  readonly sessionAbsoluteSeconds: number;
  readonly rememberedIdleSeconds: number;
  /** At least `rememberedIdleSeconds`. */
  readonly rememberedAbsoluteSeconds: number;
  /** `Max-Age` of cookies that are not remembered; null: they end with the browser. */
  readonly sessionCookieMaxAgeSeconds: number | null;
  readonly sessionCleanupIntervalSeconds: number;
  /** Of those that a store keeps; 0 = unlimited. */
  readonly maxSessionsPerUser: number;
  readonly sessionBinding: "off" | "user-agent" | "ip+user-agent";
  readonly sessionEncrypt: boolean;
  /** Null: the metrics are for programs of this machine. */
  readonly metricsToken: string | null;
  /** Whether cookies are sent over https alone: exactly where the origin is https. */
  readonly secureCookies: boolean;
  /** Without the prefix that an https origin adds. */
  readonly sessionName: string;
  readonly sessionSameSite: "lax" | "strict" | "none";
  /** Null: the origin's host alone. */
  readonly sessionDomain: string | null;
  readonly csrfEnabled: boolean;
  readonly loginMaxAttempts: number;
  readonly loginWindowSeconds: number;
  /** In code points. */
  readonly passwordMinLength: number;
  /** Whether new passwords are looked for among those that were published. */
  readonly passwordBreachCheck: boolean;
  /** For how long audit rows are kept at least; null: for ever. */
  readonly auditRetentionSeconds: number | null;
  /** Servers that are told of events, each with its secrets behind `#`. */
  readonly webhooks: readonly string[];
  /** What each role grants; null: roles are labels. */
  readonly roles: Roles | null;
  /** `base64_signer_key` of the Firebase project that accounts were imported from; null: from none. */
  readonly firebaseSignerKey: string | null;
  readonly registrationMode: "open" | "confirm" | "invite" | "closed";
  /** Where mail is handed over; null: there is none, or on loopback it is shown. */
  readonly smtpUrl: SmtpAddress | null;
  /** Whom mail comes from; never null with `smtpUrl`. */
  readonly mailFrom: string | null;
  /** Language of pages and mails for who has not said theirs. */
  readonly defaultLocale: "en" | "de" | "es" | "ja";
  /** Folder of what stands in place of the usual pages; null: nothing does. */
  readonly pagesPath: string | null;
  /** Lifetime of an access token; null: 15 minutes, or 60 without refresh tokens. */
  readonly tokenExpiresInSeconds: number | null;
  readonly tokenRefresh: boolean;
  readonly tokenSessionSeconds: number;
  readonly tokenAlgorithm: "hs256" | "es256" | "eddsa";
  /** Where the signing keys are; read with another algorithm than `hs256`. */
  readonly tokenKeyFile: string;
  /** Word in the text of API keys. */
  readonly apiKeyEnvironment: string;
  /** Header that holds an API key. */
  readonly apiKeyHeader: string;
  /** For how long it is kept what each API key was used for. */
  readonly apiKeyUsageDays: number;
  /** Empty: no other origin may read answers. */
  readonly corsOrigins: readonly string[] | "*";
  readonly corsAllowCredentials: boolean;
  readonly debug: boolean;
  readonly logLevel: LogLevel;
  readonly maxBodyBytes: number;
  readonly requestTimeoutSeconds: number;
  readonly storeTimeoutMs: number;
  /** Null: as many as the machine has cores. */
  readonly hashThreads: number | null;
  /** Hashes that may wait for a thread before sign-ins are answered with 503. Null: 32 for each thread. */
  readonly hashQueue: number | null;
  /** Whether unsafe settings were refused: the origin is not loopback, or ENVIRONMENT=production. */
  readonly isProduction: boolean;
  /** Whether in production what is advised was insisted on. */
  readonly isStrict: boolean;
}

/** The settings as they were given, before one decides about another; null is what was left out. */
export type Given = Omit<
  Settings,
  "corsOrigins" | "isProduction" | "isStrict" | "logLevel" | "registrationMode" | "secureCookies" | "sessions"
> & {
  readonly registrationMode: Settings["registrationMode"] | null;
  readonly sessionBackend: SessionPlace["backend"];
  readonly sessionPath: string | null;
  readonly sessionHost: string | null;
  readonly sessionPort: number | null;
  readonly sessionPrefix: string | null;
  readonly redisUrl: RedisAddress | null;
  readonly valkeyUrl: RedisAddress | null;
  readonly mongodbUrl: MongodbAddress | null;
  readonly memcachedUrl: readonly NodeAddress[] | null;
  readonly corsOrigins: readonly string[];
  readonly environment: "local" | "development" | "test" | "staging" | "production" | null;
  readonly isProductionValidated: boolean;
  readonly isStrictMode: boolean;
  readonly logLevel: LogLevel | null;
  readonly secureCookies: boolean | null;
};

/** The origin that cookies and links come from, once the server listens on `port`. */
export function originAt(settings: Pick<Settings, "origin">, port: number): string {
  return settings.origin ?? `http://localhost:${port}`;
}
