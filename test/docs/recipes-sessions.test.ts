import type { Hono } from "hono";
import type { Client, Result } from "latchkey/client";
import { createClient } from "latchkey/client";
import { describe, expect, test } from "vitest";
import type { AuthOptions } from "../../src/auth.ts";
import type { TestClock } from "../../src/testing/clock.ts";
import type { Browser } from "../support/browser.ts";
import { until } from "../support/until.ts";
import { browserOf, password, programOf, registered, settings } from "./recipe.ts";

const minute = 60;
const day = 86_400;
const email = "ana@example.com";

/** Waits until it is noted, after the answer, that the session of a browser was used. */
async function noted(browser: Browser, clock: TestClock): Promise<void> {
  await until(async () => {
    await clock.advance(1);
    const { items = [] } = (await browser.get("/api/v1/users/me/sessions")).body;
    const used = items.find(({ current }) => current === true)?.last_used_at;
    return clock.now().getTime() - Date.parse(String(used)) < minute * 1000;
  });
}

describe("docs/recipes/remember-me.md", async () => {
  const { remembering } = await programOf<{ remembering(given: AuthOptions): Hono }>("remember-me");

  async function signedIn(form: Readonly<Record<string, string>>) {
    const given = settings();
    const app = remembering(given);
    await registered(browserOf(app, given.origin));
    const browser = browserOf(app, given.origin);
    const answer = await browser.send("POST", "/login", { form: { email, password, ...form } });
    const cookie = answer.cookies.find(({ name }) => name === "__Host-latchkey");
    return { browser, answer, cookie, clock: given.clock };
  }

  test("without the box the cookie ends with the browser and the session after half an hour of rest", async () => {
    const { browser, answer, cookie, clock } = await signedIn({});
    expect(answer.status).toBe(303);
    expect(cookie?.attributes["max-age"]).toBeUndefined();
    await clock.advance(29 * minute);
    expect((await browser.get("/")).status).toBe(200);
    await clock.advance(31 * minute);
    expect((await browser.get("/")).status).toBe(401);
  });

  test("with it both rest for a fortnight, and end after sixty days however much they are used", async () => {
    const { browser, cookie, clock } = await signedIn({ remember: "on" });
    expect(cookie?.attributes["max-age"]).toBe(String(60 * day));
    for (const days of [13, 13, 13, 13]) {
      await clock.advance(days * day);
      expect((await browser.get("/")).status).toBe(200);
      await noted(browser, clock);
    }
    await clock.advance(8 * day + minute);
    expect((await browser.get("/")).body.code).toBe("session_expired");
  });

  test("a remembered cookie of last week closes no account", async () => {
    const { browser, clock } = await signedIn({ remember: "on" });
    expect((await browser.post("/close-account", {})).status).toBe(200);
    await clock.advance(7 * day);
    const late = await browser.post("/close-account", {});
    expect([late.status, late.body.code]).toEqual([403, "fresh_auth_required"]);
  });

  test("a wrong password gives the form again with the sentence, and nothing that was typed", async () => {
    const { answer } = await signedIn({ password: "<script>wrong" });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("content-type")).toContain("text/html");
    expect(answer.text).toContain('name="remember"');
    expect(answer.text).not.toContain("<script>");
  });

  test("another site's form signs nobody in", async () => {
    const given = settings();
    const app = remembering(given);
    await registered(browserOf(app, given.origin));
    const headers = { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" };
    const answer = await browserOf(app, given.origin).send("POST", "/login", {
      form: { email, password },
      headers,
    });
    expect([answer.status, answer.cookies.length]).toEqual([403, 0]);
  });
});

describe("docs/recipes/single-session.md", async () => {
  const { singleSession } = await programOf<{
    singleSession(given: AuthOptions, tell: (userId: string) => void): Hono;
  }>("single-session");

  test("a sign-in elsewhere ends the first, which is told", async () => {
    const given = settings();
    const told: string[] = [];
    const app = singleSession(given, (userId) => told.push(userId));
    const first = await registered(browserOf(app, given.origin));
    expect((await first.get("/desk")).status).toBe(200);
    const second = browserOf(app, given.origin);
    await second.post("/api/v1/auth/login", { email, password });
    expect((await second.get("/desk")).status).toBe(200);
    const ended = await first.get("/desk");
    expect([ended.status, ended.body.code]).toEqual([401, "session_expired"]);
    expect(told).toHaveLength(1);
  });

  test("of many sign-ins at once one session is left", async () => {
    const given = settings();
    const app = singleSession(given, () => undefined);
    await registered(browserOf(app, given.origin));
    const browsers = Array.from({ length: 5 }, () => browserOf(app, given.origin));
    await Promise.all(browsers.map((one) => one.post("/api/v1/auth/login", { email, password })));
    const answers = await Promise.all(browsers.map((one) => one.get("/desk")));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });
});

describe("docs/recipes/step-up.md", async () => {
  const { bank } = await programOf<{ bank(given: AuthOptions): Hono }>("step-up");
  const { confirmed } = await programOf<{
    confirmed<T>(
      client: Client,
      ask: () => Promise<string | null>,
      act: () => Promise<Result<T>>,
    ): Promise<Result<T>>;
  }>("step-up", "confirmed.ts");

  async function atHome() {
    const given = settings();
    const browser = await registered(browserOf(bank(given), given.origin));
    return { browser, clock: given.clock };
  }

  /** The client of the page, in that browser. */
  function clientIn(browser: ReturnType<typeof browserOf>): Client {
    return createClient({
      baseUrl: "https://app.example/api/v1",
      fetch: async (url, { method = "GET", body, headers } = {}) => {
        const given = Object.fromEntries(new Headers(headers));
        const path = new URL(String(url)).pathname;
        const { status, text } = await browser.send(method, path, { body: body as string, headers: given });
        return new Response(text, { status, headers: { "Content-Type": "application/json" } });
      },
    });
  }

  test("two minutes after the sign-in money needs the password again, and reading does not", async () => {
    const { browser, clock } = await atHome();
    expect((await browser.post("/transfers", {})).status).toBe(200);
    await clock.advance(2 * minute);
    expect((await browser.post("/transfers", {})).body.code).toBe("fresh_auth_required");
    expect((await browser.get("/balance")).status).toBe(200);
  });

  test("the page asks once, and does it then", async () => {
    const { browser, clock } = await atHome();
    await clock.advance(2 * minute);
    const client = clientIn(browser);
    let asked = 0;
    const ask = async () => {
      asked++;
      return password;
    };
    const { data } = await confirmed(client, ask, () => client.post("/transfers", { to: "ada" }));
    expect([data, asked]).toEqual([{ sent: true }, 1]);
    expect((await browser.post("/transfers", {})).status).toBe(200);
  });

  test("a wrong password sends nothing, and a copy of the old cookie is worth nothing afterwards", async () => {
    const { browser, clock } = await atHome();
    const thief = browser.copy();
    await clock.advance(2 * minute);
    const client = clientIn(browser);
    const act = () => client.post("/transfers", {});
    expect((await confirmed(client, async () => "a wrong password", act)).error?.code).toBe(
      "invalid_credentials",
    );
    expect((await confirmed(client, async () => null, act)).error?.code).toBe("fresh_auth_required");
    expect((await confirmed(client, async () => password, act)).error).toBeNull();
    expect((await thief.get("/balance")).status).toBe(401);
  });

  test("who may not is told so before a password is asked for", async () => {
    const { browser, clock } = await atHome();
    await clock.advance(2 * minute);
    expect((await browser.post("/payroll", {})).body.code).toBe("forbidden");
  });
});

describe("docs/recipes/subdomains.md", async () => {
  const { server } = await programOf<{
    server(name: "app" | "shop", given: Omit<AuthOptions, "origin">): Hono;
  }>("subdomains");
  const origins = { app: "https://app.example.com", shop: "https://shop.example.com" };

  async function signedInAtApp() {
    const { origin: _, ...shared } = settings();
    const [app, shop] = [server("app", shared), server("shop", shared)];
    const atApp = browserOf(app, origins.app);
    const answer = await atApp.post("/api/v1/auth/register", { email, password });
    // The domain's cookies go to both hosts.
    return { answer, atApp, shop, atShop: browserOf(shop, origins.shop, [...atApp.jar]) };
  }

  test("who signs in at one is signed in at the other, and signs out of both", async () => {
    const { answer, atApp, atShop } = await signedInAtApp();
    const cookie = answer.cookies.find(({ name }) => name === "__Secure-latchkey");
    expect(cookie?.attributes).toMatchObject({ domain: "example.com", httponly: "", secure: "" });
    expect((await atShop.get("/me")).status).toBe(200);
    expect((await atShop.post("/orders", {})).status).toBe(200);
    await atApp.post("/api/v1/auth/logout");
    expect((await atShop.get("/me")).status).toBe(401);
  });

  test("a page of the other server may send, one of a third subdomain may not", async () => {
    const { atShop } = await signedInAtApp();
    const from = (origin: string) => ({ headers: { Origin: origin, "Sec-Fetch-Site": "same-site" } });
    expect((await atShop.post("/orders", {}, from(origins.app))).status).toBe(200);
    const forged = await atShop.post("/orders", {}, from("https://blog.example.com"));
    expect(forged.body.code).toBe("origin_rejected");
  });

  test("whoever has to sign in at the shop is led to the app", async () => {
    const { shop } = await signedInAtApp();
    const page = { headers: { Accept: "text/html", "Sec-Fetch-Mode": "navigate" } };
    const visitor = browserOf(shop, origins.shop);
    expect((await visitor.get("/me", page)).headers.get("location")).toBe("/login?next=%2Fme");
    expect((await visitor.get("/login", page)).headers.get("location")).toBe("https://app.example.com/login");
  });
});
