import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { openChromium, type Person, person, submit } from "./chromium.ts";
import { createAda, openSite, password, type Site, type SiteOptions } from "./site.ts";

const chromiumPath = inject("chromiumPath");
const next = "another good pass phrase";
const chosen = { "New password": next, "Confirm new password": next };
const email = "ada@example.com";

describe.skipIf(chromiumPath === null)("with a browser and the mails at /dev/mail", () => {
  let browser: Browser;
  const open: Site[] = [];
  beforeAll(async () => {
    browser = await openChromium(chromiumPath);
  });
  afterAll(async () => {
    await browser?.close();
    for (const site of open) await site.close();
  });

  async function begin(options: SiteOptions = {}): Promise<{ site: Site; someone: () => Promise<Person> }> {
    const site = await openSite({ hasMail: true, registration: "open", ...options });
    open.push(site);
    return { site, someone: () => person(browser, site) };
  }

  /** Opens the newest mail as a developer does, and follows its link. */
  async function followNewest(page: Page, site: Site): Promise<void> {
    await site.newestMail();
    await page.goto("/dev/mail");
    await page.getByRole("list").last().getByRole("link").first().click();
    const link = page.locator(".mail-text a").first();
    await Promise.all([page.waitForEvent("domcontentloaded"), link.click()]);
  }

  const pathOf = (page: Page): string => new URL(page.url()).pathname + new URL(page.url()).search;

  test("somebody who forgot their password chooses another", async () => {
    const { site, someone } = await begin();
    await createAda(site);
    const { page, complaints } = await someone();
    await page.goto("/login");
    await page.getByRole("link", { name: "Forgot your password?" }).click();
    await submit(page, { Email: email }, "Send the link");
    await followNewest(page, site);
    expect(pathOf(page)).toBe("/reset");
    await submit(page, chosen, "Change password");
    await page.getByRole("link", { name: "Sign in" }).click();
    await submit(page, { "Email or username": "ada", Password: next }, "Sign in");
    expect(pathOf(page)).toBe("/app/dashboard");
    expect(complaints).toEqual([]);
  });

  test("somebody registers by a mailed link, and signs in by another later", async () => {
    const { site, someone } = await begin({ registration: "confirm" });
    const { page, complaints } = await someone();
    await page.goto("/register");
    await page.getByLabel("Username").fill("ada");
    const typed = { Email: email, Password: password, "Confirm password": password };
    await submit(page, typed, "Create account");
    expect(await page.getByRole("heading", { level: 1 }).innerText()).toBe("Look into your mail");
    await followNewest(page, site);
    await submit(page, {}, "Create account");
    expect(pathOf(page)).toBe("/app/dashboard");
    const phone = await someone();
    await phone.page.goto("/login");
    await phone.page.getByRole("link", { name: "Sign in by mail" }).click();
    await submit(phone.page, { Email: email }, "Send a link");
    await followNewest(phone.page, site);
    expect(await phone.page.getByRole("heading", { level: 1 }).innerText()).toBe("Sign in as ada");
    await submit(phone.page, {}, "Sign in as ada");
    expect(pathOf(phone.page)).toBe("/app/dashboard");
    expect([...complaints, ...phone.complaints]).toEqual([]);
  });

  test("somebody signs in by a code", async () => {
    const { site, someone } = await begin({ registration: "confirm" });
    const { page } = await someone();
    await page.goto("/register");
    await submit(page, { Email: email, Password: password, "Confirm password": password }, "Create account");
    await followNewest(page, site);
    await submit(page, {}, "Create account");
    const phone = await someone();
    await phone.page.goto("/magic");
    await submit(phone.page, { Email: email }, "Send a code");
    const code = /^ {4}([\d ]+)$/m.exec(await site.newestMail())?.[1] ?? "";
    await submit(phone.page, { Code: code }, "Sign in");
    expect(pathOf(phone.page)).toBe("/app/dashboard");
    expect(phone.complaints).toEqual([]);
  });

  test("somebody confirms their address, changes it, and its former owner takes the account back", async () => {
    const { site, someone } = await begin();
    await createAda(site);
    const { page, complaints } = await someone();
    await page.goto("/login?next=/account");
    await submit(page, { "Email or username": "ada", Password: password }, "Sign in");
    await submit(page, {}, "Send a link to confirm it");
    await followNewest(page, site);
    await submit(page, {}, "Confirm address");
    await page.goto("/account");
    await submit(page, { Email: "thief@example.com" }, "Save profile");
    expect(await page.getByRole("status").innerText()).toContain("once you have opened the link");
    await followNewest(page, site);
    await submit(page, {}, "Confirm address");
    const owner = await someone();
    await owner.page.goto(await site.mailed("/undo"));
    await submit(owner.page, chosen, "Take the account back");
    await page.goto("/account");
    expect(pathOf(page)).toBe("/login?next=%2Faccount");
    await owner.page.getByRole("link", { name: "Sign in" }).click();
    await submit(owner.page, { "Email or username": email, Password: next }, "Sign in");
    expect(pathOf(owner.page)).toBe("/app/dashboard");
    expect([...complaints, ...owner.complaints]).toEqual([]);
  });

  test("somebody ends the session of a stranger who knew the password", async () => {
    const { site, someone } = await begin();
    await createAda(site);
    const thief = await someone();
    await thief.page.goto("/login");
    await submit(thief.page, { "Email or username": "ada", Password: password }, "Sign in");
    const owner = await someone();
    await followNewest(owner.page, site);
    await submit(owner.page, {}, "End the session");
    await thief.page.goto("/account");
    expect(pathOf(thief.page)).toBe("/login?next=%2Faccount");
    expect(owner.complaints).toEqual([]);
  });
});
