import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { oauth } from "../../src/features/oauth.ts";
import { honestProvider } from "../oauth/honest-provider.ts";
import { openChromium, type Person, person, submit } from "./chromium.ts";
import { createAda, openSite, password, type Site, type SiteOptions } from "./site.ts";

const chromiumPath = inject("chromiumPath");

describe.skipIf(chromiumPath === null)("in a browser, with a certified provider", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await openChromium(chromiumPath);
  });
  afterAll(() => browser?.close());

  async function open(options: Omit<SiteOptions, "oauth"> = {}) {
    const honest = await honestProvider();
    onTestFinished(() => honest.close());
    const site = await openSite({ ...options, oauth: oauth({ providers: [honest.provider] }) });
    onTestFinished(() => site.close());
    await honest.serve(`${site.origin}/api/v1/auth/oauth/callback/honest`);
    return { site, honest };
  }

  async function someone(site: Site, options?: Parameters<typeof person>[2]): Promise<Person> {
    const visitor = await person(browser, site, options);
    onTestFinished(() => visitor.context.close());
    return visitor;
  }

  /** At the provider: says who one is there. */
  async function sayName({ page }: Person, name: string, site: Site): Promise<void> {
    await page.getByLabel("Name").fill(name);
    await page.getByRole("button", { name: "Sign in here" }).click();
    await page.waitForURL((url) => url.origin === site.origin && !url.pathname.startsWith("/api/"));
  }

  const pathOf = ({ page }: Person): string => new URL(page.url()).pathname;

  test.each([true, false])(
    "somebody signs in, unlinks and links; JavaScript: %s",
    async (javaScriptEnabled) => {
      const { site } = await open();
      await createAda(site);
      const ada = await someone(site, { javaScriptEnabled });
      const { page } = ada;
      await page.goto("/login");
      await submit(page, { "Email or username": "ada", Password: password }, "Sign in");
      await page.goto("/account");
      await page.getByRole("button", { name: "Link Honest" }).click();
      await sayName(ada, "countess", site);
      expect(pathOf(ada)).toBe("/account");
      expect(await page.getByRole("status").innerText()).toContain("The account is linked.");
      expect(await page.locator("#accounts").innerText()).toContain("countess@example.com");

      const other = await someone(site, { javaScriptEnabled });
      await other.page.goto("/account");
      expect(pathOf(other)).toBe("/login");
      await other.page.getByRole("link", { name: "Continue with Honest" }).click();
      await sayName(other, "countess", site);
      // To where they were going.
      expect(pathOf(other)).toBe("/account");
      expect(await other.page.getByLabel("Username").inputValue()).toBe("ada");

      await page.getByRole("button", { name: "Unlink Honest" }).click();
      await page.waitForURL("**/account?done=unlinked#accounts");
      expect(await page.getByRole("status").innerText()).toBe("The account is unlinked.");
      expect([...ada.complaints, ...other.complaints]).toEqual([]);
    },
  );

  test("somebody new gets an account, and cannot lock themselves out", async () => {
    const { site } = await open();
    const bob = await someone(site);
    await bob.page.goto("/login");
    await bob.page.getByRole("link", { name: "Continue with Honest" }).click();
    await sayName(bob, "bob", site);
    expect(pathOf(bob)).toBe("/app/dashboard");
    expect(await bob.page.getByRole("heading", { level: 1 }).innerText()).toBe("Welcome, bob!");
    await bob.page.goto("/account");
    await bob.page.getByRole("button", { name: "Unlink Honest" }).click();
    // The provider may not have asked: it is asked to ask, and does, though it knows him.
    await bob.page.getByRole("link", { name: "Sign in again with Honest" }).click();
    await sayName(bob, "bob", site);
    expect(pathOf(bob)).toBe("/account");
    await bob.page.getByRole("button", { name: "Unlink Honest" }).click();
    await bob.page.waitForLoadState();
    expect(await bob.page.getByRole("alert").innerText()).toContain("last way to sign in");
    await bob.page.goto("/account/delete");
    expect(await bob.page.getByLabel("Current password").count()).toBe(0);
    await bob.page.getByRole("button", { name: "Delete account" }).click();
    await bob.page.waitForURL("**/login?done=deleted");
    expect(bob.complaints).toEqual([]);
  });

  test("an address that is taken leads back to the sign-in page, which says what to do", async () => {
    const { site } = await open();
    await createAda(site);
    const eve = await someone(site);
    await eve.page.goto("/login");
    await eve.page.getByRole("link", { name: "Continue with Honest" }).click();
    await sayName(eve, "ada", site);
    expect(pathOf(eve)).toBe("/login");
    expect(await eve.page.getByRole("alert").innerText()).toContain("then link Honest on your account page");
    expect((await eve.context.cookies()).map(({ name }) => name)).not.toContain("latchkey");
  });

  test("a strict session cookie comes along all the same", async () => {
    const { site } = await open({ cookie: { sameSite: "strict" } });
    await createAda(site);
    const ada = await someone(site);
    await ada.page.goto("/login");
    await submit(ada.page, { "Email or username": "ada", Password: password }, "Sign in");
    await ada.page.goto("/account");
    await ada.page.getByRole("button", { name: "Link Honest" }).click();
    await sayName(ada, "countess", site);
    expect(await ada.page.getByRole("status").innerText()).toContain("The account is linked.");
    const cookies = await ada.context.cookies();
    expect(cookies.find(({ name }) => name === "latchkey")?.sameSite).toBe("Strict");
    expect(ada.complaints).toEqual([]);
  });

  test("a link that another site plants starts nothing in the victim's name", async () => {
    const { site } = await open();
    const eve = await someone(site);
    let stolen = "";
    eve.page.on("request", (request) => {
      if (request.url().includes("/callback/honest?")) stolen = request.url();
    });
    await eve.page.goto("/login");
    await eve.page.getByRole("link", { name: "Continue with Honest" }).click();
    await sayName(eve, "eve", site);
    expect(stolen).toContain("code=");
    const victim = await someone(site);
    await victim.page.goto(stolen);
    expect(pathOf(victim)).toBe("/login");
    expect(await victim.page.getByRole("alert").innerText()).toContain("did not work");
    expect((await victim.context.cookies()).map(({ name }) => name)).not.toContain("latchkey");
  });
});
