import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Hono } from "hono";
import type { Client } from "latchkey/client";
import { createSigningKeyFile, type KeySource, signingKeyFile } from "latchkey/tokens";
import { type Verifier, verifier } from "latchkey/verify";
import { describe, expect, test } from "vitest";
import type { AuthOptions } from "../../src/auth.ts";
import { browserOf, password, programOf, registered, settings } from "./recipe.ts";

const email = "ana@example.com";
type Shared = Omit<AuthOptions, "origin">;

describe("docs/recipes/spa-and-api.md", async () => {
  const { api } = await programOf<{ api(given: Shared): Hono }>("spa-and-api");
  const [page, origin] = ["https://app.example.com", "https://api.example.com"];
  const from = (site: string) => ({ Origin: site, "Sec-Fetch-Site": "same-site" });

  async function opened() {
    const { origin: _, ...shared } = settings();
    const app = api(shared);
    const browser = browserOf(app, origin);
    await browser.post("/api/v1/auth/register", { email, password }, { headers: from(page) });
    return { app, browser };
  }

  test("the page reads and writes, with the token that the API gives it", async () => {
    const { browser } = await opened();
    const orders = await browser.get("/orders", { headers: from(page) });
    expect(orders.status).toBe(200);
    expect(orders.headers.get("access-control-allow-origin")).toBe(page);
    expect(orders.headers.get("access-control-allow-credentials")).toBe("true");
    const asked = await browser.get("/api/v1/auth/csrf", { headers: from(page) });
    expect(asked.headers.get("access-control-allow-origin")).toBe(page);
    const headers = { ...from(page), "X-CSRF-Token": String(asked.body.csrf_token) };
    expect((await browser.post("/orders", {}, { headers })).status).toBe(201);
  });

  test("the browser's question before a request of the page is answered with yes", async () => {
    const { app } = await opened();
    const asking = {
      method: "OPTIONS",
      headers: {
        Origin: page,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-csrf-token",
      },
    };
    for (const path of ["/orders", "/api/v1/auth/login"]) {
      const { headers, status } = await app.request(`${origin}${path}`, asking);
      expect([path, status, headers.get("access-control-allow-origin")]).toEqual([path, 204, page]);
      expect(headers.get("access-control-allow-headers")?.toLowerCase()).toContain("x-csrf-token");
    }
  });

  test("another page of the same site writes nothing and reads nothing", async () => {
    const { browser } = await opened();
    const headers = from("https://blog.example.com");
    expect((await browser.post("/orders", {}, { headers })).body.code).toBe("origin_rejected");
    const read = await browser.get("/orders", { headers });
    expect(read.headers.get("access-control-allow-origin")).not.toBe("https://blog.example.com");
  });

  test("a request of the page without the token is refused", async () => {
    const { browser } = await opened();
    const answer = await browser.post("/orders", {}, { headers: from(page), csrf: false });
    expect(answer.body.code).toBe("csrf_required");
  });
});

describe("docs/recipes/mobile.md", async () => {
  type Keychain = { read(): string | null; write(text: string | null): void };
  const { backend } = await programOf<{ backend(given: AuthOptions): Hono }>("mobile");
  const { open } = await programOf<{ open(keychain: Keychain): Client }>("mobile", "phone.ts");

  async function installed() {
    const given = settings();
    // As the machine's: the client looks at its own clock.
    await given.clock.advance((Date.now() - given.clock.now().getTime()) / 1000);
    const app = backend(given);
    await registered(browserOf(app, given.origin));
    let kept: string | null = null;
    const keychain: Keychain = {
      read: () => kept,
      write(text) {
        kept = text;
      },
    };
    const client = phone(app, () => open(keychain));
    await client.login({ email, password });
    return { app, clock: given.clock, client, keychain, browser: browserOf(app, given.origin) };
  }

  test("the app stays signed in past the access token, which is refreshed by itself", async () => {
    const { client, clock, keychain } = await installed();
    const before = keychain.read();
    expect((await client.get("/inbox")).data).toEqual({ owner: expect.stringMatching(/^u/) });
    await clock.advance(16 * 60);
    expect((await client.get("/inbox")).error).toBeNull();
    expect(keychain.read()).not.toBe(before);
  });

  test("a copy of the refresh token that is used later ends the session for both", async () => {
    const { client, clock, keychain, browser } = await installed();
    const stolen = JSON.parse(keychain.read() ?? "{}") as { refreshToken: string };
    await clock.advance(16 * 60);
    await client.get("/inbox");
    await clock.advance(60);
    const thief = await browser.post("/api/v1/auth/token/refresh", { refresh_token: stolen.refreshToken });
    expect(thief.body.code).toBe("token_reused");
    expect((await client.get("/inbox")).error?.status).toBe(401);
  });

  test("a phone that its owner ends in the list of sessions is out at once", async () => {
    const { client, browser } = await installed();
    await browser.post("/api/v1/auth/login", { email, password });
    const { items = [] } = (await browser.get("/api/v1/users/me/sessions")).body;
    const phones = items.filter(({ current }) => current !== true);
    for (const { id } of phones) await browser.delete(`/api/v1/users/me/sessions/${String(id)}`);
    expect((await client.get("/inbox")).error?.status).toBe(401);
  });

  test("the browser's cookie is no way into the app's routes", async () => {
    const { browser } = await installed();
    await browser.post("/api/v1/auth/login", { email, password });
    expect((await browser.get("/inbox")).status).toBe(401);
  });

  /** Has whatever `make` makes reach the program, in place of the network. */
  function phone(app: Hono, make: () => Client): Client {
    const platform = globalThis.fetch;
    globalThis.fetch = async (url, init) => app.request(String(url), init);
    try {
      return make();
    } finally {
      globalThis.fetch = platform;
    }
  }
});

describe("docs/recipes/service-to-service.md", async () => {
  type Invoices = { readonly app: Hono; newKey(account: string, name: string): Promise<string> };
  const { invoices } = await programOf<{ invoices(given: AuthOptions): Invoices }>("service-to-service");

  async function withJob(roles: readonly string[] = ["accounting"]) {
    const given = settings();
    const { app, newKey } = invoices(given);
    const person = await registered(browserOf(app, given.origin), "nightly@example.com");
    const { id } = (await person.get("/api/v1/users/me")).body as { id: string };
    const call = { now: given.clock.now(), signal: new AbortController().signal };
    const user = await given.stores.directory.user(id, call);
    await given.stores.directory.commit(
      [{ kind: "user.update", userId: id, version: user?.version ?? 0, changes: { roles } }],
      call,
    );
    const job = browserOf(app, given.origin);
    job.ip = "10.1.2.3";
    return { person, job, newKey, send: (key: string) => ({ headers: { "X-API-Key": key } }) };
  }

  test("the job reads and does not write, though its account may", async () => {
    const { job, newKey, send } = await withJob();
    const key = await newKey("nightly@example.com", "Nightly export");
    expect((await job.get("/invoices", send(key))).status).toBe(200);
    expect((await job.post("/invoices", {}, send(key))).status).toBe(403);
  });

  test("nobody gets a key for more than the account holds", async () => {
    const { newKey } = await withJob([]);
    await expect(newKey("nightly@example.com", "Nightly export")).rejects.toMatchObject({
      code: "invalid_input",
    });
  });

  test("from another network, cut short, or in a browser's place it opens nothing", async () => {
    const { person, job, newKey, send } = await withJob();
    const key = await newKey("nightly@example.com", "Nightly export");
    expect((await person.get("/invoices")).status).toBe(401);
    expect((await job.get("/invoices", send(key.slice(0, -1)))).status).toBe(401);
    job.ip = "203.0.113.9";
    expect((await job.get("/invoices", send(key))).status).toBe(401);
  });
});

describe("docs/recipes/sessions-across-services.md", async () => {
  const { accounts, billing, reports } = await programOf<{
    accounts(given: Shared, signing: KeySource): Hono;
    billing(given: Shared): Hono;
    reports(from?: Verifier): Hono;
  }>("sessions-across-services");
  const origin = "https://app.example";

  async function running() {
    const { origin: _, ...shared } = settings();
    const path = join(mkdtempSync(join(tmpdir(), "latchkey-recipe-")), "keys.json");
    await createSigningKeyFile({ path });
    const first = accounts(shared, signingKeyFile({ path }));
    const reader = verifier({
      issuer: origin,
      now: () => shared.clock.now(),
      fetch: async (url) => first.request(String(url)),
    });
    const browser = await registered(browserOf(first, origin));
    const second = billing(shared);
    return {
      ...{ browser, clock: shared.clock, reports: reports(reader) },
      atBilling: () => browserOf(second, origin, [...browser.jar]),
      visitor: () => browserOf(first, origin),
    };
  }

  test("the second service knows the cookie of the first, and that it ended", async () => {
    const { browser, atBilling } = await running();
    const there = atBilling();
    expect((await there.get("/billing/plan")).body).toEqual({ plan: null });
    expect((await there.post("/billing/plan", {})).body).toEqual({ changed: true });
    expect((await there.post("/billing/plan", {}, { csrf: false })).body.code).toBe("csrf_required");
    await browser.post("/api/v1/auth/logout");
    expect((await there.get("/billing/plan")).status).toBe(401);
  });

  test("the third believes a token for as long as it lasts, and nothing that is none", async () => {
    const { browser, clock, reports: app } = await running();
    const { body } = await browser.post("/api/v1/auth/token", {});
    const asked = (token: string) =>
      app.request("/reports", { headers: { Authorization: `Bearer ${token}` } });
    const token = String(body.access_token);
    expect((await asked(token)).status).toBe(200);
    await browser.post("/api/v1/auth/logout");
    expect((await asked(token)).status).toBe(200);
    await clock.advance(5 * 60 + 31);
    expect((await asked(token)).status).toBe(401);
    expect((await asked(`${token.slice(0, -2)}AA`)).status).toBe(401);
    expect((await app.request("/reports")).status).toBe(401);
  });

  test("a token that the third was shown opens the first as well, and is exchanged there", async () => {
    const { browser, visitor } = await running();
    const token = String((await browser.post("/api/v1/auth/token", {})).body.access_token);
    const headers = { Authorization: `Bearer ${token}` };
    const holder = visitor();
    expect((await holder.get("/api/v1/users/me", { headers })).body.email).toBe(email);
    const next = await holder.post("/api/v1/auth/token/refresh", {}, { headers });
    expect([next.status, typeof next.body.access_token]).toEqual([200, "string"]);
    await browser.post("/api/v1/auth/logout");
    expect((await holder.get("/api/v1/users/me", { headers })).status).toBe(401);
  });
});
