import { describe, expect, test } from "vitest";
import { fickleProvider } from "../oauth/fickle-provider.ts";
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
    const here = await site();
    const { at, oauth } = here;
    const bob = visitor(at, { oauth });
    await roundTrip(bob, here, await bob.open("/api/v1/auth/oauth/fickle"));
    at.clock.advance(600);
    const asked = await bob.submit("/account", { unlink: "fickle" }, "accounts");
    expect(asked.status).toBe(403);
    const [, path = ""] = /href="([^"]+)">Sign in again with Fickle/.exec(asked.text) ?? [];
    const again = await bob.open(path.replaceAll("&amp;", "&"));
    expect(new URL(again.location ?? "").searchParams.get("prompt")).toBe("login");
    expect((await roundTrip(bob, here, again)).location).toBe("/account#accounts");
    // Fresh now, and still the last way in.
    const last = await bob.submit("/account", { unlink: "fickle" }, "accounts");
    expect([last.status, last.summary]).toEqual([409, expect.stringContaining("last way to sign in")]);
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
