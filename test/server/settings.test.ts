import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Environment } from "../../server/settings/draft.ts";
import { type ReadSettings, readSettings } from "../../server/settings/read-settings.ts";
import { originAt } from "../../server/settings/settings.ts";
import { SettingsError, type SettingsProblem } from "../../server/settings/settings-error.ts";

const secret = randomBytes(32).toString("base64url");
const production = { ORIGIN: "https://app.example", SECRET_KEY: secret };

function problems(environment: Environment): readonly SettingsProblem[] {
  try {
    readSettings(environment);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}

function settings(environment: Environment): ReadSettings["settings"] {
  return readSettings(environment).settings;
}

function warnings(environment: Environment): readonly string[] {
  return readSettings(environment).warnings;
}

/** The one problem there is, about this setting; anything else fails the test. */
function only(setting: string, environment: Environment): SettingsProblem {
  const found = problems(environment);
  expect(found.map((problem) => problem.setting)).toEqual([setting]);
  return found[0] as SettingsProblem;
}

describe("defaults", () => {
  test("nothing set starts on loopback with the documented values and without a warning", () => {
    expect(readSettings({})).toEqual({
      warnings: [],
      settings: {
        secretKey: null,
        previousSecretKeys: [],
        origin: null,
        trustedOrigins: [],
        trustedProxies: [],
        host: "127.0.0.1",
        port: 3000,
        apiDocs: true,
        basePath: "/api/v1",
        loginPath: "/login",
        appPath: "/app/dashboard",
        database: { engine: "sqlite", path: "data/latchkey.db" },
        sessions: { backend: "database" },
        sessionStorage: "stateful",
        sessionIdleSeconds: 1_800,
        sessionAbsoluteSeconds: 86_400,
        rememberedIdleSeconds: 1_209_600,
        rememberedAbsoluteSeconds: 2_592_000,
        sessionCookieMaxAgeSeconds: null,
        sessionCleanupIntervalSeconds: 900,
        maxSessionsPerUser: 5,
        sessionBinding: "off",
        sessionEncrypt: false,
        secureCookies: false,
        sessionName: "latchkey",
        sessionSameSite: "lax",
        sessionDomain: null,
        csrfEnabled: true,
        loginMaxAttempts: 5,
        loginWindowSeconds: 900,
        passwordMinLength: 8,
        firebaseSignerKey: null,
        passwordBreachCheck: false,
        auditRetentionSeconds: null,
        webhooks: [],
        roles: null,
        registrationMode: "open",
        smtpUrl: null,
        mailFrom: null,
        defaultLocale: "en",
        pagesPath: null,
        tokenExpiresInSeconds: null,
        tokenRefresh: true,
        tokenSessionSeconds: 604_800,
        tokenAlgorithm: "hs256",
        tokenKeyFile: "data/signing-keys.json",
        apiKeyEnvironment: "live",
        apiKeyHeader: "X-API-Key",
        apiKeyUsageDays: 90,
        googleClientId: null,
        googleClientSecret: null,
        githubClientId: null,
        githubClientSecret: null,
        microsoftClientId: null,
        microsoftClientSecret: null,
        microsoftTenant: "common",
        appleClientId: null,
        appleTeamId: null,
        appleKeyId: null,
        applePrivateKey: null,
        gitlabClientId: null,
        gitlabClientSecret: null,
        gitlabUrl: "https://gitlab.com",
        discordClientId: null,
        discordClientSecret: null,
        oauthRedirectBaseUrl: null,
        oidcIssuer: null,
        oidcClientId: null,
        oidcClientSecret: null,
        oidcLabel: "OpenID Connect",
        linkByEmail: [],
        freshWithoutAuthTime: [],
        corsOrigins: [],
        corsAllowCredentials: false,
        debug: false,
        logLevel: "info",
        maxBodyBytes: 65_536,
        requestTimeoutSeconds: 30,
        storeTimeoutMs: 5_000,
        hashThreads: null,
        hashQueue: null,
        isProduction: false,
        isStrict: false,
        metricsToken: null,
      },
    });
  });

  test("a blank value counts as not set", () => {
    expect(readSettings({ SECRET_KEY: " ", ORIGIN: "", PORT: "\t", SMTP_URL: "" })).toEqual(readSettings({}));
  });

  test("without ORIGIN the origin is localhost at the port that is listened on", () => {
    expect(originAt(settings({ PORT: "0" }), 41_234)).toBe("http://localhost:41234");
    expect(originAt(settings(production), 41_234)).toBe("https://app.example");
  });

  test("cookies are secure where the origin is https", () => {
    expect(settings(production).secureCookies).toBe(true);
    expect(settings({ ORIGIN: "https://localhost:3000" }).secureCookies).toBe(true);
  });

  test("DEBUG=true logs in detail unless LOG_LEVEL says otherwise", () => {
    expect(settings({ DEBUG: "true" }).logLevel).toBe("debug");
    expect(settings({ DEBUG: "true", LOG_LEVEL: "warn" }).logLevel).toBe("warn");
  });
});

describe("values", () => {
  test("times are converted to the unit of their field", () => {
    const read = settings({
      SESSION_TIMEOUT_MINUTES: "60",
      SESSION_ABSOLUTE_MINUTES: "120",
      REMEMBER_IDLE_DAYS: "7",
      REMEMBER_ABSOLUTE_DAYS: "8",
      SESSION_COOKIE_MAX_AGE: "86400",
      SESSION_CLEANUP_INTERVAL_MINUTES: "5",
      LOGIN_WINDOW_MINUTES: "1",
      REQUEST_TIMEOUT_SECONDS: "10",
      STORE_TIMEOUT_MS: "250",
    });
    expect(read).toMatchObject({
      sessionIdleSeconds: 3_600,
      sessionAbsoluteSeconds: 7_200,
      rememberedIdleSeconds: 604_800,
      rememberedAbsoluteSeconds: 691_200,
      sessionCookieMaxAgeSeconds: 86_400,
      sessionCleanupIntervalSeconds: 300,
      loginWindowSeconds: 60,
      requestTimeoutSeconds: 10,
      storeTimeoutMs: 250,
    });
  });

  test("lists are split at commas, trimmed, without blanks and repetitions", () => {
    const origins = "https://a.example/ , https://b.example:8443,, https://a.example";
    expect(settings({ TRUSTED_ORIGINS: origins, CORS_ORIGINS: origins })).toMatchObject({
      trustedOrigins: ["https://a.example", "https://b.example:8443"],
      corsOrigins: ["https://a.example", "https://b.example:8443"],
    });
  });

  test("words and flags may be written in any case", () => {
    expect(settings({ REGISTRATION_MODE: "Closed", CSRF_ENABLED: "OFF" })).toMatchObject({
      registrationMode: "closed",
      csrfEnabled: false,
    });
  });

  test("MAX_SESSIONS_PER_USER=0 is understood as unlimited", () => {
    expect(settings({ MAX_SESSIONS_PER_USER: "0" }).maxSessionsPerUser).toBe(0);
  });

  test.each(["5.0", "0x10", "1e3", "-1", "+5", "010", "five"])("%j is no whole number", (text) => {
    expect(only("LOGIN_MAX_ATTEMPTS", { LOGIN_MAX_ATTEMPTS: text })).toEqual({
      setting: "LOGIN_MAX_ATTEMPTS",
      found: JSON.stringify(text),
      problem: "is not a whole number",
      fix: "Write a whole number from 1 to 1000.",
    });
  });

  test.each([
    ["PORT", "65536"],
    ["LOGIN_MAX_ATTEMPTS", "0"],
    ["PASSWORD_MIN_LENGTH", "7"],
    ["MAX_BODY_BYTES", "1023"],
    ["SESSION_TIMEOUT_MINUTES", "0"],
    ["REMEMBER_ABSOLUTE_DAYS", "401"],
    ["STORE_TIMEOUT_MS", "9"],
    ["HASH_THREADS", "0"],
    ["HASH_QUEUE", "0"],
    ["SESSION_COOKIE_MAX_AGE", "0"],
  ])("%s=%s is out of range", (name, text) => {
    expect(only(name, { [name]: text }).problem).toMatch(/^is not between \d+ and \d+$/);
  });

  test("a flag that is neither true nor false is refused", () => {
    expect(only("CSRF_ENABLED", { CSRF_ENABLED: "flase" }).problem).toBe("is neither true nor false");
  });

  test.each(["SESSION_SAME_SITE", "LOG_LEVEL", "ENVIRONMENT", "REGISTRATION_MODE", "SESSION_BACKEND"])(
    "%s takes only its own words",
    (name) => {
      expect(only(name, { [name]: "constructor" }).problem).toBe("is none of the words it may be");
    },
  );
});

describe("DATABASE_URL", () => {
  test.each([
    ["sqlite:app.db", "app.db"],
    ["SQLite:data/x.db", "data/x.db"],
    ["sqlite:/var/lib/x.db", "/var/lib/x.db"],
    ["sqlite:///var/lib/x.db", "/var/lib/x.db"],
  ])("%s is the file %s", (url, path) => {
    expect(settings({ DATABASE_URL: url }).database).toEqual({ engine: "sqlite", path });
  });

  test.each(["postgres", "postgresql", "POSTGRES"])("%s:// is a PostgreSQL", (scheme) => {
    const url = `${scheme}://me:hunter%2F2@db.internal/app?sslmode=verify-full`;
    expect(settings({ DATABASE_URL: url }).database).toEqual({
      ...{ engine: "postgres", url, place: "db.internal:5432" },
    });
  });

  test("a PostgreSQL behind a socket of this machine", () => {
    const url = "postgres:///app?host=/run/postgresql";
    expect(settings({ DATABASE_URL: url }).database).toMatchObject({ place: "/run/postgresql" });
  });

  test.each(["mysql", "mariadb"])("%s:// is a MySQL, taken apart", (scheme) => {
    const url = `${scheme}://me:hunter%2F2@[::1]:3307/app?ssl-mode=verify_identity&ssl-ca=/etc/ca.pem`;
    expect(settings({ DATABASE_URL: url }).database).toEqual({
      ...{ engine: "mysql", host: "::1", port: 3_307, socketPath: null, place: "::1:3307" },
      ...{ user: "me", password: "hunter/2", database: "app", isTls: true, tlsCaPath: "/etc/ca.pem" },
    });
  });

  test.each([
    ["postgres://me:hunter2pass@/app", "is no URL"],
    ["postgres://me:hunter2pass@db", "names no database"],
    ["postgres:///app", "names no host"],
    ["postgres://me:%zzhunter2pass@db/app", "is no URL"],
    ["postgres://me:hunter2pass#@db/app", "is no URL"],
    ["mysql://me:hunter2pass@db", "names no database"],
    ["mysql:app", "names no host"],
    ["mysql://me:hunter2pass@db/app?multipleStatements=true", "has a parameter that is not read"],
    [
      "mariadb://me:hunter2pass@db/app?ssl-mode=required",
      "has an ssl-mode that does not check whom it talks to",
    ],
  ])("%s is refused, and its password is not printed", (url, problem) => {
    const found = only("DATABASE_URL", { DATABASE_URL: url });
    expect(found.problem).toBe(problem);
    expect(JSON.stringify(found)).not.toContain("hunter2pass");
  });

  test.each([
    ["data/latchkey.db", "does not begin with a scheme"],
    ["oracle:x", "names no database that is known"],
    ["constructor:x", "names no database that is known"],
    ["sqlite:", "names no file"],
    ["sqlite:data/", "names no file"],
    ["sqlite://data/x.db", "has a host where a path belongs"],
    ["sqlite::memory:", "would lose every account at the next start"],
    ["sqlite:x.db?mode=ro", "has parameters, which are not read"],
    ["sqlite:x\0.db", "has parameters, which are not read"],
  ])("%j is refused: %s", (url, problem) => {
    expect(only("DATABASE_URL", { DATABASE_URL: url }).problem).toBe(problem);
  });
});

describe("aliases", () => {
  test.each(["SECRET_KEY", "SECRET", "SESSION_SECRET"])("%s is the secret", (name) => {
    expect(settings({ [name]: secret }).secretKey).toBe(secret);
  });

  test("TINA4_SESSION_LIFETIME is in seconds", () => {
    expect(settings({ TINA4_SESSION_LIFETIME: "3600" }).sessionIdleSeconds).toBe(3_600);
  });

  test("TINA4_SESSION_NAME and TINA4_SESSION_BACKEND are understood", () => {
    const read = settings({ TINA4_SESSION_NAME: "tina4_session", TINA4_SESSION_BACKEND: "memory" });
    expect(read).toMatchObject({ sessionName: "tina4_session", sessions: { backend: "memory" } });
  });

  test("two names that say the same, in different units, are fine", () => {
    const read = settings({ SESSION_TIMEOUT_MINUTES: "60", TINA4_SESSION_LIFETIME: "3600" });
    expect(read.sessionIdleSeconds).toBe(3_600);
  });

  test("two names with different values are refused", () => {
    const environment = { SESSION_TIMEOUT_MINUTES: "30", TINA4_SESSION_LIFETIME: "3600" };
    expect(only("SESSION_TIMEOUT_MINUTES and TINA4_SESSION_LIFETIME", environment)).toMatchObject({
      found: '"30" and "3600"',
      fix: "Keep SESSION_TIMEOUT_MINUTES alone.",
    });
  });

  test("two different secrets are refused without being printed", () => {
    const other = randomBytes(32).toString("base64url");
    const problem = only("SECRET and SESSION_SECRET", { SECRET: secret, SESSION_SECRET: other });
    expect(problem.found).toBe("a value of 43 bytes and a value of 43 bytes");
  });

  test("a problem names the alias that was used", () => {
    expect(only("SESSION_SECRET", { SESSION_SECRET: "short" }).found).toBe("a value of 5 bytes");
    expect(only("SECRET", { ...production, SECRET_KEY: "", SECRET: "ab".repeat(20) }).problem).toBe(
      "repeats a short piece",
    );
  });
});

describe("all problems at once", () => {
  test("malformed values and broken rules are reported together", () => {
    const found = problems({
      ORIGIN: "https://app.example/auth",
      PORT: "http",
      CSRF_ENABLED: "false",
      DEBUG: "true",
    });
    expect(found.map(({ setting }) => setting)).toEqual([
      "ORIGIN",
      "PORT",
      "SECRET_KEY",
      "DEBUG",
      "CSRF_ENABLED",
    ]);
  });

  test("every bad entry of a list is counted", () => {
    const problem = only("TRUSTED_PROXIES", { TRUSTED_PROXIES: "10.0.0.0/8, ten, 0.0.0.0/0" });
    expect(problem.problem).toBe("entry 2 is no IP address and no CIDR range; entry 3 covers every address");
  });

  test("the message has a line for each with setting, what was found and the fix", () => {
    expect(() => readSettings({ PORT: "http", DEBUG: "maybe" })).toThrow(
      [
        "These settings refuse to start:",
        '- PORT: is not a whole number (found "http"). Write a whole number from 0 to 65535.',
        '- DEBUG: is neither true nor false (found "maybe"). Write true or false.',
      ].join("\n"),
    );
  });

  test("what was found is shortened, quoted and without a URL's password", () => {
    expect(only("ORIGIN", { ORIGIN: "https://me:hunter2pass@app.example" }).found).toBe(
      '"https://app.example"',
    );
    expect(only("PORT", { PORT: `\u001b[2J${"9".repeat(200)}` }).found).toBe(
      `"\\u001b[2J${"9".repeat(76)}..."`,
    );
  });
});

describe("ORIGIN", () => {
  test.each([
    ["https://app.example/", "https://app.example"],
    ["HTTPS://App.Example:443", "https://app.example"],
    ["http://localhost:8080", "http://localhost:8080"],
    ["http://[::1]:3000", "http://[::1]:3000"],
  ])("%s is read as %s", (text, origin) => {
    expect(settings({ ORIGIN: text, SECRET_KEY: secret }).origin).toBe(origin);
  });

  test.each([
    "https://localhost/app",
    "https://localhost//",
    "https://localhost/.",
    "https://localhost?x=1",
    "https://localhost#x",
    "https://me@localhost",
    "https://*.localhost",
    "https://local host",
    "https:\\\\localhost",
    "https:localhost",
    "ftp://localhost",
    "localhost:3000",
    "null",
    "*",
  ])("%s is not an exact origin", (text) => {
    const [problem, ...rest] = problems({ ORIGIN: text, SECRET_KEY: secret });
    expect(rest).toEqual([]);
    expect(problem).toMatchObject({ setting: "ORIGIN", problem: "is not an exact origin" });
  });

  test("the fix repeats the origin that was meant", () => {
    expect(only("ORIGIN", { ORIGIN: "https://localhost/app" }).fix).toMatch(/: https:\/\/localhost$/);
    expect(only("ORIGIN", { ...production, ORIGIN: "app.example" }).fix).toMatch(/: https:\/\/app\.example$/);
  });

  test.each(["localhost", "app.localhost", "127.0.0.1", "127.8.9.10", "[::1]"])("%s is loopback", (host) => {
    expect(settings({ ORIGIN: `http://${host}:3000` }).isProduction).toBe(false);
  });

  test.each([
    "app.example",
    "localhost.example",
    "127.0.0.1.example",
    "10.0.0.1",
    "[::2]",
    "0.0.0.0",
    "notlocalhost",
  ])("%s is production", (host) => {
    expect(settings({ ORIGIN: `https://${host}`, SECRET_KEY: secret }).isProduction).toBe(true);
    expect(problems({ ORIGIN: `http://${host}` }).map(({ setting }) => setting)).toEqual([
      "SECRET_KEY",
      "ORIGIN",
    ]);
  });
});

describe("an origin that cannot be guessed", () => {
  test("the fix shows an example", () => {
    expect(only("ORIGIN", { ORIGIN: "my app" }).fix).toBe(
      "Write scheme, host and port alone, as in https://app.example.",
    );
  });

  test("rules that depend on it wait until it can be read", () => {
    expect(only("ORIGIN", { ORIGIN: "my app", HOST: "0.0.0.0" }).problem).toBe("is not an exact origin");
  });
});

describe("HOST", () => {
  test.each([
    ["localhost", "localhost"],
    ["[::1]", "::1"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["127.0.0.2", "127.0.0.2"],
  ])("%s is the loopback interface %s", (text, host) => {
    expect(settings({ HOST: text }).host).toBe(host);
  });

  test.each(["0.0.0.0", "::", "192.168.1.5", "build-box", "127.example"])(
    "%s without an origin is refused",
    (host) => {
      const problem = only("ORIGIN", { HOST: host });
      expect(problem.problem).toContain(`HOST=${host}`);
      expect(problem.fix).toContain("https://");
      expect(settings({ HOST: host, ...production }).host).toBe(host);
    },
  );

  test.each(["http://localhost", "127.0.0", "300.0.0.1", "a_b", "-a", "fe80::1%eth0", "*"])(
    "%s is refused",
    (host) => {
      expect(only("HOST", { HOST: host }).problem).toBe("is no host name and no IP address");
    },
  );

  test("other machines let in under a loopback origin give a warning", () => {
    expect(warnings({ HOST: "0.0.0.0", ORIGIN: "http://localhost:3000" })).toEqual([
      expect.stringContaining("HOST=0.0.0.0 lets other machines in"),
    ]);
  });
});

describe("TRUSTED_PROXIES", () => {
  test("addresses become ranges of one", () => {
    const read = settings({ TRUSTED_PROXIES: "10.0.0.0/8, 192.0.2.7, 2001:db8::/32, ::1" });
    expect(read.trustedProxies).toEqual(["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32", "::1/128"]);
  });

  test.each([
    "10.0.0.0/33",
    "::1/129",
    "0177.0.0.1",
    "10.0.0.0/8/8",
    "10.0.0.0/",
    "10.0.0.0/08",
    "proxy",
    "fe80::1%eth0",
  ])("%s is no address range", (text) => {
    expect(only("TRUSTED_PROXIES", { TRUSTED_PROXIES: text }).problem).toMatch(
      /no IP address and no CIDR range/,
    );
  });

  test.each(["0.0.0.0/0", "::/0", "10.0.0.0/0"])("%s would let everybody choose an address", (text) => {
    expect(only("TRUSTED_PROXIES", { TRUSTED_PROXIES: text }).problem).toContain("covers every address");
  });
});

describe("paths", () => {
  test("a slash at the end is dropped", () => {
    expect(settings({ BASE_PATH: "/auth/", APP_PATH: "/" })).toMatchObject({
      basePath: "/auth",
      appPath: "/",
    });
  });

  test.each([
    "login",
    "//evil.example",
    "/\\evil.example",
    "/a//b",
    "/a/../b",
    "/./a",
    "/a?x=1",
    "/a#b",
    "/ä",
    "/%2e%2e",
    "https://evil.example/",
  ])("%s is no path of this site", (path) => {
    for (const name of ["BASE_PATH", "LOGIN_PATH", "APP_PATH"]) {
      expect(only(name, { [name]: path }).problem).toBe("is no path of this site");
    }
  });

  test("LOGIN_PATH and APP_PATH may not be one path", () => {
    expect(only("LOGIN_PATH", { LOGIN_PATH: "/home", APP_PATH: "/home" }).problem).toContain("in circles");
  });

  test("a page may not lie under BASE_PATH", () => {
    expect(only("LOGIN_PATH", { LOGIN_PATH: "/api/v1/login" }).problem).toContain("BASE_PATH");
    expect(only("APP_PATH", { APP_PATH: "/api/v1" }).problem).toContain("BASE_PATH");
    expect(settings({ APP_PATH: "/api/v1x" }).appPath).toBe("/api/v1x");
  });

  test("BASE_PATH may not be the root", () => {
    expect(only("BASE_PATH", { BASE_PATH: "/" }).problem).toBe("leaves no room for pages");
  });
});

describe("API keys", () => {
  test("their word and their header can be chosen", () => {
    const read = settings({ API_KEY_ENVIRONMENT: "staging1", API_KEY_HEADER: "X-Service-Key" });
    expect([read.apiKeyEnvironment, read.apiKeyHeader]).toEqual(["staging1", "X-Service-Key"]);
  });

  test.each(["Live", "li_ve", "x".repeat(17)])("%j is no word for them", (word) => {
    expect(only("API_KEY_ENVIRONMENT", { API_KEY_ENVIRONMENT: word }).problem).toBe("is no usable word");
  });

  test.each(["X API Key", "X-API-Key:", "x".repeat(65)])("%j is no name of a header", (name) => {
    expect(only("API_KEY_HEADER", { API_KEY_HEADER: name }).problem).toBe("is no name of a header");
  });

  test.each(["Authorization", "cookie"])("%s holds something else", (name) => {
    expect(only("API_KEY_HEADER", { API_KEY_HEADER: name }).problem).toContain("something else");
  });
});

describe("cookies", () => {
  test.each(["a b", "a;b", "a=b", "", "ä", "x".repeat(65)].filter((name) => name !== ""))(
    "%j is no cookie name",
    (name) => {
      expect(only("SESSION_NAME", { SESSION_NAME: name }).problem).toBe("is no usable cookie name");
    },
  );

  test.each(["__Host-latchkey", "__Secure-latchkey", "__host-x"])(
    "%s has a prefix that is added by itself",
    (name) => {
      expect(only("SESSION_NAME", { SESSION_NAME: name }).problem).toContain("prefix");
    },
  );

  test("SESSION_SAME_SITE=none needs trusted origins", () => {
    const none = { ...production, SESSION_SAME_SITE: "none" };
    expect(only("SESSION_SAME_SITE", none).problem).toBe("opens the session to every site");
    expect(settings({ ...none, TRUSTED_ORIGINS: "https://b.example" }).sessionSameSite).toBe("none");
  });

  test("SESSION_SAME_SITE=none needs an https origin", () => {
    const none = { SESSION_SAME_SITE: "none", TRUSTED_ORIGINS: "http://localhost:5173" };
    expect(only("SESSION_SAME_SITE", none).problem).toBe("works on an https origin only");
  });

  test("SESSION_SECURE_COOKIES=false is refused on https, loopback included", () => {
    expect(
      only("SESSION_SECURE_COOKIES", { ORIGIN: "https://localhost", SESSION_SECURE_COOKIES: "false" }).fix,
    ).toMatch(/^Leave it out/);
  });

  test("SESSION_SECURE_COOKIES=true on http has no effect and says so", () => {
    const read = readSettings({ SESSION_SECURE_COOKIES: "true" });
    expect(read.settings.secureCookies).toBe(false);
    expect(read.warnings).toEqual([expect.stringContaining("has no effect on an http origin")]);
  });

  test("SESSION_DOMAIN covers the origin's host", () => {
    const origin = { SECRET_KEY: secret, ORIGIN: "https://app.example.com" };
    expect(settings({ ...origin, SESSION_DOMAIN: ".Example.com" }).sessionDomain).toBe("example.com");
    expect(only("SESSION_DOMAIN", { ...origin, SESSION_DOMAIN: "ample.com" }).problem).toContain(
      "does not cover",
    );
    expect(only("SESSION_DOMAIN", { SESSION_DOMAIN: "example.com" }).problem).toContain("host localhost");
  });

  test.each(["co.uk", "github.io"])("SESSION_DOMAIN=%s is a public suffix", (domain) => {
    const environment = { SECRET_KEY: secret, ORIGIN: `https://app.${domain}`, SESSION_DOMAIN: domain };
    expect(only("SESSION_DOMAIN", environment).problem).toContain("different owners");
  });

  test.each(["com", "127.0.0.1", "https://example.com", "a b.com"])(
    "SESSION_DOMAIN=%s is no domain name",
    (domain) => {
      expect(only("SESSION_DOMAIN", { ...production, SESSION_DOMAIN: domain }).problem).toBe(
        "is no domain name",
      );
    },
  );
});

describe("session life", () => {
  test("an idle timeout above the absolute one raises the absolute and says so", () => {
    const read = readSettings({ SESSION_TIMEOUT_MINUTES: "10080" });
    expect(read.settings).toMatchObject({ sessionIdleSeconds: 604_800, sessionAbsoluteSeconds: 604_800 });
    expect(read.warnings).toEqual([
      "SESSION_TIMEOUT_MINUTES is above SESSION_ABSOLUTE_MINUTES, which is raised to 10080.",
    ]);
  });

  test("the same holds for remembered sessions", () => {
    const read = readSettings({ REMEMBER_IDLE_DAYS: "60" });
    expect(read.settings.rememberedAbsoluteSeconds).toBe(5_184_000);
    expect(read.warnings).toEqual([
      "REMEMBER_IDLE_DAYS is above REMEMBER_ABSOLUTE_DAYS, which is raised to 60.",
    ]);
  });
});

describe("CORS", () => {
  test("* is understood on loopback", () => {
    expect(settings({ CORS_ORIGINS: "*" }).corsOrigins).toBe("*");
  });

  test("* with credentials is refused anywhere", () => {
    const environment = { CORS_ORIGINS: "*", CORS_ALLOW_CREDENTIALS: "true" };
    expect(only("CORS_ORIGINS", environment).problem).toContain("hands every site");
  });

  test("* beside other origins is refused", () => {
    expect(only("CORS_ORIGINS", { CORS_ORIGINS: "*, https://a.example" }).problem).toContain("both");
  });

  test("CORS_ORIGINS does not widen TRUSTED_ORIGINS", () => {
    expect(settings({ CORS_ORIGINS: "https://a.example" }).trustedOrigins).toEqual([]);
  });

  test("* is no trusted origin", () => {
    expect(only("TRUSTED_ORIGINS", { TRUSTED_ORIGINS: "*" }).problem).toBe("entry 1 is not an exact origin");
  });
});

describe("secrets", () => {
  test("a secret under 32 bytes refuses to start on loopback too", () => {
    expect(only("SECRET_KEY", { SECRET_KEY: "k7-4".repeat(8).slice(1) })).toMatchObject({
      found: "a value of 31 bytes",
      problem: "is shorter than 32 bytes",
      fix: expect.stringContaining("latchkey secret"),
    });
  });

  test("a secret with a comma is refused", () => {
    expect(only("SECRET_KEY", { SECRET_KEY: `${secret},x` }).problem).toBe("contains a comma");
  });

  test("former secrets are read, each long enough, without the present one", () => {
    const former = randomBytes(32).toString("hex");
    const read = settings({ SECRET_KEY: secret, SECRET_KEY_PREVIOUS: `${former}, ${secret}` });
    expect(read.previousSecretKeys).toEqual([former]);
    const short = { SECRET_KEY: secret, SECRET_KEY_PREVIOUS: `${former},short` };
    expect(only("SECRET_KEY_PREVIOUS", short).problem).toBe("entry 2 is shorter than 32 bytes");
  });

  test("a known secret gives a warning on loopback", () => {
    expect(warnings({ SECRET: "my-super-secret-key-at-least-32-chars" })).toEqual([
      "SECRET is an example from a manual, known to everybody: good enough on loopback, refused everywhere else.",
    ]);
  });
});

describe("in production", () => {
  test("a good secret and an https origin start without a warning", () => {
    expect(readSettings(production)).toMatchObject({ settings: { isProduction: true }, warnings: [] });
  });

  test("a missing secret is refused", () => {
    expect(only("SECRET_KEY", { ORIGIN: "https://app.example" })).toMatchObject({ found: "nothing" });
  });

  test.each([
    "your-secret-key-at-least-32-characters",
    "YOUR_SECRET_KEY_MINIMUM_32_CHARACTERS_LONG",
    "my-super-secret-key-at-least-32-chars",
    "qwertyuiopasdfghjklzxcvbnm1234567890",
  ])("the published secret %s is refused", (known) => {
    expect(only("SECRET_KEY", { ...production, SECRET_KEY: known }).problem).toBe(
      "is an example from a manual, known to everybody",
    );
  });

  test.each(["django-insecure-8f2k4j5h6g7d8s9a0q1w2e3r", "please-CHANGE-me-9d8f7a6s5d4f3g2h1j0k"])(
    "the placeholder %s is refused",
    (text) => {
      expect(only("SECRET_KEY", { ...production, SECRET_KEY: text }).problem).toBe(
        "still reads like a placeholder",
      );
    },
  );

  test.each(["a".repeat(32), "0123456789".repeat(4), "k3!Qz8".repeat(7), "k3!Qz8".repeat(7).slice(0, 40)])(
    "the repetition %s is refused",
    (text) => {
      expect(only("SECRET_KEY", { ...production, SECRET_KEY: text }).problem).toBe("repeats a short piece");
    },
  );

  test.each(["abcdefghijklmnopqrstuvwxyzABCDEFGH", "zyxwvutsrqponmlkjihgfedcba9876543210"])(
    "the sequence %s is refused",
    (text) => {
      expect(only("SECRET_KEY", { ...production, SECRET_KEY: text }).problem).toContain("sequence");
    },
  );

  test("a secret of a handful of characters is refused", () => {
    const text = "qp7qp1pq7p1qqpp71qp7qpq1pp7q1ppq71";
    expect(only("SECRET_KEY", { ...production, SECRET_KEY: text }).problem).toContain("fewer than 8");
  });

  test("a known former secret is refused", () => {
    const previous = `${randomBytes(32).toString("hex")},${"x".repeat(40)}`;
    const problem = only("SECRET_KEY_PREVIOUS", { ...production, SECRET_KEY_PREVIOUS: previous });
    expect(problem.problem).toBe("entry 2 repeats a short piece");
  });

  test("an http origin is refused", () => {
    expect(only("ORIGIN", { ...production, ORIGIN: "http://app.example" }).problem).toBe(
      "is not https in production",
    );
  });

  test("an http trusted origin is refused", () => {
    const environment = { ...production, TRUSTED_ORIGINS: "https://b.example, http://c.example" };
    expect(only("TRUSTED_ORIGINS", environment).found).toBe("http://c.example");
  });

  test.each([
    ["DEBUG", "true"],
    ["CORS_ORIGINS", "*"],
    ["CSRF_ENABLED", "false"],
    ["SESSION_SECURE_COOKIES", "false"],
    ["PRODUCTION_SECURITY_VALIDATION_ENABLED", "false"],
  ])("%s=%s is refused, and is fine on loopback", (name, text) => {
    only(name, { ...production, [name]: text });
    expect(problems({ [name]: text })).toEqual([]);
  });

  test("ENVIRONMENT=production makes a loopback origin as strict", () => {
    const unsafe = {
      ENVIRONMENT: "Production",
      DEBUG: "true",
      CSRF_ENABLED: "false",
      SESSION_SECURE_COOKIES: "false",
    };
    const names = problems({ ...unsafe, ORIGIN: "http://localhost:3000" }).map(({ setting }) => setting);
    expect(names).toEqual(["SESSION_SECURE_COOKIES", "SECRET_KEY", "ORIGIN", "DEBUG", "CSRF_ENABLED"]);
    const safe = { ENVIRONMENT: "production", ORIGIN: "https://localhost", SECRET_KEY: secret };
    expect(settings(safe).isProduction).toBe(true);
  });

  test("ENVIRONMENT=production without an origin asks for one", () => {
    expect(only("ORIGIN", { ENVIRONMENT: "production", SECRET_KEY: secret }).found).toMatch(/^nothing/);
  });

  test("ENVIRONMENT=development makes no other origin less strict", () => {
    const environment = { ...production, ENVIRONMENT: "development", CSRF_ENABLED: "false" };
    only("CSRF_ENABLED", environment);
  });
});

describe("names that nothing reads", () => {
  test.each([
    ["CORS_ORIGIN", "CORS_ORIGINS"],
    ["SESSION_TIMEOUT_MINUTE", "SESSION_TIMEOUT_MINUTES"],
    ["MAX_SESSION_PER_USER", "MAX_SESSIONS_PER_USER"],
    ["LOGN_MAX_ATTEMPTS", "LOGIN_MAX_ATTEMPTS"],
    ["SECRET_KEYS", "SECRET_KEY"],
    ["ENVIROMENT", "ENVIRONMENT"],
    ["session_name", "SESSION_NAME"],
  ])("%s looks like %s", (name, meant) => {
    expect(warnings({ [name]: "x" })).toEqual([
      `${name} is no setting and has no effect. Did you mean ${meant}?`,
    ]);
  });

  test.each([
    "PATH",
    "HOSTS",
    "SORT",
    "HOME",
    "SESSION_MANAGER",
    "LOGNAME",
    "LOG_DIR",
    "npm_config_cache",
    "__proto__",
  ])("%s is nobody's business", (name) => {
    expect(warnings(JSON.parse(`{${JSON.stringify(name)}: "x"}`))).toEqual([]);
  });
});
