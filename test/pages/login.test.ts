import { describe, expect, test } from "vitest";
import { AuthError } from "../../src/errors.ts";
import { faulty } from "../../src/testing/faulty.ts";
import { cookieName, password, world } from "../support/world.ts";
import { registered, signedIn, visitor } from "./visitor.ts";

const app = "/app/dashboard";

describe("the sign-in page", () => {
  test("is kept by no cache and asks for an address or a username", async () => {
    const page = await visitor(world()).open("/login");
    expect(page.status).toBe(200);
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(page.headers.get("cache-control")).toBe("no-store");
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
    expect(page.text).toContain("<title>Sign in · Latchkey</title>");
    expect(page.text).toContain('<label for="username">Email or username</label>');
    expect(page.text).toContain('autocomplete="current-password"');
    expect(page.text).toContain('href="/register"');
  });

  test.each(["ana", "ANA@example.com", "  ana@example.com "])(
    "lets %j in, and on to the app",
    async (username) => {
      const here = world();
      await registered(here);
      const guest = visitor(here);
      const answer = await guest.submit("/login", { username, password });
      expect([answer.status, answer.location]).toEqual([303, app]);
      expect((await guest.open(app)).text).toContain("Welcome, Ana!");
    },
  );

  test("remembers who asks for it, and nobody else", async () => {
    const here = world();
    await registered(here);
    const session = async (typed: Record<string, string>) => {
      const { cookies } = await visitor(here).submit("/login", { username: "ana", password, ...typed });
      return cookies.find(({ name }) => name === cookieName)?.attributes;
    };
    expect((await session({}))?.["max-age"]).toBeUndefined();
    expect((await session({ remember: "on" }))?.["max-age"]).toBe(String(30 * 86_400));
  });

  test("tells nobody whether the name or the password was wrong", async () => {
    const here = world();
    await registered(here);
    const guest = visitor(here);
    const wrong = await guest.submit("/login", { username: " ana ", password: "not her password" });
    const unknown = await guest.submit("/login", { username: "nobody", password: "not her password" });
    expect([wrong.status, wrong.summary]).toEqual([401, "Invalid email or password"]);
    expect([unknown.status, unknown.summary]).toEqual([401, "Invalid email or password"]);
    expect(unknown.text.replace("nobody", "ana")).toBe(wrong.text);
    expect(wrong.headers.get("www-authenticate")).toBe("Cookie");
    expect(wrong.text).toContain("<title>Error: Sign in · Latchkey</title>");
  });

  test("keeps what was typed, trimmed, and never a password", async () => {
    const page = await visitor(world()).submit("/login", {
      username: "  ana@example.com ",
      password: "a secret that must not come back",
      remember: "on",
    });
    expect(page.valueOf("username")).toBe("ana@example.com");
    expect(page.text).toContain('name="remember" type="checkbox" value="on" checked');
    expect(page.text).not.toContain("a secret that must not come back");
  });

  test("names every empty field at once, beside it and in a summary that links to it", async () => {
    const page = await visitor(world()).submit("/login", { username: " ", password: "" });
    expect(page.status).toBe(400);
    expect(page.messageOf("username")).toBe("Email or username is required");
    expect(page.messageOf("password")).toBe("Password is required");
    expect(page.text).toMatch(/role="alert" tabindex="-1" autofocus/);
    expect(page.text).toContain('<a href="#username">Email or username is required</a>');
    expect(page.text).toMatch(
      /<input id="username"[^>]* aria-describedby="username-error" aria-invalid="true"/s,
    );
  });

  test("refuses after too many failures, and says when to try again", async () => {
    const guest = visitor(world({ login: { maxAttempts: 2, windowSeconds: 900 } }));
    const typed = { username: "ana", password: "wrong" };
    for (let attempt = 0; attempt < 2; attempt++)
      expect((await guest.submit("/login", typed)).status).toBe(401);
    const page = await guest.submit("/login", typed);
    expect(page.status).toBe(429);
    expect(page.headers.get("retry-after")).toBe("900");
    expect(page.summary).toBe(
      "Too many failed login attempts. Please try again later. You can try again in 15 minutes.",
    );
    expect(page.valueOf("username")).toBe("ana");
  });

  test("gives the form back when the server is busy", async () => {
    const here = world();
    here.threads.before = async () => {
      throw new AuthError("overloaded", { retryAfterSeconds: 2 });
    };
    const page = await visitor(here).submit("/login", { username: "ana", password });
    expect([page.status, page.headers.get("retry-after"), page.valueOf("username")]).toEqual([
      503,
      "2",
      "ana",
    ]);
  });

  test("says that a store does not answer, and tells the operator", async () => {
    const here = world({
      wrap: (stores) => faulty(stores, ({ port }) => (port === "ephemeral" ? "refuse" : null)),
    });
    const told: unknown[] = [];
    const log = { error: (...line: unknown[]) => void told.push(line) };
    const page = await visitor(here, { log }).submit("/login", { username: "ana", password });
    expect(page.status).toBe(503);
    expect(page.text).toContain("Out of order for a moment");
    expect(told).toMatchObject([
      ["The service is temporarily unavailable.", { code: "store_unavailable" }, expect.anything()],
    ]);
  });

  test("shows what was typed as text and nothing else", async () => {
    const hostile = `"><script>alert(1)</script><input value='`;
    const { text } = await visitor(world()).submit("/login", { username: hostile, password: "x" });
    expect(text).not.toContain("<script");
    expect(text).toContain("&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;");
  });

  test("is not for who is signed in", async () => {
    const ana = await registered(world());
    for (const path of ["/login", "/register"]) {
      expect(await ana.open(path)).toMatchObject({ status: 302, location: app });
    }
  });

  test("replaces the session of a browser in which somebody else was signed in", async () => {
    const here = world();
    const ana = await registered(here);
    const before = ana.browser.copy();
    await registered(here, { email: "bob@example.com", username: "bob", name: "Bob" });
    const answer = await ana.post("/login", { username: "bob", password });
    expect(answer.status).toBe(303);
    expect((await ana.open(app)).text).toContain("Welcome, Bob!");
    expect((await before.get(app)).status).toBe(401);
  });
});

describe("a sign-in form from another site", () => {
  test.each([
    { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" },
    { Origin: "null", "Sec-Fetch-Site": null },
    { Origin: "https://evil.example", "Sec-Fetch-Site": null },
  ])("signs nobody in: %o", async (headers) => {
    const here = world();
    await registered(here);
    const page = await visitor(here).post("/login", { username: "ana", password }, { headers });
    expect(page.status).toBe(403);
    expect(page.cookies).toEqual([]);
    expect(page.text).toContain("This form came from another site");
  });
});

describe("the way back", () => {
  const inside = ["/account", "/account?x=1&y=%2F#part", "/problems/not_found"];
  const outside = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/.//evil.example",
    "/%2e%2e//evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    " /account",
    "account",
    "",
    `/${"a".repeat(3_000)}`,
  ];

  test.each(inside)("leads to %s after signing in, also after a failure", async (next) => {
    const here = world();
    await registered(here);
    const guest = visitor(here);
    const path = `/login?next=${encodeURIComponent(next)}`;
    expect((await guest.open(path)).hidden().next).toBe(next);
    const failed = await guest.submit(path, { username: "ana", password: "wrong" });
    expect(failed.hidden().next).toBe(next);
    const answer = await guest.post("/login", { ...failed.hidden(), username: "ana", password });
    expect([answer.status, answer.location]).toEqual([303, next]);
  });

  test.each(outside)("never leads to %j", async (next) => {
    const here = world();
    await registered(here);
    const guest = visitor(here);
    expect((await guest.open(`/login?next=${encodeURIComponent(next)}`)).hidden().next).toBeUndefined();
    const answer = await guest.post("/login", { username: "ana", password, next });
    expect([answer.status, answer.location]).toEqual([303, app]);
  });

  test("goes along to the registration form and back", async () => {
    const guest = visitor(world());
    const page = await guest.open("/login?next=/account");
    expect(page.text).toContain('href="/register?next=%2Faccount"');
    expect((await guest.open("/register?next=/account")).text).toContain('href="/login?next=%2Faccount"');
    const typed = { email: "ana@example.com", password, confirm_password: password };
    expect(await guest.submit("/register?next=/account", typed)).toMatchObject({
      status: 303,
      location: "/account",
    });
  });
});

describe("signing out", () => {
  test("takes a button: opening the page ends nothing", async () => {
    const here = world();
    const ana = await registered(here);
    expect((await ana.open("/logout")).status).toBe(200);
    expect((await ana.open(app)).status).toBe(200);
    expect(await ana.submit("/logout", {})).toMatchObject({
      status: 303,
      location: "/login?done=signed-out",
    });
    expect(ana.browser.jar.has(cookieName)).toBe(false);
    expect(await ana.open(app)).toMatchObject({ status: 302, location: "/login?next=%2Fapp%2Fdashboard" });
    expect((await ana.open("/login?done=signed-out")).text).toContain("You are signed out.");
  });

  test("ends this session alone", async () => {
    const here = world();
    const ana = await registered(here);
    const elsewhere = await signedIn(here);
    await ana.submit("/logout", {});
    expect((await elsewhere.open(app)).status).toBe(200);
  });

  test("cannot be done by another site's form", async () => {
    const ana = await registered(world());
    expect((await ana.post("/logout", {})).status).toBe(403);
    expect((await ana.open(app)).status).toBe(200);
  });

  test.each(["/logout", "/api/v1/auth/logout"])(
    "is not done by clearing the cookie for another site's form, which carries none: %s",
    async (path) => {
      const here = world();
      const headers = { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" };
      const to = path === "/logout" ? visitor(here).browser : here.browser();
      const answer = await to.send("POST", path, { form: {}, headers });
      expect([answer.status, answer.body.code, answer.cookies]).toEqual([403, "origin_rejected", []]);
    },
  );

  test("has no page for who is not signed in", async () => {
    expect(await visitor(world()).open("/logout")).toMatchObject({ status: 302, location: "/login" });
  });
});

test("only known words are said on the sign-in page", async () => {
  const page = await visitor(world()).open("/login?done=Your+account+was+hacked");
  expect(page.text).not.toContain("hacked");
  expect((await visitor(world()).open("/login?done=constructor")).text).not.toContain('role="status"');
});
