import { describe, expect, test } from "vitest";
import { shownMails } from "../../server/mail/shown-mails.ts";
import type { MailOptions } from "../../src/features/mail.ts";
import { type MailWorld, mailWorld } from "../support/mail.ts";
import { cookieName, password, type WorldOptions } from "../support/world.ts";
import { type Visitor, visitor } from "./visitor.ts";

const email = "ana@example.com";
const next = "another good pass phrase";
const mailed = `${cookieName}-mailed`;
const app = "/app/dashboard";
const chosen = { new_password: next, confirm_password: next };

function site(options: WorldOptions & { readonly mail?: Partial<MailOptions> } = {}) {
  const here = mailWorld(options);
  const open = (): Visitor => visitor(here, { mail: here.mail });
  return { here, open };
}

async function registered(here: MailWorld, open: () => Visitor): Promise<Visitor> {
  const ana = open();
  const typed = { email, username: "ana", name: "Ana", password, confirm_password: password };
  const { status } = await ana.submit("/register", typed);
  expect(status).toBe(303);
  await here.delivered();
  return ana;
}

const pathOf = (link: URL): string => link.pathname + link.search;

describe("a forgotten password", () => {
  test("is asked for, mailed and chosen, without a script", async () => {
    const { here, open } = site();
    await registered(here, open);
    const guest = open();
    expect((await guest.open("/login")).text).toContain('href="/reset?new=1"');
    const asked = await guest.submit("/reset", { email });
    expect([asked.status, asked.location]).toEqual([303, "/reset?done=asked"]);
    expect((await guest.open("/reset?done=asked")).text).toContain("If there is an account");
    await here.delivered();
    const moved = await guest.open(pathOf(here.sink.link(email)));
    expect([moved.status, moved.location]).toEqual([303, "/reset"]);
    const done = await guest.submit("/reset", chosen);
    expect([done.status, done.location]).toEqual([303, "/reset?done=1"]);
    expect(guest.browser.jar.has(mailed)).toBe(false);
    expect((await open().submit("/login", { username: email, password: next })).location).toBe(app);
  });

  test("says the same of an address that nobody has", async () => {
    const { here, open } = site();
    await registered(here, open);
    const pages = [];
    for (const wanted of [email, "nobody@example.com"]) {
      const guest = open();
      const { status, location, text } = await guest.submit("/reset", { email: wanted });
      pages.push([status, location, text]);
    }
    expect(pages[1]).toEqual(pages[0]);
  });

  test("of no address at all comes back with the message beside the field, and the link that opens nothing with a way on", async () => {
    const { open } = site();
    const bad = await open().submit("/reset", { email: "x" });
    expect([bad.status, bad.messageOf("email"), bad.valueOf("email")]).toEqual([
      400,
      "This is not an email address",
      "x",
    ]);
    const useless = await open().open("/reset?token=%20");
    expect([useless.status, useless.text.includes('href="/reset?new=1"')]).toEqual([400, true]);
  });

  test("is asked for by no other site", async () => {
    const { here, open } = site();
    const headers = { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" };
    const forged = await open().post("/reset", { form: "ask", email }, { headers });
    expect(forged.status).toBe(403);
    await here.delivered();
    expect(here.sink.sent).toEqual([]);
  });
});

describe("a link to sign in by", () => {
  async function asked() {
    const { here, open } = site();
    const user = await here.plant({ email, emailKey: email, emailVerified: true, username: "ana" });
    const guest = open();
    expect((await guest.submit("/magic", { email, by: "link" })).location).toBe("/magic?done=asked");
    await here.delivered();
    return { here, open, guest, user, path: pathOf(here.sink.link(email)) };
  }

  test("names the account before it signs in, and is spent by the button alone", async () => {
    const { here, open, path } = await asked();
    for (let scan = 0; scan < 3; scan++) {
      const scanner = open();
      await scanner.open(path);
      expect((await scanner.open("/magic")).text).toContain("Sign in as ana");
    }
    expect(here.heard("user.logged_in")).toEqual([]);
    const guest = open();
    await guest.open(path);
    expect((await guest.submit("/magic", { remember: "on" })).location).toBe(app);
    expect((await guest.open(app)).status).toBe(200);
    await guest.open(path);
    expect((await guest.open("/magic")).status).toBe(400);
  });

  test("tells who is signed in as somebody else what it does, and does nothing by itself", async () => {
    const { here, open, path } = await asked();
    const bo = open();
    const typed = {
      email: "bo@example.com",
      username: "bob",
      name: "Bo",
      password,
      confirm_password: password,
    };
    await bo.submit("/register", typed);
    await bo.open(path);
    const page = await bo.open("/magic");
    expect(page.text).toContain("You are signed in as Bo now");
    expect((await bo.open("/account")).text).toContain("bo@example.com");
    expect((await bo.submit("/magic", {})).location).toBe(app);
    expect((await bo.open("/account")).text).toContain(email);
    expect(here.heard("user.logged_in")).toHaveLength(1);
  });

  test("works in no form that the browser was not shown", async () => {
    const { here, open, path } = await asked();
    const guest = open();
    await guest.open(path);
    const forged = await guest.post("/magic", {});
    expect(forged.status).toBe(403);
    expect(here.heard("user.logged_in")).toEqual([]);
  });

  test("or a code: typed where it was asked for, wrong ones beside the field", async () => {
    const { here, open } = await asked();
    const guest = open();
    const page = await guest.submit("/magic", { email, by: "code" });
    expect([page.status, page.text.includes("Type the code")]).toEqual([200, true]);
    await here.delivered();
    const hidden = page.hidden("code");
    const wrong = await guest.post("/magic", { ...hidden, code: "00000000" });
    expect([wrong.status, wrong.messageOf("code")]).toEqual([400, "The code is wrong, used or expired."]);
    const right = await guest.post("/magic", { ...wrong.hidden("code"), code: here.sink.code(email) });
    expect([right.status, right.location]).toEqual([303, app]);
    expect((await guest.open(app)).status).toBe(200);
  });
});

describe("registering by a mailed link", () => {
  const typed = { email, username: "ana", name: "", password, confirm_password: password };

  test("says that a mail is on its way, and goes on in this browser by one click", async () => {
    const { here, open } = site({ registration: "confirm" });
    const ana = open();
    expect((await ana.open("/login")).text).toContain("Create an account");
    const begun = await ana.submit("/register", typed);
    expect([begun.status, begun.text.includes("Look into your mail")]).toEqual([200, true]);
    await here.delivered();
    await ana.open(pathOf(here.sink.link(email)));
    const page = await ana.open("/verify");
    expect([page.text.includes("Create your account"), page.text.includes('type="password"')]).toEqual([
      true,
      false,
    ]);
    expect((await ana.submit("/verify", {})).location).toBe(app);
    expect((await ana.open(app)).status).toBe(200);
  });

  test("asks for the password in another browser", async () => {
    const { here, open } = site({ registration: "confirm" });
    await open().submit("/register", typed);
    await here.delivered();
    const phone = open();
    await phone.open(pathOf(here.sink.link(email)));
    expect((await phone.open("/verify")).text).toContain('type="password"');
    const wrong = await phone.submit("/verify", { password: "a wrong password" });
    expect([wrong.status, wrong.messageOf("password")]).toEqual([
      401,
      "This is not the password that was chosen when registering",
    ]);
    expect((await phone.submit("/verify", { password })).location).toBe(app);
  });

  test("shows an address that has an account the same page", async () => {
    const pages = [];
    for (const planted of [email, "other@example.com"]) {
      const { here, open } = site({ registration: "confirm" });
      await here.plant({ email: planted, emailKey: planted });
      const { status, text } = await open().submit("/register", typed);
      pages.push([status, text]);
    }
    expect(pages[1]).toEqual(pages[0]);
  });
});

describe("the address of an account", () => {
  test("is confirmed by who is signed in to it, after signing in where that is needed", async () => {
    const { here, open } = site();
    const ana = await registered(here, open);
    const other = open();
    await other.open(pathOf(here.sink.link(email)));
    const page = await other.open("/verify");
    expect(page.text).toContain('href="/login?next=%2Fverify"');
    await other.submit("/login?next=%2Fverify", { username: email, password });
    expect((await other.submit("/verify", {})).location).toBe("/verify?done=1");
    expect((await ana.open("/account")).text).not.toContain("not confirmed yet");
  });

  test("is asked to be confirmed again from the account page", async () => {
    const { here, open } = site();
    const ana = await registered(here, open);
    const sent = here.sink.sent.length;
    const asked = await ana.submit("/account", {}, "confirm");
    expect([asked.status, asked.location]).toEqual([303, "/account?done=confirm#profile"]);
    await here.delivered();
    expect(here.sink.sent).toHaveLength(sent + 1);
  });

  test("changes by the link to the new one, and back by the link to the former one", async () => {
    const { here, open } = site();
    const ana = await registered(here, open);
    await ana.open(pathOf(here.sink.link(email)));
    await ana.submit("/verify", {});
    const typed = { name: "Ana", username: "ana", email: "new@example.com" };
    const saved = await ana.submit("/account", typed, "profile");
    expect(saved.location).toBe("/account?done=address#profile");
    await here.delivered();
    await ana.open(pathOf(here.sink.link("new@example.com")));
    expect((await ana.open("/verify")).text).toContain("is to have the address new@example.com");
    expect((await ana.submit("/verify", {})).location).toBe("/verify?done=1");
    expect((await ana.open("/account")).text).toContain("new@example.com");
    await here.delivered();
    const owner = open();
    await owner.open(pathOf(here.sink.link(email)));
    expect((await owner.open("/undo")).text).toContain(`gets the address ${email} again`);
    const wrong = await owner.submit("/undo", { new_password: email, confirm_password: "x" });
    expect([wrong.status, wrong.messageOf("confirm_password")]).toEqual([400, "Passwords do not match"]);
    expect(wrong.main).toContain(`autocomplete="username" value="${email}"`);
    expect((await owner.submit("/undo", chosen)).location).toBe("/undo?done=1");
    expect((await ana.open("/account")).status).toBe(302);
    expect((await owner.submit("/login", { username: email, password: next })).location).toBe(app);
  });

  test("is confirmed for nobody else: who is signed in to another account is told so", async () => {
    const { here, open } = site();
    await registered(here, open);
    const link = pathOf(here.sink.link(email));
    const bo = open();
    const typed = {
      email: "bo@example.com",
      username: "bob",
      name: "",
      password,
      confirm_password: password,
    };
    await bo.submit("/register", typed);
    await bo.open(link);
    const page = await bo.open("/verify");
    expect([page.text.includes("another account"), page.text.includes("<form")]).toEqual([true, false]);
  });
});

test("the link of a notice about a sign-in ends that session, and leads to a new password", async () => {
  const { here, open } = site();
  await registered(here, open);
  const thief = open();
  await thief.submit("/login", { username: email, password });
  await here.delivered();
  const owner = open();
  await owner.open(pathOf(here.sink.link(email)));
  expect((await owner.open("/end-session")).text).toContain("in the account ana");
  expect((await owner.submit("/end-session", {})).location).toBe("/end-session?done=1");
  expect((await owner.open("/end-session?done=1")).text).toContain('href="/reset?new=1"');
  expect((await thief.open(app)).status).toBe(302);
});

describe.each(["/reset", "/magic", "/verify", "/undo", "/end-session"])("the page %s", (path) => {
  test("with a token that opens nothing says so, and is no form", async () => {
    const { open } = site();
    const guest = open();
    await guest.open(`${path}?token=${"a".repeat(22)}.${"b".repeat(43)}`);
    const page = await guest.open(path);
    if (path !== "/reset")
      expect([page.status, page.summary]).toEqual([400, "This link is unknown, used or expired."]);
    const posted = await guest.post(path, { ...chosen });
    expect([400, 403]).toContain(posted.status);
  });

  test("is not there without mail, but for choosing a password by an operator's link", async () => {
    const here = mailWorld();
    const page = await visitor(here).open(path);
    expect(page.status).toBe(path === "/reset" ? 400 : 404);
  });
});

describe("the mails shown to the developer", () => {
  const visit = async (options: {
    readonly ip?: string;
    readonly path?: string;
    readonly origin?: string;
    readonly headers?: Readonly<Record<string, string>>;
  }) => {
    const { ip = "127.0.0.1", path = "/dev/mail", origin = "http://localhost:3000", headers = {} } = options;
    const shown = shownMails();
    const here = mailWorld({ origin, mail: { mailer: shown, isReal: false } });
    const guest = visitor(here, { mail: here.mail, shownMails: shown });
    guest.browser.ip = ip;
    await here.plant({ email, emailKey: email });
    await guest.submit("/reset", { email });
    await here.delivered();
    return guest.open(path, { headers });
  };

  test.each([["127.0.0.1"], ["::1"]])("are listed for %s, and shown with their links", async (ip) => {
    const list = await visit({ ip });
    expect([list.status, list.text.includes('href="/dev/mail/1"')]).toEqual([200, true]);
    const one = await visit({ ip, path: "/dev/mail/1" });
    expect([one.status, /href="http:\/\/localhost:3000\/reset\?token=/.test(one.text)]).toEqual([200, true]);
    expect(one.headers.get("cache-control")).toBe("no-store");
  });

  test.each([["192.0.2.1"], ["10.0.0.1"], ["::ffff:192.0.2.1"]])("are no business of %s", async (ip) => {
    expect((await visit({ ip })).status).toBe(404);
    expect((await visit({ ip, path: "/dev/mail/1" })).status).toBe(404);
  });

  test.each([
    ["Forwarded", "for=203.0.113.9"],
    ["X-Forwarded-For", "203.0.113.9"],
    ["X-Forwarded-For", ""],
    ["X-Forwarded-Host", "mails.example"],
    ["X-Forwarded-Proto", "https"],
    ["X-Real-IP", "203.0.113.9"],
    ["Via", "1.1 tunnel"],
  ])("are no business of who comes through a proxy on this machine: %s: %s", async (name, value) => {
    for (const path of ["/dev/mail", "/dev/mail/1"])
      expect((await visit({ path, headers: { [name]: value } })).status).toBe(404);
  });

  test("are shown to no name that somebody else chose, and never off loopback", async () => {
    expect((await visit({ path: "http://evil.example/dev/mail" })).status).toBe(404);
    expect((await visit({ path: "http://evil.example/dev/mail/1" })).status).toBe(404);
    expect((await visit({ origin: "https://app.example" })).status).toBe(404);
  });

  test("are a hundred at most, the newest first", async () => {
    const shown = shownMails();
    const message = { from: "a@b", subject: "s", text: "t", html: "h", headers: {} };
    const { signal } = new AbortController();
    for (let index = 0; index < 130; index++) await shown.send({ ...message, to: `${index}@x` }, signal);
    expect(shown.list()).toHaveLength(100);
    expect(shown.list()[0]).toMatchObject({ number: 130, to: "129@x" });
    expect(shown.find(30)).toBeNull();
    expect(shown.find(31)?.to).toBe("30@x");
  });
});
