import { createRequire } from "node:module";

const daySeconds = 86_400;
const longestSeconds = 3_650 * daySeconds;
/** Browsers keep no cookie longer. @see RFC 6265bis, section 5.5 */
const longestCookieSeconds = 400 * daySeconds;
/** Different characters of a secret, at least: random ones of 32 bytes have more in every usual encoding. */
const leastCharacters = 8;

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
    /** Live sessions of one user, at most 10,000; 0 = unlimited, 1 = single. Default 5. */
    readonly maxPerUser?: number;
    /** Interval between sweeps of what expired, at most 86,400; 0 = never by itself. Default 900. */
    readonly sweepIntervalSeconds?: number;
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
  /** `open`: registering signs in at once. `closed`: only an operator creates accounts. Default `open`. */
  readonly registration?: "open" | "closed";
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

/** The checked and frozen configuration. */
export interface Config {
  readonly origin: string;
  /** Whether the origin is not loopback: then unsafe settings refuse to start. */
  readonly isProduction: boolean;
  readonly trustedOrigins: readonly string[];
  readonly basePath: string;
  readonly loginPath: string;
  readonly appPath: string;
  readonly cookie: {
    /** Full name, prefix included. */
    readonly name: string;
    readonly isSecure: boolean;
    readonly sameSite: "Lax" | "Strict" | "None";
    readonly domain: string | null;
    readonly maxAgeSeconds: number | null;
  };
  readonly session: {
    readonly idleSeconds: number;
    readonly absoluteSeconds: number;
    readonly rememberedIdleSeconds: number;
    readonly rememberedAbsoluteSeconds: number;
    readonly maxPerUser: number;
    readonly sweepIntervalSeconds: number;
  };
  readonly freshSeconds: number;
  readonly csrf: boolean;
  readonly login: { readonly maxAttempts: number; readonly windowSeconds: number };
  readonly registration: "open" | "closed";
  readonly signInAfterRegistration: boolean;
  readonly cors: {
    readonly origins: readonly string[] | "*";
    readonly credentials: boolean;
    readonly headers: readonly string[];
  } | null;
  readonly maxBodyBytes: number;
  readonly storeTimeoutMs: number;
}

/**
 * Checks the options and fills in the defaults.
 *
 * @throws TypeError naming every option that cannot be used, and the fix
 */
export function readConfig(options: ConfigOptions): Config {
  const problems: string[] = [];
  const origin = exactOrigin(options.origin);
  if (origin === null)
    problems.push(`origin: ${JSON.stringify(options.origin)} is no exact origin; write https://host[:port]`);
  const url = new URL(origin ?? "https://invalid");
  const isSecure = url.protocol === "https:";
  const isProduction = !isLoopback(url.hostname);
  if (isProduction && !isSecure) problems.push("origin: http is for loopback only; use https");
  if (isProduction && options.csrf === false)
    problems.push("csrf: cannot be switched off where the origin is not loopback");
  for (const trusted of options.trustedOrigins ?? []) {
    if (exactOrigin(trusted) !== trusted)
      problems.push(`trustedOrigins: ${JSON.stringify(trusted)} is no exact origin`);
  }
  problems.push(
    ...secretProblems(options.secrets, isProduction),
    ...cookieProblems(options, isSecure, url.hostname),
  );
  problems.push(
    ...numberProblems(options),
    ...pathProblems(options),
    ...corsProblems(options.cors, isProduction),
  );
  if (problems.length > 0) throw new TypeError(`createAuth cannot start:\n- ${problems.join("\n- ")}`);
  return Object.freeze({
    origin: origin as string,
    isProduction,
    trustedOrigins: [...(options.trustedOrigins ?? [])],
    basePath: options.basePath ?? "/api/v1",
    loginPath: options.loginPath ?? "/login",
    appPath: options.appPath ?? "/app/dashboard",
    cookie: cookieConfig(options.cookie, isSecure),
    session: sessionConfig(options.session),
    freshSeconds: options.freshSeconds ?? 600,
    csrf: options.csrf ?? true,
    login: {
      maxAttempts: options.login?.maxAttempts ?? 5,
      windowSeconds: options.login?.windowSeconds ?? 900,
    },
    registration: options.registration ?? "open",
    signInAfterRegistration: options.signInAfterRegistration ?? true,
    cors: corsConfig(options.cors),
    maxBodyBytes: options.maxBodyBytes ?? 65_536,
    storeTimeoutMs: options.storeTimeoutMs ?? 5_000,
  });
}

/** Whether a host name stays on this machine. @see RFC 6761, section 6.3; RFC 5735, section 3 */
export function isLoopback(hostname: string): boolean {
  return /^(?:localhost|.+\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i.test(hostname);
}

// A URL's host may hold `*`, but origins are compared whole: who writes one expects a pattern that would never match.
function exactOrigin(text: string): string | null {
  if (!URL.canParse(text) || text.includes("*")) return null;
  const url = new URL(text);
  return (url.protocol === "https:" || url.protocol === "http:") && url.origin === text ? text : null;
}

function secretProblems(secrets: readonly string[], isProduction: boolean): string[] {
  if (secrets.length === 0) return ["secrets: at least one is needed"];
  const good = "`latchkey secret` prints a good one";
  return secrets.flatMap((secret, index) => {
    if (Buffer.byteLength(secret) < 32) return [`secrets[${index}]: shorter than 32 bytes; ${good}`];
    // Long and yet guessed: one letter held down, or a pattern of a few.
    return isProduction && new Set(secret).size < leastCharacters
      ? [`secrets[${index}]: fewer than ${leastCharacters} different characters; ${good}`]
      : [];
  });
}

function cookieProblems(options: ConfigOptions, isSecure: boolean, hostname: string): string[] {
  const { name = "latchkey", sameSite, domain, maxAgeSeconds } = options.cookie ?? {};
  const problems: string[] = [];
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) problems.push("cookie.name: 1 to 64 of A-Z a-z 0-9 _ -");
  if (/^__(?:host|secure|http)/i.test(name)) problems.push("cookie.name: the prefix is added by itself");
  if (sameSite === "none" && (options.trustedOrigins ?? []).length === 0) {
    problems.push("cookie.sameSite: none needs trustedOrigins");
  }
  if (sameSite === "none" && !isSecure) problems.push("cookie.sameSite: none needs an https origin");
  if (maxAgeSeconds !== null) {
    problems.push(...numberProblem("cookie.maxAgeSeconds", maxAgeSeconds, 1, longestCookieSeconds));
  }
  if (domain !== undefined) {
    if (hostname !== domain && !hostname.endsWith(`.${domain}`))
      problems.push(`cookie.domain: ${domain} does not cover the origin`);
    if (isPublicSuffix(domain)) {
      problems.push(`cookie.domain: ${domain} is a public suffix; every site below it would get the cookie`);
    }
  }
  return problems;
}

// Required where a domain is set and nowhere else: the list of public suffixes is larger than the rest of Latchkey.
function isPublicSuffix(domain: string): boolean {
  const { getDomain }: typeof import("tldts") = createRequire(import.meta.url)("tldts");
  return getDomain(domain, { allowPrivateDomains: true }) === null;
}

function numberProblems({
  session = {},
  login = {},
  freshSeconds,
  maxBodyBytes,
  storeTimeoutMs,
}: ConfigOptions): string[] {
  const ranges: readonly Parameters<typeof numberProblem>[] = [
    ["session.idleSeconds", session.idleSeconds, 10, longestSeconds],
    ["session.absoluteSeconds", session.absoluteSeconds, 10, longestSeconds],
    ["session.rememberedIdleSeconds", session.rememberedIdleSeconds, 10, longestSeconds],
    ["session.rememberedAbsoluteSeconds", session.rememberedAbsoluteSeconds, 10, longestSeconds],
    ["session.maxPerUser", session.maxPerUser, 0, 10_000],
    ["session.sweepIntervalSeconds", session.sweepIntervalSeconds, 0, daySeconds],
    ["login.maxAttempts", login.maxAttempts, 1, 1_000],
    ["login.windowSeconds", login.windowSeconds, 1, 30 * daySeconds],
    ["freshSeconds", freshSeconds, 1, 30 * daySeconds],
    ["maxBodyBytes", maxBodyBytes, 1_024, 16 * 1_024 * 1_024],
    ["storeTimeoutMs", storeTimeoutMs, 10, 30_000],
  ];
  return ranges.flatMap((range) => numberProblem(...range));
}

// Each has a most as well: past 2,147,483,647 ms a timer fires at once, and dates past the year 275760 are none.
function numberProblem(name: string, value: number | undefined, least: number, most: number): string[] {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return [];
  return [`${name}: a whole number, at least ${least} and at most ${most}`];
}

function pathProblems(options: ConfigOptions): string[] {
  return (["basePath", "loginPath", "appPath"] as const).flatMap((name) => {
    const path = options[name];
    return path === undefined || /^\/(?:[A-Za-z0-9._~-]+(?:\/[A-Za-z0-9._~-]+)*)?$/.test(path)
      ? []
      : [`${name}: a path such as /auth, without a slash at its end`];
  });
}

function corsProblems(cors: ConfigOptions["cors"], isProduction: boolean): string[] {
  if (cors === undefined) return [];
  if (cors.origins === "*") {
    if (cors.credentials)
      return ["cors: `*` with credentials would hand every site its visitors' accounts; list the origins"];
    return isProduction ? ["cors: `*` is for loopback only; list the origins"] : [];
  }
  return cors.origins.flatMap((origin) =>
    exactOrigin(origin) === origin ? [] : [`cors.origins: ${JSON.stringify(origin)} is no exact origin`],
  );
}

function cookieConfig(cookie: ConfigOptions["cookie"], isSecure: boolean): Config["cookie"] {
  const domain = cookie?.domain ?? null;
  const prefix = !isSecure ? "" : domain === null ? "__Host-" : "__Secure-";
  return {
    name: prefix + (cookie?.name ?? "latchkey"),
    isSecure,
    sameSite: ({ lax: "Lax", strict: "Strict", none: "None" } as const)[cookie?.sameSite ?? "lax"],
    domain,
    maxAgeSeconds: cookie?.maxAgeSeconds ?? null,
  };
}

// An idle limit above the absolute one could never be reached, so it raises the absolute.
function sessionConfig(session: ConfigOptions["session"]): Config["session"] {
  const idleSeconds = session?.idleSeconds ?? 1_800;
  const rememberedIdleSeconds = session?.rememberedIdleSeconds ?? 1_209_600;
  return {
    idleSeconds,
    absoluteSeconds: Math.max(idleSeconds, session?.absoluteSeconds ?? 86_400),
    rememberedIdleSeconds,
    rememberedAbsoluteSeconds: Math.max(
      rememberedIdleSeconds,
      session?.rememberedAbsoluteSeconds ?? 2_592_000,
    ),
    maxPerUser: session?.maxPerUser ?? 5,
    sweepIntervalSeconds: session?.sweepIntervalSeconds ?? 900,
  };
}

function corsConfig(cors: ConfigOptions["cors"]): Config["cors"] {
  if (cors === undefined) return null;
  return {
    origins: cors.origins,
    credentials: cors.credentials ?? false,
    headers: [...(cors.headers ?? [])],
  };
}
