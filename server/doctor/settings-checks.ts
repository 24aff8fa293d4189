import { allRules } from "../settings/all-rules.ts";
import { brokenRules, type Rule } from "../settings/rules.ts";
import { type Check, found, ok, type Severity, skipped } from "./check.ts";
import type { Facts } from "./facts.ts";

/** The rules that a start goes by, and what can be told from the settings besides. */
export const settingsChecks: readonly Check[] = [
  {
    id: "settings-readable",
    title: "Every setting can be read",
    severity: "error",
    needs: "settings",
    scope: "everywhere",
    check: ({ draft: { problems } }) =>
      problems.length === 0
        ? ok
        : found(
            problems.map(({ setting, problem }) => `${setting} ${problem}`).join("; "),
            [...new Set(problems.map(({ setting, fix }) => `${setting}: ${fix}`))].join(" "),
          ),
  },
  {
    id: "settings-known",
    title: "No setting is misspelt or without effect",
    severity: "warning",
    needs: "settings",
    scope: "everywhere",
    check: ({ warnings }) => {
      const idle = warnings.filter((warning) => /has no effect/.test(warning));
      return idle.length === 0 ? ok : found(idle.join(" "), "Correct or remove them.");
    },
  },
  {
    id: "env-file-whole",
    title: "No value in `.env` is cut off by a comment",
    severity: "warning",
    needs: "settings",
    scope: "everywhere",
    check: ({ cut }) =>
      cut.length === 0
        ? ok
        : found(
            `${cut.join(", ")} ${cut.length === 1 ? "ends" : "end"} before a #`,
            "Put the value in quotation marks, or a blank before the comment.",
          ),
  },
  {
    id: "loopback-alone",
    title: "A server with the rules for loopback lets no other machine in",
    severity: "warning",
    needs: "settings",
    scope: "everywhere",
    check: ({ warnings }) =>
      warnings.some((warning) => warning.startsWith("HOST="))
        ? found(
            "HOST lets other machines in, while ORIGIN is loopback",
            "Leave HOST out, set ORIGIN to what browsers show, or write ENVIRONMENT=production.",
          )
        : ok,
  },
  ...allRules.everywhere.map((rule) => byRule(rule, "error", "everywhere")),
  ...allRules.production.map((rule) => byRule(rule, "error", "production")),
  ...allRules.advised.map((rule) => byRule(rule, "warning", "production")),
  {
    id: "passwords-long",
    title: "New passwords have at least 15 characters where they stand alone",
    severity: "note",
    needs: "settings",
    scope: "production",
    check: ({ settings: { passwordMinLength } }) =>
      passwordMinLength >= 15
        ? ok
        : found(
            `PASSWORD_MIN_LENGTH is ${passwordMinLength}`,
            "NIST SP 800-63B-4 asks for 15 where nothing else is proven; set it for new passwords.",
          ),
  },
  {
    id: "metrics-token",
    title: "Metrics can be read by a program on another machine",
    severity: "note",
    needs: "settings",
    scope: "production",
    check: ({ settings: { metricsToken } }) =>
      metricsToken !== null
        ? ok
        : found(
            "METRICS_TOKEN is not set",
            "Set it where something on another machine watches the server; without it /metrics is for this machine alone.",
          ),
  },
  {
    id: "sign-out-ends",
    title: "Signing out ends every copy of the session's cookie",
    severity: "note",
    needs: "settings",
    scope: "production",
    check: ({ settings: { sessionStorage } }) =>
      sessionStorage === "stateful"
        ? ok
        : found(
            "SESSION_STORAGE is stateless: a copy works on until it expires",
            "Keep REMEMBER_IDLE_DAYS short, and tell people to sign out everywhere where a cookie may be in wrong hands; or leave SESSION_STORAGE out.",
          ),
  },
  {
    id: "former-secrets-needed",
    title: "No former secret is kept",
    severity: "note",
    needs: "settings",
    scope: "production",
    check: ({ settings: { previousSecretKeys } }) =>
      previousSecretKeys.length === 0
        ? ok
        : found(
            `SECRET_KEY_PREVIOUS has ${previousSecretKeys.length}`,
            "Run `latchkey secret reencrypt`: where it reports 0 still under a former secret, each that has been one for as long as a session lives may go.",
          ),
  },
];

function byRule(rule: Rule, severity: Severity, scope: Check["scope"]): Check {
  const { id, title } = rule;
  return { id, title, severity, needs: "settings", scope, check: ({ draft }) => verdict(rule, draft) };
}

function verdict(rule: Rule, draft: Facts["draft"]) {
  if (!rule.about.every(draft.isMeant)) return skipped("a setting that it is about cannot be read");
  const [problem] = brokenRules([rule], draft);
  if (problem === undefined) return ok;
  return found(`${problem.setting} ${problem.problem} (found ${problem.found})`, problem.fix);
}
