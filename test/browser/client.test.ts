import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import type { Browser, BrowserContext, Page, Request } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFinished, test } from "vitest";
import { tokens } from "../../src/features/tokens.ts";
import { openChromium } from "./chromium.ts";
import { createAda, openSite, password, type Site } from "./site.ts";

const chromiumPath = inject("chromiumPath");
const login = { email: "ada@example.com", password };

/** One file for a browser, of a module. */
async function bundled(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    conditions: ["latchkey-source"],
    define: { "process.env.NODE_ENV": '"production"' },
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}

test("the client takes less than 5 kB of a page, compressed", async () => {
  const text = await bundled("../../src/client/client.ts");
  const bytes = gzipSync(text).length;
  expect(bytes).toBeGreaterThan(1_000);
  expect(bytes).toBeLessThan(5_000);
});

describe.skipIf(chromiumPath === null)("the client, in a browser", () => {
  let browser: Browser;
  let script: string;
  let site: Site;
  let context: BrowserContext;

  beforeAll(async () => {
    [browser, script] = await Promise.all([openChromium(chromiumPath), bundled("./client-page/page.ts")]);
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    site = await openSite({ tokens: tokens() });
    await createAda(site);
    context = await browser.newContext({ baseURL: site.origin });
    context.setDefaultTimeout(10_000);
    await context.route("**/client.html*", (route) =>
      route.fulfill({
        contentType: "text/html",
        body: '<!doctype html><title>Shop</title><script type="module" src="/client.js"></script>',
      }),
    );
    await context.route("**/client.js", (route) =>
      route.fulfill({ contentType: "text/javascript", body: script }),
    );
    onTestFinished(async () => {
      await context.close();
      await site.close();
    });
  });

  async function tab(search = ""): Promise<Page> {
    const page = await context.newPage();
    await page.goto(`/client.html${search}`);
    await page.getByRole("status").waitFor();
    return page;
  }

  const says = (page: Page, text: string) => page.getByRole("status").filter({ hasText: text }).waitFor();
  const signIn = (page: Page) => page.evaluate((input) => window.client.login(input), login);

  test("two tabs agree on who is signed in, and each goes on with the other's CSRF token", async () => {
    const [one, other] = [await tab(), await tab()];
    await says(one, "signed-out");
    const asked: string[] = [];
    context.on("request", (request) => {
      if (request.url().endsWith("/auth/csrf")) asked.push(request.url());
    });
    expect((await signIn(one)).error).toBeNull();
    await says(one, "Hello, Ada Lovelace");
    await says(other, "Hello, Ada Lovelace");
    // The second sign-in gives the session another id, and with it another token.
    expect((await signIn(other)).error).toBeNull();
    for (const page of [one, other, one]) {
      const ended = await page.evaluate(() => window.client.reauthenticate("wrong"));
      expect(ended.error?.code).toBe("invalid_credentials");
    }
    // From the cookie that both read, without asking.
    expect(asked).toEqual([]);
    expect((await one.evaluate(() => window.client.logout())).error).toBeNull();
    await says(other, "signed-out");
  });

  test("a component is drawn anew when something changed, and only then", async () => {
    const page = await tab();
    await signIn(page);
    await says(page, "Hello, Ada Lovelace");
    const drawn = await page.evaluate(() => window.drawn);
    for (let again = 0; again < 3; again++) await page.evaluate(() => window.client.load());
    expect(await page.evaluate(() => window.drawn)).toBe(drawn);
  });

  test("two tabs with one storage of tokens refresh once at a time, and none is signed out", async () => {
    const [one, other] = [await tab("?tokens"), await tab("?tokens")];
    await signIn(one);
    await says(other, "Hello, Ada Lovelace");
    expect(await context.cookies()).toEqual([]);
    const refreshes: Request[] = [];
    context.on("requestfinished", (request) => {
      if (request.url().endsWith("/refresh")) refreshes.push(request);
    });
    await one.evaluate(() => {
      const stored = JSON.parse(localStorage.getItem("tokens") ?? "{}");
      localStorage.setItem("tokens", JSON.stringify({ ...stored, expiresAt: 0 }));
    });
    const answers = await Promise.all(
      [one, other, one, other].map((page) => page.evaluate(() => window.ask("GET", "/api/v1/users/me"))),
    );
    expect(answers.map(({ error }) => error)).toEqual([null, null, null, null]);
    // One; or two, where what the first tab stored reached the other, a process of its own, after the word that it may go.
    const spans = refreshes.map((request) => request.timing()).toSorted((a, b) => a.startTime - b.startTime);
    expect([1, 2]).toContain(spans.length);
    const [first, second] = spans;
    if (first && second) expect(second.startTime).toBeGreaterThanOrEqual(first.startTime + first.responseEnd);
    expect(await one.evaluate(() => window.client.session.get().status)).toBe("signed-in");
  });
});
