import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { apiKeys } from "../../src/features/api-keys.ts";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";
import { backends, temporaryDirectory } from "../support/backends.ts";
import { mailWorld } from "../support/mail.ts";
import { password, type WorldOptions } from "../support/world.ts";

const base = "/api/v1/auth";
const email = "ana@example.com";
const next = "another good pass phrase";

describe.each(backends)("a link to choose a password, on $backend", ({ open }) => {
  test("comes by mail, works once, ends every session and signs nobody in", async () => {
    const here = mailWorld({ stores: await open() });
    const ana = await here.registered(email);
    const asked = await here.browser().post(`${base}/password/forgot`, { email: " ANA@example.com" });
    expect([asked.status, asked.body]).toEqual([202, {}]);
    await here.delivered();
    const token = here.sink.token(email);
    const guest = here.browser();
    const done = await guest.post(`${base}/password/reset`, { token, new_password: next });
    expect([done.status, done.text, guest.jar.size]).toEqual([204, "", 0]);
    expect((await ana.get("/api/v1/users/me")).status).toBe(401);
    const again = await guest.post(`${base}/password/reset`, { token, new_password: next });
    expect([again.status, again.body.code]).toEqual([400, "token_invalid"]);
    expect(await here.auth.users.verifyPassword(ana.userId, next)).toBe(true);
    await here.delivered();
    expect(here.sink.newest(email).subject).toContain("was changed");
  });

  test("is made by the sender: the outbox, the log and the audit log know no token and no address", async () => {
    const here = mailWorld({ stores: await open() });
    await here.registered(email);
    here.recorder.calls.length = 0;
    await here.browser().post(`${base}/password/forgot`, { email });
    const written = JSON.stringify(here.recorder.calls.filter(({ name }) => name === "directory.commit"));
    expect(written).toContain('"purpose":"reset"');
    expect(written).not.toContain(email);
    await here.delivered();
    const all = JSON.stringify([here.recorder.calls, here.log, here.events]);
    expect(all).not.toContain(here.sink.token(email).slice(23));
  });

  test("goes to the address that the account has, and never to the one that was typed", async () => {
    const here = mailWorld({ stores: await open() });
    await here.registered("Ana@example.com");
    // Folds to the same key, and is another mailbox.
    await here.browser().post(`${base}/password/forgot`, { email: "\uff41na@example.com" });
    await here.delivered();
    expect(here.sink.sent.at(-1)?.to).toBe("Ana@example.com");
  });

  test("leads to the configured origin, whatever host the request names", async () => {
    const here = mailWorld({ stores: await open() });
    await here.registered(email);
    const headers = { Host: "evil.example", "X-Forwarded-Host": "evil.example" };
    await here.browser().post(`${base}/password/forgot`, { email }, { headers });
    await here.delivered();
    expect(here.sink.link(email).origin).toBe(here.origin);
    expect(JSON.stringify(here.sink.sent)).not.toContain("evil");
  });

  test("expires after 15 minutes, counted from when the mail was sent", async () => {
    const here = mailWorld({ stores: await open() });
    await here.registered(email);
    await here.browser().post(`${base}/password/forgot`, { email });
    await here.delivered();
    here.clock.advance(900);
    const late = await here.browser().post(`${base}/password/reset`, {
      token: here.sink.token(email),
      new_password: next,
    });
    expect(late.body.code).toBe("token_invalid");
  });

  test("opens nothing once the account has another address: who gave the mailbox up must not come in by it", async () => {
    const here = mailWorld({ stores: await open() });
    const ana = await here.registered(email);
    await here.browser().post(`${base}/password/forgot`, { email });
    await here.delivered();
    const token = here.sink.token(email);
    const { version } = await here.user(ana.userId);
    const changes = { email: "new@example.com", emailKey: "new@example.com" };
    await here.write({ kind: "user.update", userId: ana.userId, version, changes });
    const late = await here.browser().post(`${base}/password/reset`, { token, new_password: next });
    expect([late.status, late.body.code]).toEqual([400, "token_invalid"]);
  });

  test("gives an account whose address was never verified to its mailbox alone: keys and linked accounts go", async () => {
    const here = mailWorld({ stores: await open(), features: [apiKeys()] });
    const squatter = await here.registered(email);
    await here.delivered();
    const { body: key } = await squatter.post("/api/v1/api-keys", { name: "back door" });
    const user = await here.user(squatter.userId);
    const account = here.make.linkedAccount(user);
    await here.write({ kind: "linked_account.insert", account });
    await here.browser().post(`${base}/password/forgot`, { email });
    await here.delivered();
    const token = here.sink.token(email);
    expect((await here.browser().post(`${base}/password/reset`, { token, new_password: next })).status).toBe(
      204,
    );
    const directory = here.recorder.stores.directory;
    expect(await directory.linkedAccounts(user.id, here.call())).toEqual([]);
    const headers = { "X-API-Key": String(key.key) };
    expect((await here.browser().get("/api/v1/users/me", { headers })).status).toBe(401);
    expect((await here.user(user.id)).emailVerified).toBe(true);
    expect(here.heard("oauth.unlinked")).toHaveLength(1);
    expect(here.heard("api_key.revoked")).toHaveLength(1);
  });

  test("leaves no key of a squatter that was made while it was redeemed", async () => {
    const here = mailWorld({ stores: await open(), features: [apiKeys()] });
    const user = await here.plant({ email, emailKey: email, emailVerified: false });
    await here.browser().post(`${base}/password/forgot`, { email });
    await here.delivered();
    const token = here.sink.token(email);
    let isMade = false;
    here.recorder.before = ({ writes }) => {
      if (isMade || !writes.includes("user.advance")) return null;
      isMade = true;
      return here.write({ kind: "api_key.insert", key: here.make.apiKey(user) });
    };
    expect((await here.browser().post(`${base}/password/reset`, { token, new_password: next })).status).toBe(
      204,
    );
    expect(isMade).toBe(true);
    expect(await here.recorder.stores.directory.apiKeys(user.id, here.call())).toEqual([]);
  });

  test("leaves the keys and linked accounts of a verified account alone", async () => {
    const here = mailWorld({ stores: await open(), features: [apiKeys()] });
    const user = await here.plant({ email, emailKey: email, emailVerified: true });
    await here.write({ kind: "linked_account.insert", account: here.make.linkedAccount(user) });
    await here.browser().post(`${base}/password/forgot`, { email });
    await here.delivered();
    const token = here.sink.token(email);
    expect((await here.browser().post(`${base}/password/reset`, { token, new_password: next })).status).toBe(
      204,
    );
    expect(await here.recorder.stores.directory.linkedAccounts(user.id, here.call())).toHaveLength(1);
  });

  test("of an operator says nothing of the mailbox: nothing is verified by it", async () => {
    const here = mailWorld({ stores: await open() });
    const user = await here.plant({ email, emailKey: email, emailVerified: false });
    const token = await here.auth.users.issueResetToken(user.id);
    expect((await here.browser().post(`${base}/password/reset`, { token, new_password: next })).status).toBe(
      204,
    );
    expect((await here.user(user.id)).emailVerified).toBe(false);
  });
});

describe.each(backends)("signing in by a mailed link, on $backend", ({ open }) => {
  async function asked(isVerified = true) {
    const here = mailWorld({ stores: await open() });
    const user = await here.plant({ email, emailKey: email, emailVerified: isVerified });
    expect((await here.browser().post(`${base}/magic-link`, { email })).status).toBe(202);
    await here.delivered();
    return { here, user, token: here.sink.token(email) };
  }

  test("works once, and says how", async () => {
    const { here, user, token } = await asked();
    const guest = here.browser();
    const { status, body, cookies } = await guest.post(`${base}/magic-link/redeem`, { token });
    expect([status, body.user?.id, body.csrf_token]).toEqual([200, user.id, cookies[1]?.value]);
    expect((await guest.get("/api/v1/users/me")).status).toBe(200);
    expect(here.heard("user.logged_in")).toMatchObject([{ userId: user.id, payload: { amr: ["email"] } }]);
    const again = await here.browser().post(`${base}/magic-link/redeem`, { token });
    expect([again.status, again.body.code]).toEqual([400, "token_invalid"]);
  });

  test("gives one session to any number of redemptions at once", async () => {
    const { here, user, token } = await asked();
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => here.browser().post(`${base}/magic-link/redeem`, { token })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await here.auth.sessions.list(user.id)).toHaveLength(1);
  });

  test("is refused after the user's proofs were ended, and where they may not sign in any more", async () => {
    const { here, user, token } = await asked();
    await here.auth.sessions.revokeAll(user.id);
    expect((await here.browser().post(`${base}/magic-link/redeem`, { token })).status).toBe(400);
    const second = await asked();
    const changes = { status: "disabled" } as const;
    await second.here.write({ kind: "user.update", userId: second.user.id, version: 1, changes });
    const answer = await second.here.browser().post(`${base}/magic-link/redeem`, { token: second.token });
    expect(answer.status).toBe(400);
  });

  test("is refused once the account has another address, though the mailbox still has the link", async () => {
    const { here, user, token } = await asked();
    const changes = { email: "new@example.com", emailKey: "new@example.com" };
    await here.write({ kind: "user.update", userId: user.id, version: 1, changes });
    expect((await here.browser().post(`${base}/magic-link/redeem`, { token })).status).toBe(400);
  });

  test("is refused by a policy, which is on record, and the link still works", async () => {
    let veto: string | null = "Not on Sundays.";
    const here = mailWorld({
      stores: await open(),
      policies: [({ kind }) => (kind === "login" ? veto : null)],
    });
    const user = await here.plant({ email, emailKey: email, emailVerified: true });
    await here.browser().post(`${base}/magic-link`, { email });
    await here.delivered();
    const token = here.sink.token(email);
    const refused = await here.browser().post(`${base}/magic-link/redeem`, { token });
    expect([refused.status, refused.body.detail]).toEqual([403, veto]);
    expect(here.heard("user.login_failed")).toMatchObject([
      { userId: user.id, payload: { reason: "policy" } },
    ]);
    expect(await here.audit("user.login_failed")).toHaveLength(1);
    veto = null;
    expect((await here.browser().post(`${base}/magic-link/redeem`, { token })).status).toBe(200);
  });

  test("is for mailboxes that somebody has shown to be theirs: others get the link that makes the account theirs alone", async () => {
    const { here } = await asked(false);
    expect(here.sink.link(email).pathname).toBe("/reset");
    const answer = await here.browser().post(`${base}/magic-link/redeem`, { token: here.sink.token(email) });
    expect(answer.status).toBe(400);
  });

  test("replaces the session that the browser carried, and another site cannot post it", async () => {
    const { here, user, token } = await asked();
    const bo = await here.registered("bo@example.com");
    const headers = { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" };
    const forged = await bo.post(`${base}/magic-link/redeem`, { token }, { headers });
    expect([forged.status, forged.body.code]).toEqual([403, "origin_rejected"]);
    expect((await bo.get("/api/v1/users/me")).body.id).toBe(bo.userId);
    await bo.post(`${base}/magic-link/redeem`, { token });
    expect((await bo.get("/api/v1/users/me")).body.id).toBe(user.id);
    expect(await here.auth.sessions.list(bo.userId)).toEqual([]);
  });
});

describe.each(backends)("signing in by a mailed code, on $backend", ({ open }) => {
  async function asked(options: WorldOptions = {}) {
    const here = mailWorld({ stores: await open(), ...options });
    const user = await here.plant({ email, emailKey: email, emailVerified: true });
    const { status, body } = await here.browser().post(`${base}/email-code`, { email });
    expect([status, body.expires_in]).toEqual([202, 600]);
    await here.delivered();
    return { here, user, id: String(body.id), code: here.sink.code(email) };
  }
  const wrongOf = (code: string): string => String((Number(code) + 1) % 100_000_000).padStart(8, "0");

  test("is refused by a policy, which is on record, and the code still works", async () => {
    let veto: string | null = "Not on Sundays.";
    const policies = [({ kind }: { readonly kind: string }) => (kind === "login" ? veto : null)];
    const { here, user, id, code } = await asked({ policies });
    const refused = await here.browser().post(`${base}/email-code/redeem`, { id, code });
    expect([refused.status, refused.body.detail]).toEqual([403, veto]);
    expect(here.heard("user.login_failed")).toMatchObject([
      { userId: user.id, payload: { reason: "policy" } },
    ]);
    expect(await here.audit("user.login_failed")).toHaveLength(1);
    veto = null;
    expect((await here.browser().post(`${base}/email-code/redeem`, { id, code })).status).toBe(200);
  });

  test("works once, however it is spaced", async () => {
    const { here, user, id, code } = await asked();
    expect(code).toMatch(/^\d{8}$/);
    const typed = `${code.slice(0, 4)} ${code.slice(4, 6)}-${code.slice(6)}`;
    const answer = await here.browser().post(`${base}/email-code/redeem`, { id, code: typed });
    expect([answer.status, answer.body.user?.id]).toEqual([200, user.id]);
    expect(here.heard("user.logged_in")[0]?.payload.amr).toEqual(["email"]);
    expect((await here.browser().post(`${base}/email-code/redeem`, { id, code })).status).toBe(400);
  });

  test("allows five wrong ones for one request, then the right one is refused too", async () => {
    const { here, id, code } = await asked();
    for (let tries = 0; tries < 5; tries++) {
      const wrong = await here.browser().post(`${base}/email-code/redeem`, { id, code: wrongOf(code) });
      expect([wrong.status, wrong.body.code]).toEqual([400, "token_invalid"]);
    }
    const late = await here.browser().post(`${base}/email-code/redeem`, { id, code });
    expect([late.status, late.body.code]).toEqual([429, "rate_limited"]);
    expect(here.heard("user.login_failed")).toHaveLength(5);
  });

  test("lets no more than five tries through, however many come at once", async () => {
    const { here, id, code } = await asked();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        here.browser().post(`${base}/email-code/redeem`, { id, code: wrongOf(code) }),
      ),
    );
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(5);
  });

  test("is of who asked: tries at somebody else's request use nothing of it up", async () => {
    const { here, id, code } = await asked();
    const { body } = await here.browser().post(`${base}/email-code`, { email });
    for (let tries = 0; tries < 6; tries++)
      await here.browser().post(`${base}/email-code/redeem`, { id: body.id, code: "00000000" });
    expect((await here.browser().post(`${base}/email-code/redeem`, { id, code })).status).toBe(200);
  });

  test("is a keyed digest in the store, of which no eight digits can be tried out", async () => {
    const { here, id, code } = await asked();
    const kept = await here.recorder.stores.ephemeral.read(`token:email_code:${id}`, here.call());
    expect(kept).not.toContain(code);
    const again = here.again({ secrets: ["another secret of at least thirty-two bytes"] });
    const answer = await again.browser().post(`${base}/email-code/redeem`, { id, code });
    expect(answer.status).toBe(400);
  });

  test("expires after ten minutes, and a mail that waited longer is not sent", async () => {
    const { here, id, code } = await asked();
    here.clock.advance(600);
    expect((await here.browser().post(`${base}/email-code/redeem`, { id, code })).status).toBe(400);
    const slow = mailWorld({ stores: await open(), mail: { sends: false } });
    await slow.plant({ email, emailKey: email, emailVerified: true });
    await slow.browser().post(`${base}/email-code`, { email });
    slow.clock.advance(601);
    await slow.delivered();
    expect(slow.sink.sent).toEqual([]);
  });

  test.each(["", "1234567", "123456789", "12345678x", "１２３４５６７８", "-1234567"])(
    "refuses %j without a try",
    async (code) => {
      const { here, id } = await asked();
      here.recorder.calls.length = 0;
      const answer = await here.browser().post(`${base}/email-code/redeem`, { id, code });
      expect(answer.status).toBe(400);
      expect(here.recorder.trace().filter((name) => name.includes("read"))).toEqual([]);
    },
  );
});

describe("asking for a mail", () => {
  test.each(["password/forgot", "magic-link", "email-code"])(
    "by %s does the same work and says the same, whether the address is somebody's or nobody's",
    async (path) => {
      const traces = [];
      for (const [wanted, status] of [
        [email, "active"],
        ["nobody@example.com", "active"],
        [email, "disabled"],
      ] as const) {
        const here = mailWorld({ mail: { sends: false } });
        await here.plant({ email, emailKey: email, emailVerified: true, status });
        const hashed = here.threads.hashes();
        here.recorder.calls.length = 0;
        const answer = await here.browser().post(`${base}/${path}`, { email: wanted });
        const names = [...answer.headers.keys()].sort();
        const shape = Object.keys(answer.body);
        traces.push([answer.status, names, shape, answer.cookies.length, here.recorder.trace()]);
        expect(here.threads.hashes()).toBe(hashed);
      }
      expect(traces[1]).toEqual(traces[0]);
      expect(traces[2]).toEqual(traces[0]);
    },
  );

  test("a wrong code costs the same for a request that no mail went out for", async () => {
    const traces = [];
    for (const wanted of [email, "nobody@example.com"]) {
      const here = mailWorld();
      await here.plant({ email, emailKey: email, emailVerified: true });
      const { body } = await here.browser().post(`${base}/email-code`, { email: wanted });
      await here.delivered();
      here.recorder.calls.length = 0;
      const answer = await here
        .browser()
        .post(`${base}/email-code/redeem`, { id: body.id, code: "00000000" });
      traces.push([answer.status, answer.text.replace(/"request_id":"[^"]*"/, ""), here.recorder.trace()]);
    }
    expect(traces[1]).toEqual(traces[0]);
  });

  test("for an address is limited by what was typed, known or not, and for a client", async () => {
    for (const wanted of [email, "nobody@example.com"]) {
      const here = mailWorld();
      await here.plant({ email, emailKey: email });
      const statuses = [];
      for (let asked = 0; asked < 6; asked++) {
        const browser = here.browser();
        browser.ip = `192.0.2.${asked}`;
        statuses.push((await browser.post(`${base}/password/forgot`, { email: wanted })).status);
      }
      expect(statuses).toEqual([202, 202, 202, 202, 202, 429]);
      expect((await here.browser().post(`${base}/magic-link`, { email: wanted })).status).toBe(202);
    }
    const here = mailWorld();
    const statuses = [];
    for (let asked = 0; asked < 101; asked++)
      statuses.push(
        (await here.browser().post(`${base}/magic-link`, { email: `a${asked}@example.com` })).status,
      );
    expect(statuses.indexOf(429)).toBe(100);
  });

  test.each(["", "no address", "a@b@c", "x".repeat(255), "a@example.com\r\nBcc: b@example.com"])(
    "for %j is refused",
    async (typed) => {
      const here = mailWorld();
      const answer = await here.browser().post(`${base}/password/forgot`, { email: typed });
      expect([answer.status, answer.body.code]).toEqual([400, "invalid_input"]);
      await here.delivered();
      expect(here.sink.sent).toEqual([]);
    },
  );

  test("by a page of another site is refused", async () => {
    const here = mailWorld();
    const headers = { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" };
    const answer = await here.browser().post(`${base}/password/forgot`, { email }, { headers });
    expect([answer.status, answer.body.code]).toEqual([403, "origin_rejected"]);
  });

  test("is on record, with the account that it is about", async () => {
    const here = mailWorld();
    const user = await here.plant({ email, emailKey: email });
    for (const path of ["password/forgot", "magic-link", "email-code"]) {
      await here.browser().post(`${base}/${path}`, { email });
      await here.browser().post(`${base}/${path}`, { email: "nobody@example.com" });
    }
    for (const type of ["password.reset_requested", "magic_link.requested", "email_code.requested"] as const)
      expect(here.heard(type).map(({ userId }) => userId)).toEqual([user.id, null]);
  });
});

test("no token and no code that was ever mailed lies in the database, in a log or in an event", async () => {
  const directory = temporaryDirectory();
  const here = mailWorld({ stores: sqlite({ path: join(directory, "latchkey.db") }) });
  const secrets = new Set<string>();
  const remember = async (to: string): Promise<string> => {
    await here.delivered();
    const token = here.sink.token(to);
    secrets.add(token.slice(23));
    return token;
  };
  const ana = await here.registered(email);
  await ana.post(`${base}/email/verify`, { token: await remember(email) });
  await here.browser().post(`${base}/password/forgot`, { email });
  await remember(email);
  await here.browser().post(`${base}/magic-link`, { email });
  await remember(email);
  const { body } = await here.browser().post(`${base}/email-code`, { email });
  await here.delivered();
  const code = here.sink.code(email);
  await here.browser().post(`${base}/email-code/redeem`, { id: body.id, code });
  await ana.patch("/api/v1/users/me", { email: "new@example.com" });
  await ana.post(`${base}/email/verify`, { token: await remember("new@example.com") });
  await remember(email);
  await here.browser().post(`${base}/login`, { email: "new@example.com", password });
  await remember("new@example.com");
  await here.settle();
  const files = readdirSync(directory).map((name) => readFileSync(join(directory, name)));
  const told = inspect([here.log, here.events], { depth: 10, maxArrayLength: null, maxStringLength: null });
  expect(files.some((bytes) => bytes.includes("new@example.com"))).toBe(true);
  expect(secrets.size).toBe(6);
  for (const secret of [...secrets, code]) {
    const isKept = files.some((bytes) => bytes.includes(secret));
    expect([secret, isKept, told.includes(secret)]).toEqual([secret, false, false]);
  }
});
