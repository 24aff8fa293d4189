import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { oauth, oidc } from "../../src/features/oauth.ts";
import { openChromium, type Person, person, submit } from "./chromium.ts";
import { createAda, openSite, password, type Site } from "./site.ts";

const chromiumPath = inject("chromiumPath");
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** One page in one state: how to get there. */
type Stop = readonly [name: string, go: (page: Page, site: Site) => Promise<unknown>];

const signedOut: readonly Stop[] = [
  ["setup", async (page, site) => page.goto(`/setup?token=${await site.auth.users.issueSetupToken()}`)],
  ["sign-in", (page) => page.goto("/login?next=/account")],
  ["sign-in, empty", (page) => submit(page, {}, "Sign in")],
  ["sign-in, refused by a provider", (page) => page.goto("/login?refused=email_taken&provider=corp")],
  ["registration", (page) => page.goto("/register")],
  ["registration, refused", (page) => submit(page, { Email: "x", Password: "short" }, "Create account")],
  ["invitation", openInvitation],
  ["invitation, refused", (page) => submit(page, { Password: "short" }, "Create account")],
  ["a useless link", (page) => page.goto("/reset?token=%20")],
  ["a link asked for", (page) => page.goto("/reset?new=1")],
  ["a link asked for, refused", (page) => submit(page, { Email: "x" }, "Send the link")],
  ["a link on its way", (page) => submit(page, { Email: "x@example.com" }, "Send the link")],
  ["sign-in by mail", (page) => page.goto("/magic?new=1")],
  ["sign-in by code", (page) => submit(page, { Email: "x@example.com" }, "Send a code")],
  ["sign-in by code, refused", (page) => submit(page, { Code: "1234 5678" }, "Sign in")],
  ["error codes", (page) => page.goto("/problems")],
  ["one error code", (page) => page.goto("/problems/fresh_auth_required")],
  ["not found", (page) => page.goto("/nothing/here")],
];

const signedIn: readonly Stop[] = [
  ["password reset", async (page, site) => page.goto(`/reset?token=${await resetToken(site)}`)],
  ["password reset, refused", (page) => submit(page, { "New password": "short" }, "Change password")],
  ["password was reset", (page) => page.goto("/reset?done=1")],
  ["sign-in, after signing out", (page) => page.goto("/login?done=signed-out")],
  ["dashboard", signInAsAda],
  ["account", (page) => page.goto("/account?done=profile")],
  ["address, to be confirmed", confirmAddress],
  ["address, confirmed", (page) => submit(page, {}, "Confirm address")],
  ["address, to be changed", changeAddress],
  ["address, changed", (page) => submit(page, {}, "Confirm address")],
  ["address, to be changed back", async (page, site) => page.goto(await site.mailed("/undo"))],
  [
    "address, to be changed back, refused",
    (page) => submit(page, { "New password": "short" }, "Take the account back"),
  ],
  ["session, to be ended", async (page, site) => page.goto(await site.mailed("/end-session"))],
  ["session, ended", (page) => page.goto("/end-session?done=1")],
  ["account, taken back", (page) => page.goto("/undo?done=1")],
  ["sign-in by link", openMagicLink],
  ["mails", (page) => page.goto("/dev/mail")],
  ["a mail", (page) => page.goto("/dev/mail/1")],
  ["account, again", (page) => page.goto("/account")],
  ["account, refused", (page) => submit(page, { "New password": "short" }, "Change password")],
  ["account, provider out of order", (page) => submit(page, {}, "Link Corp")],
  ["account, API key refused", (page) => submit(page, {}, "Make an API key")],
  ["account, API key", (page) => submit(page, { "What the key is for": "Deployments" }, "Make an API key")],
  ["deletion", (page) => page.goto("/account/delete")],
  ["deletion, refused", (page) => submit(page, { "Current password": "wrong" }, "Delete account")],
  ["unauthorized", (page) => page.goto("/unauthorized")],
  ["acting for somebody", actForGrace],
  ["acting for somebody, refused", (page) => submit(page, {}, "Save profile")],
  ["sign-out", (page) => page.goto("/logout")],
];

/** A site with a provider that does not answer. */
function openWithProvider(): Promise<Site> {
  const issuer = "http://localhost:9";
  const corp = oidc({ name: "corp", label: "Corp", issuer, clientId: "x", dangerouslyAllowHttp: true });
  return openSite({ oauth: oauth({ providers: [corp] }), hasMail: true });
}

/** What was found on all pages, by what it is about. */
type Findings = Record<
  "axe, light" | "axe, dark" | "wide" | "unstyled" | "unseen focus" | "complaints",
  unknown[]
>;

describe.skipIf(chromiumPath === null)("every page", () => {
  const found: Findings = {
    "axe, light": [],
    "axe, dark": [],
    wide: [],
    unstyled: [],
    "unseen focus": [],
    complaints: [],
  };
  const policies = new Set<string>();
  let browser: Browser;
  let site: Site;

  beforeAll(async () => {
    browser = await openChromium(chromiumPath);
    site = await openWithProvider();
    const seenInDark = new Set<string>();
    const { page, complaints } = await tour(await person(browser, site), site, async (name, page) => {
      await page.emulateMedia({ colorScheme: "light" });
      for (const violation of await violations(page, null)) found["axe, light"].push([name, violation]);
      await page.emulateMedia({ colorScheme: "dark" });
      const looks = (await looksOf(page)).filter((look) => !seenInDark.has(look));
      for (const look of looks) seenInDark.add(look);
      const inDark = looks.length > 0 ? await violations(page, ofColors) : [];
      for (const violation of inDark) found["axe, dark"].push([name, violation]);

      for (const width of [320, 640]) found.wide.push(...(await tooWide(name, page, width)));
      await resizeText(page, "200%");
      found.wide.push(...(await tooWide(name, page, 640)));
      await resizeText(page, "");
      found["unseen focus"].push(...(await unseenFocus(name, page)));
      const isStyled = await page.evaluate(() => getComputedStyle(document.body).display === "grid");
      if (!isStyled) found.unstyled.push(name);
    });
    page.on("response", (response) => policies.add(response.headers()["content-security-policy"] ?? "none"));
    await page.reload();
    found.complaints.push(...complaints);
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  test.each(["light", "dark"] as const)("is accessible, as far as axe can tell: %s", (scheme) => {
    expect(found[`axe, ${scheme}`]).toEqual([]);
  });

  test("keeps to a Content-Security-Policy that lets no script in, and loads all it asks for", () => {
    expect([found.complaints, found.unstyled]).toEqual([[], []]);
    expect([...policies]).toEqual([
      expect.stringMatching(/^default-src 'none'; style-src 'self'; img-src 'self';/),
    ]);
  });

  test("needs no scrolling sideways at 320 px, at a zoom of 200 % and with text twice as large", () => {
    expect(found.wide).toEqual([]);
  });

  test("shows where the focus is", () => {
    expect(found["unseen focus"]).toEqual([]);
  });
});

/** Takes somebody through all pages of a site, and looks at each. */
async function tour(
  visitor: Person,
  site: Site,
  look: (name: string, page: Page) => Promise<void>,
): Promise<Person> {
  const { page } = visitor;
  const walk = async (stops: readonly Stop[]): Promise<void> => {
    for (const [name, go] of stops) {
      await go(page, site);
      await look(name, page);
    }
  };
  await walk(signedOut);
  const { id } = await createAda(site);
  const phone = {
    ip: "2001:db8::1234:5678:9abc",
    userAgent: "Mozilla/5.0 (X11; Linux) Firefox/128.0",
    requestId: null,
  };
  await site.auth.sessions.start(id, { from: phone });
  await walk(signedIn);
  return visitor;
}

async function tooWide(name: string, page: Page, width: number): Promise<readonly unknown[]> {
  await page.setViewportSize({ width, height: 600 });
  const scrolled = await page.evaluate(() => document.documentElement.scrollWidth);
  return scrolled > width ? [[name, { width, scrolled }]] : [];
}

/** By the object model, since the policy of the pages lets no style of ours in. */
async function resizeText(page: Page, fontSize: string): Promise<void> {
  await page.evaluate((size) => {
    document.documentElement.style.fontSize = size;
  }, fontSize);
}

/** Elements that the keyboard reaches without a ring around them. */
async function unseenFocus(name: string, page: Page): Promise<readonly unknown[]> {
  // After a key the browser shows the focus wherever a script moves it, as it does for the next key; a key each would be slow.
  await page.keyboard.press("Tab");
  const { reached, unseen } = await page.evaluate(() => {
    const able = "a[href], button, input, select, textarea, summary, [tabindex]";
    const reached = [...document.querySelectorAll<HTMLElement>(able)].filter((element) => {
      element.focus();
      return document.activeElement === element && element.tabIndex >= 0;
    });
    const unseen = reached.filter((element) => {
      element.focus();
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      return outlineStyle === "none" || Number.parseFloat(outlineWidth) < 2;
    });
    return { reached: reached.length, unseen: unseen.map(({ outerHTML }) => outerHTML.slice(0, 80)) };
  });
  return reached === 0 ? [[name, "nothing takes the focus"]] : unseen.map((markup) => [name, markup]);
}

/** What there is to see, as far as its contrast goes: for each text its colours, size and weight, and all that lies behind it. */
async function looksOf(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const behind = (element: Element | null): string => {
      if (element === null) return "";
      const { backgroundColor, backgroundImage, opacity } = getComputedStyle(element);
      return `${backgroundColor} ${backgroundImage} ${opacity}; ${behind(element.parentElement)}`;
    };
    const isText = ({ nodeType, textContent }: Node): boolean => nodeType === 3 && textContent?.trim() !== "";
    const looks = [...document.body.querySelectorAll("*")].flatMap((element) => {
      if (!element.matches("input, textarea, select") && ![...element.childNodes].some(isText)) return [];
      const { color, fontSize, fontWeight, textDecorationLine } = getComputedStyle(element);
      const around = getComputedStyle(element.parentElement ?? element).color;
      return [`${color} ${fontSize} ${fontWeight} ${textDecorationLine} ${around}; ${behind(element)}`];
    });
    return [...new Set(looks)];
  });
}

// In dark colours, since the page is the same.
const ofColors = ["color-contrast", "link-in-text-block"];

/** What axe finds. @param only - the rules that it goes by; null for all, which loads it into the page first */
async function violations(page: Page, only: readonly string[] | null): Promise<readonly unknown[]> {
  if (only === null) await page.evaluate(axeSource);
  return page.evaluate(async (only) => {
    type Run = (options: object) => Promise<{ violations: readonly AxeViolation[] }>;
    const { axe } = window as unknown as { axe: { run: Run } };
    const { violations } = await axe.run({ resultTypes: ["violations"], ...(only && { runOnly: only }) });
    return violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map(({ html }) => html) }));
  }, only);
}

interface AxeViolation {
  readonly id: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string }[];
}

async function confirmAddress(page: Page, site: Site): Promise<void> {
  await submit(page, {}, "Send a link to confirm it");
  await page.goto(await site.mailed("/verify"));
}

async function changeAddress(page: Page, site: Site): Promise<void> {
  await page.goto("/account");
  await submit(page, { Email: "countess@example.com" }, "Save profile");
  await page.goto(await site.mailed("/verify"));
}

async function openMagicLink(page: Page, site: Site): Promise<void> {
  await page.goto("/magic?new=1");
  await submit(page, { Email: "countess@example.com" }, "Send a link");
  await page.goto(await site.mailed("/magic"));
}

async function resetToken({ auth }: Site): Promise<string> {
  const ada = await auth.users.findByIdentifier("ada");
  return auth.users.issueResetToken(ada?.id ?? "");
}

async function openInvitation(page: Page, { administration, mailed }: Site): Promise<void> {
  await administration.operator.invite({ email: "guest@example.com", name: "Guest" });
  await page.goto(await mailed("/invite"));
}

async function actForGrace(page: Page, { administration, auth, origin }: Site): Promise<void> {
  const { operator } = administration;
  await auth.users.create({ email: "grace@example.com", username: "grace_brewster_murray_hopper", password });
  await operator.changeRights("ada", { permissions: ["user:impersonate"] as never });
  await signInAsAda(page);
  const cookies = await page.context().cookies();
  const token = cookies.find(({ name }) => name.endsWith("-csrf"))?.value ?? "";
  const path = "/api/v1/users/grace_brewster_murray_hopper/impersonate";
  const headers = { "X-CSRF-Token": token, Origin: origin };
  const answer = await page.request.post(path, { headers });
  if (!answer.ok()) throw new Error(await answer.text());
  await page.goto("/account");
}

async function signInAsAda(page: Page): Promise<void> {
  await page.goto("/login");
  await submit(page, { "Email or username": "ada", Password: password }, "Sign in");
}
