import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { readSettings } from "../../server/settings/read-settings.ts";
import { settingNames } from "../../server/settings/table.ts";
import { startServer } from "../server/support/child-server.ts";
import { newPostgres } from "../server/support/databases.ts";
import { roundRobin } from "../server/support/round-robin.ts";
import { startRedis } from "../servers/start-redis.ts";
import { browserOn } from "../support/browser.ts";
import { deployed, nodeAt, readCompose, substituted } from "./files.ts";

type Settings = Readonly<Record<string, string>>;

const secret = "q8Zr1mVt6WxkP0sYd3HuJfLb7NcGeA2T";
const chosen = {
  ...{ DOMAIN: "auth.example", SECRET_KEY: secret },
  ...{ POSTGRES_PASSWORD: "dk3Rr0sT9wLq", VALKEY_PASSWORD: "Pm4Xe7aVb2Nc" },
};

const compose = readCompose(deployed("compose.yaml"));
const unit = deployed("latchkey.service");
const settingsOf = (service: string): Settings =>
  substituted(nodeAt(compose, "services", service, "environment"), chosen);
const unitSettings = (): Settings => {
  const { SECRET_KEY: _, ...others } = parseEnv(deployed("latchkey.env"));
  return { ...(others as Settings), SECRET_KEY: secret };
};

const ways = [
  ["compose.yaml", () => settingsOf("latchkey-1")],
  ["latchkey.env", unitSettings],
] as const;

describe.each(ways)("the settings in %s", (_, settings) => {
  test("are settings, every one", () => {
    expect(settingNames()).toEqual(expect.arrayContaining(Object.keys(settings())));
  });

  test("are started with in production, without a warning", () => {
    const read = readSettings(settings());
    expect(read.warnings).toEqual([]);
    expect(read.settings).toMatchObject({
      ...{ isProduction: true, secureCookies: true },
      database: { engine: "postgres" },
      sessions: { backend: "valkey" },
    });
  });

  test("have no secret of their own", () => {
    const files = deployed("compose.yaml") + deployed("latchkey.env");
    expect(files).toMatch(/^SECRET_KEY=$/m);
    expect(files.match(/SECRET_KEY: (.+)/)?.[1]).toMatch(/^\$\{SECRET_KEY:\?/);
  });
});

describe.skipIf(inject("postgresUrl") === null || inject("redisBinary") === null)(
  "the same parts, started here",
  () => {
    test.each(ways)("as %s says: two servers behind a proxy", { timeout: 60_000 }, async (_, settings) => {
      const valkey = await startRedis({
        binary: inject("valkeyBinary") ?? inject("redisBinary"),
        settings: valkeySettings(),
      });
      const proxy = await roundRobin("192.0.2.7");
      onTestFinished(() => proxy.close());
      const here: Settings = {
        ...settings(),
        ...{ HOST: "127.0.0.1", PORT: "0", TRUSTED_PROXIES: "127.0.0.1/32" },
        ...{ DATABASE_URL: await newPostgres(), VALKEY_URL: passing(valkey.url, chosen.VALKEY_PASSWORD) },
      };
      const start = async () => {
        const server = await startServer(here);
        onTestFinished(() => server.remove());
        return server;
      };
      const servers = await Promise.all([start(), start()]);
      proxy.ports = servers.map(({ port }) => port);

      const { origin } = new URL(here.ORIGIN ?? "");
      const ann = browserOn((sent) => throughProxy(sent, proxy.origin), origin);
      const account = { email: "ann@example.com", username: "ann", password: "seven green kettles" };
      const registered = await ann.post("/api/v1/auth/register", account);
      expect(registered.status).toBe(201);
      expect(registered.cookies.map(({ name }) => name)).toContain("__Host-latchkey");
      for (let turn = 0; turn < 4; turn++) expect((await ann.get("/api/v1/users/me")).status).toBe(200);
      expect((await ann.get("/api/v1/users/me/sessions")).body.items).toMatchObject([{ ip: "192.0.2.7" }]);
      expect((await ann.post("/api/v1/auth/logout")).body).toEqual({ ended: true });
      for (const count of proxy.answered.values()) expect(count).toBeGreaterThan(2);

      for (const { child } of servers) child.kill("SIGTERM");
      for (const { ended } of servers) expect(await ended).toEqual({ code: 0, signal: null });
    });
  },
);

describe("compose.yaml", () => {
  test("both servers are the same, and Caddy asks both", () => {
    expect(nodeAt(compose, "services", "latchkey-2")).toEqual(nodeAt(compose, "services", "latchkey-1"));
    const { PORT } = settingsOf("latchkey-1");
    expect(deployed("Caddyfile")).toContain(`reverse_proxy latchkey-1:${PORT} latchkey-2:${PORT} {`);
  });

  test("the one proxy that is trusted is the one that there is", () => {
    const address = nodeAt(compose, "services", "proxy", "networks", "inside", "ipv4_address");
    expect(settingsOf("latchkey-1").TRUSTED_PROXIES).toBe(`${address}/32`);
  });

  test("nothing but the proxy can be reached from outside", () => {
    const open = Object.entries(nodeAt(compose, "services")).filter(([, service]) =>
      Object.hasOwn(Object(service), "ports"),
    );
    expect(open.map(([name]) => name)).toEqual(["proxy"]);
    expect(nodeAt(compose, "networks", "inside", "internal")).toBe("true");
    const netsOf = (name: string): string[] => Object.keys(nodeAt(compose, "services", name, "networks"));
    expect(netsOf("proxy").filter((name) => netsOf("latchkey-1").includes(name))).toEqual(["inside"]);
    for (const store of ["postgres", "valkey"]) expect(netsOf(store)).toEqual(["inside"]);
  });

  test("the servers reach mail and providers", () => {
    expect(nodeAt(compose, "services", "latchkey-1", "networks")).toHaveProperty("reaching-out");
    expect(Object.keys(nodeAt(compose, "networks"))).toContain("reaching-out");
  });

  test("PostgreSQL is made as the servers ask for it", () => {
    const made = substituted(nodeAt(compose, "services", "postgres", "environment"), chosen);
    const asked = new URL(settingsOf("latchkey-1").DATABASE_URL ?? "");
    expect([asked.username, asked.password, asked.pathname]).toEqual([
      ...[made.POSTGRES_USER, made.POSTGRES_PASSWORD, `/${made.POSTGRES_DB}`],
    ]);
  });

  test("the image has the drivers that the settings need", () => {
    expect(deployed("Dockerfile")).toMatch(/npm install .* pg@8 redis@6 /);
  });
});

describe("latchkey.service", () => {
  test("starts the program that the package brings", () => {
    const manifest = JSON.parse(readFileSync(new URL("../../server/package.json", import.meta.url), "utf8"));
    const program = `node_modules/${manifest.name}/${manifest.bin.latchkey.replace("./", "")} serve`;
    expect(unit).toMatch(new RegExp(`^ExecStart=/usr/bin/node /opt/latchkey/${program}$`, "m"));
    expect(deployed("Dockerfile")).toContain(
      JSON.stringify(["node", ...program.split(" ")]).replaceAll(",", ", "),
    );
  });

  const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0;

  test.skipIf(!hasSystemd)("is one that systemd takes, and finds little to say against", () => {
    const folder = mkdtempSync(join(tmpdir(), "latchkey-unit-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "latchkey.service");
    writeFileSync(file, unit.replace("/usr/bin/node", process.execPath));
    const { status, stderr } = spawnSync("systemd-analyze", ["verify", file], { encoding: "utf8" });
    expect([status, stderr]).toEqual([0, ""]);
    // Fails above an exposure of 2.0; 10 is the worst.
    execFileSync("systemd-analyze", ["security", "--offline=true", "--threshold=20", file]);
  });
});

/** Lines of the configuration, as the command line of the compose file has them. */
function valkeySettings(): readonly string[] {
  const [, ...words] = Object.values(substituted(nodeAt(compose, "services", "valkey", "command"), chosen));
  return words
    .join(" ")
    .split("--")
    .flatMap((line) => (line === "" ? [] : [line.trim()]));
}

function passing(url: string, password: string): string {
  const own = new URL(url);
  own.password = password;
  return own.href;
}

function throughProxy(sent: Request, to: string): Promise<Response> {
  const { pathname, search } = new URL(sent.url);
  return fetch(new Request(to + pathname + search, sent), { redirect: "manual" });
}
