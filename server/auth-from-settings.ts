import { randomBytes } from "node:crypto";
import { join } from "node:path";
import {
  type ApiKeys,
  type Auth,
  type AuthOptions,
  argon2id,
  breachedPasswords,
  createAuth,
  type Feature,
  passwords,
  tickets,
  tierLimits,
} from "latchkey";
import { type Administration, administration } from "latchkey/administration";
import { foreignHashers } from "latchkey/foreign-hashes";
import type { Mail } from "latchkey/mail";
import type { Tokens } from "latchkey/tokens";
import { apiKeysFromSettings } from "./api-keys-from-settings.ts";
import { mailFromSettings } from "./mail-from-settings.ts";
import { type DevelopmentSecret, developmentSecret } from "./settings/development-secret.ts";
import type { Settings } from "./settings/settings.ts";
import { tokensFromSettings } from "./tokens-from-settings.ts";

const secretDirectory = "data";

/** Where a machine keeps the secret that it made for itself. */
export const developmentSecretPath: string = join(secretDirectory, "secret.key");

/** The secrets that the settings name, or the one that this machine made for itself. */
export interface Secrets {
  readonly secrets: readonly [string, ...string[]];
  /** Null where the settings name one. */
  readonly development: DevelopmentSecret | null;
}

/** Finds or makes the secrets. @throws SettingsError as {@link developmentSecret} */
export async function secretsFromSettings({ secretKey, previousSecretKeys }: Settings): Promise<Secrets> {
  if (secretKey !== null) return { secrets: [secretKey, ...previousSecretKeys], development: null };
  const random = { bytes: (length: number): Uint8Array => randomBytes(length) };
  const development = await developmentSecret(secretDirectory, random);
  return { secrets: [development.secret, ...previousSecretKeys], development };
}

/** What an `Auth` needs beyond the settings. */
export interface AuthParts
  extends Pick<AuthOptions, "stores" | "secrets" | "log" | "listeners" | "onError" | "telemetry"> {
  readonly origin: string;
  /** Default: {@link apiKeysFromSettings}; for callers who use what the feature offers. */
  readonly apiKeys?: Feature<ApiKeys> | undefined;
  /** Default: `administration()`; for callers who use what the feature offers. */
  readonly administration?: Feature<Administration> | undefined;
  /** Default: {@link tokensFromSettings}; for callers who use what the feature offers. */
  readonly tokens?: Feature<Tokens>;
  /** Default: {@link mailFromSettings}, without sending: that is the server's. */
  readonly mail?: Feature<Mail> | null;
  /** Besides those that are always there. */
  readonly features?: AuthOptions["features"];
}

/** An `Auth` as the settings describe it. */
export function authFromSettings(settings: Settings, parts: AuthParts): Auth {
  const mail = parts.mail === undefined ? mailFromSettings(settings, { sends: false })?.feature : parts.mail;
  return createAuth({
    ...parts,
    trustedOrigins: settings.trustedOrigins,
    basePath: settings.basePath,
    loginPath: settings.loginPath,
    appPath: settings.appPath,
    cookie: {
      name: settings.sessionName,
      sameSite: settings.sessionSameSite,
      maxAgeSeconds: settings.sessionCookieMaxAgeSeconds,
      ...(settings.sessionDomain !== null && { domain: settings.sessionDomain }),
    },
    session: {
      idleSeconds: settings.sessionIdleSeconds,
      absoluteSeconds: settings.sessionAbsoluteSeconds,
      rememberedIdleSeconds: settings.rememberedIdleSeconds,
      rememberedAbsoluteSeconds: settings.rememberedAbsoluteSeconds,
      mode: settings.sessionStorage,
      ...countedSessions(settings),
      sweepIntervalSeconds: settings.sessionCleanupIntervalSeconds,
      binding: settings.sessionBinding,
      encrypt: settings.sessionEncrypt,
    },
    csrf: settings.csrfEnabled,
    login: { maxAttempts: settings.loginMaxAttempts, windowSeconds: settings.loginWindowSeconds },
    registration: settings.registrationMode,
    ...(settings.roles !== null && { roles: settings.roles }),
    ...(settings.corsOrigins.length > 0 && {
      cors: {
        origins: settings.corsOrigins,
        credentials: settings.corsAllowCredentials,
        headers: [settings.apiKeyHeader],
      },
    }),
    maxBodyBytes: settings.maxBodyBytes,
    storeTimeoutMs: settings.storeTimeoutMs,
    features: [
      passwords({
        minLength: settings.passwordMinLength,
        ...(settings.passwordBreachCheck && { breached: breachedPasswords() }),
        // Accounts may have been imported from other products.
        hashers: [argon2id(), ...foreignHashers({ firebaseSignerKey: settings.firebaseSignerKey })],
        threads: {
          ...(settings.hashThreads !== null && { size: settings.hashThreads }),
          ...(settings.hashQueue !== null && { maxQueue: settings.hashQueue }),
        },
      }),
      parts.apiKeys ?? apiKeysFromSettings(settings),
      parts.tokens ?? tokensFromSettings(settings),
      parts.administration ?? administration(),
      // Tiers are rows: where there are none, nobody is limited and nothing is read.
      tierLimits(),
      // For applications that answer WebSockets over the same stores.
      tickets(),
      ...(mail ? [mail] : []),
      ...(parts.features ?? []),
    ],
  });
}

// Where cookies hold the sessions those of tokens keep the usual limit, and no number can be named but none at all.
function countedSessions({
  sessionStorage,
  maxSessionsPerUser,
}: Settings): Pick<NonNullable<AuthOptions["session"]>, "maxPerUser"> {
  const isUsual = sessionStorage === "stateless" && maxSessionsPerUser > 0;
  return isUsual ? {} : { maxPerUser: maxSessionsPerUser };
}
