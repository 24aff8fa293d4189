import type { Hono } from "hono";
import type { Auth, AuthOptions } from "latchkey";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Browser, browserOn } from "../support/browser.ts";
import { browserOf, pageProgram, password, registered, settings } from "./recipe.ts";

const email = "ana@example.com";

describe("docs/policies.md", async () => {
  type Contract = (userId: string) => Promise<boolean>;
  const { club } = await pageProgram<{ club(given: AuthOptions, hasContract: Contract): Auth }>("policies");

  function opened(hasContract: Contract = async () => true): Browser {
    const given = settings();
    const log = { error: () => undefined, warn: () => undefined };
    return browserOfAuth(club({ ...given, log }, hasContract), given.origin);
  }

  test("who has no address of the company gets no account, and reads why", async () => {
    const browser = opened();
    const refused = await browser.post("/api/v1/auth/register", { email: "ana@elsewhere.example", password });
    expect([refused.status, refused.body.code]).toEqual([403, "forbidden"]);
    expect(refused.body.detail).toBe("Please register with your company's address.");
    await registered(browser, email);
  });

  test("a sign-in is refused by the policy, with the right password alone", async () => {
    let hasContract = true;
    const browser = opened(async () => hasContract);
    await registered(browser, email);
    hasContract = false;
    const other = await browser.copy().post("/api/v1/auth/login", { email, password });
    expect(other.body.detail).toBe("Your contract has ended.");
    const wrong = await browser.copy().post("/api/v1/auth/login", { email, password: "a wrong password" });
    expect(wrong.body.code).toBe("invalid_credentials");
    expect((await browser.get("/api/v1/users/me")).status).toBe(200);
  });

  test("a policy that fails lets nobody in", async () => {
    let fails = false;
    const browser = opened(async () => {
      if (fails) throw new Error("the other system is down");
      return true;
    });
    await registered(browser, email);
    fails = true;
    expect((await browser.copy().post("/api/v1/auth/login", { email, password })).status).toBe(500);
  });
});

describe("docs/forms.md", async () => {
  const { shop } = await pageProgram<{ shop(given: AuthOptions): Hono }>("forms");
  const page = { headers: { Accept: "text/html", "Sec-Fetch-Mode": "navigate" } };

  async function opened() {
    const given = settings();
    const app = shop(given);
    await registered(browserOf(app, given.origin));
    return { app, origin: given.origin, browser: browserOf(app, given.origin) };
  }

  async function signedIn(next = "") {
    const { browser } = await opened();
    const answer = await browser.send("POST", `/login${next}`, { form: { email, password } });
    return { browser, answer };
  }

  /** Sends the form as browsers do, which say how long it is. */
  function order(browser: Browser, token: string) {
    const form = { _token: token };
    const headers = { "Content-Length": String(`${new URLSearchParams(form)}`.length) };
    return browser.send("POST", "/order", { form, headers, csrf: false });
  }

  const tokenIn = (text: string): string => /name="_token" value="([^"]+)"/.exec(text)?.[1] ?? "";

  test("the page leads to the sign-in and back to where one was going, and nowhere else", async () => {
    const { browser } = await opened();
    expect((await browser.get("/order", page)).headers.get("location")).toBe("/login?next=%2Forder");
    const back = await signedIn("?next=%2Forder%3Fcolour%3Dblue");
    expect(back.answer.headers.get("location")).toBe("/order?colour=blue");
    const away = await signedIn("?next=%2F%2Fevil.example");
    expect(away.answer.headers.get("location")).toBe("/order");
  });

  test("who is signed in is sent on from the sign-in page", async () => {
    const { browser } = await signedIn();
    expect((await browser.get("/login", page)).headers.get("location")).toBe("/order");
  });

  test("another site's form signs nobody in", async () => {
    const { browser } = await opened();
    const headers = { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" };
    const answer = await browser.send("POST", "/login", { form: { email, password }, headers });
    expect([answer.status, answer.cookies.length]).toEqual([403, 0]);
  });

  test("of several clicks on one form one orders, and the token is the only one it needs", async () => {
    const { browser } = await signedIn();
    const token = tokenIn((await browser.get("/order")).text);
    const click = () => order(browser, token);
    const clicks = await Promise.all([click(), click(), click()]);
    expect(clicks.map(({ status }) => status).toSorted()).toEqual([200, 403, 403]);
    expect(clicks.find(({ status }) => status === 403)?.body.code).toBe("form_token_stale");
  });

  test("a token of another browser orders nothing", async () => {
    const { browser } = await signedIn();
    const { browser: thief } = await signedIn();
    const token = tokenIn((await thief.get("/order")).text);
    expect((await order(browser, token)).body.code).toBe("csrf_failed");
  });
});

describe("docs/refusals.md", async () => {
  const { likeBefore } = await pageProgram<{ likeBefore(given: AuthOptions): Auth }>("refusals");

  test("below one path refusals look as clients expect them, everywhere else they are problem documents", async () => {
    const given = settings();
    const auth = likeBefore(given);
    const browser = browserOfAuth(auth, given.origin);
    const old = await browser.get("/legacy/orders");
    expect([old.status, old.body]).toEqual([
      401,
      { success: false, error: expect.stringMatching(/sign in/i) },
    ]);
    expect((await browser.get("/api/v1/users/me")).body.code).toBe("not_authenticated");
  });
});

/** A browser on Latchkey's own routes and a page for whoever is signed in. */
function browserOfAuth(auth: Auth, origin: string): Browser {
  onTestFinished(() => auth.close());
  const home = auth.protect(() => new Response("home"));
  return browserOn(
    async (request, client) => (await auth.handle(request, client)) ?? home(request, client),
    origin,
  );
}
