import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "./support/child-server.ts";
import { command, type Ran } from "./support/command.ts";
import { type HereServer, serveHere } from "./support/here-server.ts";

const password = "seven green kettles";
const secret = "q8Zr1mVt6WxkP0sYd3HuJfLb7NcGeA2T";
let server: HereServer;

beforeAll(async () => {
  server = await serveHere({ SECRET_KEY: secret });
});

afterAll(() => server.remove());

const latchkey = (...args: readonly string[]): Promise<Ran> => command(server, secret, args);

async function json(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, out, err } = await latchkey(...args, "--json");
  if (code !== 0) throw new Error(`${args.join(" ")}: ${code} ${err}`);
  return JSON.parse(out) as Record<string, unknown>;
}

async function newcomer(username: string) {
  const browser = server.browser();
  const registration = { email: `${username}@example.com`, username, password };
  const { status, text, body } = await browser.post("/api/v1/auth/register", registration);
  if (status !== 201) throw new Error(text);
  return Object.assign(browser, { userId: String(body.user?.id) });
}

async function canSignIn(username: string): Promise<boolean> {
  return (await server.browser().post("/api/v1/auth/login", { username, password })).status === 200;
}

describe("user", () => {
  test("list and show say who is there, with the same names for programs", async () => {
    const ann = await newcomer("lister");
    const { items, next_cursor } = await json("user", "list", "--search", "LISTER");
    const user = {
      ...{
        id: ann.userId,
        username: "lister",
        email: "lister@example.com",
        name: null,
        email_verified: false,
      },
      ...{ status: "active", roles: [], permissions: [], tier: null, is_superuser: false },
      ...{ must_change_password: false, locale: null, deleted_at: null },
    };
    expect([items, next_cursor]).toMatchObject([[user], null]);
    expect(Object.keys((items as object[])[0] ?? {}).sort()).toEqual(
      [...Object.keys(user), "created_at", "updated_at"].sort(),
    );
    expect(await json("user", "show", "lister@example.com")).toMatchObject({ user });
    const table = await latchkey("user", "list");
    expect(table).toMatchObject({ code: 0, err: "" });
    expect(table.out.split("\n")[0]).toMatch(/^USERNAME +EMAIL +STATUS +ROLES +TIER +CREATED +ID$/);
    expect((await latchkey("user", "show", "lister")).out).toMatch(/^username +lister$/m);
    expect((await latchkey("user", "list", "--status", "disabled")).out).toBe(
      "There are no such accounts.\n",
    );
  });

  test("disable and restore act on the running server at once", async () => {
    const ann = await newcomer("barred");
    expect(await latchkey("user", "disable", "barred")).toEqual({
      code: 0,
      out: "barred is disabled.\n",
      err: "",
    });
    expect((await ann.get("/api/v1/users/me")).status).toBe(401);
    expect(await canSignIn("barred")).toBe(false);
    expect(await json("user", "restore", ann.userId)).toMatchObject({ user: { status: "active" } });
    expect(await canSignIn("barred")).toBe(true);
  });

  test("delete and anonymize never ask where there is nobody: they need --yes", async () => {
    const ann = await newcomer("goner");
    for (const name of ["delete", "anonymize"])
      expect(await latchkey("user", name, "goner")).toEqual({
        ...{ code: 2, out: "" },
        err: "latchkey: --yes is needed where there is nobody to ask.\n",
      });
    expect(await canSignIn("goner")).toBe(true);
    expect(await json("user", "delete", "goner", "--yes")).toMatchObject({ user: { status: "deleted" } });
    expect(await json("user", "anonymize", "goner", "--yes")).toMatchObject({
      user: { id: ann.userId, status: "anonymized", email: `${ann.userId}@anonymized.invalid` },
    });
    const refused = await latchkey("user", "restore", ann.userId);
    expect(refused).toEqual({ code: 1, out: "", err: "latchkey: The account is anonymized.\n" });
  });

  test("require-password-change holds at the next request", async () => {
    const ann = await newcomer("chooser");
    await latchkey("user", "require-password-change", "chooser");
    expect((await ann.get("/api/v1/users/me/sessions")).body.code).toBe("password_change_required");
  });

  test("what is not written as it has to be is misuse, who is not there a failure", async () => {
    expect((await latchkey("user", "list", "--limit", "0")).code).toBe(2);
    expect((await latchkey("user", "list", "--status", "gone")).code).toBe(2);
    expect((await latchkey("user", "nonsense")).code).toBe(2);
    for (const args of [
      ["user", "show"],
      ["user", "disable"],
      ["role", "list"],
      ["api-key", "list"],
      ["unlock"],
    ])
      expect(await latchkey(...args, "nobody")).toEqual({
        ...{ code: 1, out: "" },
        err: "latchkey: There is no user nobody.\n",
      });
  });
});

describe("role and tier", () => {
  test("add and remove rights; the last superuser stays", async () => {
    const ann = await newcomer("ruler");
    const added = await json("role", "add", "ruler", "--permission", "user:read", "a:b", "--superuser");
    expect(added).toMatchObject({ user: { permissions: ["user:read", "a:b"], is_superuser: true } });
    expect((await ann.get("/api/v1/users/me")).status).toBe(401);
    expect((await latchkey("role", "list", "ruler")).out).toBe(
      "Roles of ruler: none\nPermissions besides: user:read, a:b\nA superuser, who may do everything.\n",
    );
    expect(await latchkey("role", "remove", "ruler", "--superuser")).toMatchObject({
      code: 1,
      err: "latchkey: The last administrator cannot go.\n",
    });
    expect(await json("role", "remove", "ruler", "--permission", "a:b")).toMatchObject({
      user: { permissions: ["user:read"] },
    });
    expect((await latchkey("role", "add", "ruler")).code).toBe(2);
  });

  test("a tier is made, changed, given and taken away", async () => {
    await newcomer("planner");
    expect(
      await json("tier", "create", "pro", "--limit", "/api/reports/*=100/1h", "*=1000/1d"),
    ).toMatchObject({
      tier: {
        name: "pro",
        limits: [
          { path: "/api/reports/*", limit: 100, window_seconds: 3_600 },
          { path: "*", limit: 1_000, window_seconds: 86_400 },
        ],
      },
    });
    expect((await latchkey("tier", "create", "pro")).code).toBe(1);
    expect(await json("tier", "assign", "planner", "pro")).toMatchObject({ user: { tier: "pro" } });
    expect((await latchkey("tier", "delete", "pro")).code).toBe(1);
    expect(await json("tier", "set-limits", "pro", "--limit", "*=5/10s")).toMatchObject({
      tier: { limits: [{ path: "*", limit: 5, window_seconds: 10 }] },
    });
    expect((await latchkey("tier", "list")).out).toMatch(/^pro +\*=5\/10s$/m);
    expect((await latchkey("tier", "create", "x", "--limit", "nonsense")).code).toBe(2);
    expect(await latchkey("tier", "assign", "planner")).toMatchObject({ out: "planner is in no tier.\n" });
    expect(await json("tier", "delete", "pro")).toEqual({ deleted: "pro" });
    expect(await json("tier", "list")).toEqual({ items: [] });
  });
});

describe("api-key, unlock and audit", () => {
  test("keys are listed and revoked, in the running server at once", async () => {
    const ann = await newcomer("keeper");
    const { body } = await ann.post("/api/v1/api-keys", { name: "deployments" });
    const headers = { "x-api-key": String(body.key) };
    expect((await server.browser().get("/api/v1/users/me", { headers })).status).toBe(200);
    const { items } = await json("api-key", "list", "keeper");
    expect(items).toMatchObject([{ id: body.id, name: "deployments", permissions: [] }]);
    expect(JSON.stringify(items)).not.toContain("digest");
    expect((await latchkey("api-key", "list", "keeper")).out).toContain("deployments");
    expect(await json("api-key", "revoke", "keeper", String(body.id))).toEqual({ revoked: body.id });
    expect((await server.browser().get("/api/v1/users/me", { headers })).status).toBe(401);
    expect((await latchkey("api-key", "revoke", "keeper", String(body.id))).code).toBe(1);
  });

  test("unlock frees who failed to sign in", async () => {
    await newcomer("locked");
    expect(await latchkey("unlock", "locked")).toMatchObject({ code: 0, out: "locked can sign in again.\n" });
    expect(await json("unlock", "locked")).toEqual({ forgotten_failures: 0 });
  });

  test("audit search says what happened, page by page", async () => {
    const ann = await newcomer("watched");
    await latchkey("user", "disable", "watched");
    const first = await json("audit", "search", "--user", "watched", "--limit", "1");
    expect((first.items as object[]).length).toBe(1);
    const { items } = await json("audit", "search", "--user", "watched", "--type", "user.disabled");
    expect(items).toMatchObject([
      { type: "user.disabled", user_id: ann.userId, ip: null, user_agent: null, data: { by: "operator" } },
    ]);
    const next = await json("audit", "search", "--user", "watched", "--cursor", String(first.next_cursor));
    expect((next.items as object[]).length).toBeGreaterThan(0);
    const table = await latchkey("audit", "search", "--user", "watched", "--from", "2020-01-01");
    expect(table.out).toMatch(/^TIME +EVENT +USER +IP +PAYLOAD$/m);
    expect((await latchkey("audit", "search", "--from", "yesterday")).code).toBe(2);
    expect((await latchkey("audit", "search", "--to", "2020-01-01")).out).toBe("There are no such rows.\n");
  });
});

describe("as a process", () => {
  async function program(...args: readonly string[]): Promise<Ran> {
    const ran = run("cli/main.ts", args, server.folder, { SECRET_KEY: secret }, "y\n");
    const { code } = await ran.ended;
    return { code, out: ran.stdout(), err: ran.stderr() };
  }

  test("a word on its input is no answer to a question", async () => {
    await newcomer("processed");
    expect(await program("user", "delete", "processed")).toMatchObject({ code: 2, out: "" });
    expect(await canSignIn("processed")).toBe(true);
  });
});
