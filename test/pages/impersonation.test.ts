import { describe, expect, test } from "vitest";
import type { PageOptions } from "../../server/pages/pages.ts";
import type { Permission } from "../../src/domain/user.ts";
import { apiKeys } from "../../src/features/api-keys.ts";
import { google, oauth } from "../../src/features/oauth.ts";
import { admin, administered, users } from "../administration/staff.ts";
import type { World } from "../support/world.ts";
import { password } from "../support/world.ts";
import { type Visitor, visitor } from "./visitor.ts";

const pagesWith = (here: World): Partial<PageOptions> => ({ administration: here.auth.use(admin) });

async function acting(here: World): Promise<Visitor> {
  await here.plant({
    username: "boss",
    email: "boss@example.com",
    permissions: ["user:impersonate" as Permission],
  });
  await here.plant({ username: "ana", email: "ana@example.com", name: "Ana <b>" });
  const boss = visitor(here, pagesWith(here));
  await boss.submit("/login", { username: "boss", password });
  const { status } = await boss.browser.post(`${users}/ana/impersonate`);
  expect(status).toBe(200);
  return boss;
}

describe("the banner of who acts in somebody's place", () => {
  test("is on every page that they can open, errors included, and on nobody else's", async () => {
    const here = administered();
    const boss = await acting(here);
    const paths = [
      "/account",
      "/account/delete",
      "/app/dashboard",
      "/logout",
      "/problems",
      "/unauthorized",
      "/reset",
    ];
    for (const path of [...paths, "/invite"]) {
      const { text } = await boss.open(path);
      expect({ path, isThere: text.includes('class="acting"') }).toEqual({ path, isThere: true });
      expect(text).toMatch(/You act as <strong[^>]*>ana<\/strong>.*<strong[^>]*>boss<\/strong>/s);
    }
    const refused = await boss.post("/account", { form: "profile", name: "x" });
    expect(refused.status).toBe(403);
    expect(refused.text).toContain('class="acting"');
    const ana = visitor(here, pagesWith(here));
    for (const path of ["/login", "/problems"])
      expect((await ana.open(path)).text).not.toContain('class="acting"');
    await ana.submit("/login", { username: "ana", password });
    expect((await ana.open("/account")).text).not.toContain('class="acting"');
  });

  test("takes them back with its button, without a script", async () => {
    const here = administered();
    const boss = await acting(here);
    const page = await boss.open("/account");
    const fields = page.hidden();
    const { status, location } = await boss.post("/impersonation/stop", fields);
    expect({ status, location }).toEqual({ status: 303, location: "/app/dashboard" });
    const after = await boss.open("/account");
    expect(after.text).not.toContain('class="acting"');
    expect(after.text).toContain("boss@example.com");
    // In another tab the page is open still.
    expect((await boss.post("/impersonation/stop", after.hidden())).status).toBe(303);
    expect((await boss.open("/impersonation/stop")).location).toBe("/app/dashboard");
  });

  test("is not pressed by another site", async () => {
    const here = administered();
    const boss = await acting(here);
    const { _token } = (await boss.open("/account")).hidden();
    const headers = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
    expect((await boss.post("/impersonation/stop", { _token: _token ?? "" }, { headers })).status).toBe(403);
    expect((await boss.post("/impersonation/stop", {})).status).toBe(403);
    expect((await boss.open("/account")).text).toContain('class="acting"');
  });

  test("stands over an account page without API keys: nobody makes any there", async () => {
    const keys = apiKeys();
    const here = administered({ features: [keys] });
    await here.plant({ username: "ana", email: "ana@example.com" });
    await here.plant({ username: "root", email: "root@example.com", isSuperuser: true });
    const chief = visitor(here, { ...pagesWith(here), apiKeys: here.auth.use(keys) });
    await chief.submit("/login", { username: "root", password });
    expect((await chief.open("/account")).text).toContain("Make an API key");
    await chief.browser.post(`${users}/ana/impersonate`);
    const { status, text } = await chief.open("/account");
    expect(status).toBe(200);
    expect(text).not.toContain("Make an API key");
  });

  test("stands over an account page that says neither where the person is nor whom they are elsewhere", async () => {
    const feature = oauth({ providers: [google({ clientId: "a", clientSecret: "b" })] });
    const here = administered({ features: [feature] });
    const person = await here.plant({ username: "ana", email: "ana@example.com" });
    const account = here.make.linkedAccount(person, { provider: "google", email: "ana@elsewhere.example" });
    await here.write({ kind: "linked_account.insert", account });
    await here.plant({ username: "root", email: "root@example.com", isSuperuser: true });
    const options = { ...pagesWith(here), oauth: here.auth.use(feature) };
    const [ana, chief] = [visitor(here, options), visitor(here, options)];
    ana.browser.ip = "203.0.113.9";
    await ana.submit("/login", { username: "ana", password });
    await chief.submit("/login", { username: "root", password });
    const theirs = ["203.0.113.9", "ana@elsewhere.example", 'id="sessions"', 'id="accounts"'];
    const own = await ana.open("/account");
    for (const part of theirs) expect(own.main).toContain(part);
    expect((await ana.open("/app/dashboard")).main).toContain("#sessions");
    await chief.browser.post(`${users}/ana/impersonate`);
    const { status, main } = await chief.open("/account");
    expect(status).toBe(200);
    expect(main).toContain("ana@example.com");
    for (const part of theirs) expect(main).not.toContain(part);
    expect((await chief.open("/app/dashboard")).main).not.toContain("#sessions");
  });

  test("stands over a form that names no provider by which the person could prove who they are", async () => {
    const feature = oauth({ providers: [google({ clientId: "a", clientSecret: "b" })] });
    const here = administered({ features: [feature] });
    const user = here.make.user({ username: "ana", email: "ana@example.com" });
    const account = here.make.linkedAccount(user, { provider: "google" });
    await here.write({ kind: "user.insert", user }, { kind: "linked_account.insert", account });
    await here.plant({ username: "root", email: "root@example.com", isSuperuser: true });
    const chief = visitor(here, { ...pagesWith(here), oauth: here.auth.use(feature) });
    await chief.submit("/login", { username: "root", password });
    await chief.browser.post(`${users}/ana/impersonate`);
    const { status, main } = await chief.open("/account/delete");
    expect([status, main.includes("Google")]).toEqual([200, false]);
  });

  test("stands over forms that do nothing there", async () => {
    const here = administered();
    const boss = await acting(here);
    const before = await here.user((await here.auth.users.findByIdentifier("ana"))?.id ?? "");
    const chosen = {
      current_password: password,
      new_password: "another long one",
      confirm_password: "another long one",
    };
    expect((await boss.submit("/account", chosen, "password")).status).toBe(403);
    expect((await boss.submit("/account", { email: "x@example.com" }, "profile")).status).toBe(403);
    expect((await boss.submit("/account/delete", { password }, undefined)).status).toBe(403);
    expect(await here.user(before.id)).toEqual(before);
  });
});
