import { describe, expect, test } from "vitest";
import { bearerProof, memoryTokens, type StoredTokens } from "../../src/client/bearer.ts";
import { createClient } from "../../src/client/client.ts";
import { tokens } from "../../src/features/tokens.ts";
import { gate } from "../support/gate.ts";
import { password } from "../support/world.ts";
import { clientSite } from "./site.ts";

const ada = { email: "ada@example.com", password, name: "Ada" };

describe("a client with the session cookie", () => {
  test("registers, knows who is signed in, asks with the CSRF token, and signs out", async () => {
    const site = await clientSite();
    const client = site.client();
    const seen: string[] = [];
    client.session.subscribe(({ status }) => void seen.push(status));
    expect(client.session.get()).toEqual({ status: "unknown", user: null });
    expect((await client.load()).data).toEqual({ status: "signed-out", user: null });
    const { data: user } = await client.register(ada);
    expect(user?.email).toBe(ada.email);
    expect(await client.post("/orders", { item: 1 })).toEqual({ data: { by: "Ada" }, error: null });
    expect(await client.logout()).toEqual({ data: null, error: null });
    expect(client.session.get()).toEqual({ status: "signed-out", user: null });
    expect((await client.post("/orders", {})).error?.code).toBe("not_authenticated");
    expect(seen).toEqual(["signed-out", "signed-in", "signed-out"]);
  });

  test("tells what is wrong with which field, and when to try again, as values", async () => {
    const client = (await clientSite()).client();
    const { error } = await client.register({ email: "nobody", password: "short" });
    expect(error).toMatchObject({ code: "invalid_input", status: 400 });
    expect(error?.fields.map(({ field }) => field)).toEqual(["email", "password"]);
    expect(error?.requestId).toMatch(/^[0-9a-f-]{36}$/);
    await client.register(ada);
    for (let guess = 0; guess < 5; guess++) await client.login({ ...ada, password: `wrong ${guess}` });
    const limited = (await client.login({ ...ada, password: "wrong" })).error;
    expect(limited).toMatchObject({ code: "rate_limited", status: 429, retryAfterSeconds: 900 });
  });

  test("goes on with the CSRF token of a sign-in in another tab, without doing anything twice", async () => {
    const site = await clientSite();
    const jar = new Map<string, string>();
    const [one, other] = [site.client({}, jar), site.client({}, jar)];
    await one.register(ada);
    await other.login(ada);
    site.asked.length = 0;
    expect((await one.post("/orders", {})).data).toEqual({ by: "Ada" });
    expect(site.asked).toEqual(["POST /orders", "GET /api/v1/auth/csrf", "POST /orders"]);
    site.asked.length = 0;
    await one.post("/orders", {});
    expect(site.asked).toEqual(["POST /orders"]);
  });

  test("asks for a CSRF token where it was made beside a session that was there", async () => {
    const site = await clientSite();
    const jar = new Map<string, string>();
    await site.client({}, jar).register(ada);
    const later = site.client({}, jar);
    expect((await later.load()).data?.user?.name).toBe("Ada");
    expect((await later.post("/orders", {})).data).toEqual({ by: "Ada" });
  });

  test("asks once and gives up where there is no token to be had", async () => {
    const site = await clientSite();
    const client = site.client();
    site.instead = (path) =>
      path === "/orders" ? Response.json({ code: "csrf_required", detail: "no" }, { status: 403 }) : null;
    expect((await client.post("/orders", {})).error?.code).toBe("csrf_required");
    expect(site.asked).toEqual(["POST /orders", "GET /api/v1/auth/csrf"]);
  });

  test("tells nobody of what did not change", async () => {
    const client = (await clientSite()).client();
    await client.load();
    let told = 0;
    client.session.subscribe(() => told++);
    await client.load();
    await client.logout();
    expect(told).toBe(0);
  });

  test.each([
    ["cookie", "include"],
    ["tokens", "omit"],
  ] as const)("a server of another origin than the page's: %s, %s", async (proof, credentials) => {
    const sent: unknown[] = [];
    const fetch: typeof globalThis.fetch = async (_url, init) => {
      sent.push(init?.credentials);
      return Response.json({ authenticated: false, user: null });
    };
    const client = createClient({ baseUrl: "https://api.example/api/v1", proof, fetch });
    await client.load();
    await client.post("/orders", {});
    expect(new Set(sent)).toEqual(new Set([credentials]));
  });

  test("changes password, profile and what is shown of them", async () => {
    const site = await clientSite();
    const client = site.client();
    await client.register(ada);
    const next = "another long enough one";
    expect((await client.changePassword({ current: password, next })).error).toBeNull();
    expect((await client.post("/orders", {})).error).toBeNull();
    expect((await client.updateProfile({ name: "Countess" })).data?.name).toBe("Countess");
    expect(client.session.get().user?.name).toBe("Countess");
    expect((await client.reauthenticate(next)).error).toBeNull();
    expect((await client.reauthenticate("wrong")).error?.code).toBe("invalid_credentials");
    expect((await client.logoutAll()).error).toBeNull();
    expect((await client.login({ username: "ada@example.com", password: next })).data?.name).toBe("Countess");
  });

  test("learns of the end of its session from a refusal, and not from a route that wants another proof", async () => {
    const site = await clientSite();
    const client = site.client();
    const { data: user } = await client.register(ada);
    expect((await client.get("/staff")).error).toMatchObject({ code: "forbidden", status: 403 });
    site.instead = (path) =>
      path === "/orders" ? Response.json({ code: "not_authenticated" }, { status: 401 }) : null;
    await client.post("/orders", {});
    expect(client.session.get().status).toBe("signed-in");
    site.instead = null;
    await site.world.auth.sessions.revokeAll(user?.id ?? "");
    await client.post("/orders", {});
    expect(client.session.get().status).toBe("signed-out");
  });

  test("an answer to an older question never overwrites what happened since", async () => {
    const site = await clientSite();
    let release = (_: unknown): void => {};
    const held = new Promise((resolve) => {
      release = resolve;
    });
    const jar = new Map<string, string>();
    let holds = true;
    const { withCookies } = await import("./site.ts");
    const slow: typeof fetch = async (input, init) => {
      const response = await withCookies(jar)(input, init);
      if (holds && String(input).endsWith("auth/session")) await held;
      return response;
    };
    const client = site.client({ fetch: slow }, jar);
    const loading = client.load();
    await client.register(ada);
    holds = false;
    release(null);
    expect((await loading).data?.status).toBe("signed-in");
    expect(client.session.get().status).toBe("signed-in");
  });

  test("nothing throws for what a server or a network does", async () => {
    const site = await clientSite();
    const client = site.client({ timeoutMs: 200 });
    expect((await client.get("/page")).error).toMatchObject({ code: "unreadable_answer", status: 200 });
    expect(await client.get("/empty")).toEqual({ data: null, error: null });
    expect((await client.get("/nowhere")).error).toMatchObject({ code: "unreadable_answer", status: 404 });
    site.instead = () => "hang";
    expect((await client.get("/orders")).error).toMatchObject({ code: "timeout", status: null });
    const gone = AbortSignal.abort();
    expect((await client.get("/orders", { signal: gone })).error?.code).toBe("aborted");
    const nobody = site.client({ baseUrl: "http://127.0.0.1:1/api/v1" });
    expect((await nobody.login(ada)).error).toMatchObject({ code: "network_error", status: null });
    expect((await nobody.logout()).error?.code).toBe("network_error");
    expect(nobody.session.get().status).toBe("signed-out");
  });

  test.each(["https://evil.example/x", "//evil.example/x", "http://localhost:1/x"])(
    "a path never leads the proof to another origin: %s",
    async (path) => {
      const client = (await clientSite()).client();
      await expect(client.fetch(path)).rejects.toThrow(TypeError);
      await expect(client.post(path, {})).rejects.toThrow(TypeError);
    },
  );

  test("streams what it is given, and what was answered", async () => {
    const site = await clientSite();
    const client = site.client();
    await client.register(ada);
    const response = await client.fetch("/orders", { method: "POST", body: new URLSearchParams({ a: "1" }) });
    expect(await response.json()).toEqual({ by: "Ada" });
  });
});

describe("a client with tokens", () => {
  const withTokens = () => clientSite({ features: [tokens()] });

  test("signs in without cookies, and the tokens carry every request", async () => {
    const site = await withTokens();
    const jar = new Map<string, string>();
    const client = site.client({ proof: "tokens" }, jar);
    expect((await client.register(ada)).data?.name).toBe("Ada");
    expect(jar.size).toBe(0);
    expect((await client.post("/orders", {})).data).toEqual({ by: "Ada" });
    expect((await client.load()).data?.status).toBe("signed-in");
    expect((await client.logout()).error).toBeNull();
    expect((await client.post("/orders", {})).error?.code).toBe("not_authenticated");
  });

  test("however many requests find the token expired, one refreshes it", async () => {
    const site = await withTokens();
    const client = site.client({ proof: "tokens" });
    await client.register(ada);
    site.world.clock.advance(16 * 60);
    site.asked.length = 0;
    const answers = await Promise.all(Array.from({ length: 10 }, () => client.post("/orders", {})));
    expect(answers.map(({ data }) => data)).toEqual(Array.from({ length: 10 }, () => ({ by: "Ada" })));
    expect(site.asked.filter((line) => line.endsWith("/refresh")).length).toBe(1);
  });

  test("where a platform has no locks, one refresh is for all that wait", async () => {
    let tokens: StoredTokens | null = { accessToken: "old", refreshToken: "r1", expiresAt: 0 };
    const storage = {
      get: () => tokens,
      set(next: StoredTokens | null) {
        tokens = next;
      },
    };
    const proof = bearerProof({ refreshUrl: "/refresh", storage, alone: (work) => work(), now: () => 1 });
    const asked: string[] = [];
    const send = async (url: string) => {
      asked.push(url);
      return Response.json({ access_token: "new", refresh_token: "r2", expires_in: 900 });
    };
    await Promise.all([1, 2, 3].map((each) => proof.send(`/${each}`, {}, send)));
    expect(asked.toSorted()).toEqual(["/1", "/2", "/3", "/refresh"]);
  });

  test.each([
    ["that succeeds", Response.json({ access_token: "ada's", refresh_token: "r2", expires_in: 900 })],
    ["that is refused", Response.json({}, { status: 400 })],
  ])("a refresh %s changes nothing for who signed in, or out, while it was under way", async (_, answer) => {
    const bobs = { accessToken: "bob's", refreshToken: "b1", expiresAt: 900_000 };
    for (const since of [bobs, null]) {
      const storage = memoryTokens();
      storage.set({ accessToken: "old", refreshToken: "r1", expiresAt: 0 });
      const atServer = gate();
      const proof = bearerProof({ refreshUrl: "/refresh", storage, alone: (work) => work(), now: () => 1 });
      const sent = proof.send("/orders", {}, async (url) => {
        if (url === "/refresh") await atServer.pass();
        return answer.clone();
      });
      await atServer.reached;
      storage.set(since);
      atServer.open();
      await sent;
      expect(storage.get()).toEqual(since);
    }
  });

  test("two clients on one storage refresh once and go on together", async () => {
    const site = await withTokens();
    const storage = memoryTokens();
    const [one, other] = [0, 1].map(() => site.client({ proof: "tokens", tokens: storage }));
    await one?.register(ada);
    site.world.clock.advance(16 * 60);
    await Promise.all([one?.post("/orders", {}), other?.post("/orders", {})]);
    expect((await one?.post("/orders", {}))?.data).toEqual({ by: "Ada" });
    expect((await other?.post("/orders", {}))?.data).toEqual({ by: "Ada" });
  });

  test("a server that does not answer signs nobody out; one that refuses does", async () => {
    const site = await withTokens();
    const client = site.client({ proof: "tokens" });
    const { data: user } = await client.register(ada);
    site.world.clock.advance(16 * 60);
    site.instead = (path) => (path.endsWith("/refresh") ? Response.json({}, { status: 503 }) : null);
    expect((await client.post("/orders", {})).error?.status).toBe(401);
    site.instead = null;
    expect((await client.post("/orders", {})).data).toEqual({ by: "Ada" });
    await site.world.auth.sessions.revokeAll(user?.id ?? "");
    expect((await client.post("/orders", {})).error?.status).toBe(401);
    expect(client.session.get().status).toBe("signed-out");
  });
});
