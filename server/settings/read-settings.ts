import { isLoopbackHost } from "./address-kinds.ts";
import { type Draft, type Environment, readDraft } from "./draft.ts";
import { inProduction } from "./production-rules.ts";
import { providerRules } from "./provider-rules.ts";
import { brokenRules, everywhere, isProduction, originUrl } from "./rules.ts";
import { secretWeakness } from "./secret-strength.ts";
import { sessionPlace } from "./session-place.ts";
import { sessionRules, sessionWarnings } from "./session-rules.ts";
import type { Given, Settings } from "./settings.ts";
import { SettingsError } from "./settings-error.ts";
import { unreadNames } from "./similar-names.ts";
import { settingsTable } from "./table.ts";

/** Settings that can be started with, and what the operator should hear about them. */
export interface ReadSettings {
  readonly settings: Settings;
  /** One sentence each, ready to print; none holds the value of a secret. */
  readonly warnings: readonly string[];
}

/**
 * Reads the settings from variables. Nothing else is looked at: no file, no clock, no process.
 *
 * @param environment - by name; blank values count as absent, names that no setting has are ignored
 * @throws SettingsError with every problem at once: malformed values, contradictions, what is unsafe everywhere, and
 *   what is unsafe in production. Nothing else is ever thrown.
 */
export function readSettings(environment: Environment): ReadSettings {
  const draft = readDraft(environment);
  const { given } = draft;
  const rules = [
    ...everywhere,
    ...sessionRules,
    ...ofProviders,
    ...(isProduction(given) ? inProduction : []),
  ];
  const problems = [...draft.problems, ...brokenRules(rules, draft)];
  if (problems.length > 0) throw new SettingsError(problems);
  const names = Object.keys(environment).filter((name) => (environment[name]?.trim() ?? "") !== "");
  return {
    settings: settle(given),
    warnings: [...warningsAbout(draft), ...sessionWarnings(draft), ...unreadNames(names)],
  };
}

const ofProviders = providerRules((field) => settingsTable[field].name);

function settle(given: Given): Settings {
  // What only says where sessions are has become `sessions`.
  const {
    environment,
    isProductionValidated,
    sessionBackend,
    sessionPath,
    sessionHost,
    sessionPort,
    ...others
  } = given;
  const { redisUrl, valkeyUrl, mongodbUrl, memcachedUrl, ...rest } = others;
  return Object.freeze({
    ...rest,
    sessions: sessionPlace(given),
    previousSecretKeys: given.previousSecretKeys.filter((secret) => secret !== given.secretKey),
    sessionAbsoluteSeconds: Math.max(given.sessionAbsoluteSeconds, given.sessionIdleSeconds),
    rememberedAbsoluteSeconds: Math.max(given.rememberedAbsoluteSeconds, given.rememberedIdleSeconds),
    secureCookies: originUrl(given).protocol === "https:",
    corsOrigins: given.corsOrigins.includes("*") ? "*" : given.corsOrigins,
    logLevel: given.logLevel ?? (given.debug ? "debug" : "info"),
    isProduction: isProduction(given),
  });
}

function warningsAbout({ given, nameOf }: Draft): readonly string[] {
  const warnings: string[] = [];
  const warn = (isDue: boolean, text: string): void => {
    if (isDue) warnings.push(text);
  };
  const weakness = given.secretKey === null ? null : secretWeakness(given.secretKey);
  const isOpen = !isLoopbackHost(given.host);
  warn(
    weakness !== null,
    `${nameOf("secretKey")} ${weakness}: good enough on loopback, refused everywhere else.`,
  );
  warn(
    given.sessionIdleSeconds > given.sessionAbsoluteSeconds,
    `${nameOf("sessionIdleSeconds")} is above SESSION_ABSOLUTE_MINUTES, which is raised to ${given.sessionIdleSeconds / 60}.`,
  );
  warn(
    given.rememberedIdleSeconds > given.rememberedAbsoluteSeconds,
    `REMEMBER_IDLE_DAYS is above REMEMBER_ABSOLUTE_DAYS, which is raised to ${given.rememberedIdleSeconds / 86_400}.`,
  );
  warn(
    given.secureCookies === true && originUrl(given).protocol === "http:",
    "SESSION_SECURE_COOKIES=true has no effect on an http origin: cookies are sent without Secure there.",
  );
  warn(
    isOpen && !isProduction(given),
    `HOST=${given.host} lets other machines in, while the rules for loopback apply because ORIGIN is loopback. ENVIRONMENT=production makes them strict.`,
  );
  return warnings;
}
