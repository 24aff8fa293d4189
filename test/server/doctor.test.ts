import { chmod, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { databaseFacts } from "../../server/doctor/database-facts.ts";
import { diagnosisPath, proofHeader, proofOf } from "../../server/doctor/diagnosis.ts";
import { doctorDocument } from "../../server/doctor/document.ts";
import { examine } from "../../server/doctor/examine.ts";
import type { DiagnosisFacts, Facts, Looked, ServerFacts } from "../../server/doctor/facts.ts";
import { machineFacts } from "../../server/doctor/machine-facts.ts";
import { serverChecks } from "../../server/doctor/server-checks.ts";
import { serverFacts } from "../../server/doctor/server-facts.ts";
import { sessionFacts } from "../../server/doctor/session-facts.ts";
import { assertStrictly, StrictRefusal } from "../../server/doctor/strict-start.ts";
import { createLog } from "../../server/log.ts";
import { serve } from "../../server/serve.ts";
import { readSettings } from "../../server/settings/read-settings.ts";
import type { Settings } from "../../server/settings/settings.ts";
import { SettingsError } from "../../server/settings/settings-error.ts";
import { openDirectory } from "../../server/stores/directory.ts";
import { newFolder, run } from "./support/child-server.ts";
import type { Ran } from "./support/command.ts";
import { newMysql, newPostgres, onPostgres } from "./support/databases.ts";
import { folderCommands } from "./support/folder-commands.ts";
import { serveHere } from "./support/here-server.ts";

const secret = "q8Zr1mVt6WxkP0sYd3HuJfLb7NcGeA2T";
const otherSecret = "Vx3kQp9sLm2Zt7Rb8Yc4Wd5Nf6Gh1JaE";
const quiet = { error: () => {}, warn: () => {} };
const patience = { timeout: 60_000 };

interface Item {
  readonly id: string;
  readonly state: string;
  readonly severity: string;
  readonly found?: string;
  readonly fix?: string;
}

function items({ out }: Ran): readonly Item[] {
  return (JSON.parse(out) as { readonly items: readonly Item[] }).items;
}

function stateOf(ran: Ran, id: string): string | undefined {
  return items(ran).find((item) => item.id === id)?.state;
}

function known<T>(looked: Looked<T>): T {
  if (looked.state !== "known") throw new Error(looked.why);
  return looked.value;
}

async function emptyFolder(): Promise<string> {
  const folder = await newFolder();
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describe("latchkey doctor", () => {
  test(
    "on one's own machine nothing is found before the first start, and nothing is made",
    patience,
    async () => {
      const folder = await emptyFolder();
      const doctor = run("cli/main.ts", ["doctor"], folder);
      expect(await doctor.ended).toEqual({ code: 0, signal: null });
      expect(doctor.stdout()).toMatch(/^\d+ checks: 0 errors, 0 warnings, 0 notes; /m);
      expect(doctor.stderr()).toBe("");
      expect(await readdir(folder)).toEqual([]);
    },
  );

  test("settings that a server refuses to start with are findings, with exit code 1", async () => {
    const { run } = await folderCommands();
    const env = await folderCommands({
      ORIGIN: "http://app.example",
      CORS_ORIGINS: "*",
      DEBUG: "true",
    }).catch((error: Error) => error.message);
    // The other commands do not start with these.
    expect(env).toContain("These settings refuse to start");
    const { code, out } = await run("doctor", "--production");
    expect(code).toBe(1);
    expect(out).toMatch(/^error {4}origin-https {2}/m);
    expect(out).toMatch(/^error origin-https: .*\n {2}Set it to one that begins with https:\/\/\.$/m);
  });

  test("a database that others can read is an error, and a fine one is not", async () => {
    const { run, path } = await folderCommands();
    const fine = await run("doctor", "--json");
    expect(fine.code).toBe(0);
    expect(stateOf(fine, "database-files-private")).toBe("ok");
    expect(stateOf(fine, "schema-current")).toBe("ok");
    expect(stateOf(fine, "database-sound")).toBe("ok");
    await chmod(path("latchkey.db"), 0o644);
    const open = await run("doctor", "--json");
    expect(open.code).toBe(1);
    expect(items(open).filter(({ state }) => state === "found")).toMatchObject([
      { id: "database-files-private", severity: "error", found: expect.stringContaining("0644") },
    ]);
  });

  test("warnings end with exit code 1 where they are asked to", async () => {
    const { run, path } = await folderCommands();
    endedLongAgo(path("latchkey.db"));
    const { code, out } = await run("doctor");
    expect(code).toBe(0);
    expect(out).toContain("warning sweep-works: a session that ended on 2020-01-01");
    expect((await run("doctor", "--strict")).code).toBe(1);
    expect((await run("sweep")).code).toBe(0);
    expect((await run("doctor", "--strict")).code).toBe(0);
  });

  test("a value that `.env` cuts off is a warning, which commands print, too", patience, async () => {
    const folder = await emptyFolder();
    await writeFile(join(folder, ".env"), "MAIL_FROM=a@b.example#c\n", { mode: 0o600 });
    const doctor = run("cli/main.ts", ["doctor", "--json"], folder, { SECRET_KEY: secret });
    await doctor.ended;
    const { items } = JSON.parse(doctor.stdout()) as { readonly items: readonly Item[] };
    expect(items.find(({ id }) => id === "env-file-whole")).toMatchObject({
      state: "found",
      found: "MAIL_FROM ends before a #",
    });
    const command = run("cli/main.ts", ["migrate", "status"], folder, { SECRET_KEY: secret });
    await command.ended;
    expect(command.stderr()).toContain("Warning: MAIL_FROM ends before a # in .env, ");
  });

  test("a schema that was changed by hand is an error, and what lies in it is not asked for", async () => {
    const { run, path } = await folderCommands();
    const db = new DatabaseSync(path("latchkey.db"));
    db.exec("DROP INDEX sessions_end");
    db.close();
    const broken = await run("doctor", "--json");
    expect(broken.code).toBe(1);
    const schema = items(broken).find(({ id }) => id === "schema-current");
    expect(schema?.found).toMatch(/It lacks: index sessions_end: .*\. Restore them, or a backup\.$/);
    // That would do nothing.
    expect(schema?.fix).not.toMatch(/^Run `latchkey migrate up`/);
    expect(stateOf(broken, "sweep-works")).toBe("unknown");
  });

  test("a migration that is pending is applied by the command that the fix names", async () => {
    const { run } = await folderCommands();
    expect((await run("migrate", "down", "--yes")).code).toBe(0);
    const pending = items(await run("doctor", "--json")).find(({ id }) => id === "schema-current");
    expect(pending).toMatchObject({ state: "found", fix: "Run `latchkey migrate up`." });
    expect((await run("migrate", "up")).code).toBe(0);
    expect(stateOf(await run("doctor", "--json"), "schema-current")).toBe("ok");
  });

  test("mail that was tried and lies there, rows without a place in the chain: both are told", async () => {
    const { run, path } = await folderCommands();
    const db = new DatabaseSync(path("latchkey.db"));
    const old = Date.parse("2020-01-01T00:00:00Z");
    db.exec(
      `INSERT INTO outbox (id, purpose, attempts, next_attempt_at, created_at) VALUES ('m', 'reset', 3, ${old}, ${old})`,
    );
    db.exec(
      `INSERT INTO audit_events (id, type, created_at, payload, digests) VALUES ('a', 'user.updated', ${old}, '{}', '')`,
    );
    db.close();
    const told = await run("doctor", "--json");
    expect(stateOf(told, "mail-flows")).toBe("found");
    expect(stateOf(told, "audit-sealed")).toBe("found");
  });

  test("a database that does not answer is an error, and the rest is still looked at", async () => {
    const folder = await emptyFolder();
    const env = { DATABASE_URL: "postgres://a:b@127.0.0.1:1/latchkey", STORE_TIMEOUT_MS: "500" };
    const doctor = run("cli/main.ts", ["doctor", "--json"], folder, env);
    expect(await doctor.ended).toMatchObject({ code: 1 });
    const { items } = JSON.parse(doctor.stdout()) as { readonly items: readonly Item[] };
    const found = items.filter(({ state }) => state === "found");
    expect(found).toMatchObject([{ id: "database-answers", found: expect.stringContaining("ECONNREFUSED") }]);
    expect(items.find(({ id }) => id === "disk-space")?.state).toBe("ok");
  });

  test("--url has to be an origin", async () => {
    const { run } = await folderCommands();
    expect((await run("doctor", "--url", "app.example")).code).toBe(2);
  });
});

/** A session that ended years ago. */
function endedLongAgo(path: string): void {
  const db = new DatabaseSync(path);
  const old = Date.parse("2020-01-01T00:00:00Z");
  const columns =
    "id, secret_digest, generation, amr, is_remembered, created_at, last_used_at, idle_expires_at, expires_at, data, data_version";
  db.exec(
    `INSERT INTO sessions (${columns}) VALUES ('s', x'${"00".repeat(32)}', 0, '[]', 0, ${old}, ${old}, ${old}, ${old}, '{}', 0)`,
  );
  db.close();
}

describe("databases", () => {
  test.runIf(inject("postgresUrl") !== null)(
    "PostgreSQL: schema, indexes, durability, account",
    patience,
    async () => {
      const url = await newPostgres();
      const settings = settingsWith({ DATABASE_URL: url });
      expect(known(await databaseFacts(settings, quiet)).schemaProblem).toContain("migrations are pending");
      await migrate(settings);
      const before = known(await databaseFacts(settings, quiet));
      expect(before).toMatchObject({
        ...{ engine: "postgres", schemaProblem: null, missingIndexes: [], isReadOnly: false },
        ...{ isPrivileged: true, isEncrypted: null, isVersionOld: false },
        content: { hasSuperuser: false, oldestEndedSession: null },
      });
      expect(Math.abs(before.clockSkewMs ?? Number.NaN)).toBeLessThan(1_000);
      await onPostgres(url, "DROP INDEX outbox_due");
      const { pathname } = new URL(url);
      await onPostgres(url, `ALTER DATABASE ${pathname.slice(1)} SET synchronous_commit = off`);
      const after = known(await databaseFacts(settings, quiet));
      expect(after.missingIndexes).toEqual(["outbox_due"]);
      expect(after.undurable).toContain("synchronous_commit = off");
    },
  );

  test.runIf(inject("mysqlUrl") !== null)(
    "MySQL or MariaDB: schema, indexes, account",
    patience,
    async () => {
      const settings = settingsWith({ DATABASE_URL: await newMysql() });
      expect(known(await databaseFacts(settings, quiet)).schemaProblem).toContain("migrations are pending");
      await migrate(settings);
      const facts = known(await databaseFacts(settings, quiet));
      expect(facts).toMatchObject({
        ...{ engine: "mysql", schemaProblem: null, missingIndexes: [], isReadOnly: false, isEncrypted: null },
        content: { hasSuperuser: false, oldestEndedSession: null, oldestStuckMail: null },
      });
      expect(Math.abs(facts.clockSkewMs ?? Number.NaN)).toBeLessThan(1_000);
      expect(facts.version).toMatch(/^(?:MariaDB|MySQL) \d/);
    },
  );

  test("SQLite: a fresh database has every index that is expected", async () => {
    const settings = settingsWith({ DATABASE_URL: `sqlite://${await emptyFolder()}/a.db` });
    await migrate(settings);
    expect(known(await databaseFacts(settings, quiet))).toMatchObject({
      schemaProblem: null,
      missingIndexes: [],
      damage: null,
    });
  });
});

describe("the server of the sessions", () => {
  test.runIf(inject("redisUrl") !== null)("Redis says what it keeps, and when it is", patience, async () => {
    const settings = settingsWith({ SESSION_BACKEND: "redis", REDIS_URL: inject("redisUrl") ?? "" });
    const { redis } = known(await sessionFacts(settings, quiet));
    expect(redis).toMatchObject({
      policy: "noeviction",
      isPersistent: false,
      hasFailedToSave: false,
      replicas: 0,
    });
    expect(Math.abs(redis?.clockSkewMs ?? Number.NaN)).toBeLessThan(1_000);
  });

  test("one that does not answer is told as such, in time", async () => {
    const settings = settingsWith({
      SESSION_BACKEND: "redis",
      REDIS_URL: "redis://127.0.0.1:1",
      STORE_TIMEOUT_MS: "300",
    });
    expect(await sessionFacts(settings, quiet)).toMatchObject({ state: "unknown" });
  });
});

describe("the running server", () => {
  test("it tells who proves the secret, and to everybody else the page is not there", patience, async () => {
    const server = await serveHere({ SECRET_KEY: secret });
    onTestFinished(() => server.remove());
    const ask = (proof: string | null): Promise<Response> =>
      fetch(server.origin + diagnosisPath, { headers: proof === null ? {} : { [proofHeader]: proof } });
    const nothing = await fetch(`${server.origin}/doctors`);
    const wrong = [
      null,
      "",
      "x",
      proofOf(otherSecret, new Date()),
      proofOf(secret, new Date(Date.now() - 660_000)),
      proofOf(secret, new Date(Date.now() + 660_000)),
      proofOf(secret, new Date()).replace(/^\d/, "2"),
    ];
    for (const proof of wrong) {
      const answer = await ask(proof);
      expect(answer.status).toBe(404);
      expect([...answer.headers.keys()]).toEqual([...nothing.headers.keys()]);
    }
    const told = await ask(proofOf(secret, new Date()));
    expect(told.status).toBe(200);
    expect(told.headers.get("cache-control")).toBe("no-store");
    expect(await told.json()).toMatchObject({
      origin: server.origin,
      peer: "127.0.0.1",
      client: "127.0.0.1",
    });
  });

  test(
    "asked directly: ready, of this version, started with these settings or others",
    patience,
    async () => {
      const server = await serveHere({ SECRET_KEY: secret, MAX_SESSIONS_PER_USER: "7" });
      onTestFinished(() => server.remove());
      // As the server has them: the port chosen by the system.
      const same = settingsWith({ ...server.variables, PORT: "0" });
      const facts = async (settings: Settings): Promise<ServerFacts> =>
        known(await serverFacts({ settings, url: server.origin, secret }));
      expect(await facts(same)).toMatchObject({
        readyStatus: 200,
        hasOpenMetrics: true,
        diagnosis: { hasSameSettings: true, version: "0.1.0" },
      });
      expect((await facts({ ...same, maxSessionsPerUser: 8 })).diagnosis?.hasSameSettings).toBe(false);
      expect((await serverFacts({ settings: same, url: "http://127.0.0.1:1", secret })).state).toBe(
        "unknown",
      );
    },
  );

  // The proxy says of the doctor that it is 203.0.113.9.
  test.each<readonly [name: string, trusted: string, proxy: Proxy, found: readonly string[]]>([
    ["one trusted proxy that appends", "127.0.0.1", "appends", []],
    ["one trusted proxy that replaces", "127.0.0.1", "replaces", []],
    ["a proxy that nobody named", "", "appends", ["proxy-trusted"]],
    ["a second proxy that nobody named", "127.0.0.1", "second", ["proxy-hops"]],
    ["both proxies named", "127.0.0.1,10.9.9.9", "second", []],
    ["a proxy that passes on what clients write", "127.0.0.1", "passes", ["proxy-unforgeable"]],
    ["a proxy that says it in another header", "127.0.0.1", "other", ["proxy-header-read"]],
    ["one that writes ports", "127.0.0.1", "ports", []],
    ["one that appends that it is this machine that asked", "127.0.0.1", "appends-peer", []],
    ["one that says only that", "127.0.0.1", "replaces-by-peer", []],
    ["one that says so, port and all", "127.0.0.1", "appends-peer-port", []],
  ])("%s", patience, async (_, trustedProxies, proxy, found) => {
    const env = { SECRET_KEY: secret, TRUSTED_PROXIES: trustedProxies };
    const settings = settingsWith({
      ...env,
      PORT: "0",
      DATABASE_URL: `sqlite://${await emptyFolder()}/a.db`,
    });
    const server = await serve(settings, createLog({ level: "silent" }));
    onTestFinished(() => server.stop());
    const url = await startProxy(Number(new URL(server.address).port), proxy);
    const looked = await serverFacts({ settings, url, secret });
    const told = known(looked).diagnosis as DiagnosisFacts;
    expect(told.peer).toBe("127.0.0.1");
    const facts = { settings, server: looked, thisVersion: "0.1.0" } as Facts;
    const proxies = serverChecks.filter(({ id }) => id.startsWith("proxy-"));
    const red = examine(facts, proxies).flatMap(({ check, outcome }) =>
      outcome.kind === "found" ? [check.id] : [],
    );
    expect(red).toEqual(found);
  });
});

type Proxy =
  | "appends"
  | "replaces"
  | "second"
  | "passes"
  | "other"
  | "ports"
  | "appends-peer"
  | "replaces-by-peer"
  | "appends-peer-port";

/** A proxy in front of a server of this machine. */
async function startProxy(port: number, kind: Proxy): Promise<string> {
  const self = "203.0.113.9";
  const headersOf = ({ headers, socket }: IncomingMessage): Record<string, string> => {
    const { "x-forwarded-for": given, host: _, connection: __, ...rest } = headers as Record<string, string>;
    const before = given === undefined ? "" : `${given}, `;
    const peer = socket.remoteAddress ?? "";
    const forwarded: Record<Proxy, Record<string, string>> = {
      appends: { "x-forwarded-for": `${before}${self}` },
      replaces: { "x-forwarded-for": self },
      second: { "x-forwarded-for": `${before}${self}, 10.9.9.9` },
      passes: given === undefined ? {} : { "x-forwarded-for": given },
      other: { "x-real-ip": self },
      ports: { "x-forwarded-for": `${before}${self}:5555` },
      "appends-peer": { "x-forwarded-for": `${before}${peer}` },
      "replaces-by-peer": { "x-forwarded-for": peer },
      "appends-peer-port": { "x-forwarded-for": `${before}${peer}:${socket.remotePort}` },
    };
    return { ...rest, ...forwarded[kind] };
  };
  const proxy = createServer((incoming, answer) => {
    const { method = "GET", url: path = "/" } = incoming;
    const passed = request(
      { host: "127.0.0.1", port, method, path, headers: headersOf(incoming) },
      (reply) => {
        answer.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(answer);
      },
    );
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    proxy.close();
    proxy.closeAllConnections();
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

describe("strict mode", () => {
  const careful = {
    ORIGIN: "https://app.example",
    SECRET_KEY: secret,
    TRUSTED_PROXIES: "10.0.0.1",
    REGISTRATION_MODE: "invite",
    SMTP_URL: "smtps://a:b@mail.example",
    MAIL_FROM: "a@app.example",
    PRODUCTION_SECURITY_STRICT_MODE: "true",
  };

  function refused(env: Readonly<Record<string, string>>): readonly string[] {
    try {
      readSettings(env);
      return [];
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      return error.problems.map(({ setting }) => setting);
    }
  }

  test("what is advised refuses to start in it, and starts without it", () => {
    expect(refused(careful)).toEqual([]);
    expect(refused({ ...careful, TRUSTED_PROXIES: "" })).toEqual(["TRUSTED_PROXIES"]);
    expect(refused({ ...careful, TRUSTED_PROXIES: "", PRODUCTION_SECURITY_STRICT_MODE: "false" })).toEqual(
      [],
    );
    expect(refused({ ...careful, LOG_LEVEL: "debug" })).toEqual(["LOG_LEVEL"]);
  });

  test("on loopback it changes nothing, unless ENVIRONMENT is production", () => {
    expect(refused({ PRODUCTION_SECURITY_STRICT_MODE: "true" })).toEqual([]);
    const strict = refused({ PRODUCTION_SECURITY_STRICT_MODE: "true", ENVIRONMENT: "production" });
    expect(strict).toEqual(["SECRET_KEY", "ORIGIN", "TRUSTED_PROXIES", "REGISTRATION_MODE", "SMTP_URL"]);
  });

  test("a start looks at machine and database too, and names each finding with its fix", async () => {
    const path = join(await emptyFolder(), "a.db");
    const { settings } = readSettings({ ...careful, DATABASE_URL: `sqlite://${path}` });
    await migrate(settings);
    const text = async (): Promise<string> => {
      const error: unknown = await assertStrictly(settings, quiet).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      if (error === null) return "";
      expect(error).toBeInstanceOf(StrictRefusal);
      return (error as Error).message;
    };
    expect(await text()).not.toContain("database-files-private");
    await chmod(path, 0o644);
    expect(await text()).toMatch(/^- database-files-private: .*0644.*Run: chmod go= /m);
    await assertStrictly({ ...settings, isStrict: false }, quiet);
  });

  test("the server itself refuses, with exit code 1", patience, async () => {
    const folder = await emptyFolder();
    await writeFile(join(folder, ".env"), `SECRET_KEY=${secret}\n`, { mode: 0o644 });
    await chmod(join(folder, ".env"), 0o644);
    const server = run("main.ts", [], folder, { ...careful, PORT: "0", DATABASE_URL: "sqlite:a.db" });
    expect(await server.ended).toMatchObject({ code: 1 });
    expect(server.stderr()).toContain("PRODUCTION_SECURITY_STRICT_MODE refuses to start:");
    expect(server.stderr()).toMatch(/- env-file-private: /);
  });
});

test("of this machine is known what checks ask for", async () => {
  const facts = await machineFacts(settingsWith({}));
  expect(facts.hashMs).toBeGreaterThan(1);
  expect(facts.disk?.totalBytes).toBeGreaterThan(0);
  expect(facts.openFiles).toBeGreaterThan(0);
  expect(facts.nodeVersion).toBe(process.versions.node);
});

test("docs/doctor.md is current; `node tools/settings-doc.ts` writes it", async () => {
  const path = fileURLToPath(new URL("../../docs/doctor.md", import.meta.url));
  expect(await readFile(path, "utf8")).toBe(doctorDocument());
});

function settingsWith(env: Readonly<Record<string, string>>): Settings {
  return readSettings({ SECRET_KEY: secret, ...env }).settings;
}

async function migrate(settings: Settings): Promise<void> {
  const { stores, migrations, end } = await openDirectory(settings, quiet);
  await migrations.up();
  await stores.directory.close();
  await end();
}
