import type {
  ContentFacts,
  DatabaseFacts,
  DiagnosisFacts,
  Facts,
  Looked,
  MachineFacts,
  RedisFacts,
  ServerFacts,
} from "../../../server/doctor/facts.ts";
import { securityHeaders } from "../../../server/security-headers.ts";
import { type Environment, readDraft } from "../../../server/settings/draft.ts";
import { settle, warningsOf } from "../../../server/settings/read-settings.ts";

const now = new Date("2026-11-21T12:00:00Z");
const origin = "https://app.example";

/** What is wrong with a deployment that is sound otherwise; a text in place of a part: it does not answer, and why. */
export interface Wrong {
  readonly env?: Environment;
  readonly cut?: readonly string[];
  readonly machine?: Partial<MachineFacts>;
  readonly database?: Partial<DatabaseFacts> | string;
  readonly content?: Partial<ContentFacts>;
  readonly redis?: Partial<RedisFacts>;
  readonly sessions?: string;
  readonly server?: Partial<ServerFacts> | string;
  readonly diagnosis?: Partial<DiagnosisFacts>;
  /** One header of the sign-in page: its name in lower case, and its value or null. */
  readonly header?: readonly [name: string, value: string | null];
}

/** The facts of a public server in which nothing is wrong but this. */
export function sound(wrong: Wrong): Facts {
  const environment = { ...soundEnvironment, ...wrong.env };
  const draft = readDraft(environment);
  return {
    draft,
    settings: settle(draft.given),
    warnings: warningsOf(draft, environment),
    cut: wrong.cut ?? [],
    thisVersion: "1.2.3",
    machine: known({ ...machine, ...wrong.machine }),
    database: looked(wrong.database, (some) => ({
      ...database,
      content: { ...content, ...wrong.content },
      ...some,
    })),
    sessions: looked(wrong.sessions, () => ({
      backend: "redis" as const,
      redis: { ...redis, ...wrong.redis },
    })),
    server: looked(wrong.server, (some) => ({ ...serverWith(wrong), ...some })),
  };
}

const soundEnvironment: Environment = {
  ORIGIN: origin,
  SECRET_KEY: "Vx3kQp9sLm2Zt7Rb8Yc4Wd5Nf6Gh1JaE",
  TRUSTED_PROXIES: "10.0.0.1",
  SMTP_URL: "smtps://a:b@mail.example",
  MAIL_FROM: "Example <no-reply@app.example>",
  PASSWORD_MIN_LENGTH: "15",
  METRICS_TOKEN: "Tk8vQm3xLp5Zr2Nb9Yc7Wd4Hf6Gs1JaE",
  SESSION_BACKEND: "redis",
  REDIS_URL: "rediss://:pass@redis.example",
};

const machine: MachineFacts = {
  now,
  nodeVersion: "24.21.0",
  isRoot: false,
  cores: 4,
  memoryBytes: 8 * 2 ** 30,
  envFile: { path: ".env", mode: 0o600 },
  secretFile: { path: "data/secret.key", mode: 0o600 },
  databaseFiles: [{ path: "data/latchkey.db", mode: 0o600 }],
  databaseFolder: { path: "data", mode: 0o700 },
  pagesFolder: { path: "pages", mode: 0o755 },
  sessionFolder: { path: "data/sessions", mode: 0o700 },
  signingKeys: {
    file: { path: "keys.json", mode: 0o600 },
    keys: [{ createdAt: now, signsFrom: now, retiresAt: null }],
  },
  disk: { path: "/srv", freeBytes: 100 * 2 ** 30, totalBytes: 200 * 2 ** 30, network: null },
  hashMs: 30,
  openFiles: 65_536,
};

const content: ContentFacts = {
  hasSuperuser: true,
  oldestEndedSession: null,
  oldestStuckMail: null,
  oldestUnsealedRow: null,
  followers: [],
};

const database: Omit<DatabaseFacts, "content"> = {
  engine: "postgres",
  version: "PostgreSQL 17.2",
  isVersionOld: false,
  schemaProblem: null,
  missingIndexes: [],
  clockSkewMs: 3,
  undurable: [],
  isPrivileged: false,
  isReadOnly: false,
  isEncrypted: true,
  damage: null,
  maxConnections: 100,
};

const redis: RedisFacts = {
  version: "8.0.1",
  policy: "noeviction",
  clockSkewMs: -4,
  isPersistent: true,
  hasFailedToSave: false,
  memoryShare: 0.2,
  replicas: 1,
  minReplicas: 1,
};

const diagnosis: DiagnosisFacts = {
  version: "1.2.3",
  origin,
  clockSkewMs: 1,
  hasSameSettings: true,
  peer: "10.0.0.1",
  forwardedFor: ["192.0.2.77", "203.0.113.5"],
  client: "203.0.113.5",
  forged: "192.0.2.77",
  selves: ["203.0.113.5"],
  otherForwarding: [],
};

function serverWith({ env, diagnosis: told, header }: Wrong): ServerFacts {
  const headers = new Map(securityHeaders(origin).map(([name, value]) => [name.toLowerCase(), value]));
  if (header?.[1] === null) headers.delete(header[0]);
  else if (header !== undefined) headers.set(header[0], header[1] ?? "");
  return {
    url: origin,
    isByOrigin: true,
    readyStatus: 200,
    headers: Object.fromEntries(headers),
    overHttp: "redirect",
    hasOpenMetrics: false,
    // The server goes by the origin that the settings name.
    diagnosis: { ...diagnosis, ...(env?.ORIGIN !== undefined && { origin: env.ORIGIN }), ...told },
  };
}

function known<T>(value: T): Looked<T> {
  return { state: "known", value };
}

function looked<T, P>(wrong: P | string | undefined, make: (some: P | undefined) => T): Looked<T> {
  return typeof wrong === "string" ? { state: "unknown", why: wrong } : known(make(wrong));
}
