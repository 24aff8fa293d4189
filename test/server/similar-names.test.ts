import fc from "fast-check";
import { expect, test } from "vitest";
import { unreadNames } from "../../server/settings/similar-names.ts";
import { settingNames } from "../../server/settings/table.ts";

const known = settingNames();

/** What is suggested for a name; null for nothing. */
function suggested(name: string): string | null {
  const [warning] = unreadNames([name]);
  return warning?.slice(name.length).match(/Did you mean (\w+)\?$/)?.[1] ?? null;
}

/** The same, the long way. */
function expectedFor(name: string): string | null {
  if (known.includes(name) || name === "SESSIONNAME") return null;
  const upper = name.toUpperCase();
  const ofSession = upper.replace(/^(SESSION_)?COOKIE_/, "SESSION_");
  return counted(name) ?? begun(upper) ?? known.find((each) => each === ofSession) ?? null;
}

/** The one setting that goes on where a name ends, by a word or from before its last two letters. */
function begun(upper: string): string | null {
  const goingOn = known.filter((each) => upper.length > 3 && each.startsWith(`${upper}_`));
  if (goingOn.length === 1) return goingOn[0] ?? null;
  const [family = "", ...rest] = upper.slice(0, -2).split("_");
  const isLong = rest.join("_").length >= 3;
  const alike = known.filter((each) => isLong && each.startsWith(`${family}_${rest.join("_")}`));
  return alike.length === 1 ? (alike[0] ?? null) : null;
}

/** Every edit against every setting is counted. */
function counted(name: string): string | null {
  const upper = name.toUpperCase();
  const families = known.filter((each) => each.includes("_")).map((each) => `${each.split("_")[0]}_`);
  if (known.includes(name)) return null;
  if (upper.length < 10 && !families.some((family) => upper.startsWith(family))) return null;
  const near = known.filter(({ length }) => Math.abs(length - upper.length) <= 2);
  const distances = near.map((each) => ({ each, distance: distanceOf([...upper], [...each]) }));
  const least = Math.min(2, ...distances.map(({ distance }) => distance));
  return distances.find(({ distance }) => distance === least)?.each ?? null;
}

/** Row by row over the whole table. @see Wagner and Fischer, 1974 */
function distanceOf(a: readonly string[], b: readonly string[]): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [row, letter] of a.entries()) {
    const current = [row + 1];
    for (const [column, other] of b.entries()) {
      const replaced = (above[column] ?? 0) + (letter === other ? 0 : 1);
      current.push(Math.min(replaced, (above[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    above = current;
  }
  return above.at(-1) ?? 0;
}

const letter = fc.oneof(
  fc.constantFrom(..."ABCEIKLMNORSTU_019aeß"),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
);
const edit = fc.record({ at: fc.nat(30), kind: fc.constantFrom("put", "take", "change", "swap"), letter });

/** A setting's name after some edits. */
const misspelt = fc
  .tuple(fc.constantFrom(...known), fc.array(edit, { maxLength: 4 }), fc.boolean())
  .map(([name, edits, isLower]) => {
    const letters = [...(isLower ? name.toLowerCase() : name)];
    for (const { at, kind, letter: put } of edits) {
      const place = at % (letters.length + 1);
      if (kind === "put") letters.splice(place, 0, put);
      else if (kind === "take") letters.splice(place, 1);
      else if (kind === "change") letters.splice(place, 1, put);
      else letters.splice(place, 2, ...letters.slice(place, place + 2).reverse());
    }
    return letters.join("");
  });
const strange = fc.oneof(
  fc.string({ unit: letter, maxLength: 24 }),
  fc.tuple(fc.constantFrom(...known), fc.constantFrom(...known)).map(([one, other]) => {
    const end = other.slice(Math.ceil(other.length / 2));
    return one.slice(0, Math.ceil(one.length / 2)) + end;
  }),
);

test.each([
  ["REGISTRATION", "REGISTRATION_MODE"],
  ["CSRF", "CSRF_ENABLED"],
  ["csrf", "CSRF_ENABLED"],
  ["DATABASE", "DATABASE_URL"],
  ["SESSION_TIMEOUT", "SESSION_TIMEOUT_MINUTES"],
  ["TRUSTED_PROXY", "TRUSTED_PROXIES"],
  ["TRUSTED_ORIGIN", "TRUSTED_ORIGINS"],
  ["COOKIE_DOMAIN", "SESSION_DOMAIN"],
  ["COOKIE_NAME", "SESSION_NAME"],
  ["SESSION_COOKIE_DOMAIN", "SESSION_DOMAIN"],
  ["COOKIE_SAME_SITE", "SESSION_SAME_SITE"],
])("%s is likely meant to be %s", (name, meant) => {
  expect(suggested(name)).toBe(meant);
});

const ofOthers = `
  PATH HOME USER LOGNAME SHELL PWD OLDPWD SHLVL TERM LANG LC_ALL LC_CTYPE LANGUAGE TZ TMPDIR TEMP TMP EDITOR VISUAL PAGER
  MAIL MAILCHECK HOSTNAME HOSTTYPE MACHTYPE OSTYPE DISPLAY COLUMNS LINES PS1 IFS UID EUID PPID SUDO_USER SSH_AUTH_SOCK SSH_CLIENT
  SSH_CONNECTION SSH_TTY GPG_TTY SESSION SESSION_ID SESSION_MANAGER SESSIONNAME DESKTOP_SESSION XDG_SESSION_ID XDG_SESSION_TYPE
  XDG_SESSION_CLASS XDG_RUNTIME_DIR XDG_CONFIG_HOME DBUS_SESSION_BUS_ADDRESS INVOCATION_ID JOURNAL_STREAM NOTIFY_SOCKET LISTEN_FDS
  CREDENTIALS_DIRECTORY STATE_DIRECTORY LOGS_DIRECTORY APPDATA LOCALAPPDATA USERPROFILE COMPUTERNAME PROGRAMFILES SYSTEMROOT PATHEXT
  CI CI_COMMIT_SHA CI_JOB_TOKEN GITHUB_TOKEN GITHUB_ACTIONS GITHUB_SHA GITHUB_REF GITHUB_WORKSPACE GITLAB_CI GITLAB_USER_LOGIN
  GITLAB_USER_EMAIL GITLAB_FEATURES RUNNER_OS BUILD_ID BUILD_NUMBER JOB_NAME NODE_ENV NODE_OPTIONS NODE_PATH NODE_VERSION NODE_DEBUG
  NODE_EXTRA_CA_CERTS NODE_TLS_REJECT_UNAUTHORIZED NO_COLOR FORCE_COLOR COLORTERM INIT_CWD npm_config_cache npm_config_user_agent
  npm_execpath npm_lifecycle_event npm_package_name npm_package_version YARN_VERSION COREPACK_HOME VITE_USER_NODE_ENV BASE_URL BASEDIR
  HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy KUBERNETES_SERVICE_HOST KUBERNETES_PORT REDIS_HOST REDIS_PORT
  REDIS_PASSWORD MONGODB_HOST DATABASE_HOST DATABASE_PASSWORD PGHOST PGPASSWORD POSTGRES_PASSWORD MYSQL_ROOT_PASSWORD SMTP_HOST SMTP_PORT
  SMTP_USER SMTP_PASSWORD MAIL_HOST MAIL_PORT APP_ENV APP_NAME APP_KEY APP_URL APP_ID LOG LOGS LOG_FILE LOG_FORMAT WEB_CONCURRENCY
  WEBSITE_HOSTNAME PORTS API API_URL API_KEY API_TOKEN TOKEN GOOGLE_APPLICATION_CREDENTIALS GOOGLE_CLOUD_PROJECT AWS_REGION
  AWS_SESSION_TOKEN AWS_SECRET_ACCESS_KEY AZURE_CLIENT_ID FLY_APP_NAME RENDER HEROKU_APP_NAME DYNO VERCEL_URL OTEL_SERVICE_NAME
  OTEL_EXPORTER_OTLP_ENDPOINT SENTRY_DSN TEST VITEST_WORKER_ID VITEST_POOL_ID MODE DEV PROD SSR WATCH DOCKER_HOST container`;

test.each(ofOthers.trim().split(/\s+/))("%s is another program's", (name) => {
  expect(suggested(name)).toBeNull();
});

test("a name is told from a misspelt setting as by counting every edit", () => {
  const seen = { nothing: 0, something: 0 };
  fc.assert(
    fc.property(fc.oneof({ weight: 4, arbitrary: misspelt }, strange), (name) => {
      const expected = expectedFor(name);
      seen[expected === null ? "nothing" : "something"]++;
      expect([name, suggested(name)]).toEqual([name, expected]);
    }),
    { numRuns: 1_500 },
  );
  expect(Math.min(seen.nothing, seen.something)).toBeGreaterThan(200);
});

// The least of several times: whatever else the machine does only adds to it.
test("looking at an environment is little work beside that", () => {
  const names = Array.from(
    { length: 100 },
    (_, index) => `${known[index % known.length]}_OF_ANOTHER_${index}`,
  );
  const leastMs = (work: () => unknown): number => {
    const times = Array.from({ length: 9 }, () => {
      const startedAt = performance.now();
      work();
      return performance.now() - startedAt;
    });
    return Math.min(...times);
  };
  const short = leastMs(() => unreadNames(names));
  const long = leastMs(() => names.map(expectedFor));
  expect(short).toBeLessThan(long / 4);
});
