import { describe, expect, test } from "vitest";
import type { Claims, Provider } from "../../src/features/oauth.ts";
import { standardProfile } from "../../src/providers/claims.ts";
import { type FickleProvider, fickleProvider } from "../oauth/fickle-provider.ts";
import { oauthWorld } from "../oauth/steps.ts";
import { password } from "../support/world.ts";
import { registered, visitor } from "./visitor.ts";

const callback = "/api/v1/auth/oauth/callback/fickle";
const foreign = { headers: { "Sec-Fetch-Site": "cross-site" } };

async function site() {
  const provider = await fickleProvider();
  const at = oauthWorld([provider]);
  const oauth = at.auth.use(at.oauth);
  return { provider, at, oauth };
}

/** Goes to the provider by the answer of a page, and comes back. */
async function roundTrip(
  person: Awaited<ReturnType<typeof registered>>,
  { provider }: Awaited<ReturnType<typeof site>>,
  page: { readonly headers: Headers },
) {
  const url = page.headers.get("location") ?? page.headers.get("refresh")?.replace(/^0; url=/, "") ?? "";
  return person.open(`${callback}?${provider.authorize(url)}`, foreign);
}

/** How a provider without ID tokens differs. */
const fixedServer = ({ url }: FickleProvider): Provider["server"] => ({
  kind: "fixed",
  issuer: url,
  authorizationEndpoint: `${url}/authorize`,
  tokenEndpoint: `${url}/token`,
  resources: { user: `${url}/userinfo` },
});

/** Bob, who signed in with a provider ten minutes ago and has no password. */
async function withoutPassword({
  server,
  beside = [],
}: {
  readonly server?: (provider: FickleProvider) => Provider["server"];
  readonly beside?: readonly Provider[];
} = {}) {
  const provider = await fickleProvider();
  if (server !== undefined) {
    provider.defect = {
      answer: (honest) => {
        honest.delete("iss");
        return honest;
      },
      token: ({ id_token: _, ...rest }) => rest,
    };
  }
  const profile: Provider["profile"] = ({ user }) => standardProfile(user as Claims);
  const changes = server === undefined ? {} : { server: server(provider), profile };
  const at = oauthWorld([], { feature: { providers: [provider.provider(changes), ...beside] } });
  const oauth = at.auth.use(at.oauth);
  const here = { provider, at, oauth };
  const bob = visitor(at, { oauth });
  await roundTrip(bob, here, await bob.open("/api/v1/auth/oauth/fickle"));
  at.clock.advance(600);
  const { body } = await bob.browser.get("/api/v1/auth/session");
  /** Follows the offer of a page to sign in again. */
  const back = async (page: { readonly text: string }) => {
    const [, path = ""] = /href="([^"]+)">Sign in again with Fickle/.exec(page.text) ?? [];
    const again = await bob.open(path.replaceAll("&amp;", "&"));
    expect(new URL(again.location ?? "").searchParams.get("prompt")).toBe("login");
    return roundTrip(bob, here, again);
  };
  return { ...here, bob, back, userId: String(body.user?.id) };
}

describe("the sign-in page", () => {
  test("has a way to each provider, which keeps where the person was going", async () => {
    const { at, oauth } = await site();
    const { text } = await visitor(at, { oauth }).open("/login?next=%2Finvoices%3Fa%3Db");
    expect(text).toContain(
      'href="/api/v1/auth/oauth/fickle?next=%2Finvoices%3Fa%3Db">Continue with Fickle</a>',
    );
  });

  test("says nothing of providers where there are none", async () => {
    const { at } = await site();
    expect((await visitor(at).open("/login")).text).not.toContain("Continue with");
    const none = oauthWorld([]);
    const { text } = await visitor(none, { oauth: none.auth.use(none.oauth) }).open("/login");
    expect(text).not.toContain("providers");
  });

  test.each([
    ["provider_refused", "Signing in with Fickle did not work. Please try again."],
    ["email_taken", "Somebody has an account with the address that Fickle gave."],
    ["registration_closed", "Registration is closed."],
  ])("says in words what %s means", async (code, words) => {
    const { at, oauth } = await site();
    const { summary } = await visitor(at, { oauth }).open(`/login?refused=${code}&provider=fickle`);
    expect(summary).toContain(words);
  });

  test("shows no text of the address", async () => {
    const { at, oauth } = await site();
    const guest = visitor(at, { oauth });
    const paths = [
      "refused=Call+555-0100",
      "refused=__proto__",
      "refused=provider_refused&provider=Call+555",
    ];
    for (const query of paths)
      expect((await guest.open(`/login?${query}`)).text).not.toMatch(/555|undefined/);
  });
});

describe("the account page", () => {
  test("links and unlinks", async () => {
    const here = await site();
    const { at, oauth } = here;
    const ana = await registered(at, {}, { oauth });
    const begun = await ana.submit("/account", { link: "fickle" }, "accounts");
    expect([begun.status, begun.text]).toEqual([200, expect.stringContaining("On to Fickle")]);
    const back = await roundTrip(ana, here, begun);
    expect([back.status, back.location]).toEqual([303, "/account?done=linked#accounts"]);
    const page = await ana.open("/account?done=linked");
    expect(page.text).toContain("The account is linked.");
    expect(page.text).not.toContain("Link Fickle");
    const unlinked = await ana.submit("/account", { unlink: "fickle" }, "accounts");
    expect([unlinked.status, unlinked.location]).toEqual([303, "/account?done=unlinked#accounts"]);
    expect((await ana.open("/account")).text).toContain("Link Fickle");
  });

  test("asks for the password where the sign-in is too long ago, and goes on with it", async () => {
    const here = await site();
    const { at, oauth } = here;
    const ana = await registered(at, {}, { oauth });
    at.clock.advance(600);
    const asked = await ana.submit("/account", { link: "fickle" }, "accounts");
    expect([asked.status, asked.messageOf("password")]).toEqual([
      403,
      "Confirm your password to change how you sign in",
    ]);
    const wrong = { ...asked.hidden("accounts"), password: "wrong" };
    expect((await ana.post("/account", wrong)).status).toBe(401);
    const begun = await ana.post("/account", { ...asked.hidden("accounts"), password });
    expect(begun.status).toBe(200);
    expect((await roundTrip(ana, here, begun)).location).toBe("/account?done=linked#accounts");
  });

  test("leads who has no password to the provider for a fresh proof", async () => {
    const { bob, back } = await withoutPassword();
    const asked = await bob.submit("/account", { unlink: "fickle" }, "accounts");
    expect([asked.status, asked.summary]).toEqual([403, "Sign in again to change how you sign in."]);
    expect(asked.text).not.toContain('Current password</label>\n<input id="password"');
    expect((await back(asked)).location).toBe("/account#accounts");
    // Fresh now, and still the last way in.
    const last = await bob.submit("/account", { unlink: "fickle" }, "accounts");
    expect([last.status, last.summary]).toEqual([409, expect.stringContaining("last way to sign in")]);
    expect(last.text).not.toContain("Sign in again");
  });

  test("takes another address of who has no password after a fresh sign-in, and asks for no password", async () => {
    const { at, bob, back } = await withoutPassword();
    const typed = { name: "Bob", username: "bob", email: "new@example.com" };
    const asked = await bob.submit("/account", typed, "profile");
    expect([asked.status, asked.summary]).toEqual([403, "Sign in again to change your email address."]);
    expect([asked.valueOf("password"), asked.valueOf("email")]).toEqual([null, "new@example.com"]);
    expect((await back(asked)).location).toBe("/account#profile");
    expect(await bob.submit("/account", typed, "profile")).toMatchObject({ status: 303 });
    expect((await bob.open("/account")).valueOf("email")).toBe("new@example.com");
    expect(at.heard("email.changed")).toHaveLength(1);
  });

  test("offers no sign-in where what was refused has nothing to do with it", async () => {
    const { bob } = await withoutPassword();
    const typed = { name: "Bob", username: "me", email: "ana@example.com" };
    const { status, text } = await bob.submit("/account", typed, "profile");
    expect(status).toBe(400);
    expect(text).not.toContain("Sign in again");
  });

  test("offers no provider that is not linked: it would be another account's", async () => {
    const other = (await fickleProvider("other")).provider({ label: "Other" });
    const { bob } = await withoutPassword({ beside: [other] });
    const asked = await bob.submit("/account", { unlink: "fickle" }, "accounts");
    expect(asked.text).toContain("Sign in again with Fickle");
    expect(asked.text).not.toContain("Sign in again with Other");
  });

  test("offers no provider that cannot say when it asked, but an administrator's help", async () => {
    const { at, bob, oauth } = await withoutPassword({ server: fixedServer });
    const asked = await bob.submit("/account", { unlink: "fickle" }, "accounts");
    expect(asked.status).toBe(403);
    for (const { text } of [asked, await bob.open("/account/delete")]) {
      expect(text).not.toContain("Sign in again with");
      expect(text).toContain("An administrator can send you a link for choosing a password");
    }
    expect(oauth.providers).toMatchObject([{ name: "fickle", mayProveAnew: false }]);
    expect(at.heard("oauth.unlinked")).toEqual([]);
  });

  test("takes no form that is not known", async () => {
    const { at, oauth } = await site();
    const ana = await registered(at, {}, { oauth });
    const { _token = "" } = (await ana.open("/account")).hidden("profile");
    const form = { _token, form: "accounts" };
    expect((await ana.post("/account", form)).status).toBe(400);
    expect((await ana.post("/account", { ...form, link: "unheard-of" })).status).toBe(404);
    expect((await ana.post("/account", { ...form, link: "fickle", _token: "" })).status).toBe(403);
  });
});

describe("the page that deletes an account", () => {
  test("leads who has no password to the provider, and deletes after that", async () => {
    const { at, bob, back, userId } = await withoutPassword();
    const page = await bob.open("/account/delete");
    expect(page.text).not.toMatch(/type="password"|<form[^>]*delete/);
    expect((await back(page)).location).toBe("/account/delete");
    const ready = await bob.open("/account/delete");
    expect(ready.text).not.toMatch(/type="password"|Sign in again/);
    const deleted = await bob.post("/account/delete", ready.hidden());
    expect([deleted.status, deleted.location]).toEqual([303, "/login?done=deleted"]);
    expect((await at.user(userId)).status).toBe("deleted");
  });

  test("does not delete where the sign-in is too long ago by the time that the form comes", async () => {
    const { at, bob, back, userId } = await withoutPassword();
    await back(await bob.open("/account/delete"));
    const form = (await bob.open("/account/delete")).hidden();
    at.clock.advance(600);
    for (const sent of [form, { ...form, password }, { ...form, password: "" }]) {
      const late = await bob.post("/account/delete", sent);
      expect([late.status, late.summary]).toEqual([403, "Sign in again to delete your account."]);
      expect(late.text).toContain("Sign in again with Fickle");
    }
    expect((await at.user(userId)).status).toBe("active");
  });

  test("always asks who has a password for it, though the sign-in at a provider is fresh", async () => {
    const here = await site();
    const { at, oauth } = here;
    const ana = await registered(at, {}, { oauth });
    await roundTrip(ana, here, await ana.submit("/account", { link: "fickle" }, "accounts"));
    await roundTrip(ana, here, await ana.open("/api/v1/auth/oauth/fickle?fresh=on"));
    const page = await ana.open("/account/delete");
    expect(page.text).toContain('type="password"');
    const refused = await ana.post("/account/delete", page.hidden());
    expect([refused.status, refused.messageOf("password")]).toEqual([400, "Password is required"]);
    const wrong = await ana.post("/account/delete", { ...page.hidden(), password: "wrong" });
    expect(wrong.status).toBe(401);
    expect(at.heard("user.deleted")).toEqual([]);
  });
});
