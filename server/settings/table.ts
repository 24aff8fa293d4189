import { addressRange, bindHost, cookieDomain, exactOrigin, originOrAny } from "./address-kinds.ts";
import { databaseUrl } from "./database-url.ts";
import { choice, duration, flag, type Kind, list, wholeNumber } from "./kind.ts";
import { mailSender, smtpUrl } from "./mail-kinds.ts";
import { providerRows } from "./provider-rows.ts";
import { roleList } from "./roles-kind.ts";
import { memcachedUrl, mongodbUrl, redisUrl } from "./session-urls.ts";
import type { Given } from "./settings.ts";
import {
  base64Key,
  cookieName,
  filePath,
  folderPath,
  keyHeader,
  keyWord,
  secret,
  sitePath,
  storePrefix,
} from "./text-kinds.ts";
import { webhookUrl } from "./webhook-kind.ts";

/** One setting: everything that the parser, the documentation and the start-up errors know about it. */
export interface SettingRow {
  readonly name: string;
  readonly kind: Kind<unknown>;
  /** As it would be written; null where leaving it out is a case of its own, which `meaning` explains. */
  readonly default: string | null;
  /** One sentence or two for the documentation. */
  readonly meaning: string;
  /** Other names under which it is understood, with a kind of their own where they count in another unit. */
  readonly aliases?: readonly { readonly name: string; readonly kind?: Kind<unknown> }[];
  /** Whether the value is kept out of every message. Default false. */
  readonly isSecret?: boolean;
}

/** A row whose value has the type of its field; only a field that may be null may do without a default. */
interface Row<T> extends SettingRow {
  readonly kind: Kind<T>;
  readonly default: null extends T ? string | null : string;
  readonly aliases?: readonly { readonly name: string; readonly kind?: Kind<T> }[];
}

/** Every setting by the field it becomes, in the order of the documentation. */
export type Table = { readonly [F in keyof Given]: Row<Given[F]> };

const longestMinutes = 525_600;
// Browsers cap a cookie's life at 400 days. @see RFC 6265bis, section 5.5
const longestDays = 400;

/** The one table of settings. What is not in here is not read. */
export const settingsTable: Table = {
  secretKey: {
    name: "SECRET_KEY",
    kind: secret(),
    default: null,
    meaning:
      "Signs and seals what Latchkey hands out. Left out on loopback, one is generated in `data/secret.key`; everywhere else it is needed. `latchkey secret` prints a good one.",
    aliases: [{ name: "SECRET" }, { name: "SESSION_SECRET" }],
    isSecret: true,
  },
  previousSecretKeys: {
    name: "SECRET_KEY_PREVIOUS",
    kind: list(secret()),
    default: "",
    meaning: "Former secrets that still verify while a new one is brought in.",
    isSecret: true,
  },
  origin: {
    name: "ORIGIN",
    kind: exactOrigin(),
    default: null,
    meaning:
      "Where browsers reach the server. Cookies and links come from it, never from a request. Left out, it is `http://localhost:<PORT>`.",
  },
  trustedOrigins: {
    name: "TRUSTED_ORIGINS",
    kind: list(exactOrigin()),
    default: "",
    meaning: "Further origins whose pages may send unsafe requests with the session cookie.",
  },
  trustedProxies: {
    name: "TRUSTED_PROXIES",
    kind: list(addressRange()),
    default: "",
    meaning:
      "Proxies whose forwarding headers say who the client is. Without one the client is who opened the connection.",
  },
  host: {
    name: "HOST",
    kind: bindHost(),
    default: "127.0.0.1",
    meaning: "The interface to listen on. One that is not loopback needs ORIGIN.",
  },
  port: {
    name: "PORT",
    kind: wholeNumber(0, 65_535),
    default: "3000",
    meaning: "The port to listen on; 0 picks a free one.",
  },
  basePath: {
    name: "BASE_PATH",
    kind: sitePath(),
    default: "/api/v1",
    meaning: "The path under which the routes for programs lie.",
  },
  apiDocs: {
    name: "API_DOCS",
    kind: flag(),
    default: "true",
    meaning:
      "Whether `<BASE_PATH>/docs` describes the routes for programs, and `<BASE_PATH>/openapi.json`, too.",
  },
  loginPath: {
    name: "LOGIN_PATH",
    kind: sitePath(),
    default: "/login",
    meaning: "The sign-in page: where a page that needs a signed-in person sends everybody else.",
  },
  appPath: {
    name: "APP_PATH",
    kind: sitePath(),
    default: "/app/dashboard",
    meaning: "Where a person lands after signing in, unless they were on their way elsewhere.",
  },
  database: {
    name: "DATABASE_URL",
    kind: databaseUrl(),
    default: "sqlite:data/latchkey.db",
    meaning:
      "Where accounts are kept, and everything else that SESSION_BACKEND does not put elsewhere: an SQLite file (a path relative to the working directory or, after `sqlite://`, an absolute one), PostgreSQL (`?sslmode=verify-full` for TLS), or MySQL and MariaDB (`?ssl-mode=VERIFY_IDENTITY`, `&ssl-ca=<path>`).",
    isSecret: true,
  },
  sessionStorage: {
    name: "SESSION_STORAGE",
    kind: choice(["stateful", "stateless"]),
    default: "stateful",
    meaning:
      "Who keeps the sessions of browsers. `stateful`: SESSION_BACKEND. `stateless`: their cookies, encrypted under SECRET_KEY. Then they are neither listed nor counted, hold no data, and end all together: signing out leaves a copy of the cookie at work until it expires, signing out everywhere does not.",
  },
  sessionBackend: {
    name: "SESSION_BACKEND",
    kind: choice(["database", "memory", "file", "redis", "valkey", "mongodb", "memcached"]),
    default: "database",
    meaning:
      "Where sessions are kept. `database`: where accounts are. `memory`: in the server's process, until it ends. `file`: for one server. One-time tokens and counters go along to `redis`, `valkey` and `mongodb` alone. With SESSION_STORAGE=stateless the sessions of tokens are kept there, and no others.",
    aliases: [{ name: "TINA4_SESSION_BACKEND" }],
  },
  sessionPath: {
    name: "SESSION_PATH",
    kind: folderPath(),
    default: null,
    meaning: "The folder of the sessions with SESSION_BACKEND=file. Left out, `data/sessions`.",
  },
  sessionHost: {
    name: "SESSION_HOST",
    kind: bindHost(),
    default: null,
    meaning:
      "The host of the server that SESSION_BACKEND names, where its own setting (REDIS_URL and its kin) is left out. Left out too, `localhost`.",
    aliases: [{ name: "TINA4_SESSION_HOST" }],
    // Somebody may write a whole URL here, with its password.
    isSecret: true,
  },
  sessionPort: {
    name: "SESSION_PORT",
    kind: wholeNumber(1, 65_535),
    default: null,
    meaning:
      "That server's port. Left out, 6379 for redis and valkey, 27017 for mongodb, 11211 for memcached.",
    aliases: [{ name: "TINA4_SESSION_PORT" }],
  },
  sessionPrefix: {
    name: "SESSION_PREFIX",
    kind: storePrefix(),
    default: null,
    meaning:
      "What the names of this application begin with in that server: keys in `<prefix>:`, collections of MongoDB in `<prefix>_`. Applications that share a server need one each; a change of it empties what was kept. Left out, `latchkey`.",
  },
  redisUrl: {
    name: "REDIS_URL",
    kind: redisUrl(),
    default: null,
    meaning:
      "The Redis of SESSION_BACKEND=redis. A list is a cluster; after `redis+sentinel://` come Sentinels and the name of their primary, and a password is the primary's.",
    isSecret: true,
  },
  valkeyUrl: {
    name: "VALKEY_URL",
    kind: redisUrl(),
    default: null,
    meaning: "The Valkey of SESSION_BACKEND=valkey, written as REDIS_URL is.",
    isSecret: true,
  },
  mongodbUrl: {
    name: "MONGODB_URL",
    kind: mongodbUrl(),
    default: null,
    meaning: "The MongoDB of SESSION_BACKEND=mongodb. The database is `latchkey` where none is named.",
    isSecret: true,
  },
  memcachedUrl: {
    name: "MEMCACHED_URL",
    kind: memcachedUrl(),
    default: null,
    meaning:
      "The Memcached servers of SESSION_BACKEND=memcached. Every server of Latchkey needs the same list in the same order.",
    isSecret: true,
  },
  sessionIdleSeconds: {
    name: "SESSION_TIMEOUT_MINUTES",
    kind: duration("minutes", 1, longestMinutes),
    default: "30",
    meaning: "How long a session lives without being used.",
    aliases: [{ name: "TINA4_SESSION_LIFETIME", kind: duration("seconds", 60, longestMinutes * 60) }],
  },
  sessionAbsoluteSeconds: {
    name: "SESSION_ABSOLUTE_MINUTES",
    kind: duration("minutes", 1, longestMinutes),
    default: "1440",
    meaning: "How long a session lives however much it is used. An idle timeout above it raises it.",
  },
  rememberedIdleSeconds: {
    name: "REMEMBER_IDLE_DAYS",
    kind: duration("days", 1, longestDays),
    default: "14",
    meaning: "How long a remembered session lives without being used.",
  },
  rememberedAbsoluteSeconds: {
    name: "REMEMBER_ABSOLUTE_DAYS",
    kind: duration("days", 1, longestDays),
    default: "30",
    meaning:
      "How long a remembered session lives however much it is used. An idle timeout above it raises it.",
  },
  sessionCookieMaxAgeSeconds: {
    name: "SESSION_COOKIE_MAX_AGE",
    kind: duration("seconds", 1, longestDays * 86_400),
    default: null,
    meaning:
      "How long the browser keeps the cookie of a session that is not remembered. Left out, until it is closed.",
  },
  sessionCleanupIntervalSeconds: {
    name: "SESSION_CLEANUP_INTERVAL_MINUTES",
    kind: duration("minutes", 1, 1_440),
    default: "15",
    meaning: "How often expired sessions are removed.",
  },
  maxSessionsPerUser: {
    name: "MAX_SESSIONS_PER_USER",
    kind: wholeNumber(0, 10_000),
    default: "5",
    meaning:
      "Sessions that one user may have at a time; a new one ends the least recently used. 1 is a single session, 0 is unlimited; where SESSION_BACKEND is no database and not memory, about 1,000. With SESSION_STORAGE=stateless the limit is on those of tokens alone: left out it is 5, and what is written has to be 0.",
  },
  sessionBinding: {
    name: "SESSION_BINDING",
    kind: choice(["off", "user-agent", "ip+user-agent"]),
    default: "off",
    meaning:
      "What a session cookie is bound to: sent by another browser, or from another address (IPv6: another /64), it works no more. Addresses change on the road.",
  },
  sessionEncrypt: {
    name: "SESSION_ENCRYPT",
    kind: flag(),
    default: "false",
    meaning:
      "Whether the store holds data, address and browser of sessions encrypted, under a key of SECRET_KEY. A former secret stays in SECRET_KEY_PREVIOUS as long as sessions live.",
  },
  secureCookies: {
    name: "SESSION_SECURE_COOKIES",
    kind: flag(),
    default: null,
    meaning:
      "Whether cookies are sent over https alone. Left out, true where the origin is https; `false` is refused there.",
  },
  sessionName: {
    name: "SESSION_NAME",
    kind: cookieName(),
    default: "latchkey",
    meaning:
      "Name of the session cookie. On https `__Host-` is put before it, or `__Secure-` with SESSION_DOMAIN.",
    aliases: [{ name: "TINA4_SESSION_NAME" }],
  },
  sessionSameSite: {
    name: "SESSION_SAME_SITE",
    kind: choice(["lax", "strict", "none"]),
    default: "lax",
    meaning: "The cookie's SameSite. `none` needs TRUSTED_ORIGINS and an https origin.",
  },
  sessionDomain: {
    name: "SESSION_DOMAIN",
    kind: cookieDomain(),
    default: null,
    meaning:
      "A domain above the origin's host that gets the cookie too. Left out, the origin's host alone gets it, which is safer.",
  },
  csrfEnabled: {
    name: "CSRF_ENABLED",
    kind: flag(),
    default: "true",
    meaning:
      "Whether unsafe requests with the session cookie need a CSRF token. `false` is for development and tests on loopback.",
  },
  loginMaxAttempts: {
    name: "LOGIN_MAX_ATTEMPTS",
    kind: wholeNumber(1, 1_000),
    default: "5",
    meaning: "Failed sign-ins allowed in one window, for one IP address and identifier.",
  },
  loginWindowSeconds: {
    name: "LOGIN_WINDOW_MINUTES",
    kind: duration("minutes", 1, 1_440),
    default: "15",
    meaning: "The window in which failed sign-ins are counted.",
  },
  passwordMinLength: {
    name: "PASSWORD_MIN_LENGTH",
    kind: wholeNumber(8, 128, "characters"),
    default: "8",
    meaning:
      "Fewest characters (code points) of a new password. 15 is what NIST SP 800-63B-4 asks where the password stands alone.",
  },
  passwordBreachCheck: {
    name: "PASSWORD_BREACH_CHECK",
    kind: flag(),
    default: "false",
    meaning:
      "Whether new passwords are looked for at api.pwnedpasswords.com, by five digits of their SHA-1. Where it does not answer, they may be chosen.",
  },
  firebaseSignerKey: {
    name: "FIREBASE_SIGNER_KEY",
    kind: base64Key(16, 128),
    default: null,
    meaning:
      "`base64_signer_key` of a Firebase project's password hash parameters: without it nobody signs in by a hash that was imported from there.",
    isSecret: true,
  },
  roles: {
    name: "ROLES",
    kind: roleList(),
    default: null,
    meaning:
      "What each role grants, besides what users hold by themselves. A role that is not named here grants nothing and can be given to nobody. Left out, names of roles are mere labels.",
  },
  registrationMode: {
    name: "REGISTRATION_MODE",
    kind: choice(["open", "confirm", "invite", "closed"]),
    default: null,
    meaning:
      "Who gets an account. `open`: whoever registers. `confirm`: whoever opens the link that is mailed to them; nothing tells whether an address has an account. `invite`: whom an administrator invites. `closed`: for whom operators create one. Left out, `confirm` with SMTP_URL, else `open`.",
  },
  smtpUrl: {
    name: "SMTP_URL",
    kind: smtpUrl(),
    default: null,
    meaning:
      "The mail server. Left out on loopback, mails are shown at `/dev/mail`; elsewhere there is no mail then. `smtp://` is upgraded to TLS where the server can, and has to be where there is a password, but on this machine; `smtps://` begins with it.",
    isSecret: true,
  },
  mailFrom: {
    name: "MAIL_FROM",
    kind: mailSender(),
    default: null,
    meaning: "Whom mail comes from, as in `Example <no-reply@app.example>`. Needed with SMTP_URL.",
  },
  defaultLocale: {
    name: "DEFAULT_LOCALE",
    kind: choice(["en", "de", "es", "ja"]),
    default: "en",
    meaning:
      "The language of pages and mails for people who have not said theirs, and whose browser asks for none that there is.",
    aliases: [{ name: "MAIL_LOCALE" }],
  },
  pagesPath: {
    name: "PAGES_PATH",
    kind: folderPath(),
    default: null,
    meaning:
      "The folder of texts, styles and templates that stand in place of the usual pages. Left out, the pages are as they come.",
  },
  tokenExpiresInSeconds: {
    name: "TOKEN_EXPIRES_IN",
    kind: duration("minutes", 1, 10_080),
    default: null,
    meaning: "How long an access token works. Left out, 15, or 60 with TOKEN_REFRESH=false.",
    aliases: [{ name: "TINA4_TOKEN_EXPIRES_IN" }],
  },
  tokenRefresh: {
    name: "TOKEN_REFRESH",
    kind: flag(),
    default: "true",
    meaning: "Whether refresh tokens come along with access tokens.",
  },
  tokenSessionSeconds: {
    name: "REFRESH_TOKEN_DAYS",
    kind: duration("days", 1, longestDays),
    default: "7",
    meaning: "How long a sign-in for tokens lasts, however often they are refreshed.",
  },
  tokenAlgorithm: {
    name: "TOKEN_ALGORITHM",
    kind: choice(["hs256", "es256", "eddsa"]),
    default: "hs256",
    meaning:
      "What access tokens are signed with. `hs256`: a key of SECRET_KEY. The others: a key of TOKEN_KEY_FILE, whose public half other services verify with.",
    aliases: [{ name: "JWT_ALGORITHM" }],
  },
  tokenKeyFile: {
    name: "TOKEN_KEY_FILE",
    kind: filePath(),
    default: "data/signing-keys.json",
    meaning:
      "The signing keys of TOKEN_ALGORITHM `es256` and `eddsa`. On loopback it is made where it is missing; elsewhere `latchkey signing-key create` makes it, and every server needs the same.",
  },
  apiKeyEnvironment: {
    name: "API_KEY_ENVIRONMENT",
    kind: keyWord(),
    default: "live",
    meaning:
      "Word in the text of API keys, so that one of a test server is known by its looks. Keys of another word are refused: a change of it ends every key.",
  },
  apiKeyHeader: {
    name: "API_KEY_HEADER",
    kind: keyHeader(),
    default: "X-API-Key",
    meaning: "The header that holds an API key; `Authorization: Bearer` is understood besides.",
  },
  apiKeyUsageDays: {
    name: "API_KEY_USAGE_DAYS",
    kind: wholeNumber(1, 3_650),
    default: "90",
    meaning: "For how many days it is kept what each API key was used for.",
  },
  ...providerRows,
  corsOrigins: {
    name: "CORS_ORIGINS",
    kind: list(originOrAny()),
    default: "",
    meaning:
      "Other origins whose pages may read answers. `*` is for loopback, and never with credentials. It does not widen TRUSTED_ORIGINS.",
  },
  corsAllowCredentials: {
    name: "CORS_ALLOW_CREDENTIALS",
    kind: flag(),
    default: "false",
    meaning: "Whether those pages may read answers to requests that carry the session cookie.",
  },
  auditRetentionSeconds: {
    name: "AUDIT_RETENTION_DAYS",
    kind: duration("days", 1, 36_500),
    default: null,
    meaning: "For how long rows of the audit log are kept at least. Left out, for ever.",
  },
  webhooks: {
    name: "WEBHOOKS",
    kind: list(webhookUrl()),
    default: "",
    meaning:
      "Servers that are told of every event: an https address each, `#` and its secret (`whsec_…`; while one is changed, both with `;` between); in `.env` in quotation marks. http is for this machine.",
    isSecret: true,
  },
  metricsToken: {
    name: "METRICS_TOKEN",
    kind: secret(),
    default: null,
    meaning:
      "Who sends it as a bearer reads `/metrics`. Left out, only programs of this machine do, and nobody through a proxy.",
    isSecret: true,
  },
  environment: {
    name: "ENVIRONMENT",
    kind: choice(["local", "development", "test", "staging", "production"]),
    default: null,
    meaning:
      "`production` makes a loopback origin as strict as any other. The other words change nothing: the origin decides.",
  },
  debug: {
    name: "DEBUG",
    kind: flag(),
    default: "false",
    meaning: "Logs in detail: LOG_LEVEL is `debug` unless it is set. For loopback alone.",
  },
  isProductionValidated: {
    name: "PRODUCTION_SECURITY_VALIDATION_ENABLED",
    kind: flag(),
    default: "true",
    meaning:
      "Understood so that nobody believes the checks to be off: `false` is refused in production, and elsewhere they do not apply.",
  },
  isStrictMode: {
    name: "PRODUCTION_SECURITY_STRICT_MODE",
    kind: flag(),
    default: "false",
    meaning:
      "Whether the server refuses to start in production with any finding of `latchkey doctor`, warnings included, that can be made before it serves.",
  },
  logLevel: {
    name: "LOG_LEVEL",
    kind: choice(["trace", "debug", "info", "warn", "error", "fatal", "silent"]),
    default: null,
    meaning: "How much is logged. Left out, `info`, or `debug` with DEBUG=true.",
  },
  maxBodyBytes: {
    name: "MAX_BODY_BYTES",
    kind: wholeNumber(1_024, 16_777_216, "bytes"),
    default: "65536",
    meaning: "Largest body that is read; a larger one is answered with 413.",
  },
  requestTimeoutSeconds: {
    name: "REQUEST_TIMEOUT_SECONDS",
    kind: duration("seconds", 1, 600),
    default: "30",
    meaning: "How long a client may take to send its request.",
  },
  storeTimeoutMs: {
    name: "STORE_TIMEOUT_MS",
    kind: wholeNumber(10, 30_000, "milliseconds"),
    default: "5000",
    meaning:
      "How long the database, or the server of the sessions, may take to answer before the request is answered with 503.",
  },
  hashThreads: {
    name: "HASH_THREADS",
    kind: wholeNumber(1, 256),
    default: null,
    meaning: "Threads that hash passwords. Left out, as many as the machine has cores.",
  },
  hashQueue: {
    name: "HASH_QUEUE",
    kind: wholeNumber(1, 100_000),
    default: null,
    meaning:
      "Passwords that may wait for a thread; past that sign-ins are answered with 503 and `Retry-After`. Left out, 32 for each thread.",
  },
};

/** The names of all settings, aliases included. */
export function settingNames(): readonly string[] {
  return Object.values(settingsTable).flatMap((row) => [
    row.name,
    ...(row.aliases ?? []).map(({ name }) => name),
  ]);
}
