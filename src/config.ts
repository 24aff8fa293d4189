import type { ConfigOptions } from "./config/options.ts";
import { isLoopback } from "./config/origin.ts";
import { partProblems } from "./config/parts.ts";
import { problemsOf } from "./config/problems.ts";
import { isObject } from "./config/shapes.ts";

/** The checked and frozen configuration. */
export interface Config {
  readonly origin: string;
  /** Whether the origin is not loopback: then unsafe settings refuse to start. */
  readonly isProduction: boolean;
  readonly trustedOrigins: readonly string[];
  readonly basePath: string;
  readonly loginPath: string;
  readonly appPath: string;
  readonly passwordPath: string;
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
    readonly binding: "off" | "user-agent" | "ip+user-agent";
    readonly encrypt: boolean;
    readonly mode: "stateful" | "stateless";
  };
  readonly freshSeconds: number;
  readonly csrf: boolean;
  readonly login: { readonly maxAttempts: number; readonly windowSeconds: number };
  readonly registration: "open" | "confirm" | "invite" | "closed";
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
 * Checks the options, and what else `createAuth` takes: everything that is wrong is named at once.
 *
 * @throws TypeError naming every option that cannot be used, and the fix
 */
export function assertUsable(options: ConfigOptions): void {
  assertNone([...problemsOf(options), ...(isObject(options) ? partProblems(options) : [])]);
}

/**
 * Checks the options and fills in the defaults.
 *
 * @throws TypeError naming every option that cannot be used, and the fix
 */
export function readConfig(options: ConfigOptions): Config {
  assertNone(problemsOf(options));
  const { protocol, hostname } = new URL(options.origin);
  const isSecure = protocol === "https:";
  return Object.freeze({
    origin: options.origin,
    isProduction: !isLoopback(hostname),
    trustedOrigins: [...(options.trustedOrigins ?? [])],
    basePath: options.basePath ?? "/api/v1",
    loginPath: options.loginPath ?? "/login",
    appPath: options.appPath ?? "/app/dashboard",
    passwordPath: options.passwordPath ?? "/account#password",
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

const sameSites = { lax: "Lax", strict: "Strict", none: "None" } as const;

function cookieConfig(cookie: ConfigOptions["cookie"], isSecure: boolean): Config["cookie"] {
  const domain = cookie?.domain ?? null;
  const prefix = !isSecure ? "" : domain === null ? "__Host-" : "__Secure-";
  return {
    name: prefix + (cookie?.name ?? "latchkey"),
    isSecure,
    sameSite: sameSites[cookie?.sameSite ?? "lax"],
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
    binding: session?.binding ?? "off",
    encrypt: session?.encrypt ?? false,
    mode: session?.mode ?? "stateful",
  };
}

function assertNone(problems: readonly string[]): void {
  if (problems.length > 0) throw new TypeError(`createAuth cannot start:\n- ${problems.join("\n- ")}`);
}

function corsConfig(cors: ConfigOptions["cors"]): Config["cors"] {
  if (cors === undefined) return null;
  return {
    origins: cors.origins,
    credentials: cors.credentials ?? false,
    headers: [...(cors.headers ?? [])],
  };
}
