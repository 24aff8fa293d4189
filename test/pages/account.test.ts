import { describe, expect, test } from "vitest";
import { type FaultPlan, faulty } from "../../src/testing/faulty.ts";
import { cookieName, password, type World, world } from "../support/world.ts";
import { registered, signedIn, visitor } from "./visitor.ts";

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
const next = "another good pass phrase";
const app = "/app/dashboard";

test("the account page sends strangers to the sign-in page, and back", async () => {
  const guest = visitor(world());
  expect(await guest.open("/account?done=x")).toMatchObject({
    status: 302,
    location: "/login?next=%2Faccount%3Fdone%3Dx",
  });
  expect(await guest.post("/account", { form: "profile" })).toMatchObject({
    status: 302,
    location: "/login",
  });
  expect(await guest.open("/account/delete")).toMatchObject({ status: 302 });
});

test("a session that has ended leads to the sign-in page, and its cookie goes", async () => {
  const here = world();
  const ana = await registered(here);
  here.clock.advance(31 * 60);
  expect(await ana.open("/account")).toMatchObject({ status: 302, location: "/login?next=%2Faccount" });
  expect(ana.browser.jar.has(cookieName)).toBe(false);
});

describe("the profile", () => {
  test("is shown and saved", async () => {
    const here = world();
    const ana = await registered(here);
    const page = await ana.open("/account");
    expect([page.valueOf("name"), page.valueOf("username"), page.valueOf("email")]).toEqual([
      "Ana",
      "ana",
      "ana@example.com",
    ]);
    expect(page.headers.get("cache-control")).toBe("no-store");
    const typed = { name: " Ana María ", username: "ana.maria", email: "ana@example.com" };
    const answer = await ana.submit("/account", typed, "profile");
    expect(answer).toMatchObject({ status: 303, location: "/account?done=profile#profile" });
    const saved = await ana.open("/account?done=profile");
    expect(saved.text).toContain(
      '<div class="notice good" role="status"><p>Your profile is saved.</p></div>',
    );
    expect([saved.valueOf("name"), saved.valueOf("username")]).toEqual(["Ana María", "ana.maria"]);
  });

  test("names everything that is wrong at once, and keeps what was typed", async () => {
    const ana = await registered(world());
    const typed = { name: "a\u0001b", username: "me", email: " no address " };
    const page = await ana.submit("/account", typed, "profile");
    expect(page.status).toBe(400);
    expect(page.messageOf("name")).toBe("Control characters cannot be used");
    expect(page.messageOf("username")).toContain("some names are reserved");
    expect(page.messageOf("email")).toBe("This is not an email address");
    expect([page.valueOf("username"), page.valueOf("email")]).toEqual(["me", "no address"]);
    expect(page.text.match(/role="alert"/g)).toHaveLength(1);
  });

  test("does not take what somebody else has", async () => {
    const here = world();
    const ana = await registered(here);
    await registered(here, { email: "bob@example.com", username: "bob" });
    const page = await ana.submit(
      "/account",
      { name: "", username: "BOB", email: "ana@example.com" },
      "profile",
    );
    expect([page.status, page.messageOf("username")]).toEqual([409, "Username already taken"]);
  });

  test("takes another address at once after signing in, and the session goes on under a new id", async () => {
    const here = world();
    const ana = await registered(here);
    const before = ana.browser.copy();
    const answer = await ana.submit(
      "/account",
      { name: "", username: "ana", email: "new@example.com" },
      "profile",
    );
    expect(answer.status).toBe(303);
    expect((await ana.open("/account")).valueOf("email")).toBe("new@example.com");
    expect((await before.get("/account")).status).toBe(401);
  });

  test("asks for the password before another address, where signing in was long ago", async () => {
    const here = world();
    const ana = await registered(here);
    here.clock.advance(11 * 60);
    const typed = { name: "Ana", username: "ana", email: "new@example.com" };
    const asked = await ana.submit("/account", typed, "profile");
    expect(asked.status).toBe(403);
    expect(asked.messageOf("password")).toBe("Confirm your password to change your email address");
    expect(asked.valueOf("email")).toBe("new@example.com");
    const wrong = await ana.post("/account", {
      ...asked.hidden("profile"),
      ...typed,
      password: "wrong password",
    });
    expect([wrong.status, wrong.messageOf("password")]).toEqual([401, "Current password is incorrect"]);
    expect(wrong.text).not.toContain("wrong password");
    const before = ana.browser.copy();
    const done = await ana.post("/account", { ...wrong.hidden("profile"), ...typed, password });
    expect(done.status).toBe(303);
    expect((await before.get("/account")).status).toBe(401);
    expect((await ana.open("/account")).valueOf("email")).toBe("new@example.com");
    expect(here.heard("user.reauthenticated")).toHaveLength(1);
  });

  test("stays usable where the password was right and the address was taken", async () => {
    const here = world();
    const ana = await registered(here);
    await registered(here, { email: "bob@example.com", username: "bob" });
    here.clock.advance(11 * 60);
    const typed = { name: "Ana", username: "ana", email: "bob@example.com", password };
    const taken = await ana.submit("/account", typed, "profile");
    expect([taken.status, taken.messageOf("email")]).toEqual([409, "Email already registered"]);
    const again = await ana.post("/account", {
      ...taken.hidden("profile"),
      ...typed,
      email: "new@example.com",
    });
    expect(again.status).toBe(303);
  });

  test("asks for no password where the address stays", async () => {
    const here = world();
    const ana = await registered(here);
    here.clock.advance(11 * 60);
    const answer = await ana.submit(
      "/account",
      { name: "A", username: "ana", email: "ana@example.com" },
      "profile",
    );
    expect(answer.status).toBe(303);
  });
});

describe("the password", () => {
  const typed = { current_password: password, new_password: next, confirm_password: next };

  test("is changed, and every other session ends", async () => {
    const here = world();
    const ana = await registered(here);
    const elsewhere = await signedIn(here);
    const before = ana.browser.copy();
    const answer = await ana.submit("/account", typed, "password");
    expect(answer).toMatchObject({ status: 303, location: "/account?done=password#password" });
    expect((await ana.open("/account?done=password")).text).toContain("Your password is changed.");
    expect((await elsewhere.open("/account")).status).toBe(302);
    expect((await before.get("/account")).status).toBe(401);
    await expect(signedIn(here)).rejects.toThrow("401");
    await signedIn(here, "ana", next);
  });

  test("stays where the current one is wrong", async () => {
    const here = world();
    const ana = await registered(here);
    const page = await ana.submit("/account", { ...typed, current_password: "wrong" }, "password");
    expect([page.status, page.messageOf("current_password")]).toEqual([401, "Current password is incorrect"]);
    expect(page.text).not.toContain(next);
    await signedIn(here);
  });

  test("is refused with every reason at once", async () => {
    const ana = await registered(world());
    const wrong = { current_password: "", new_password: "short", confirm_password: "shorter" };
    const page = await ana.submit("/account", wrong, "password");
    expect(page.status).toBe(400);
    expect(page.messageOf("current_password")).toBe("Current password is required");
    expect(page.messageOf("new_password")).toBe("Password must be at least 8 characters");
    expect(page.messageOf("confirm_password")).toBe("Passwords do not match");
    const empty = await ana.submit(
      "/account",
      { current_password: "", new_password: "", confirm_password: "" },
      "password",
    );
    expect(empty.messageOf("new_password")).toBe("New password is required");
  });

  test("must not be one's own address, also where the confirmation differs", async () => {
    const ana = await registered(world());
    const own = { ...typed, new_password: "ana@example.com", confirm_password: "" };
    const page = await ana.submit("/account", own, "password");
    expect(page.messageOf("new_password")).toContain("must not be a name or address of yours");
  });
});

describe("the sessions", () => {
  async function twoDevices(here: World) {
    const ana = await registered(here);
    here.clock.advance(5 * 60);
    const phone = visitor(here);
    phone.browser.ip = "2001:db8::7";
    const { hidden } = await phone.open("/login");
    const headers = { "User-Agent": firefox };
    await phone.post("/login", { ...hidden(), username: "ana", password }, { headers });
    return { ana, phone };
  }

  test("are listed with device, address and last use, one's own first", async () => {
    const here = world();
    const { ana } = await twoDevices(here);
    here.clock.advance(3 * 60);
    const { text } = await ana.open("/account");
    const items = [...text.matchAll(/<li>\n<div class="session">.*?<\/li>/gs)].map(([markup]) => markup);
    expect(items).toHaveLength(2);
    expect(items[0]).toContain("This device");
    expect(items[0]).toContain("192.0.2.10");
    expect(items[0]).not.toContain("<button");
    expect(items[1]).toContain("Firefox on Linux");
    expect(items[1]).toContain("2001:db8::7");
    expect(items[1]).toContain('used <time datetime="2026-01-01T00:05:00.000Z">3 minutes ago</time>');
    expect(items[1]).toContain(
      'End<span class="unseen"> the session of Firefox on Linux, 2001:db8::7</span>',
    );
    expect(items[1]).not.toContain("This device");
  });

  test("end one by one", async () => {
    const here = world();
    const { ana, phone } = await twoDevices(here);
    const page = await ana.open("/account");
    const answer = await ana.post("/account", page.hidden("sessions"));
    expect(answer).toMatchObject({ status: 303, location: "/account?done=session#sessions" });
    expect((await phone.open(app)).status).toBe(302);
    expect((await ana.open("/account?done=session")).text).toContain("The session has ended.");
    const again = await ana.post("/account", page.hidden("sessions"));
    expect([again.status, again.summary]).toEqual([404, "That session has ended already."]);
  });

  test("end all but this one", async () => {
    const here = world();
    const { ana, phone } = await twoDevices(here);
    const { _token = "" } = (await ana.open("/account")).hidden("sessions");
    const answer = await ana.post("/account", { _token, form: "sessions" });
    expect(answer).toMatchObject({ status: 303, location: "/account?done=sessions#sessions" });
    expect((await phone.open(app)).status).toBe(302);
    const page = await ana.open("/account");
    expect(page.status).toBe(200);
    expect(page.text).not.toContain("End all other sessions");
  });

  test("of others cannot be ended", async () => {
    const here = world();
    const ana = await registered(here);
    const bob = await registered(here, { email: "bob@example.com", username: "bob" });
    const [session] = await here.auth.sessions.list(
      (await here.auth.users.findByIdentifier("bob"))?.id ?? "",
    );
    const { _token = "" } = (await ana.open("/account")).hidden("profile");
    const page = await ana.post("/account", { _token, form: "sessions", session: session?.id ?? "" });
    expect(page.status).toBe(404);
    expect((await bob.open(app)).status).toBe(200);
  });

  test("include one's own, which ends like signing out", async () => {
    const here = world();
    const ana = await registered(here);
    const [session] = await here.auth.sessions.list(
      (await here.auth.users.findByIdentifier("ana"))?.id ?? "",
    );
    const { _token = "" } = (await ana.open("/account")).hidden("profile");
    const answer = await ana.post("/account", { _token, form: "sessions", session: session?.id ?? "" });
    expect(answer).toMatchObject({ status: 303, location: "/login?done=signed-out" });
    expect(ana.browser.jar.has(cookieName)).toBe(false);
  });

  test("name a hostile browser as text", async () => {
    const here = world();
    const ana = await registered(here);
    const user = await here.auth.users.findByIdentifier("ana");
    const userAgent = `Evil/1.0 "><script>alert(1)</script>`;
    await here.auth.sessions.start(user?.id ?? "", { from: { ip: "192.0.2.1", userAgent, requestId: null } });
    expect((await ana.open("/account")).text).not.toContain("<script");
  });
});

describe("a form without the session's CSRF token", () => {
  test.each(["missing", "of another session", "of a session that is gone"])(
    "changes nothing: %s",
    async (which) => {
      const here = world();
      const ana = await registered(here);
      const bob = await registered(here, { email: "bob@example.com", username: "bob" });
      const tokenOf = async (whose: typeof ana) =>
        (await whose.open("/account")).hidden("profile")._token ?? "";
      const old = await tokenOf(ana);
      await ana.submit(
        "/account",
        { current_password: password, new_password: next, confirm_password: next },
        "password",
      );
      const _token = { missing: "", "of another session": await tokenOf(bob) }[which] ?? old;
      const typed = { form: "profile", name: "Changed", username: "ana", email: "ana@example.com", _token };
      const page = await ana.post("/account", typed);
      expect(page.status).toBe(403);
      expect(page.text).toContain("This form could not be accepted");
      expect(page.text).toContain('href="/account">Open the page again');
      expect(page.text).not.toContain("Changed");
      expect((await ana.open("/account")).valueOf("name")).toBe("Ana");
    },
  );

  test("is not saved by a right token from another site", async () => {
    const ana = await registered(world());
    const { hidden } = await ana.open("/account");
    const typed = { ...hidden("profile"), name: "Changed", username: "ana", email: "ana@example.com" };
    const headers = { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" };
    expect((await ana.post("/account", typed, { headers })).status).toBe(403);
    expect((await ana.open("/account")).valueOf("name")).toBe("Ana");
  });

  test("does not delete the account", async () => {
    const here = world();
    const ana = await registered(here);
    expect((await ana.post("/account/delete", { password })).status).toBe(403);
    expect((await ana.open(app)).status).toBe(200);
  });
});

test("a form that the account page does not have is refused", async () => {
  const ana = await registered(world());
  const { hidden } = await ana.open("/account");
  for (const form of ["constructor", "", "delete"]) {
    expect((await ana.post("/account", { ...hidden("profile"), form })).status).toBe(400);
  }
});

describe("deleting the account", () => {
  test("takes the password, even right after signing in", async () => {
    const here = world();
    const ana = await registered(here);
    const empty = await ana.submit("/account/delete", { password: "" });
    expect([empty.status, empty.messageOf("password")]).toEqual([400, "Password is required"]);
    const wrong = await ana.submit("/account/delete", { password: "wrong", erase: "on" });
    expect([wrong.status, wrong.messageOf("password")]).toEqual([401, "Current password is incorrect"]);
    expect(wrong.text).toContain('name="erase" type="checkbox" value="on" checked');
    expect((await ana.open(app)).status).toBe(200);
  });

  test("that fails half-way signs nobody out: the session that got a new id goes on", async () => {
    let isBroken = false;
    const plan: FaultPlan = ({ writes }) =>
      isBroken && writes.some(({ kind }) => kind === "user.update") ? "refuse" : null;
    const here = world({ wrap: (stores) => faulty(stores, plan) });
    const ana = await registered(here);
    isBroken = true;
    expect((await ana.submit("/account/delete", { password })).status).toBe(503);
    isBroken = false;
    expect((await ana.open(app)).status).toBe(200);
    expect(here.heard("user.reauthenticated")).toHaveLength(1);
  });

  test("ends every session and lets nobody in again", async () => {
    const here = world();
    const ana = await registered(here);
    const elsewhere = await signedIn(here);
    const answer = await ana.submit("/account/delete", { password });
    expect(answer).toMatchObject({ status: 303, location: "/login?done=deleted" });
    expect(ana.browser.jar.has(cookieName)).toBe(false);
    expect((await elsewhere.open(app)).status).toBe(302);
    await expect(signedIn(here)).rejects.toThrow("401");
    expect((await ana.open("/login?done=deleted")).text).toContain("Your account is deleted.");
    expect(here.heard("user.anonymized")).toHaveLength(0);
  });

  test("erases at once what is asked to be erased", async () => {
    const here = world();
    const ana = await registered(here);
    const answer = await ana.submit("/account/delete", { password, erase: "on" });
    expect(answer.location).toBe("/login?done=erased");
    expect(await here.auth.users.findByIdentifier("ana@example.com")).toBeNull();
  });

  test("is refused to the last administrator, whose session goes on", async () => {
    const here = world();
    await here.auth.users.create(
      { email: "root@example.com", username: "chief", password },
      { isSuperuser: true },
    );
    const chief = await signedIn(here, "chief");
    const page = await chief.submit("/account/delete", { password });
    expect([page.status, page.summary]).toEqual([409, "The last administrator cannot go."]);
    const again = await chief.post("/account/delete", { ...page.hidden(), password });
    expect(again.status).toBe(409);
    expect((await chief.open(app)).status).toBe(200);
  });
});
