import { describe, expect, test } from "vitest";
import { backends } from "../support/backends.ts";
import { type Browser, bareRequest, parseSetCookie } from "../support/browser.ts";
import { cookieName, secret, type World, world } from "../support/world.ts";

const client = { ip: null };

/** A token for a form, its cookie kept by the browser. */
async function shown(here: World, browser: Browser, form: string): Promise<string> {
  const { token, change } = await here.auth.forms.token(form, {
    request: browser.request("GET", "/x"),
    client,
  });
  if (change !== null) {
    const answer = here.auth.seal(new Response(), change);
    for (const { name, value } of answer.headers.getSetCookie().map(parseSetCookie))
      browser.jar.set(name, value);
  }
  return token;
}

function spend(here: World, browser: Browser, form: string, token: string): Promise<string> {
  return here.auth.forms.spend(form, token, { request: browser.request("POST", "/x"), client }).then(
    () => "ok",
    ({ code }) => code,
  );
}

describe.each(backends)("a form token, on $backend", ({ open }) => {
  test("works once, however many submit it at once", async () => {
    const here = world({ stores: await open() });
    const visitor = here.browser();
    const token = await shown(here, visitor, "sign-up");
    const tried = await Promise.all(Array.from({ length: 10 }, () => spend(here, visitor, "sign-up", token)));
    expect(tried.filter((each) => each === "ok")).toHaveLength(1);
    expect(tried.filter((each) => each === "form_token_stale")).toHaveLength(9);
  });

  test("is made without a write", async () => {
    const here = world({ stores: await open() });
    await shown(here, here.browser(), "sign-up");
    expect(here.recorder.calls).toEqual([]);
  });
});

describe("a form token", () => {
  test("works for an hour, the last instant not included", async () => {
    const here = world({ session: { idleSeconds: 7_200 } });
    const visitor = here.browser();
    const [early, late] = [await shown(here, visitor, "f"), await shown(here, visitor, "f")];
    here.clock.advance(3_599.999);
    expect(await spend(here, visitor, "f", early)).toBe("ok");
    here.clock.advance(0.001);
    expect(await spend(here, visitor, "f", late)).toBe("form_token_stale");
  });

  test("stays spent for as long as it could have worked", async () => {
    const here = world();
    const visitor = here.browser();
    const token = await shown(here, visitor, "f");
    await spend(here, visitor, "f", token);
    here.clock.advance(3_599);
    await here.auth.sessions.sweep();
    expect(await spend(here, visitor, "f", token)).toBe("form_token_stale");
  });

  test("is of one form", async () => {
    const here = world();
    const visitor = here.browser();
    const token = await shown(here, visitor, "one");
    expect(await spend(here, visitor, "two", token)).toBe("form_token_stale");
    expect(await spend(here, visitor, "one", token)).toBe("ok");
  });

  test("is of one browser, before there is a session and after", async () => {
    const here = world();
    const [one, two] = [here.browser(), here.browser()];
    const token = await shown(here, one, "f");
    await shown(here, two, "f");
    expect(await spend(here, two, "f", token)).toBe("form_token_stale");
    expect(await spend(here, here.browser(), "f", token)).toBe("form_token_stale");
    const [ana, bob] = [await here.registered(), await here.registered("bob@example.com")];
    const anas = await shown(here, ana, "f");
    expect(await spend(here, bob, "f", anas)).toBe("form_token_stale");
    expect(await spend(here, ana, "f", anas)).toBe("ok");
  });

  test("before a session is bound to a cookie of its own, which is set once", async () => {
    const here = world();
    const visitor = here.browser();
    await shown(here, visitor, "f");
    const nonce = visitor.jar.get(`${cookieName}-form`);
    expect(nonce).toMatch(/^[\w-]{22}$/);
    const again = await here.auth.forms.token("f", { request: visitor.request("GET", "/x"), client });
    expect(again.change).toBeNull();
    visitor.jar.set(`${cookieName}-form`, "short");
    const replaced = await here.auth.forms.token("f", { request: visitor.request("GET", "/x"), client });
    expect(replaced.change).toEqual({ form: expect.stringMatching(/^[\w-]{22}$/) });
  });

  test("with another MAC, form, expiry or nonce, or of other secrets, is refused", async () => {
    const here = world();
    const visitor = here.browser();
    const token = await shown(here, visitor, "f");
    const [, form, nonce, expiry, mac] = token.split(".");
    for (const forged of [
      "",
      "x",
      ["f1", form, nonce, expiry, "A".repeat(43)].join("."),
      ["f1", "g", nonce, expiry, mac].join("."),
      ["f1", form, "A".repeat(22), expiry, mac].join("."),
      ["f1", form, nonce, `${expiry}0`, mac].join("."),
    ]) {
      expect(await spend(here, visitor, "f", forged)).toBe("form_token_stale");
      expect(await spend(here, visitor, "g", forged)).toBe("form_token_stale");
    }
    const other = here.again({ secrets: ["another secret of thirty-two bytes and more"] });
    expect(await spend(other, visitor, "f", token)).toBe("form_token_stale");
    const rotated = here.again({ secrets: ["another secret of thirty-two bytes and more", secret] });
    expect(await spend(rotated, visitor, "f", token)).toBe("ok");
  });

  test.each(["", "A", "a b", "a.b", "x".repeat(41)])("is made for no form of the name %j", async (form) => {
    await expect(shown(world(), world().browser(), form)).rejects.toThrow(TypeError);
  });
});

describe("a mailed token", () => {
  test("moves from the link into a cookie, and is read from there", () => {
    const { auth } = world();
    const change = auth.forms.mailed("abc.DEF_-");
    expect(change).toEqual({ mailed: "abc.DEF_-" });
    const request = bareRequest({ headers: { cookie: `${cookieName}-mailed=abc.DEF_-` } });
    expect(auth.forms.readMailed({ request, client })).toBe("abc.DEF_-");
    expect(auth.forms.readMailed({ request: bareRequest({}), client })).toBeNull();
    expect(
      auth.forms.readMailed({
        request: bareRequest({ headers: { cookie: `${cookieName}-mailed=` } }),
        client,
      }),
    ).toBeNull();
  });

  test.each(["", "a b", "a;b", "ä", "a\r\nb", "x".repeat(129)])(
    "that cannot be one moves nowhere: %j",
    (token) => {
      expect(world().auth.forms.mailed(token)).toBeNull();
    },
  );
});
