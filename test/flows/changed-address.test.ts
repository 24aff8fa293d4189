import { describe, expect, test } from "vitest";
import { parseSessionToken } from "../../src/domain/session.ts";
import { apiKeys } from "../../src/features/api-keys.ts";
import { tokens } from "../../src/features/tokens.ts";
import { backends } from "../support/backends.ts";
import type { Browser } from "../support/browser.ts";
import { mailWorld } from "../support/mail.ts";
import { cookieName, password } from "../support/world.ts";

const base = "/api/v1/auth";
const email = "ana@example.com";
const fresh = "new@example.com";
const next = "another good pass phrase";

describe.each(backends)("confirming one's own address, on $backend", ({ open }) => {
  test("by the link of the registration, for who is signed in to that account", async () => {
    const here = mailWorld({ stores: await open() });
    const ana = await here.registered(email);
    await here.delivered();
    const token = here.sink.token(email);
    expect((await here.browser().post(`${base}/email/verify`, { token })).body.code).toBe(
      "not_authenticated",
    );
    const bo = await here.registered("bo@example.com");
    const foreign = await bo.post(`${base}/email/verify`, { token });
    expect([foreign.status, foreign.body.code]).toEqual([403, "forbidden"]);
    const { status, body } = await ana.post(`${base}/email/verify`, { token });
    expect([status, body.user?.email_verified]).toEqual([200, true]);
    expect((await ana.post(`${base}/email/verify`, { token })).status).toBe(400);
    expect(here.heard("email.verified")).toMatchObject([{ userId: ana.userId }]);
  });

  test("can be asked for again, five times an hour; who is verified gets no mail", async () => {
    const here = mailWorld({ stores: await open() });
    const ana = await here.registered(email);
    const statuses = [];
    for (let asked = 0; asked < 6; asked++)
      statuses.push((await ana.post(`${base}/email/verify/request`)).status);
    expect(statuses).toEqual([202, 202, 202, 202, 202, 429]);
    await here.delivered();
    await ana.post(`${base}/email/verify`, { token: here.sink.token(email) });
    here.clock.advance(3_600);
    await ana.post(`${base}/login`, { email, password });
    await here.delivered();
    const sent = here.sink.sent.length;
    expect((await ana.post(`${base}/email/verify/request`)).status).toBe(202);
    await here.delivered();
    expect(here.sink.sent).toHaveLength(sent);
    expect((await here.browser().post(`${base}/email/verify/request`)).status).toBe(401);
  });

  test("by an access token is refused: it must not hand the session on", async () => {
    const here = mailWorld({ stores: await open(), features: [tokens()] });
    const ana = await here.registered(email);
    await here.delivered();
    const { body: issued } = await ana.post(`${base}/token`);
    const headers = { Authorization: `Bearer ${issued.access_token}` };
    const token = here.sink.token(email);
    const answer = await here.browser().post(`${base}/email/verify`, { token }, { headers });
    expect([answer.status, answer.body.code]).toEqual([403, "forbidden"]);
  });

  test("needs the CSRF token of the session", async () => {
    const here = mailWorld({ stores: await open() });
    const ana = await here.registered(email);
    await here.delivered();
    const token = here.sink.token(email);
    const forged = await ana.post(`${base}/email/verify`, { token }, { csrf: false });
    expect([forged.status, forged.body.code]).toEqual([403, "csrf_required"]);
  });
});

describe.each(backends)("changing the address, on $backend", ({ open }) => {
  async function asked(isVerified = true) {
    const here = mailWorld({ stores: await open(), features: [apiKeys()] });
    const ana = await here.registered(email);
    if (isVerified) {
      await here.delivered();
      await ana.post(`${base}/email/verify`, { token: here.sink.token(email) });
    }
    const answer = await ana.patch("/api/v1/users/me", { email: fresh, name: "Ana" });
    expect([answer.status, answer.body.email, answer.body.name]).toEqual([200, email, "Ana"]);
    await here.delivered();
    return { here, ana, token: here.sink.token(fresh) };
  }

  test("waits for the link at the new address; then the session has a new id, and the former one is told", async () => {
    const { here, ana, token } = await asked();
    expect(here.heard("email.change_requested")).toHaveLength(1);
    expect((await here.user(ana.userId)).email).toBe(email);
    const before = parseSessionToken(ana.jar.get(cookieName) ?? "")?.id;
    const { status, body } = await ana.post(`${base}/email/verify`, { token });
    expect([status, body.user?.email, body.user?.email_verified]).toEqual([200, fresh, true]);
    expect(parseSessionToken(ana.jar.get(cookieName) ?? "")?.id).not.toBe(before);
    expect((await ana.get("/api/v1/users/me")).body.email).toBe(fresh);
    await here.delivered();
    expect(here.sink.newest(email).text).toContain(fresh);
    expect(here.sink.link(email).pathname).toBe("/undo");
    expect(here.heard("email.changed")).toHaveLength(1);
  });

  test("is confirmed for nobody who is not signed in to the account", async () => {
    const { here, token } = await asked();
    expect((await here.browser().post(`${base}/email/verify`, { token })).status).toBe(401);
    const victim = await here.registered("victim@example.com");
    expect((await victim.post(`${base}/email/verify`, { token })).status).toBe(403);
  });

  test("needs a fresh proof of identity", async () => {
    const here = mailWorld({ stores: await open() });
    const ana = await here.registered(email);
    here.clock.advance(601);
    const answer = await ana.patch("/api/v1/users/me", { email: fresh });
    expect([answer.status, answer.body.code]).toEqual([403, "fresh_auth_required"]);
    await here.delivered();
    expect(here.sink.sent.map(({ to }) => to)).toEqual([email]);
  });

  test("to an address that has an account says the same, and tells its owner", async () => {
    const traces = [];
    for (const wanted of [fresh, "bo@example.com"]) {
      const here = mailWorld({ stores: await open(), mail: { sends: false } });
      await here.plant({ email: "bo@example.com", emailKey: "bo@example.com" });
      const ana = await here.registered(email);
      await here.delivered();
      here.recorder.calls.length = 0;
      const { status, text } = await ana.patch("/api/v1/users/me", { email: wanted });
      const commits = here.recorder.trace().filter((name) => name.startsWith("directory.commit"));
      traces.push([status, text.replaceAll(ana.userId, "id"), commits.length]);
      await here.delivered();
      if (wanted !== fresh) expect(here.sink.newest(wanted).subject).toContain("You have an account");
    }
    expect(traces[1]?.[0]).toEqual(traces[0]?.[0]);
    expect(traces[1]?.[2]).toEqual(traces[0]?.[2]);
  });

  test("loses to who takes the address first", async () => {
    const { here, ana, token } = await asked();
    await here.registered(fresh);
    const answer = await ana.post(`${base}/email/verify`, { token });
    expect([answer.status, answer.body.code]).toEqual([400, "token_invalid"]);
    expect((await here.user(ana.userId)).email).toBe(email);
  });

  test("tells no stranger: an address that was never confirmed gets no way into the account", async () => {
    const { here, ana, token } = await asked(false);
    const sent = here.sink.sent.filter(({ to }) => to === email).length;
    await ana.post(`${base}/email/verify`, { token });
    await here.delivered();
    expect(here.sink.sent.filter(({ to }) => to === email)).toHaveLength(sent);
  });

  test("lies in no store in plain once the mail is out: who erases the account leaves no address behind", async () => {
    const { here, ana, token } = await asked();
    await ana.post(`${base}/email/verify`, { token });
    await here.delivered();
    const id = here.sink.token(email).slice(0, 22);
    const kept = await here.recorder.stores.ephemeral.read(`token:undo:${id}`, here.call());
    expect(kept).not.toBeNull();
    expect(kept).not.toContain("example.com");
    expect(Buffer.from(JSON.parse(kept ?? "{}").detail, "base64url").toString("latin1")).not.toContain(
      "example",
    );
  });

  test("of letters alone is no change of mailbox, and done at once", async () => {
    const here = mailWorld({ stores: await open() });
    const ana = await here.registered(email);
    expect((await ana.patch("/api/v1/users/me", { email: "Ana@example.com" })).body.email).toBe(
      "Ana@example.com",
    );
  });
});

describe.each(backends)("undoing a change of address, on $backend", ({ open }) => {
  async function changed() {
    const here = mailWorld({ stores: await open(), features: [apiKeys()] });
    const ana = await here.registered(email);
    await here.delivered();
    await ana.post(`${base}/email/verify`, { token: here.sink.token(email) });
    await ana.patch("/api/v1/users/me", { email: fresh });
    await here.delivered();
    await ana.post(`${base}/email/verify`, { token: here.sink.token(fresh) });
    await here.delivered();
    return { here, thief: ana, token: here.sink.token(email) };
  }

  test("gives the account back, whatever the thief did since: address, password, sessions, keys", async () => {
    const { here, thief, token } = await changed();
    await thief.put("/api/v1/users/me/password", {
      current_password: password,
      new_password: "the thief's own",
    });
    const { body: key } = await thief.post("/api/v1/api-keys", { name: "back door" });
    here.clock.advance(6 * 86_400);
    here.recorder.calls.length = 0;
    here.events.length = 0;
    const done = await here.browser().post(`${base}/email/undo`, { token, new_password: next });
    expect(done.status).toBe(204);
    // Six days later it had expired besides; either way its row is gone, and said so.
    expect(here.heard("session.expired")).toHaveLength(1);
    expect(here.heard("email.changed")).toHaveLength(1);
    expect(here.heard("password.reset")).toHaveLength(1);
    const change = here.recorder.calls.find(({ writes }) => writes.includes("user.advance"));
    expect(change?.writes).toEqual(expect.arrayContaining(["password.replace", "api_key.delete"]));
    const user = await here.user(thief.userId);
    expect([user.email, user.emailVerified]).toEqual([email, true]);
    expect((await thief.get("/api/v1/users/me")).status).toBe(401);
    const headers = { "X-API-Key": String(key.key) };
    expect((await here.browser().get("/api/v1/users/me", { headers })).status).toBe(401);
    expect((await here.browser().post(`${base}/login`, { email, password: next })).status).toBe(200);
    const again = await here.browser().post(`${base}/email/undo`, { token, new_password: next });
    expect([again.status, again.body.code]).toEqual([400, "token_invalid"]);
  });

  test("leaves no key that was made while it was under way", async () => {
    const { here, thief, token } = await changed();
    const late = here.make.apiKey(await here.user(thief.userId));
    let isMade = false;
    here.recorder.before = ({ writes }) => {
      if (isMade || !writes.includes("user.advance")) return null;
      isMade = true;
      return here.write({ kind: "api_key.insert", key: late });
    };
    expect((await here.browser().post(`${base}/email/undo`, { token, new_password: next })).status).toBe(204);
    expect(isMade).toBe(true);
    expect(await here.recorder.stores.directory.apiKeys(thief.userId, here.call())).toEqual([]);
  });

  test("cannot be answered by the link that a thief's own mailbox got for a second change", async () => {
    const { here, thief, token } = await changed();
    await thief.patch("/api/v1/users/me", { email: "second@example.com" });
    await here.delivered();
    await thief.post(`${base}/email/verify`, { token: here.sink.token("second@example.com") });
    await here.delivered();
    const theirs = here.sink.token(fresh);
    expect(here.sink.link(fresh).pathname).toBe("/undo");
    expect((await here.browser().post(`${base}/email/undo`, { token, new_password: next })).status).toBe(204);
    const back = await here
      .browser()
      .post(`${base}/email/undo`, { token: theirs, new_password: "the thief's" });
    expect([back.status, back.body.code]).toEqual([400, "token_invalid"]);
    expect((await here.user(thief.userId)).email).toBe(email);
  });

  test("works after the thief has used the link of a second change themselves", async () => {
    const { here, thief, token } = await changed();
    await thief.patch("/api/v1/users/me", { email: "second@example.com" });
    await here.delivered();
    await thief.post(`${base}/email/verify`, { token: here.sink.token("second@example.com") });
    await here.delivered();
    const theirs = { token: here.sink.token(fresh), new_password: "the thief's own phrase" };
    expect((await thief.post(`${base}/email/undo`, theirs)).status).toBe(204);
    expect((await here.browser().post(`${base}/email/undo`, { token, new_password: next })).status).toBe(204);
    expect((await here.user(thief.userId)).email).toBe(email);
  });

  test("leaves later changes their own way back", async () => {
    const { here, thief, token } = await changed();
    await here.browser().post(`${base}/email/undo`, { token, new_password: next });
    const ana = here.browser();
    await ana.post(`${base}/login`, { email, password: next });
    await ana.patch("/api/v1/users/me", { email: "third@example.com" });
    await here.delivered();
    await ana.post(`${base}/email/verify`, { token: here.sink.token("third@example.com") });
    await here.delivered();
    const again = { token: here.sink.token(email), new_password: "yet another phrase" };
    expect((await here.browser().post(`${base}/email/undo`, again)).status).toBe(204);
    expect((await here.user(thief.userId)).email).toBe(email);
  });

  test("is possible for seven days", async () => {
    const { here, token } = await changed();
    here.clock.advance(7 * 86_400);
    expect((await here.browser().post(`${base}/email/undo`, { token, new_password: next })).status).toBe(400);
  });

  test("asks for a password that policy allows, and the link still works", async () => {
    const { here, token } = await changed();
    const weak = await here.browser().post(`${base}/email/undo`, { token, new_password: "short" });
    expect([weak.status, weak.body.code, weak.body.errors?.[0]?.field]).toEqual([
      400,
      "password_rejected",
      "new_password",
    ]);
    expect((await here.browser().post(`${base}/email/undo`, { token, new_password: next })).status).toBe(204);
  });

  test("asks for another password of who was told to choose one, and the link still works", async () => {
    const { here, thief, token } = await changed();
    const { version } = await here.user(thief.userId);
    const changes = { mustChangePassword: true };
    await here.write({ kind: "user.update", userId: thief.userId, version, changes });
    const undo = (new_password: string) => here.browser().post(`${base}/email/undo`, { token, new_password });
    expect((await undo(password)).body.errors).toMatchObject([{ field: "new_password", code: "unchanged" }]);
    expect(await here.user(thief.userId)).toMatchObject({ email: fresh, mustChangePassword: true });
    expect((await undo(next)).status).toBe(204);
    expect(await here.user(thief.userId)).toMatchObject({ email, mustChangePassword: false });
  });

  test("takes the address from an account that was made with it since, and in which nobody confirmed it", async () => {
    const { here, thief, token } = await changed();
    const squat = await here.registered(email);
    const { username } = await here.user(squat.userId);
    here.events.length = 0;
    const done = await here.browser().post(`${base}/email/undo`, { token, new_password: next });
    expect(done.status).toBe(204);
    const back = await here.user(thief.userId);
    expect([back.email, back.emailVerified]).toEqual([email, true]);
    const left = await here.user(squat.userId);
    expect([left.status, left.emailVerified]).toEqual(["active", false]);
    expect(left.email).toMatch(/^[0-9a-z]{22}@displaced\.invalid$/);
    expect(left.emailKey).toBe(left.email);
    expect((await squat.get("/api/v1/users/me")).status).toBe(401);
    const again = await squat.post(`${base}/login`, { username, password });
    expect([again.status, again.body.user?.id]).toEqual([200, squat.userId]);
    const told = here.events.filter(({ userId }) => userId === squat.userId).slice(0, 2);
    expect(told.map(({ type }) => type).sort()).toEqual(["email.changed", "session.revoked"]);
    // Its owner reads these: they do not say where the victim sits.
    for (const event of told)
      expect(event).toMatchObject({ payload: { by: "mailbox" }, ip: null, userAgent: null });
  });

  test("takes it from a deleted account, which stays deleted and can be restored", async () => {
    const { here, token } = await changed();
    const { id } = await here.plant({ email, emailKey: email, username: "squat", emailVerified: true });
    const squat = here.browser();
    await squat.post(`${base}/login`, { email, password });
    expect((await squat.delete("/api/v1/users/me")).status).toBe(204);
    const { deletedAt } = await here.user(id);
    expect((await here.browser().post(`${base}/email/undo`, { token, new_password: next })).status).toBe(204);
    expect(await here.user(id)).toMatchObject({ status: "deleted", deletedAt, emailVerified: false });
  });

  test("cannot take an address that somebody else has confirmed by now", async () => {
    const { here, thief, token } = await changed();
    const { id } = await here.plant({ email, emailKey: email, username: "heir", emailVerified: true });
    const answer = await here.browser().post(`${base}/email/undo`, { token, new_password: next });
    expect([answer.status, answer.body.code]).toEqual([409, "email_taken"]);
    expect((await here.user(thief.userId)).email).toBe(fresh);
    expect((await here.user(id)).email).toBe(email);
  });

  test("nor one that somebody else confirms at that moment", async () => {
    const { here, thief, token } = await changed();
    const { userId } = await here.registered(email);
    const { version } = await here.user(userId);
    const confirmed = { kind: "user.update", userId, version, changes: { emailVerified: true } } as const;
    let isConfirmed = false;
    here.recorder.before = ({ writes }) => {
      if (isConfirmed || !writes.includes("user.advance")) return null;
      isConfirmed = true;
      return here.write(confirmed);
    };
    const taken = await here.browser().post(`${base}/email/undo`, { token, new_password: next });
    expect([isConfirmed, taken.status, taken.body.code]).toEqual([true, 409, "conflict"]);
    expect((await here.user(userId)).email).toBe(email);
    expect((await here.user(thief.userId)).email).toBe(fresh);
  });
});

describe.each(backends)("the notice about a sign-in, on $backend", ({ open }) => {
  const agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
  const changed = { current_password: password, new_password: next };

  async function signedIn() {
    const here = mailWorld({ stores: await open() });
    const ana = await here.registered(email);
    await here.delivered();
    const thief = here.browser();
    thief.ip = "203.0.113.9";
    await thief.post(`${base}/login`, { email, password }, { headers: { "User-Agent": agent } });
    await here.delivered();
    return { here, ana, thief, token: here.sink.token(email) };
  }

  test("says where it was, and its link ends that session alone", async () => {
    const { here, ana, thief, token } = await signedIn();
    const { text } = here.sink.newest(email);
    expect(text).toContain("Firefox, Linux");
    expect(text).toContain("203.0.113.9");
    const done = await here.browser().post(`${base}/end-session`, { token });
    expect([done.status, done.body]).toEqual([200, { ended: 1 }]);
    expect((await thief.get("/api/v1/users/me")).status).toBe(401);
    expect((await ana.get("/api/v1/users/me")).status).toBe(200);
    expect((await here.browser().post(`${base}/end-session`, { token })).body.code).toBe("token_invalid");
  });

  test("ends it under a new id too, and every one where it cannot be found", async () => {
    const { here, ana, thief, token } = await signedIn();
    await thief.post(`${base}/reauthenticate`, { password });
    expect((await here.browser().post(`${base}/end-session`, { token })).body).toEqual({ ended: 1 });
    expect((await ana.get("/api/v1/users/me")).status).toBe(200);
    const second = await signedIn();
    await second.thief.post(`${base}/reauthenticate`, { password });
    await second.thief.post(`${base}/reauthenticate`, { password });
    const done = await second.here.browser().post(`${base}/end-session`, { token: second.token });
    expect(done.body).toEqual({ ended: 2 });
    expect((await second.thief.get("/api/v1/users/me")).status).toBe(401);
  });

  test.each([
    ["ended every other session", (thief: Browser) => thief.delete("/api/v1/users/me/sessions")],
    ["changed the password", (thief: Browser) => thief.put("/api/v1/users/me/password", changed)],
  ])("ends it where whoever it was has %s", async (_, act) => {
    const { here, ana, thief, token } = await signedIn();
    expect((await act(thief)).status).toBeLessThan(300);
    expect((await ana.get("/api/v1/users/me")).status).toBe(401);
    expect((await here.browser().post(`${base}/end-session`, { token })).body).toEqual({ ended: 1 });
    expect((await thief.get("/api/v1/users/me")).status).toBe(401);
  });

  test("ends every one where its own has ended, since another may have come of it", async () => {
    const { here, thief, token } = await signedIn();
    await thief.put("/api/v1/users/me/password", changed);
    await thief.post(`${base}/login`, { email, password: next });
    const done = await here.browser().post(`${base}/end-session`, { token });
    expect([done.status, done.body]).toEqual([200, { ended: 1 }]);
    expect((await thief.get("/api/v1/users/me")).status).toBe(401);
  });

  test("ends nothing where nobody is signed in any more", async () => {
    const { here, ana, token } = await signedIn();
    await ana.post(`${base}/logout-all`, {});
    expect((await here.browser().post(`${base}/end-session`, { token })).body).toEqual({ ended: 0 });
  });

  test("is not sent for a browser in which the person has signed in before", async () => {
    const here = mailWorld({ stores: await open() });
    await here.registered(email);
    const again = here.browser();
    await again.post(`${base}/login`, { email, password });
    await here.delivered();
    const sent = here.sink.sent.length;
    await again.post(`${base}/logout`);
    await again.post(`${base}/login`, { email, password });
    await here.delivered();
    expect(here.sink.sent).toHaveLength(sent);
  });

  test("says no word that came from the browser", async () => {
    const here = mailWorld({ stores: await open() });
    await here.registered(email);
    await here.delivered();
    const headers = { "User-Agent": "Visit https://evil.example now" };
    await here.browser().post(`${base}/login`, { email, password }, { headers });
    await here.delivered();
    expect(JSON.stringify(here.sink.newest(email))).not.toContain("evil");
    expect(here.sink.newest(email).text).toContain("Unknown device");
  });
});
