import { isLoopbackHost } from "./address-kinds.ts";
import { allRules } from "./all-rules.ts";
import { type Draft, type Environment, readDraft } from "./draft.ts";
import { brokenRules, isProduction, isStrict, originUrl, type Rule } from "./rules.ts";
import { secretWeakness } from "./secret-strength.ts";
import { sessionPlace } from "./session-place.ts";
import { sessionWarnings } from "./session-rules.ts";
import type { Given, Settings } from "./settings.ts";
import { SettingsError } from "./settings-error.ts";
import { unreadNames } from "./similar-names.ts";

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
 *   what is unsafe in production; in strict mode what is advised there, too. Nothing else is ever thrown.
 */
export function readSettings(environment: Environment): ReadSettings {
  const draft = readDraft(environment);
  const { given } = draft;
  const problems = [...draft.problems, ...brokenRules(rulesFor(given), draft)];
  if (problems.length > 0) throw new SettingsError(problems);
  return { settings: settle(given), warnings: warningsOf(draft, environment) };
}

/** What an operator should hear of settings that can be started with. */
export function warningsOf(draft: Draft, environment: Environment): readonly string[] {
  const names = Object.keys(environment).filter((name) => (environment[name]?.trim() ?? "") !== "");
  return [...warningsAbout(draft), ...sessionWarnings(draft), ...unreadNames(names)];
}

function rulesFor(given: Given): readonly Rule[] {
  if (!isProduction(given)) return allRules.everywhere;
  const { everywhere, production, advised } = allRules;
  return [...everywhere, ...production, ...(isStrict(given) ? advised : [])];
}

/** The settings that a draft stands for; where something of it was refused, what was most likely meant. */
export function settle(given: Given): Settings {
  // What only says where sessions are has become `sessions`.
  const {
    environment,
    isProductionValidated,
    isStrictMode,
    sessionBackend,
    sessionPath,
    sessionHost,
    sessionPort,
    sessionPrefix,
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
    registrationMode: given.registrationMode ?? (given.smtpUrl === null ? "open" : "confirm"),
    logLevel: given.logLevel ?? (given.debug ? "debug" : "info"),
    isProduction: isProduction(given),
    isStrict: isStrict(given),
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
