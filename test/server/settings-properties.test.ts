import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readSettings } from "../../server/settings/read-settings.ts";
import { secretWeakness } from "../../server/settings/secret-strength.ts";
import { SettingsError } from "../../server/settings/settings-error.ts";
import { settingNames, settingsTable } from "../../server/settings/table.ts";

const names = settingNames();
const words = [
  ..."true false 0 1 -1 007 none lax * , production memory redis file open invite localhost ::1 0.0.0.0 10.0.0.0/8 / // . 0/0".split(
    " ",
  ),
  ..."http:// https://x https://x/y http://[ http://localhost:3000 sqlite: sqlite:x postgres://u:p@h/d mysql://h/d redis://h,redis://i example.com __Host-a".split(
    " ",
  ),
];
const value = fc.oneof(
  fc.constantFrom(...words),
  fc.string({ unit: "binary" }),
  fc.nat().map(String),
  fc.constant(undefined),
);
const name = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...names) }, fc.string());
const environment = fc.dictionary(name, value, { maxKeys: 12 });

/** Everything that a start with these variables would print. */
function printed(variables: Readonly<Record<string, string | undefined>>): string {
  try {
    return readSettings(variables).warnings.join("\n");
  } catch (error) {
    if (error instanceof SettingsError) return `${error.message}\n${JSON.stringify(error.problems)}`;
    throw error;
  }
}

test("no environment makes reading the settings throw anything but a SettingsError", () => {
  fc.assert(
    fc.property(environment, (variables) => void printed(variables)),
    { numRuns: 2_000 },
  );
});

test("a setting that is refused is named, with what was found and a fix", () => {
  fc.assert(
    fc.property(environment, (variables) => {
      try {
        readSettings(variables);
      } catch (error) {
        if (!(error instanceof SettingsError)) throw error;
        expect(error.problems.length).toBeGreaterThan(0);
        for (const problem of error.problems) {
          expect(names.some((known) => problem.setting.startsWith(known))).toBe(true);
          expect(problem.found).not.toBe("");
          expect(problem.fix).toMatch(/^[A-Z].*[.:\w/-]$/);
        }
      }
    }),
    { numRuns: 500 },
  );
});

const many = (entry: (index: number) => string): string =>
  Array.from({ length: 2_000 }, (_, index) => entry(index)).join(",");

test.each([
  ["one long word", "x".repeat(100_000)],
  ["an http origin with a long name", `http://${"x".repeat(100_000)}`],
  ["a long domain", `a@${"b".repeat(100_000)}`],
  ["many http origins", many((index) => `http://a${index}.example`)],
  ["many origins with a path", many((index) => `https://a${index}.example/path`)],
  ["many wide networks", many((index) => `10.${index % 250}.${Math.floor(index / 250)}.0/1`)],
  ["many short secrets", many((index) => `x${index}`)],
  ["many guessable secrets", many((index) => `${"k".repeat(40)}${index}`)],
])("%s: no line is long, whichever setting it stands in", (_, text) => {
  const strict = {
    ...{ ORIGIN: "https://app.example", SECRET_KEY: randomBytes(32).toString("base64url") },
    PRODUCTION_SECURITY_STRICT_MODE: "true",
  };
  for (const setting of names)
    for (const variables of [{ [setting]: text }, { ...strict, [setting]: text }])
      for (const line of printed(variables).split("\n", 50))
        if (!line.startsWith("[")) expect(line.length, setting).toBeLessThan(1_500);
});

test("no secret appears in any message, whatever else is wrong", () => {
  const secretNames = Object.values(settingsTable).flatMap((row) =>
    row.isSecret === true ? [row.name, ...(row.aliases ?? []).map((alias) => alias.name)] : [],
  );
  expect(secretNames).toEqual([
    "SECRET_KEY",
    "SECRET",
    "SESSION_SECRET",
    "SECRET_KEY_PREVIOUS",
    "DATABASE_URL",
    "SESSION_HOST",
    "TINA4_SESSION_HOST",
    "REDIS_URL",
    "VALKEY_URL",
    "MONGODB_URL",
    "MEMCACHED_URL",
    "FIREBASE_SIGNER_KEY",
    "SMTP_URL",
    "GOOGLE_CLIENT_SECRET",
    "OAUTH_GOOGLE_CLIENT_SECRET",
    "GITHUB_CLIENT_SECRET",
    "OAUTH_GITHUB_CLIENT_SECRET",
    "MICROSOFT_CLIENT_SECRET",
    "APPLE_PRIVATE_KEY",
    "GITLAB_CLIENT_SECRET",
    "DISCORD_CLIENT_SECRET",
    "OIDC_CLIENT_SECRET",
    "WEBHOOKS",
    "METRICS_TOKEN",
  ]);
  // A canary that no sentence of ours contains, alone and inside what the kinds take apart.
  const canary = fc.stringMatching(/^Zq[0-9]{8}Xj[0-9]{0,30}$/);
  const wrapped = canary.chain((text) =>
    fc
      .constantFrom(
        text,
        text.repeat(3),
        `${text},${text}`,
        `postgres://u:${text}@h/d`,
        `mysql://u:${text}@h/d?ssl-mode=${text}`,
        `redis://u:${text}@h/0,rediss://u:${text}1@h/0`,
        `redis+sentinel://u:${text}@h/`,
        `mongodb://u:${text}@`,
        `memcached://u:${text}@h`,
        `${text}:x`,
        `sqlite:${text}?k=${text}`,
        `a${text}\n`,
      )
      .map((shape) => ({ text, shape })),
  );
  fc.assert(
    fc.property(
      environment,
      fc.constantFrom(...secretNames),
      fc.constantFrom(...secretNames),
      wrapped,
      (others, first, second, { text, shape }) => {
        expect(printed({ ...others, [first]: shape, [second]: `${shape}0` })).not.toContain(text);
      },
    ),
    { numRuns: 2_000 },
  );
});

test("a password inside an address is not printed", () => {
  const setting = fc.constantFrom(
    "ORIGIN",
    "TRUSTED_ORIGINS",
    "CORS_ORIGINS",
    "HOST",
    "SESSION_DOMAIN",
    "BASE_PATH",
  );
  fc.assert(
    fc.property(
      setting,
      fc.stringMatching(/^Zq[0-9]{8}Xj$/),
      fc.constantFrom("", "8080", "/path"),
      (key, password, rest) => {
        expect(printed({ [key]: `https://me:${password}@host.example${rest}` })).not.toContain(password);
      },
    ),
  );
});

test("random secrets are accepted in every usual encoding", () => {
  for (const encoding of ["hex", "base64", "base64url"] as const) {
    for (let round = 0; round < 200; round++)
      expect(secretWeakness(randomBytes(32).toString(encoding))).toBeNull();
  }
});

test("an accepted start in production is a safe one", () => {
  fc.assert(
    fc.property(environment, fc.uuid(), (variables, random) => {
      try {
        const { settings } = readSettings({
          ...variables,
          ORIGIN: "https://app.example",
          SECRET_KEY: `${random}-x`,
        });
        expect(settings).toMatchObject({
          isProduction: true,
          secureCookies: true,
          csrfEnabled: true,
          debug: false,
        });
        expect(settings.corsOrigins).not.toBe("*");
        expect(settings.sessionAbsoluteSeconds).toBeGreaterThanOrEqual(settings.sessionIdleSeconds);
      } catch (error) {
        if (!(error instanceof SettingsError)) throw error;
      }
    }),
    { numRuns: 500 },
  );
});
