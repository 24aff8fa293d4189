import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { webhookFollowers } from "../../server/audit-from-settings.ts";
import type { Severity } from "../../server/doctor/check.ts";
import { checks } from "../../server/doctor/checks.ts";
import { examine } from "../../server/doctor/examine.ts";
import { sound } from "./support/doctor-facts.ts";
import { folderCommands } from "./support/folder-commands.ts";

const secret = randomBytes(32).toString("base64url");
const other = randomBytes(32).toString("base64url");
const now = new Date("2026-11-21T12:00:00Z");
const hook = "https://hooks.example/latchkey";
const ago = (hours: number): Date => new Date(now.getTime() - hours * 3_600_000);

type Facts = Parameters<typeof sound>[0];

/** What each check is there to find: a deployment in which nothing is wrong but this. `also`: what cannot be wrong without it. */
const cases: readonly {
  readonly id: string;
  readonly facts: Facts;
  readonly also?: readonly string[];
  /** A part of what the operator reads. */
  readonly says?: string;
}[] = [
  // Settings
  {
    id: "settings-readable",
    facts: { env: { MAX_BODY_BYTES: "many" } },
    says: "MAX_BODY_BYTES is not a whole number",
  },
  {
    id: "settings-known",
    facts: { env: { SESSION_TIMEOUT_MINUTE: "5" } },
    says: "Did you mean SESSION_TIMEOUT_MINUTES",
  },
  {
    id: "env-file-whole",
    facts: { cut: ["SMTP_URL", "WEBHOOKS"] },
    says: "SMTP_URL, WEBHOOKS end before a #",
  },
  {
    id: "loopback-alone",
    facts: { env: { ORIGIN: "http://localhost:3000", HOST: "0.0.0.0", MAIL_FROM: "a@localhost" } },
  },
  { id: "origin-named", facts: { env: { ORIGIN: "", HOST: "0.0.0.0" } }, also: ["loopback-alone"] },
  { id: "cookies-secure", facts: { env: { SESSION_SECURE_COOKIES: "false" } } },
  { id: "same-site-none-named", facts: { env: { SESSION_SAME_SITE: "none" } }, also: ["same-site-kept"] },
  {
    id: "same-site-none-https",
    facts: {
      env: { ORIGIN: "http://localhost", SESSION_SAME_SITE: "none", TRUSTED_ORIGINS: "http://localhost:1" },
    },
  },
  {
    id: "cookie-domain-covers",
    facts: { env: { SESSION_DOMAIN: "other.example" } },
    also: ["cookie-of-one-host"],
  },
  {
    id: "cookie-domain-own",
    facts: {
      env: { ORIGIN: "https://me.github.io", SESSION_DOMAIN: "github.io", MAIL_FROM: "a@me.github.io" },
    },
    also: ["cookie-of-one-host"],
  },
  {
    id: "cors-any-credentials",
    facts: { env: { CORS_ORIGINS: "*", CORS_ALLOW_CREDENTIALS: "true" } },
    also: ["cors-listed"],
  },
  { id: "cors-one-answer", facts: { env: { CORS_ORIGINS: "*,https://b.example" } }, also: ["cors-listed"] },
  { id: "pages-apart", facts: { env: { APP_PATH: "/login" } } },
  { id: "login-path-free", facts: { env: { LOGIN_PATH: "/api/v1/login" } } },
  { id: "app-path-free", facts: { env: { APP_PATH: "/api/v1/home" } } },
  {
    id: "base-path-below-root",
    facts: { env: { BASE_PATH: "/" } },
  },
  { id: "session-host-once", facts: { env: { SESSION_HOST: "redis.example" } } },
  { id: "session-port-once", facts: { env: { SESSION_PORT: "6379" } } },
  { id: "mail-from-set", facts: { env: { MAIL_FROM: "" } } },
  { id: "provider-google-whole", facts: { env: { GOOGLE_CLIENT_ID: "1" } } },
  { id: "provider-github-whole", facts: { env: { GITHUB_CLIENT_ID: "1" } } },
  { id: "provider-microsoft-whole", facts: { env: { MICROSOFT_CLIENT_ID: "1" } } },
  { id: "provider-apple-whole", facts: { env: { APPLE_CLIENT_ID: "1" } } },
  { id: "provider-gitlab-whole", facts: { env: { GITLAB_CLIENT_ID: "1" } } },
  { id: "provider-discord-whole", facts: { env: { DISCORD_CLIENT_ID: "1" } } },
  { id: "provider-oidc-whole", facts: { env: { OIDC_CLIENT_ID: "1" } } },
  { id: "oauth-redirect-near", facts: { env: { OAUTH_REDIRECT_BASE_URL: "https://login.app.example" } } },
  { id: "link-by-email-known", facts: { env: { OAUTH_LINK_BY_EMAIL: "google" } } },
  { id: "fresh-without-auth-time-known", facts: { env: { OAUTH_FRESH_WITHOUT_AUTH_TIME: "google" } } },
  { id: "secret-set", facts: { env: { SECRET_KEY: "" } } },
  { id: "secret-strong", facts: { env: { SECRET_KEY: "your-secret-key-at-least-32-characters" } } },
  {
    id: "previous-secrets-strong",
    facts: { env: { SECRET_KEY_PREVIOUS: "your-secret-key-at-least-32-characters" } },
    also: ["former-secrets-needed"],
  },
  { id: "origin-https", facts: { env: { ORIGIN: "http://app.example" } } },
  { id: "trusted-origins-https", facts: { env: { TRUSTED_ORIGINS: "http://b.example" } } },
  { id: "debug-off", facts: { env: { DEBUG: "true" } } },
  { id: "cors-listed", facts: { env: { CORS_ORIGINS: "*" } } },
  { id: "csrf-on", facts: { env: { CSRF_ENABLED: "false" } } },
  { id: "gate-on", facts: { env: { PRODUCTION_SECURITY_VALIDATION_ENABLED: "false" } } },
  {
    id: "confirm-by-mail",
    facts: { env: { REGISTRATION_MODE: "confirm", SMTP_URL: "" } },
    also: ["mail-there"],
  },
  { id: "proxies-named", facts: { env: { TRUSTED_PROXIES: "" } } },
  { id: "proxies-narrow", facts: { env: { TRUSTED_PROXIES: "10.0.0.0/8" } }, says: "10.0.0.0/8" },
  {
    id: "same-site-kept",
    facts: { env: { SESSION_SAME_SITE: "none", TRUSTED_ORIGINS: "https://b.example" } },
  },
  { id: "cookie-of-one-host", facts: { env: { SESSION_DOMAIN: "app.example" } } },
  { id: "cors-https", facts: { env: { CORS_ORIGINS: "http://b.example" } } },
  { id: "registration-known", facts: { env: { REGISTRATION_MODE: "open" } } },
  { id: "mail-there", facts: { env: { SMTP_URL: "", REGISTRATION_MODE: "invite" } } },
  { id: "mail-encrypted", facts: { env: { SMTP_URL: "smtp://mail.example" } } },
  { id: "mail-from-own", facts: { env: { MAIL_FROM: "Example <a@elsewhere.test>" } } },
  { id: "database-encrypted", facts: { env: { DATABASE_URL: "postgres://a:b@db.example/latchkey" } } },
  { id: "sessions-encrypted", facts: { env: { REDIS_URL: "redis://:pass@redis.example" } } },
  { id: "sessions-locked", facts: { env: { REDIS_URL: "rediss://redis.example" } } },
  { id: "sessions-kept", facts: { env: { SESSION_BACKEND: "memory", REDIS_URL: "" } } },
  {
    id: "session-idle-bounded",
    facts: { env: { SESSION_TIMEOUT_MINUTES: "1500", SESSION_ABSOLUTE_MINUTES: "2000" } },
  },
  { id: "session-life-bounded", facts: { env: { REMEMBER_ABSOLUTE_DAYS: "200" } } },
  { id: "sessions-counted", facts: { env: { MAX_SESSIONS_PER_USER: "0" } } },
  {
    id: "sessions-countable",
    facts: { env: { SESSION_STORAGE: "stateless", MAX_SESSIONS_PER_USER: "3" } },
    also: ["sign-out-ends"],
    says: "MAX_SESSIONS_PER_USER cannot be held with SESSION_STORAGE=stateless",
  },
  { id: "sign-out-ends", facts: { env: { SESSION_STORAGE: "stateless" } }, says: "a copy works on" },
  { id: "guesses-few", facts: { env: { LOGIN_MAX_ATTEMPTS: "50" } } },
  { id: "access-tokens-short", facts: { env: { TOKEN_EXPIRES_IN: "120" } } },
  { id: "refresh-bounded", facts: { env: { REFRESH_TOKEN_DAYS: "120" } } },
  {
    id: "former-secrets-few",
    facts: {
      env: { SECRET_KEY_PREVIOUS: [1, 2, 3].map(() => randomBytes(32).toString("base64url")).join() },
    },
    also: ["former-secrets-needed"],
  },
  {
    id: "secret-of-its-own",
    facts: { env: { SECRET_KEY: secret, SMTP_URL: `smtps://a:${secret}@mail.example` } },
    says: "SMTP_URL",
  },
  { id: "log-discreet", facts: { env: { LOG_LEVEL: "debug" } } },
  { id: "bodies-small", facts: { env: { MAX_BODY_BYTES: "2000000" } } },
  { id: "clients-prompt", facts: { env: { REQUEST_TIMEOUT_SECONDS: "300" } } },
  { id: "sweep-often", facts: { env: { SESSION_CLEANUP_INTERVAL_MINUTES: "720" } } },
  { id: "environment-agrees", facts: { env: { ENVIRONMENT: "development" } } },
  { id: "passwords-long", facts: { env: { PASSWORD_MIN_LENGTH: "8" } } },
  { id: "metrics-token", facts: { env: { METRICS_TOKEN: "" } } },
  { id: "former-secrets-needed", facts: { env: { SECRET_KEY_PREVIOUS: other } } },

  // Machine
  { id: "node-supported", facts: { machine: { nodeVersion: "22.17.1" } } },
  { id: "node-repaired", facts: { machine: { nodeVersion: "23.1.0" } } },
  { id: "not-root", facts: { machine: { isRoot: true } } },
  { id: "env-file-private", facts: { machine: { envFile: { path: ".env", mode: 0o644 } } }, says: "0644" },
  { id: "secret-file-private", facts: { machine: { secretFile: { path: "data/secret.key", mode: 0o640 } } } },
  {
    id: "database-files-private",
    facts: { machine: { databaseFiles: [{ path: "data/latchkey.db-wal", mode: 0o604 }] } },
    says: "chmod go= data/latchkey.db-wal",
  },
  { id: "database-folder-own", facts: { machine: { databaseFolder: { path: "data", mode: 0o775 } } } },
  { id: "pages-folder-own", facts: { machine: { pagesFolder: { path: "pages", mode: 0o775 } } } },
  {
    id: "session-folder-private",
    facts: { machine: { sessionFolder: { path: "data/sessions", mode: 0o755 } } },
  },
  { id: "signing-keys-there", facts: { machine: { signingKeys: { file: null, keys: null } } } },
  {
    id: "signing-keys-private",
    facts: { machine: { signingKeys: { file: { path: "keys.json", mode: 0o644 }, keys: [signingKey()] } } },
  },
  {
    id: "signing-key-current",
    facts: { machine: { signingKeys: keyFile({ ...signingKey(), retiresAt: ago(1) }) } },
    says: "none that signs now",
  },
  {
    id: "signing-key-fresh",
    facts: { machine: { signingKeys: keyFile({ ...signingKey(), createdAt: ago(24 * 400) }) } },
  },
  {
    id: "disk-space",
    facts: { machine: { disk: { path: "/", freeBytes: 1_000, totalBytes: 10_000, network: null } } },
  },
  {
    id: "disk-local",
    facts: { machine: { disk: { path: "/", freeBytes: 1e12, totalBytes: 2e12, network: "nfs" } } },
  },
  { id: "hash-time", facts: { env: { HASH_QUEUE: "1" }, machine: { hashMs: 700 } } },
  { id: "hash-threads-fit", facts: { env: { HASH_THREADS: "64", HASH_QUEUE: "10" } } },
  { id: "hash-queue-short", facts: { env: { HASH_QUEUE: "10000" } } },
  { id: "open-files", facts: { machine: { openFiles: 256 } } },

  // What has to answer
  { id: "database-answers", facts: { database: "connect ECONNREFUSED" }, says: "ECONNREFUSED" },
  { id: "sessions-answer", facts: { sessions: "connect ECONNREFUSED" }, says: "ECONNREFUSED" },
  { id: "server-answers", facts: { server: "connect ECONNREFUSED" }, says: "ECONNREFUSED" },

  // Database
  { id: "database-version", facts: { database: { isVersionOld: true } } },
  {
    id: "schema-current",
    facts: { database: { schemaProblem: "migrations are pending: 4 people", content: null } },
    says: "4 people",
  },
  { id: "indexes-there", facts: { database: { missingIndexes: ["sessions_end"] } }, says: "sessions_end" },
  { id: "database-clock", facts: { database: { clockSkewMs: -5_000 } }, says: "5.0 s behind" },
  { id: "database-durable", facts: { database: { undurable: ["fsync = off"] } }, says: "fsync = off" },
  { id: "database-writable", facts: { database: { isReadOnly: true } } },
  { id: "database-account", facts: { database: { isPrivileged: true } } },
  { id: "database-link-encrypted", facts: { database: { isEncrypted: false } } },
  { id: "database-sound", facts: { database: { damage: "row 3 missing from index" } } },
  { id: "database-connections", facts: { database: { maxConnections: 12 } } },
  { id: "superuser-there", facts: { content: { hasSuperuser: false } } },
  { id: "sweep-works", facts: { content: { oldestEndedSession: ago(30) } } },
  { id: "mail-flows", facts: { content: { oldestStuckMail: ago(2) } } },
  { id: "audit-sealed", facts: { content: { oldestUnsealedRow: ago(2) } } },
  {
    id: "audit-followers-known",
    facts: {
      env: {
        AUDIT_RETENTION_DAYS: "30",
        WEBHOOKS: `${hook}#whsec_${randomBytes(32).toString("base64")}`,
      },
      content: {
        followers: [
          ...webhookFollowers({ webhooks: [`${hook}#whsec_${"A".repeat(32)}`] }).keys(),
          "webhook:0123456789abcdef",
          "webhook:crm",
          "listener:billing",
        ],
      },
    },
    says: "not in WEBHOOKS any more: webhook:0123456789abcdef Run `latchkey audit forget webhook:0123456789abcdef`,",
  },

  // Server of the sessions
  { id: "redis-version", facts: { redis: { version: "6.0.16" } } },
  { id: "redis-evicts-nothing", facts: { redis: { policy: "allkeys-lru" } } },
  { id: "redis-clock", facts: { redis: { clockSkewMs: 90_000 } }, says: "90.0 s ahead" },
  { id: "redis-persistent", facts: { redis: { isPersistent: false } } },
  { id: "redis-saves", facts: { redis: { hasFailedToSave: true } } },
  { id: "redis-memory", facts: { redis: { memoryShare: 0.9 } } },
  { id: "redis-replicas-heard", facts: { redis: { replicas: 1, minReplicas: 0 } } },

  // Running server
  { id: "server-ready", facts: { server: { readyStatus: 503 } } },
  { id: "server-secret", facts: { server: { diagnosis: null } } },
  { id: "server-origin", facts: { diagnosis: { origin: "https://old.example" } } },
  { id: "server-settings", facts: { diagnosis: { hasSameSettings: false } } },
  { id: "server-version", facts: { diagnosis: { version: "0.0.9" } } },
  { id: "server-clock", facts: { diagnosis: { clockSkewMs: 4_000 } } },
  {
    id: "proxy-trusted",
    facts: { diagnosis: { peer: "10.0.0.9", client: "10.0.0.9" } },
    says: "Add 10.0.0.9",
  },
  {
    id: "proxy-hops",
    facts: {
      diagnosis: { forwardedFor: ["192.0.2.77", "203.0.113.5", "10.9.9.9"], client: "10.9.9.9" },
    },
    says: "Add 10.9.9.9 to TRUSTED_PROXIES",
  },
  { id: "proxy-unforgeable", facts: { diagnosis: { client: "192.0.2.77" } } },
  {
    id: "proxy-header-read",
    facts: {
      diagnosis: { forwardedFor: [], peer: "10.0.0.1", client: "10.0.0.1", otherForwarding: ["x-real-ip"] },
    },
    says: "x-real-ip",
  },
  { id: "metrics-private", facts: { server: { hasOpenMetrics: true } } },
  { id: "https-alone", facts: { server: { overHttp: "served" } } },
  { id: "https-remembered", facts: { header: ["strict-transport-security", null] } },
  { id: "headers-kept", facts: { header: ["content-security-policy", null] } },
  { id: "answers-uncached", facts: { header: ["age", "12"] } },
];

function signingKey() {
  return { createdAt: ago(48), signsFrom: ago(47), retiresAt: null as Date | null };
}

function keyFile(key: ReturnType<typeof signingKey>) {
  return { file: { path: "keys.json", mode: 0o600 }, keys: [key] };
}

const keysPastTheirEnd: Facts = {
  machine: {
    signingKeys: { ...keyFile(signingKey()), keys: [signingKey(), { ...signingKey(), retiresAt: ago(48) }] },
  },
};

/** What is found, by severity. */
function findings(facts: Facts): Readonly<Record<string, Severity>> {
  const found = examine(sound(facts)).filter(({ outcome }) => outcome.kind === "found");
  return Object.fromEntries(found.map(({ check }) => [check.id, check.severity]));
}

describe("the doctor's checks", () => {
  test("there are more than forty, each named once, with a sentence that says what should hold", () => {
    expect(checks.length).toBeGreaterThan(40);
    expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
    for (const { id, title } of checks) {
      expect(id).toMatch(/^[a-z]+(?:-[a-z]+)+$/);
      expect(title, id).toMatch(/^[A-Z`].*[^.]$/);
    }
  });

  test("a sound deployment has no finding, and nothing in it is beyond telling", () => {
    const told = examine(sound({})).filter(({ outcome: { kind } }) => kind === "found" || kind === "unknown");
    expect(told).toEqual([]);
  });

  test("each check is made red by one case", () => {
    expect(cases.map(({ id }) => id).toSorted()).toEqual(checks.map(({ id }) => id).toSorted());
  });

  test.each(cases)(
    "$id finds what it is there for, and nothing else is found",
    ({ id, facts, also = [], says }) => {
      expect(Object.keys(findings(facts)).toSorted()).toEqual([id, ...also].toSorted());
      const found = examine(sound(facts)).find(({ check }) => check.id === id)?.outcome;
      if (found?.kind !== "found") throw new Error("not found");
      if (says !== undefined) expect(`${found.found} ${found.fix}`).toContain(says);
      expect(found.fix).toMatch(/\.$|^Run: /);
    },
  );

  test("a command that a fix names can be run as it stands", { timeout: 60_000 }, async () => {
    const fixes = [...cases.map(({ facts }) => facts), keysPastTheirEnd].flatMap((facts) =>
      examine(sound(facts)).map(({ outcome }) => (outcome.kind === "found" ? outcome.fix : "")),
    );
    const commands = new Set(
      fixes.flatMap((fix) => [...fix.matchAll(/`latchkey ([^`]+)`/g)].map(([, words = ""]) => words)),
    );
    expect(commands.size).toBeGreaterThan(8);
    const folder = await mkdtemp(join(tmpdir(), "latchkey-fixes-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const TOKEN_KEY_FILE = join(folder, "keys.json");
    const { run } = await folderCommands({ TOKEN_ALGORITHM: "es256", TOKEN_KEY_FILE });
    for (const command of commands) {
      // What they ask for on a terminal.
      const email = command.startsWith("user create") ? ["--email", "ann@example.com"] : [];
      const yes = command.startsWith("audit forget") ? ["--yes"] : [];
      const { code, err } = await run(...command.split(" "), ...email, ...yes);
      // A follower that is not there cannot be forgotten, and that is all that may be wrong.
      if (code !== 0) expect(err, command).toMatch(/^latchkey: .*webhook:0123456789abcdef/);
    }
  });

  test("no finding holds a secret or a password", () => {
    const env = {
      SECRET_KEY: secret,
      SECRET_KEY_PREVIOUS: `${secret},${other}`,
      DATABASE_URL: "mysql://a:hunter2hunter2@db.example/latchkey",
      REDIS_URL: "redis://a:hunter3hunter3@redis.example",
      SMTP_URL: "smtp://a:hunter4hunter4@mail.example",
      METRICS_TOKEN: secret,
    };
    const text = JSON.stringify(examine(sound({ env })));
    expect(text).toContain("database-encrypted");
    for (const part of [secret, other, "hunter2", "hunter3", "hunter4"]) expect(text).not.toContain(part);
  });
});

describe("what comes through proxies", () => {
  const forged = "192.0.2.77";
  // The trusted proxy is 10.0.0.1.
  test.each<readonly [what: string, diagnosis: Facts["diagnosis"], red: readonly string[]]>([
    [
      "the server's own machine, which is the proxy, too",
      { peer: "10.0.0.1", client: forged, forwardedFor: [forged, "10.0.0.1"], selves: ["10.0.0.1"] },
      [],
    ],
    [
      "that machine, and a proxy that replaces",
      { peer: "10.0.0.1", client: "10.0.0.1", forwardedFor: ["10.0.0.1"], selves: ["10.0.0.1"] },
      [],
    ],
    [
      "another machine, whose header a first proxy let through",
      { peer: "10.0.0.1", client: forged, forwardedFor: [forged, "10.0.0.1"] },
      ["proxy-unforgeable"],
    ],
    [
      "another machine, of which a second proxy says that it is the first",
      { peer: "10.0.0.1", client: "10.0.0.1", forwardedFor: ["10.0.0.1"] },
      ["proxy-trusted"],
    ],
    [
      "a proxy that writes no address",
      { peer: "10.0.0.1", client: "10.0.0.1", forwardedFor: [forged, "unknown"], selves: ["10.0.0.1"] },
      ["proxy-trusted"],
    ],
    [
      "a server that was started before its proxy was named",
      { peer: "10.0.0.1", client: "10.0.0.1", forwardedFor: [forged, "10.0.0.1"], selves: ["10.0.0.1"] },
      ["proxy-trusted"],
    ],
  ])("%s", (_, diagnosis, red) => {
    expect(Object.keys(findings({ diagnosis }))).toEqual(red);
  });
});

describe("the same facts on loopback", () => {
  test("what is asked in production alone is no question", () => {
    const local = { env: { ORIGIN: "", TRUSTED_PROXIES: "", SMTP_URL: "", MAIL_FROM: "", SECRET_KEY: "" } };
    expect(findings({ ...local, machine: { isRoot: true, envFile: { path: ".env", mode: 0o644 } } })).toEqual(
      {},
    );
  });

  test("what is dangerous anywhere is found", () => {
    const facts = {
      env: { ORIGIN: "" },
      machine: { databaseFiles: [{ path: "data/latchkey.db", mode: 0o644 }] },
    };
    expect(findings(facts)).toEqual({ "database-files-private": "error" });
  });
});
