import type { Browser } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFinished, test } from "vitest";
import { openChromium, type Person, person, submit } from "./chromium.ts";
import { createAda, openSite, password, type Site } from "./site.ts";

const chromiumPath = inject("chromiumPath");
const next = "another good pass phrase";

describe.skipIf(chromiumPath === null)("in a browser", () => {
  let browser: Browser;
  let site: Site;

  beforeAll(async () => {
    browser = await openChromium(chromiumPath);
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    site = await openSite();
    onTestFinished(() => site.close());
  });

  async function someone(options?: Parameters<typeof person>[2]): Promise<Person> {
    const visitor = await person(browser, site, options);
    onTestFinished(() => visitor.context.close());
    return visitor;
  }

  async function signIn({ page }: Person, secret = password): Promise<void> {
    await page.goto("/login");
    await submit(page, { "Email or username": "ada", Password: secret }, "Sign in");
  }

  test.each([true, false])(
    "somebody registers, looks after the account and signs out; JavaScript: %s",
    async (javaScriptEnabled) => {
      const ada = await someone({ javaScriptEnabled });
      const { page } = ada;
      const heading = page.getByRole("heading", { level: 1 });

      await page.goto("/");
      expect(new URL(page.url()).pathname).toBe("/login");
      await page.getByRole("link", { name: "Create an account" }).click();
      await page.getByLabel("Username").fill("ada");
      await page.getByLabel("Name (optional)", { exact: true }).fill("Ada Lovelace");
      const typed = { Email: "ada@example.com", Password: password, "Confirm password": "something else" };
      await submit(page, typed, "Create account");
      expect(await page.getByRole("alert").innerText()).toContain("Passwords do not match");
      expect(await page.getByLabel("Email", { exact: true }).inputValue()).toBe("ada@example.com");
      await submit(page, { Password: password, "Confirm password": password }, "Create account");
      expect(new URL(page.url()).pathname).toBe("/app/dashboard");
      expect(await heading.innerText()).toBe("Welcome, Ada Lovelace!");

      await page.getByRole("link", { name: "Account", exact: true }).click();
      await submit(page, { "Name (optional)": "Countess Lovelace" }, "Save profile");
      expect(await page.getByRole("status").innerText()).toBe("Your profile is saved.");

      const phone = await someone({ javaScriptEnabled });
      await signIn(phone);
      await page.reload();
      expect(await page.getByRole("listitem").filter({ hasText: "Chrome on Linux" }).count()).toBe(2);
      await submit(
        page,
        { "Current password": password, "New password": next, "Confirm new password": next },
        "Change password",
      );
      expect(await page.getByRole("status").innerText()).toContain("Your password is changed.");
      await phone.page.goto("/account");
      expect(new URL(phone.page.url()).pathname).toBe("/login");
      await signIn(phone);
      expect(await phone.page.getByRole("alert").innerText()).toContain("Invalid email or password");

      await signIn(phone, next);
      expect(await phone.page.getByRole("heading", { level: 1 }).innerText()).toBe(
        "Welcome, Countess Lovelace!",
      );
      await page.goto("/account");
      await submit(page, {}, "End all other sessions");
      expect(await page.getByRole("status").innerText()).toBe("Every other session has ended.");
      await phone.page.reload();
      expect(new URL(phone.page.url()).pathname).toBe("/login");

      await page.getByRole("link", { name: "Sign out" }).click();
      await submit(page, {}, "Sign out");
      expect(await page.getByRole("status").innerText()).toBe("You are signed out.");
      await page.goBack();
      await page.goto("/app/dashboard");
      expect(page.url()).toBe(`${site.origin}/login?next=%2Fapp%2Fdashboard`);
      expect([...ada.complaints, ...phone.complaints]).toEqual([]);
    },
  );

  test("the keyboard alone signs in, and errors have the focus and lead to their fields", async () => {
    await createAda(site);
    const { page } = await someone();
    const focused = () =>
      page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent?.trim());
    const press = (key: string) => page.keyboard.press(key);
    const pressAndLoad = (key: string) => Promise.all([page.waitForEvent("domcontentloaded"), press(key)]);

    await page.goto("/login");
    await press("Tab");
    expect(await focused()).toBe("Skip to content");
    await press("Enter");
    await press("Tab");
    expect(await focused()).toBe("username");
    await pressAndLoad("Enter");
    expect(await page.evaluate(() => document.activeElement?.getAttribute("role"))).toBe("alert");
    await press("Tab");
    await press("Enter");
    expect(await focused()).toBe("username");
    await page.keyboard.type("ada");
    await press("Tab");
    expect(await focused()).toBe("password");
    await page.keyboard.type(password);
    await press("Tab");
    await press("Space");
    expect(await page.getByLabel("Keep me signed in").isChecked()).toBe(true);
    await press("Tab");
    expect(await focused()).toBe("Sign in");
    await pressAndLoad("Enter");
    expect(new URL(page.url()).pathname).toBe("/app/dashboard");
  });

  test("a page of another site can neither sign somebody in nor act for who is signed in", async () => {
    await createAda(site);
    const victim = await someone();
    await signIn(victim);
    const { page } = victim;
    const evil = `http://127.0.0.1:${new URL(site.origin).port}`;
    await page.route(`${evil}/**`, (route) =>
      route.fulfill({ contentType: "text/html", body: forgery(site.origin) }),
    );
    for (const button of ["login", "logout", "account"]) {
      await page.goto(`${evil}/`);
      const [answer] = await Promise.all([
        page.waitForResponse(`${site.origin}/**`),
        page.click(`#${button}`),
      ]);
      expect([button, answer.status()]).toEqual([button, button === "account" ? 302 : 403]);
    }
    await page.goto("/account");
    expect(await page.getByLabel("Name (optional)").inputValue()).toBe("Ada Lovelace");
  });

  test("scripts of the page see the CSRF cookie and never the session's", async () => {
    await createAda(site);
    const ada = await someone();
    await signIn(ada);
    expect(await ada.page.evaluate(() => document.cookie)).toMatch(/^latchkey-csrf=c1\.[\w-]+$/);
    const cookies = await ada.context.cookies();
    expect(cookies.find(({ name }) => name === "latchkey")).toMatchObject({
      httpOnly: true,
      sameSite: "Lax",
      path: "/",
    });
  });
});

function forgery(origin: string): string {
  const form = (id: string, fields: string) =>
    `<form method="post" action="${origin}/${id}">${fields}<button id="${id}">go</button></form>`;
  return [
    form("login", `<input name="username" value="ada"><input name="password" value="${password}">`),
    form("logout", ""),
    form("account", '<input name="form" value="profile"><input name="name" value="Eve">'),
  ].join("");
}
