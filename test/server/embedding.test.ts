import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Application, type StartedServer, startServer } from "../../server/embedding.ts";
import { type Auth, anyone, superuser } from "../../src/index.ts";
import { type Browser, browserOn } from "../support/browser.ts";

const password = "seven green kettles";
const html = { Accept: "text/html" };

async function environment(): Promise<Readonly<Record<string, string>>> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-embedding-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return {
    PORT: "0",
    DATABASE_URL: `sqlite://${folder}/app.db`,
    SECRET_KEY: "a secret for tests of thirty-two bytes",
    LOG_LEVEL: "silent",
  };
}

async function started(
  application: Application,
  settings: Record<string, string> = {},
): Promise<StartedServer> {
  const server = await startServer({ environment: { ...(await environment()), ...settings }, application });
  onTestFinished(() => server.stop());
  return server;
}

const browserAt = (origin: string): Browser =>
  browserOn((request) => fetch(request, { redirect: "manual" }), origin);

describe("an application in the server", () => {
  test("answers what is its own behind the server's guards, and the server the rest", async () => {
    const { origin, setupToken, warnings } = await started(
      async ({ auth, administration, apiKeys, protect, client }) => {
        const boss = { username: "boss", email: "boss@example.com", password };
        await auth.users.create(boss, { isSuperuser: true });
        await administration.operator.tiers.create({ name: "pro", limits: [] });
        const app = new Hono();
        app.get(
          "/hello",
          protect((c, { displayName }) => c.text(displayName)),
        );
        app.get(
          "/boss",
          protect((c) => c.text("boss"), superuser()),
        );
        app.get(
          "/keys",
          protect(async (c, who) => c.json(await apiKeys.list(who))),
        );
        app.get(
          "/address",
          protect((c) => c.json(client(c).ip), anyone()),
        );
        app.get(
          "/api/v1/things",
          protect((c) => c.json([]), anyone()),
        );
        return app;
      },
      { TRUSTED_PROXIES: "127.0.0.1" },
    );
    const [nobody, boss] = [browserAt(origin), browserAt(origin)];
    // Somebody has an account, so that nobody can be made administrator by a link.
    expect([setupToken, warnings]).toEqual([null, []]);
    expect((await boss.post("/api/v1/auth/login", { username: "boss", password })).status).toBe(200);
    expect([(await boss.get("/hello")).text, (await boss.get("/boss")).text]).toEqual(["boss", "boss"]);
    const refused = await nobody.get("/hello");
    expect([refused.status, refused.body.code]).toEqual([401, "not_authenticated"]);
    const page = await nobody.get("/hello", { headers: html });
    expect([page.status, page.headers.get("location")]).toEqual([302, "/login?next=%2Fhello"]);
    expect((await nobody.get("/api/v1/things")).text).toBe("[]");
    expect((await boss.get("/keys")).text).toBe("[]");
    const far = await nobody.get("/address", { headers: { "X-Forwarded-For": "192.0.2.7" } });
    expect(far.text).toBe('"192.0.2.7"');
    expect((await nobody.get("/nothing")).body.code).toBe("not_found");
    expect((await nobody.get("/login", { headers: html })).text).toContain("<form");
  });

  test("may put its pages in the place of the server's, and none of Latchkey's routes", async () => {
    const { origin } = await started(() => {
      const app = new Hono();
      for (const path of ["/", "/register", "/healthz", "/api/v1/auth/session"])
        app.get(path, (c) => c.text("mine"));
      return app;
    });
    const browser = browserAt(origin);
    expect((await browser.get("/", { headers: html })).text).toBe("mine");
    expect((await browser.get("/register", { headers: html })).text).toBe("mine");
    expect((await browser.get("/healthz")).body).toEqual({ status: "ok" });
    expect((await browser.get("/api/v1/auth/session")).body).toMatchObject({ authenticated: false });
  });

  test("gets the server's headers on its answers, but for those that it has", async () => {
    const policy = "default-src 'none'; script-src 'self'";
    const { origin } = await started(() => {
      const app = new Hono();
      app.get("/plain", (c) => c.text("plain"));
      app.get("/script", (c) => c.html("<p>", 200, { "Content-Security-Policy": policy }));
      return app;
    });
    const headersOf = async (path: string) => (await browserAt(origin).get(path)).headers;
    const [plain, script] = [await headersOf("/plain"), await headersOf("/script")];
    expect(plain.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'self'/);
    expect(script.get("content-security-policy")).toBe(policy);
    for (const headers of [plain, script]) {
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  test("may hand on answers whose headers cannot be written", async () => {
    const { origin } = await started(({ auth }) => {
      const app = new Hono();
      app.get("/away", () => Response.redirect("https://elsewhere.example/", 302));
      app.get("/far", () => fetch(`${auth.config.origin}/healthz`));
      return app;
    });
    const away = await browserAt(origin).get("/away");
    expect([away.status, away.headers.get("location")]).toEqual([302, "https://elsewhere.example/"]);
    const far = await browserAt(origin).get("/far");
    expect([far.status, far.body]).toEqual([200, { status: "ok" }]);
    for (const { headers } of [away, far]) {
      expect(headers.get("content-security-policy")).toMatch(/^default-src 'none'/);
      expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  test("that throws is answered as the server's own failures, without a word of it", async () => {
    const { origin } = await started(({ protect }) => {
      const fail = (_: Context): Response => {
        throw new Error("the password is hunter2");
      };
      const app = new Hono();
      app.get("/bare", fail);
      app.get("/guarded", protect(fail, anyone()));
      return app;
    });
    for (const path of ["/bare", "/guarded"]) {
      const { status, body, text } = await browserAt(origin).get(path);
      expect([path, status, body.code]).toEqual([path, 500, "internal_error"]);
      expect(text).not.toContain("hunter2");
    }
  });

  test("that throws Hono's HTTPException is answered as that says, behind a guard or not", async () => {
    const { origin } = await started(({ protect }) => {
      const closed = (_: Context): Response => {
        throw new HTTPException(423, { message: "Not on Sundays." });
      };
      const app = new Hono();
      app.get("/bare", closed);
      app.get("/guarded", protect(closed, anyone()));
      return app;
    });
    for (const path of ["/bare", "/guarded"]) {
      const { status, text, headers } = await browserAt(origin).get(path);
      expect([path, status, text]).toEqual([path, 423, "Not on Sundays."]);
      expect(headers.get("content-security-policy")).toMatch(/^default-src 'none'/);
    }
  });

  test.each([
    [
      "that cannot be made",
      () => {
        throw new Error("no such table");
      },
      /no such table/,
    ],
    ["that is none", () => ({ fetch: () => new Response("mine") }) as unknown as Hono, TypeError],
  ])("%s ends the start, and nothing of it is left", async (_, made, error) => {
    const settings = await environment();
    let [origin, left]: [string, Auth | null] = ["", null];
    const application: Application = ({ auth }) => {
      [origin, left] = [auth.config.origin, auth];
      return made();
    };
    await expect(startServer({ environment: settings, application })).rejects.toThrow(error);
    await expect(fetch(`${origin}/healthz`)).rejects.toThrow();
    // The threads that hash and look for common passwords have ended.
    await expect((left as Auth | null)?.users.passwordErrors(password, null)).rejects.toThrow();
    // Its database is free again.
    const again = await startServer({ environment: settings });
    expect((await fetch(`${again.origin}/readyz`)).status).toBe(200);
    await again.stop();
    await again.stop();
    await expect(fetch(`${again.origin}/healthz`)).rejects.toThrow();
  });
});

test("pages that cannot be used end the start before anything is made", async () => {
  const settings: Record<string, string> = {
    ...(await environment()),
    PAGES_PATH: join(tmpdir(), "latchkey-no-such-pages"),
  };
  let isCalled = false;
  const application: Application = () => {
    isCalled = true;
    return new Hono();
  };
  await expect(startServer({ environment: settings, application })).rejects.toThrow(/PAGES_PATH/);
  expect(isCalled).toBe(false);
  expect(existsSync(settings.DATABASE_URL?.replace("sqlite://", "") ?? "")).toBe(false);
});

test("a start that is refused once the database is open closes it", async () => {
  const settings: Record<string, string> = {
    ...(await environment()),
    ORIGIN: "https://app.example",
    LOG_LEVEL: "error",
    TRUSTED_PROXIES: "10.0.0.1",
    REGISTRATION_MODE: "closed",
    SMTP_URL: "smtps://a:b@mail.example",
    MAIL_FROM: "a@app.example",
    PRODUCTION_SECURITY_STRICT_MODE: "true",
  };
  const path = settings.DATABASE_URL?.replace("sqlite://", "") ?? "";
  await writeFile(path, "");
  await chmod(path, 0o644);
  await expect(startServer({ environment: settings })).rejects.toThrow(/database-files-private/);
  // The last to close a database takes its log away.
  expect([existsSync(path), existsSync(`${path}-wal`)]).toEqual([true, false]);
});

test("settings that cannot be used are refused, all at once", async () => {
  const settings = { ...(await environment()), SECRET_KEY: "short", LOGIN_MAX_ATTEMPTS: "none" };
  await expect(startServer({ environment: settings })).rejects.toThrow(/SECRET_KEY[\s\S]*LOGIN_MAX_ATTEMPTS/);
});
