import { randomBytes } from "node:crypto";
import {
  type ApiKeys,
  type Auth,
  type AuthOptions,
  createAuth,
  type Feature,
  passwords,
  tickets,
} from "latchkey";
import type { Tokens } from "latchkey/tokens";
import { apiKeysFromSettings } from "./api-keys-from-settings.ts";
import { type DevelopmentSecret, developmentSecret } from "./settings/development-secret.ts";
import type { Settings } from "./settings/settings.ts";
import { tokensFromSettings } from "./tokens-from-settings.ts";

/** Where a machine keeps the secret that it made for itself. */
const secretDirectory = "data";

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
export interface AuthParts extends Pick<AuthOptions, "stores" | "secrets" | "log" | "listeners" | "onError"> {
  readonly origin: string;
  /** Default: {@link apiKeysFromSettings}; for callers who use what the feature offers. */
  readonly apiKeys?: Feature<ApiKeys> | undefined;
  /** Default: {@link tokensFromSettings}; for callers who use what the feature offers. */
  readonly tokens?: Feature<Tokens>;
  /** Besides those that are always there. */
  readonly features?: AuthOptions["features"];
}

/** An `Auth` as the settings describe it. */
export function authFromSettings(settings: Settings, parts: AuthParts): Auth {
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
      maxPerUser: settings.maxSessionsPerUser,
      sweepIntervalSeconds: settings.sessionCleanupIntervalSeconds,
      binding: settings.sessionBinding,
    },
    csrf: settings.csrfEnabled,
    login: { maxAttempts: settings.loginMaxAttempts, windowSeconds: settings.loginWindowSeconds },
    registration: settings.registrationMode,
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
        threads: {
          ...(settings.hashThreads !== null && { size: settings.hashThreads }),
          ...(settings.hashQueue !== null && { maxQueue: settings.hashQueue }),
        },
      }),
      parts.apiKeys ?? apiKeysFromSettings(settings),
      parts.tokens ?? tokensFromSettings(settings),
      // For applications that answer WebSockets over the same stores.
      tickets(),
      ...(parts.features ?? []),
    ],
  });
}
