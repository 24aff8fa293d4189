import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import {
  bareEnvironment,
  type ChildServer,
  eventually,
  newFolder,
  startServer,
  watch,
} from "./support/child-server.ts";
import { type HereServer, serveHere } from "./support/here-server.ts";
import { rawSocket } from "./support/raw-socket.ts";
import { refusals } from "./support/refusals.ts";

const password = "seven green kettles";
const account = { email: "ann@example.com", password };
const goodSecret = "q8Zr1mVt6WxkP0sYd3HuJfLb7NcGeA2T";

const started: ChildServer[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const server of started.splice(0)) await server.remove();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function emptyFolder(): Promise<string> {
  const folder = await newFolder();
  folders.push(folder);
  return folder;
}

async function start(env: Readonly<Record<string, string>> = {}): Promise<ChildServer> {
  const server = await startServer(env);
  started.push(server);
  return server;
}

/** For what is the same where the server is no process of its own. */
async function startHere(env: Readonly<Record<string, string>> = {}): Promise<HereServer> {
  const server = await serveHere(env);
  onTestFinished(() => server.remove());
  return server;
}

describe("the end of the server", () => {
  test("what is under way finishes, the same key press twice is one, then it exits with 0", async () => {
    // One thread: of eight sign-ins that arrive together seven are still waiting when the first is answered.
    const server = await start({ HASH_THREADS: "1", MAX_SESSIONS_PER_USER: "0", LOGIN_MAX_ATTEMPTS: "8" });
    await server.browser().post("/api/v1/auth/register", account);
    const begun = await rawSocket(server.port);
    begun.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n");
    const signIns = Array.from({ length: 8 }, () => server.browser().post("/api/v1/auth/login", account));
    await Promise.race(signIns);
    server.child.kill("SIGINT");
    await server.logged("stopping");
    server.child.kill("SIGINT");
    begun.write("\r\n");
    expect(await begun.answer).toMatch(/^HTTP\/1\.1 200 /);
    expect((await Promise.all(signIns)).map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(await server.ended).toEqual({ code: 0, signal: null });
    // Closing the last connection takes the side files along: nothing was left for a recovery.
    await expect(stat(join(server.folder, "data/latchkey.db-wal"))).rejects.toThrow("ENOENT");
  });

  test("it is not ready at once, answers what was begun, and takes nothing new", async () => {
    const server = await startHere();
    const begun = await rawSocket(server.port);
    begun.write("GET /readyz HTTP/1.1\r\nHost: localhost\r\n");
    const stopped = server.stop();
    begun.write("\r\n");
    const answer = await begun.answer;
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(answer).toMatch(/^connection: close\r$/im);
    await expect(rawSocket(server.port)).rejects.toThrow("ECONNREFUSED");
    await stopped;
  });

  test("connections on which nothing is under way do not hold it up", async () => {
    const server = await startHere();
    const [silent, kept] = [await rawSocket(server.port), await rawSocket(server.port)];
    kept.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await once(kept.socket, "data");
    const toldAt = performance.now();
    await server.stop();
    expect(performance.now() - toldAt).toBeLessThan(3_000);
    expect(await silent.answer).toBe("");
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("a second %s, later, ends it at once with %i", async (signal, code) => {
    const server = await start();
    // Would hold the server until its headers time out, after ten seconds.
    (await rawSocket(server.port)).write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n");
    let exitCode: number | null = null;
    server.ended.then((ended) => {
      exitCode = ended.code;
    });
    await eventually(() => server.child.kill(signal) === false || exitCode !== null);
    expect((await server.ended).code).toBe(code);
  });
});

test("a failure nobody caught ends it with 1, and its text stays out of the log", async () => {
  const preload = encodeURIComponent('process.on("SIGUSR2", () => { throw new Error("hun" + "ter2"); })');
  const server = await start({ NODE_OPTIONS: `--import=data:text/javascript,${preload}` });
  server.child.kill("SIGUSR2");
  expect(await server.ended).toEqual({ code: 1, signal: null });
  // Not by its place: a line that is on its way in the background may arrive after the one that is flushed at the end.
  const lines = server
    .stderr()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const failure = { level: "error", msg: "the server failed and ends", cause_name: "Error" };
  expect(lines).toContainEqual(expect.objectContaining(failure));
  expect(server.stderr()).not.toContain("hunter2");
});

describe("npm start", () => {
  /** A project whose script is the repository's own, with the server's path written out. */
  async function project(): Promise<string> {
    const folder = await emptyFolder();
    const root = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
    const main = fileURLToPath(new URL("../../server/main.ts", import.meta.url));
    const start = root.scripts.start.replace("server/main.ts", main);
    await writeFile(join(folder, "package.json"), JSON.stringify({ name: "x", scripts: { start } }));
    return folder;
  }

  test.each([
    ["SIGTERM to npm", (pid: number) => process.kill(pid, "SIGTERM")],
    ["Ctrl-C, which reaches npm and the server", (pid: number) => process.kill(-pid, "SIGINT")],
  ])("ends cleanly and leaves no orphan behind: %s", async (_how, end) => {
    const env = { ...bareEnvironment(), HOME: process.env.HOME, PORT: "0" };
    const child = spawn("npm", ["start"], { cwd: await project(), env, detached: true });
    const npm = watch(child);
    await eventually(() => /at http\S+\n/.test(npm.stdout()));
    const port = Number(/at http:\/\/localhost:(\d+)/.exec(npm.stdout())?.[1]);
    end(child.pid ?? 0);
    await npm.ended;
    expect(npm.stderr()).toContain('"stopping"');
    await expect(rawSocket(port)).rejects.toThrow("ECONNREFUSED");
    // The group is empty: neither shell nor server is left in it.
    expect(() => process.kill(-(child.pid ?? 0), 0)).toThrow("ESRCH");
  });
});

describe("what cannot be started with", () => {
  const unsafe = { ORIGIN: "http://app.example", DEBUG: "true", CORS_ORIGINS: "*", CSRF_ENABLED: "false" };
  let said: Readonly<Record<"wrong" | "unsafe" | "taken" | "none" | "trusted", string>>;
  let port: number;

  beforeAll(async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    port = (other.address() as { port: number }).port;
    const folder = await newFolder();
    await writeFile(join(folder, "text.db"), "this is no database, whatever its name says".repeat(20));
    const [wrong = "", unfit = "", taken = "", none = "", trusted = ""] = await refusals([
      { PORT: "many", SESSION_NAME: "a b", SECRET_KEY: "short" },
      unsafe,
      { PORT: String(port) },
      { DATABASE_URL: `sqlite://${folder}/text.db` },
      { DATABASE_URL: "mysql://a:b@127.0.0.1:1/latchkey?ssl-mode=VERIFY_IDENTITY&ssl-ca=none.pem" },
    ]);
    said = { wrong, unsafe: unfit, taken, none, trusted };
    other.close();
    await rm(folder, { recursive: true, force: true });
  });

  test("everything wrong is said at once, one line each", () => {
    expect(said.wrong).toMatch(/^These settings refuse to start:\n/);
    for (const name of ["PORT", "SESSION_NAME", "SECRET_KEY"])
      expect(said.wrong).toMatch(new RegExp(`^- ${name}: `, "m"));
    expect(said.wrong).not.toContain('short"');
  });

  test("what is unsafe off loopback is refused, all at once", () => {
    for (const name of ["SECRET_KEY", ...Object.keys(unsafe)])
      expect(said.unsafe).toMatch(new RegExp(`^- ${name}: `, "m"));
  });

  test("a port that is taken is named, with what to do", () => {
    expect(said.taken).toBe(
      `Latchkey cannot listen: 127.0.0.1:${port} is in use by another program. Set PORT to another one; 0 picks one that is free.\n`,
    );
  });

  test("a file that an address of a database names, and that is not there, is told with its setting", () => {
    expect(said.trusted).toMatch(
      /^DATABASE_URL: the database at 127\.0\.0\.1:1 cannot be used: ENOENT: .*'none\.pem'\n$/,
    );
  });

  test("a database that is none is named, with its setting and without a stack", () => {
    expect(said.none).toMatch(
      /^DATABASE_URL: the database at \S+\/text\.db cannot be used: .*file is not a database\n$/,
    );
    for (const text of Object.values(said)) expect(text).not.toMatch(/^\s+at /m);
  });
});

describe("settings that change how it runs", () => {
  test("in production there is no link on the terminal, and browsers are bound to https", async () => {
    const server = await start({
      ...{ ORIGIN: "https://app.example", SECRET_KEY: goodSecret, TRUSTED_PROXIES: "127.0.0.0/8" },
      ...{ CORS_ORIGINS: "https://other.example", CORS_ALLOW_CREDENTIALS: "true" },
    });
    expect(server.stdout()).toBe(`Latchkey is at https://app.example, listening on ${server.origin}\n`);
    const get = (path: string, headers: Record<string, string>) =>
      fetch(server.origin + path, { headers, redirect: "manual" });
    const page = await get("/login", { Accept: "text/html", "X-Forwarded-For": "192.0.2.7" });
    expect(page.status).toBe(200);
    expect(page.headers.get("strict-transport-security")).toBe("max-age=63072000; includeSubDomains");
    await server.logged('"ip":"192.0.2.7"');
    const read = await get("/api/v1/auth/session", { Origin: "https://other.example" });
    expect(read.headers.get("access-control-allow-origin")).toBe("https://other.example");
    expect(read.headers.get("access-control-allow-credentials")).toBe("true");
    await expect(stat(join(server.folder, "data/secret.key"))).rejects.toThrow("ENOENT");
  });

  test("a start with accounts prints no link, and keeps its secret", async () => {
    const first = await startServer({ PORT: String(await freePort()) });
    const ann = first.browser();
    await ann.post("/api/v1/auth/register", account);
    first.child.kill("SIGTERM");
    await first.ended;
    const second = await startServer({ PORT: String(first.port) }, first.folder);
    started.push(second);
    expect(second.stdout()).toBe(`Latchkey is at ${second.origin}\n`);
    expect((await ann.get("/api/v1/users/me")).status).toBe(200);
    expect((await ann.patch("/api/v1/users/me", { name: "Ann" })).status).toBe(200);
  });

  test("sessions in memory end with the process, accounts stay, and warnings are on the terminal; .env is read", async () => {
    const folder = await emptyFolder();
    const lines = ["SESSION_BACKEND=memory", "SESSION_NAME=mine", "CORS_ORIGIN=https://a.example"];
    await writeFile(join(folder, ".env"), lines.join("\n"));
    const first = await startServer({ SECRET_KEY: goodSecret, PORT: String(await freePort()) }, folder);
    started.push(first);
    expect(first.stdout()).toContain("Warning: SESSION_BACKEND=memory keeps sessions in the server's memory");
    expect(first.stdout()).toMatch(/^Warning: .*CORS_ORIGIN.*CORS_ORIGINS/m);
    const ann = first.browser();
    const { status, cookies } = await ann.post("/api/v1/auth/register", account);
    expect([status, cookies.map(({ name }) => name)]).toEqual([201, expect.arrayContaining(["mine"])]);
    first.child.kill("SIGTERM");
    expect(await first.ended).toEqual({ code: 0, signal: null });
    const second = await serveHere({ SECRET_KEY: goodSecret, PORT: String(first.port) }, folder);
    onTestFinished(() => second.stop());
    expect((await ann.get("/api/v1/users/me")).status).toBe(401);
    expect((await ann.post("/api/v1/auth/login", { username: account.email, password })).status).toBe(200);
  });

  test("a client that sends too slowly is cut off, in its headers and in its body", async () => {
    const server = await startHere({ REQUEST_TIMEOUT_SECONDS: "1" });
    const [headers, body] = [await rawSocket(server.port), await rawSocket(server.port)];
    headers.write("GET / HTTP/1.1\r\nHost: localhost\r\n");
    body.write(
      "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
    );
    for (const { answer } of [headers, body]) {
      const text = await answer;
      expect(text).toMatch(/^HTTP\/1\.1 408 /);
      expect(text).toContain("Content-Security-Policy: ");
    }
    expect((await server.browser().get("/readyz")).status).toBe(200);
  });

  test("while it starts it answers 503", async () => {
    // A backend that takes connections and says nothing holds the start up for as long as a call may take.
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const backend = (silent.address() as { port: number }).port;
    const port = await freePort();
    const variables = { SESSION_BACKEND: "redis", REDIS_URL: `redis://127.0.0.1:${backend}` };
    const starting = serveHere({ ...variables, PORT: String(port), STORE_TIMEOUT_MS: "1000" });
    const url = `http://localhost:${port}/healthz`;
    const answers: Response[] = [];
    await eventually(async () => {
      const answer = await fetch(url).catch(() => null);
      if (answer !== null) answers.push(answer);
      return answer !== null;
    });
    expect([answers[0]?.status, answers[0]?.headers.get("retry-after")]).toEqual([503, "1"]);
    const server = await starting;
    expect((await fetch(url)).status).toBe(200);
    await server.remove();
    silent.close();
  });
});
