import type { Browser } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFinished, test } from "vitest";
import { openChromium, type Person, person, submit } from "./chromium.ts";
import { createAda, openSite, password, type Site } from "./site.ts";
import { wholeJourney } from "./whole-journey.ts";

const chromiumPath = inject("chromiumPath");

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
    (javaScriptEnabled) => wholeJourney(site.origin, () => someone({ javaScriptEnabled })),
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
