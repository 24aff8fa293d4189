import { describe, expect, test } from "vitest";
import { mail } from "../../src/features/mail.ts";
import { backends } from "../support/backends.ts";
import type { Browser } from "../support/browser.ts";
import { mailWorld } from "../support/mail.ts";
import { cookieName, password, type WorldOptions, world } from "../support/world.ts";

const register = "/api/v1/auth/register";
const verify = "/api/v1/auth/email/verify";
const email = "ana@example.com";

describe.each(backends)("registering by a mailed link, on $backend", ({ open }) => {
  async function begun(fields: object = {}, options: WorldOptions = {}) {
    const here = mailWorld({ stores: await open(), registration: "confirm", ...options });
    const ana = here.browser();
    const answer = await ana.post(register, { email, password, ...fields });
    expect([answer.status, answer.body]).toEqual([202, {}]);
    await here.delivered();
    return { here, ana, token: here.sink.token(email) };
  }

  test("makes nothing before the link, and then a verified account that is signed in", async () => {
    const { here, ana, token } = await begun({ username: "ana", name: "Ana" });
    expect(await here.auth.users.findByIdentifier(email)).toBeNull();
    expect((await ana.post("/api/v1/auth/login", { email, password })).status).toBe(401);
    const { status, body } = await ana.post(verify, { token });
    expect([status, body.user?.username, body.user?.email_verified]).toEqual([201, "ana", true]);
    expect((await ana.get("/api/v1/users/me")).body.name).toBe("Ana");
    expect(here.heard("user.registered")).toHaveLength(1);
    expect(here.heard("email.verified")).toHaveLength(1);
    expect((await here.browser().post("/api/v1/auth/login", { email, password })).status).toBe(200);
  });

  test("asks in another browser for the password that was chosen, and counts wrong ones", async () => {
    const { here, token } = await begun();
    const other = here.browser();
    const asked = await other.post(verify, { token });
    expect([asked.status, asked.body.code, asked.body.errors?.[0]?.field]).toEqual([
      403,
      "fresh_auth_required",
      "password",
    ]);
    for (let tries = 0; tries < 5; tries++)
      expect((await other.post(verify, { token, password: "a wrong password" })).status).toBe(401);
    expect((await other.post(verify, { token, password })).status).toBe(429);
    expect(await here.auth.users.findByIdentifier(email)).toBeNull();
    here.clock.advance(901);
    expect((await other.post(verify, { token, password })).status).toBe(201);
  });

  test("takes no other browser's cookie for the one that registered", async () => {
    const { here, token } = await begun();
    const other = here.browser();
    await other.post(register, { email: "bo@example.com", password });
    expect(other.jar.has(`${cookieName}-form`)).toBe(true);
    expect((await other.post(verify, { token })).status).toBe(403);
  });

  test("works once, of any number at once too", async () => {
    const { here, ana, token } = await begun();
    const browsers = Array.from({ length: 6 }, () => ana.copy());
    const answers = await Promise.all(browsers.map((each) => each.post(verify, { token })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 400, 400, 400, 400, 400]);
    expect((await ana.post(verify, { token })).body.code).toBe("token_invalid");
    expect(here.heard("user.registered")).toHaveLength(1);
  });

  test("of two attempts with one address the first that is confirmed makes the account", async () => {
    const { here, ana, token } = await begun();
    const bo = here.browser();
    await bo.post(register, { email, password: "what bo has chosen" });
    await here.delivered();
    const second = here.sink.token(email);
    expect((await bo.post(verify, { token: second })).status).toBe(201);
    expect((await ana.post(verify, { token })).body.code).toBe("token_invalid");
  });

  test("keeps a username for nobody: who finds it taken at the end chooses another", async () => {
    const { here, ana, token } = await begun({ username: "ana" });
    await here.plant({ username: "ana", email: "other@example.com", emailKey: "other@example.com" });
    const refused = await ana.post(verify, { token });
    expect([refused.status, refused.body.code]).toEqual([409, "username_taken"]);
    expect((await ana.post(verify, { token, username: "ana_b" })).body.user?.username).toBe("ana_b");
  });

  test("tells the owner of an address that has an account, who gets no link to make another", async () => {
    const here = mailWorld({ stores: await open(), registration: "confirm" });
    await here.plant({ email: "Ana@example.com", emailKey: email, locale: "de-AT" });
    await here.browser().post(register, { email, password });
    await here.delivered();
    const { to, subject } = here.sink.sent.at(-1) ?? {};
    expect([to, subject]).toEqual(["Ana@example.com", "Sie haben ein Konto bei app.example"]);
    expect(here.sink.link("Ana@example.com").href).toBe(`${here.origin}/login`);
  });

  test("lapses after a day", async () => {
    const { here, ana, token } = await begun();
    here.clock.advance(86_400);
    expect((await ana.post(verify, { token })).body.code).toBe("token_invalid");
  });

  test.each(["closed", "invite"] as const)(
    "makes nothing once registration is %s, and all of it when it is open again",
    async (mode) => {
      const { here, ana, token } = await begun();
      const feature = mail({ mailer: here.sink, from: "Example <no-reply@app.example>" });
      const under = (registration: "open" | "closed" | "invite") => {
        const next = here.again({ registration, features: [feature] });
        const browser = next.browser();
        for (const [name, value] of ana.jar) browser.jar.set(name, value);
        return { next, browser };
      };
      const { next, browser } = under(mode);
      const refused = await browser.post(verify, { token });
      expect([refused.status, refused.body.code]).toEqual([403, "registration_closed"]);
      expect(await next.auth.users.findByIdentifier(email)).toBeNull();
      expect((await under("open").browser.post(verify, { token })).status).toBe(201);
    },
  );

  test("names everything that is wrong at once, and sends nothing", async () => {
    const here = mailWorld({ stores: await open(), registration: "confirm" });
    const { status, body } = await here
      .browser()
      .post(register, { email: "x", password: "short", username: "me" });
    expect([status, body.errors?.map(({ field }) => field)]).toEqual([
      400,
      ["email", "username", "password"],
    ]);
    await here.plant({ username: "ana" });
    const taken = await here.browser().post(register, { email, password, username: "Ana" });
    expect([taken.status, taken.body.code]).toEqual([409, "username_taken"]);
    await here.delivered();
    expect(here.sink.sent).toEqual([]);
  });

  test("asks the policies at both ends", async () => {
    let veto: string | null = "Members only.";
    const policies = [({ kind }: { readonly kind: string }) => (kind === "register" ? veto : null)];
    const here = mailWorld({ stores: await open(), registration: "confirm", policies });
    const ana = here.browser();
    expect((await ana.post(register, { email, password })).status).toBe(403);
    veto = null;
    await ana.post(register, { email, password });
    await here.delivered();
    const token = here.sink.token(email);
    veto = "Members only.";
    expect((await ana.post(verify, { token })).body.detail).toBe(veto);
    veto = null;
    expect((await ana.post(verify, { token })).status).toBe(201);
  });

  test("carries what was asked for: the language, and to be remembered", async () => {
    const here = mailWorld({ stores: await open(), registration: "confirm" });
    const ana = here.browser();
    const headers = { "Accept-Language": "fr, ja;q=0.9, en;q=0.5" };
    await ana.post(register, { email, password, remember: true }, { headers });
    await here.delivered();
    expect(here.sink.newest(email).subject).toBe("app.example のアカウント");
    const { body, cookies } = await ana.post(verify, { token: here.sink.token(email) });
    expect(body.user?.locale).toBe("ja");
    expect(cookies[0]?.attributes["max-age"]).toBe("2592000");
  });

  test("does not sign in where registering does not", async () => {
    const { ana, token } = await begun({}, { signInAfterRegistration: false });
    const { status, body, cookies } = await ana.post(verify, { token });
    expect([status, body.user?.email, body.csrf_token, cookies]).toEqual([201, email, undefined, []]);
  });
});

describe("an address that has an account", () => {
  async function answered(plant: (browser: Browser) => Promise<void> | void, wanted: string) {
    const here = mailWorld({ registration: "confirm", mail: { sends: false } });
    await here.plant({ email, emailKey: email, username: "known" });
    const browser = here.browser();
    await plant(browser);
    const hashed = here.threads.hashes();
    here.recorder.calls.length = 0;
    const answer = await browser.post(register, { email: wanted, password });
    const cookies = answer.cookies.map(({ name, attributes }) => [name, attributes]);
    return {
      status: answer.status,
      text: answer.text,
      headers: [...answer.headers.keys()].sort(),
      cookies,
      trace: here.recorder.trace(),
      hashes: here.threads.hashes() - hashed,
    };
  }

  test("shows in nothing: same answer, same headers, same store calls, same hashes", async () => {
    const known = await answered(() => undefined, email);
    const unknown = await answered(() => undefined, "nobody@example.com");
    expect(known).toEqual(unknown);
    expect(known).toMatchObject({ status: 202, hashes: 1 });
  });

  test("is limited as any other", async () => {
    for (const wanted of [email, "nobody@example.com"]) {
      const here = mailWorld({ registration: "confirm" });
      await here.plant({ email, emailKey: email });
      const statuses = [];
      for (let asked = 0; asked < 6; asked++)
        statuses.push((await here.browser().post(register, { email: wanted, password })).status);
      expect(statuses).toEqual([202, 202, 202, 202, 202, 429]);
    }
  });
});

describe("the mode of registration", () => {
  test("cannot be `confirm` where nothing sends mail", () => {
    expect(() => world({ registration: "confirm" })).toThrow("registration: confirm needs mail");
  });

  test("is `confirm` where mail is sent for real, `open` where it is only shown, and as configured else", () => {
    const modeOf = (options: Parameters<typeof mailWorld>[0]) => mailWorld(options).auth.config.registration;
    const without = { registration: undefined } as unknown as WorldOptions;
    expect(modeOf(without)).toBe("confirm");
    expect(modeOf({ ...without, mail: { isReal: false } })).toBe("open");
    expect(modeOf({ registration: "closed" })).toBe("closed");
  });
});
