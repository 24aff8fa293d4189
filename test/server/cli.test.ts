import { spawnSync } from "node:child_process";
import { rm } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { cli } from "../../server/cli/cli.ts";
import { tableLines } from "../../server/cli/table.ts";
import { clean, plainJson, type Terminal } from "../../server/cli/terminal.ts";
import { readSettings } from "../../server/settings/read-settings.ts";
import { bareEnvironment, newFolder, run } from "./support/child-server.ts";
import { type HereServer, serveHere } from "./support/here-server.ts";

const password = "seven green kettles";
const secret = "q8Zr1mVt6WxkP0sYd3HuJfLb7NcGeA2T";
const html = { Accept: "text/html" };

const folders: string[] = [];
let server: HereServer;

beforeAll(async () => {
  server = await serveHere({ SECRET_KEY: secret });
});

afterAll(async () => {
  await server.remove();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function emptyFolder(): Promise<string> {
  const folder = await newFolder();
  folders.push(folder);
  return folder;
}

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

interface Options {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Given the lines that would stand on a terminal for a while. */
  readonly show?: (line: string) => void;
}

/** Runs a command in this process, on the database of the running server or another. */
async function latchkey(
  args: readonly string[],
  { env = {}, input = "", show = () => {} }: Options = {},
): Promise<Ran> {
  const written = { out: "", err: "" };
  const terminal: Terminal = {
    environment: {
      ...{ SECRET_KEY: secret, PORT: String(server.port) },
      DATABASE_URL: `sqlite://${server.folder}/data/latchkey.db`,
      ...env,
    },
    say: (...lines) => {
      written.out += lines.map((line) => `${clean(line)}\n`).join("");
    },
    json: (value) => {
      written.out += plainJson(value);
    },
    complain: (...lines) => {
      written.err += lines.map((line) => `${clean(line)}\n`).join("");
    },
    readAll: async () => input,
    during: (work) => work((line) => show(line)),
    isInteractive: false,
  };
  return { code: await cli(args, terminal), ...written };
}

async function linkFrom({ out }: Ran): Promise<URL> {
  return new URL(/http\S+/.exec(out)?.[0] ?? "");
}

/** Opens a link to /reset in a fresh browser and chooses a password; answers the last status. */
async function choose(link: URL, chosen: string): Promise<number> {
  const browser = server.browser();
  await browser.get(link.pathname + link.search, { headers: html });
  const page = await browser.get("/reset", { headers: html });
  const token = /name="_token" value="([^"]+)"/.exec(page.text)?.[1] ?? "";
  const form = { _token: token, new_password: chosen, confirm_password: chosen };
  return (await browser.send("POST", "/reset", { form, headers: html })).status;
}

async function signIn(identifier: string, typed = password) {
  const browser = server.browser();
  const { status } = await browser.post("/api/v1/auth/login", { username: identifier, password: typed });
  return { browser, status };
}

describe("user create", () => {
  test("without a password it prints a link that works once in the running server", async () => {
    const ran = await latchkey([
      "user",
      "create",
      "--email",
      "ann@example.com",
      "--username",
      "ann",
      "--superuser",
    ]);
    expect(ran).toMatchObject({ code: 0, err: "" });
    const link = await linkFrom(ran);
    expect(link.origin).toBe(server.origin);
    expect(await choose(link, password)).toBe(303);
    expect(await choose(link, "another long password")).toBe(400);
    const { browser, status } = await signIn("ann");
    expect(status).toBe(200);
    expect((await browser.get("/api/v1/users/me")).body).toMatchObject({
      username: "ann",
      is_superuser: true,
    });
  });

  test("with --password-stdin the account is ready, and --json is for programs", async () => {
    const ran = await latchkey(
      ["user", "create", "--email", "bob@example.com", "--name", "Bob", "--password-stdin", "--json"],
      {
        input: `${password}\n`,
      },
    );
    expect(ran.code).toBe(0);
    expect(JSON.parse(ran.out)).toMatchObject({
      user: { email: "bob@example.com", name: "Bob", is_superuser: false },
      link: null,
    });
    expect((await signIn("bob@example.com")).status).toBe(200);
  });

  test("it refuses as registration does, one line for each field, with exit code 1", async () => {
    const taken = await latchkey(["user", "create", "--email", "ANN@example.com"]);
    expect(taken).toEqual({ code: 1, out: "", err: "latchkey: email: Email already registered\n" });
    const weak = await latchkey(["user", "create", "--email", "x", "--password-stdin"], { input: "short" });
    expect(weak.code).toBe(1);
    expect(weak.err).toMatch(/^latchkey: email: .+\npassword: .+\n$/);
    expect(weak.err).not.toContain("short");
  });

  test("it works while registration is closed", async () => {
    const ran = await latchkey(["user", "create", "--email", "carl@example.com"], {
      env: { REGISTRATION_MODE: "closed" },
    });
    expect(ran.code).toBe(0);
  });

  test("links lead to the configured origin", async () => {
    const env = { ORIGIN: "https://app.example" };
    const ran = await latchkey(["user", "create", "--email", "dora@example.com"], { env });
    expect((await linkFrom(ran)).origin).toBe("https://app.example");
    const anyPort = await latchkey(["user", "set-password", "dora@example.com"], { env: { PORT: "0" } });
    expect(anyPort.out).toContain("http://localhost:<port>/reset?token=");
  });
});

describe("user set-password", () => {
  test("the link replaces the password, and every browser of the user is signed out", async () => {
    const { browser } = await signIn("bob@example.com");
    const ran = await latchkey(["user", "set-password", "bob@example.com"]);
    expect(await choose(await linkFrom(ran), "a fresh long password")).toBe(303);
    expect((await browser.get("/api/v1/users/me")).status).toBe(401);
    expect((await signIn("bob@example.com")).status).toBe(401);
    expect((await signIn("bob@example.com", "a fresh long password")).status).toBe(200);
    await choose(await linkFrom(await latchkey(["user", "set-password", "bob@example.com"])), password);
  });

  test("a user who is not there is one line and exit code 1", async () => {
    const ran = await latchkey(["user", "set-password", "nobody@example.com"]);
    expect(ran).toEqual({ code: 1, out: "", err: "latchkey: There is no user nobody@example.com.\n" });
  });

  test("a deleted user gets no link", async () => {
    const { browser } = await signIn("ann");
    const created = await latchkey(["user", "create", "--email", "gone@example.com", "--password-stdin"], {
      input: password,
    });
    expect(created.code).toBe(0);
    const gone = await signIn("gone@example.com");
    expect((await gone.browser.delete("/api/v1/users/me")).status).toBe(204);
    const ran = await latchkey(["user", "set-password", "gone@example.com"]);
    expect(ran.code).toBe(1);
    expect(ran.out).toBe("");
    expect((await browser.get("/api/v1/users/me")).status).toBe(200);
  });
});

describe("session", () => {
  beforeEach(async () => {
    await latchkey(["session", "revoke", "ann", "--all"]);
  });

  test("list shows the sessions, by e-mail address, username or id", async () => {
    const { browser } = await signIn("ann");
    const [, id] = /^([\w-]+)\./.exec(browser.jar.get("latchkey") ?? "") ?? [];
    const userId = String((await browser.get("/api/v1/users/me")).body.id);
    for (const name of ["ann", "ann@example.com", userId]) {
      const { code, out } = await latchkey(["session", "list", name]);
      expect(code).toBe(0);
      const [head, ...rows] = out.trimEnd().split("\n");
      expect(head).toMatch(/^ID +SIGNED IN +LAST USED +EXPIRES +IP +USER AGENT$/);
      expect(rows).toEqual([
        expect.stringMatching(new RegExp(`^${id} .+ 127\\.0\\.0\\.1 +ExampleBrowser/1\\.0$`)),
      ]);
    }
  });

  test("list --json is what the HTTP route answers, and never a secret", async () => {
    const { browser } = await signIn("ann");
    const { out } = await latchkey(["session", "list", "ann", "--json"]);
    const wire = (await browser.get("/api/v1/users/me/sessions")).body.items ?? [];
    const { current: _, last_used_at: __, ...first } = wire[0] ?? {};
    expect(JSON.parse(out).items).toEqual([expect.objectContaining(first)]);
    expect(out).not.toContain(browser.jar.get("latchkey")?.split(".")[1]);
    expect(out).not.toContain("igest");
  });

  test("revoke ends one browser of the running server at once, and no other", async () => {
    const [one, other] = [(await signIn("ann")).browser, (await signIn("ann")).browser];
    const id = one.jar.get("latchkey")?.split(".")[0] ?? "";
    // Both are remembered by the server by now.
    for (const browser of [one, other]) expect((await browser.get("/api/v1/users/me")).status).toBe(200);
    expect(await latchkey(["session", "revoke", "ann", id])).toEqual({
      code: 0,
      out: "Ended 1 session of ann.\n",
      err: "",
    });
    expect((await one.get("/api/v1/users/me")).status).toBe(401);
    expect((await other.get("/api/v1/users/me")).status).toBe(200);
  });

  test("revoke --all ends them all at once", async () => {
    const browsers = [(await signIn("ann")).browser, (await signIn("ann")).browser];
    expect(await latchkey(["session", "revoke", "ann", "--all", "--json"])).toMatchObject({
      code: 0,
      out: '{\n  "ended": 2\n}',
    });
    for (const browser of browsers) expect((await browser.get("/api/v1/users/me")).status).toBe(401);
  });

  test("another user's session is not ended, and reads as absent", async () => {
    const { browser } = await signIn("bob@example.com");
    const id = browser.jar.get("latchkey")?.split(".")[0] ?? "";
    const ran = await latchkey(["session", "revoke", "ann", id]);
    expect(ran).toEqual({ code: 1, out: "", err: `latchkey: ann has no session ${id}.\n` });
    expect((await browser.get("/api/v1/users/me")).status).toBe(200);
  });

  test("what a stranger wrote moves no cursor and turns no letters", async () => {
    const { browser } = await signIn("ann");
    const hostile = "Mozilla\u001b[2J\u001b]0;x\u0007\u009b31m\u202egpj.exe\r\n\u2028FAKE";
    const db = new DatabaseSync(`${server.folder}/data/latchkey.db`, { timeout: 10_000 });
    db.prepare("UPDATE sessions SET user_agent = ? WHERE id = ?").run(
      hostile,
      browser.jar.get("latchkey")?.split(".")[0] ?? "",
    );
    db.close();
    const shown = await latchkey(["session", "list", "ann"]);
    expect(shown.out).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}]/u);
    expect(shown.out.trimEnd().split("\n")).toHaveLength(2);
    const { out } = await latchkey(["session", "list", "ann", "--json"]);
    expect(out).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}]/u);
    expect(JSON.parse(out).items[0].user_agent).toBe(hostile);
  });
});

describe("migrate", () => {
  test("up, status and down, on a database of its own", async () => {
    const folder = await emptyFolder();
    const env = { DATABASE_URL: `sqlite://${folder}/own.db` };
    const before = await latchkey(["migrate", "status"], { env });
    expect(before).toMatchObject({
      code: 1,
      err: "latchkey: Not as this version has them: 1 (pending), 2 (pending), 3 (pending), 4 (pending).\n",
    });
    expect((await latchkey(["sweep"], { env })).err).toMatch(
      /^latchkey: migrations are pending: 1 initial, 2 revocations, 3 proofs, 4 people\. Run `latchkey migrate up`/,
    );
    expect(await latchkey(["migrate", "up"], { env })).toEqual({
      code: 0,
      out: "Applied 1, 2, 3, 4.\n",
      err: "",
    });
    expect((await latchkey(["migrate", "up"], { env })).out).toBe("Nothing was pending.\n");
    const after = await latchkey(["migrate", "status", "--json"], { env });
    expect(after.code).toBe(0);
    expect(JSON.parse(after.out).items).toEqual([
      { number: 1, name: "initial", state: "applied", applied_at: expect.stringMatching(/Z$/) },
      { number: 2, name: "revocations", state: "applied", applied_at: expect.stringMatching(/Z$/) },
      { number: 3, name: "proofs", state: "applied", applied_at: expect.stringMatching(/Z$/) },
      { number: 4, name: "people", state: "applied", applied_at: expect.stringMatching(/Z$/) },
    ]);
    expect(await latchkey(["migrate", "down"], { env })).toEqual({
      ...{ code: 2, out: "" },
      err: "latchkey: This deletes data. Write --yes where there is nobody to ask.\n",
    });
    expect((await latchkey(["migrate", "down", "--yes"], { env })).out).toBe("Took back 4.\n");
    expect((await latchkey(["migrate", "down", "--yes"], { env })).out).toBe("Took back 3.\n");
    expect((await latchkey(["migrate", "down", "--yes"], { env })).out).toBe("Took back 2.\n");
    expect((await latchkey(["migrate", "down", "--yes"], { env })).out).toBe("Took back 1.\n");
    expect((await latchkey(["migrate", "down", "--yes"], { env })).out).toBe("Nothing to take back.\n");
  });
});

const insertVisitor = `
  INSERT INTO sessions (id, secret_digest, generation, amr, is_remembered, created_at, last_used_at, idle_expires_at, expires_at, data,
    data_version)
  VALUES (?, zeroblob(32), 0, '[]', 0, 1, 1, 1, 1, '{}', 1)`;

describe("sweep and secret", () => {
  test("sweep says how many expired sessions it cleaned up", async () => {
    await latchkey(["session", "revoke", "ann", "--all"]);
    await signIn("ann");
    const db = new DatabaseSync(`${server.folder}/data/latchkey.db`, { timeout: 10_000 });
    db.exec("UPDATE sessions SET expires_at = 1");
    db.close();
    expect((await latchkey(["sweep"])).out).toMatch(/^Cleaned up [1-9]\d* expired sessions\n$/);
    expect((await latchkey(["sweep"])).out).toBe("Cleaned up 0 expired sessions\n");
    expect(JSON.parse((await latchkey(["sweep", "--json"])).out)).toEqual({ count: 0 });
  });

  test("a sweep shows how far it is after each batch, and leaves only the count", async () => {
    const ids = Array.from({ length: 450 }, (_, index) => `${index}`.padStart(22, "0"));
    const db = new DatabaseSync(`${server.folder}/data/latchkey.db`, { timeout: 10_000 });
    for (const id of ids) db.prepare(insertVisitor).run(id);
    db.close();
    const shown: string[] = [];
    const { out } = await latchkey(["sweep"], { show: (line) => void shown.push(line) });
    expect(out).toBe("Cleaned up 450 expired sessions\n");
    expect(shown).toEqual([
      expect.stringMatching(/^\[ ={6} {17}\] 200 expired sessions so far$/),
      expect.stringMatching(/^\[ {2}={6} {16}\] 400 expired sessions so far$/),
      expect.stringMatching(/^\[ {2}={6} {16}\] 450 expired sessions so far$/),
    ]);
  });

  test("secret prints what SECRET_KEY accepts in production, another one each time", async () => {
    const [one, two] = [(await latchkey(["secret"])).out.trim(), (await latchkey(["secret"])).out.trim()];
    expect(Buffer.from(one, "base64url")).toHaveLength(32);
    expect(one).not.toBe(two);
    expect(readSettings({ SECRET_KEY: one, ORIGIN: "https://app.example" }).warnings).toEqual([]);
  });
});

describe("a command that is not written as it has to be", () => {
  test.each([
    [[]],
    [["nope"]],
    [["user"]],
    [["user", "create"]],
    [["user", "create", "--email"]],
    [["user", "set-password"]],
    [["session", "revoke", "ann"]],
    [["session", "revoke", "ann", "id", "--all"]],
    [["session", "list", "ann", "bob"]],
    [["migrate", "up", "x"]],
    [["secret", "--unknown"]],
  ])("%j is exit code 2 with something on standard error alone", async (args) => {
    const { code, out, err } = await latchkey(args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).not.toBe("");
  });

  test("help is exit code 0, and names the exit codes", async () => {
    const { code, out } = await latchkey(["--help"]);
    expect(code).toBe(0);
    expect(out).toContain("serve");
    expect(out).toContain("Exit codes: 0 done, 1 refused or failed, 2");
  });
});

describe("what it cannot work with", () => {
  test("settings are refused as the server refuses them", async () => {
    const { code, err } = await latchkey(["sweep"], { env: { PORT: "many" } });
    expect(code).toBe(1);
    expect(err).toMatch(/^latchkey: These settings refuse to start:\n- PORT: /);
  });

  test("a misspelt setting is warned of: the command may be at work on another database", async () => {
    const { code, err } = await latchkey(["sweep"], { env: { DATABASE_ULR: "sqlite:x" } });
    expect([code, err]).toEqual([0, expect.stringContaining("DATABASE_URL")]);
  });

  test("a database that is not there is not made by looking", async () => {
    const folder = await emptyFolder();
    const env = { DATABASE_URL: `sqlite://${folder}/none.db` };
    const { code, err } = await latchkey(["session", "list", "ann"], { env });
    expect(code).toBe(1);
    expect(err).toContain(`There is no database at ${folder}/none.db.`);
    expect((await latchkey(["session", "list", "ann"], { env })).code).toBe(1);
  });

  test("sessions in the server's memory are out of reach, which is said, and accounts are not", async () => {
    const env = { SESSION_BACKEND: "memory" };
    const made = await latchkey(["user", "create", "--email", "ed@example.com"], { env });
    expect(made).toMatchObject({
      code: 0,
      err: expect.stringMatching(/^Warning: SESSION_BACKEND=memory keeps sessions in the server's memory/),
    });
    expect(await latchkey(["session", "list", "ed@example.com"], { env })).toMatchObject({
      code: 0,
      out: expect.stringContaining("has no sessions"),
      err: expect.stringContaining("nor a command sees them"),
    });
  });

  test("another secret does not hinder what needs none", async () => {
    const other = { SECRET_KEY: "another-secret-of-good-length-4711-zZ" };
    expect((await latchkey(["session", "list", "ann"], { env: other })).code).toBe(0);
  });
});

const hasScript = spawnSync("script", ["--version"]).status === 0;

describe("as a process", () => {
  test.skipIf(!hasScript)("on a terminal a sweep is shown while it lasts, and wiped", () => {
    const db = new DatabaseSync(`${server.folder}/data/latchkey.db`, { timeout: 10_000 });
    for (let index = 0; index < 250; index++) db.prepare(insertVisitor).run(`${index}`.padStart(22, "0"));
    db.close();
    const program = fileURLToPath(new URL("../../server/cli/main.ts", import.meta.url));
    const command = `${process.execPath} --conditions=latchkey-source ${program} sweep`;
    const { stdout } = spawnSync("script", ["-qec", command, "/dev/null"], {
      ...{ cwd: server.folder, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
      env: { ...bareEnvironment(), SECRET_KEY: secret },
    });
    expect(stdout).toContain("] 200 expired sessions so far\r\u001b[2K");
    expect(stdout.endsWith("\r\u001b[2KCleaned up 250 expired sessions\r\n")).toBe(true);
  });

  test("settings come from .env in the working directory, errors are one line without a stack", async () => {
    const ran = run("cli/main.ts", ["session", "list", "nobody"], server.folder, { SECRET_KEY: secret });
    expect(await ran.ended).toEqual({ code: 1, signal: null });
    expect([ran.stdout(), ran.stderr()]).toEqual(["", "latchkey: There is no user nobody.\n"]);
  });

  test("the password is read from a pipe", async () => {
    const args = ["user", "create", "--email", "pipe@example.com", "--password-stdin"];
    const ran = run("cli/main.ts", args, server.folder, { SECRET_KEY: secret }, password);
    expect((await ran.ended).code).toBe(0);
    expect((await signIn("pipe@example.com")).status).toBe(200);
  });

  test("serve is the server, and its exit code the command's", async () => {
    const refused = run("cli/main.ts", ["serve"], server.folder, { PORT: "many" });
    expect(await refused.ended).toEqual({ code: 1, signal: null });
    expect(refused.stderr()).toMatch(/^These settings refuse to start:\n- PORT: /);
  });
});

test("a column is as wide as its widest cell, and a long cell is cut", () => {
  const lines = tableLines(
    ["A", "LONG HEAD"],
    [
      ["x", "1"],
      ["yyy", "é".repeat(70)],
    ],
  );
  expect(lines).toEqual(["A    LONG HEAD", "x    1", `yyy  ${"é".repeat(59)}…`]);
});
