import { describe, expect, test } from "vitest";
import { cookieName, password, world } from "../support/world.ts";
import { registered, visitor } from "./visitor.ts";

const app = "/app/dashboard";
const typed = {
  email: "ana@example.com",
  username: "ana",
  name: "Ana",
  password,
  confirm_password: password,
};

describe("registering", () => {
  test("creates the account, signs in and leads to the app", async () => {
    const guest = visitor(world());
    expect(await guest.submit("/register", typed)).toMatchObject({ status: 303, location: app });
    expect((await guest.open(app)).text).toContain("Welcome, Ana!");
  });

  test("needs no username and no name", async () => {
    const here = world();
    const answer = await visitor(here).submit("/register", { ...typed, username: "", name: " " });
    expect(answer.status).toBe(303);
    const user = await here.auth.users.findByIdentifier("ana@example.com");
    expect(user).toMatchObject({ name: null, username: expect.stringMatching(/^u[a-z0-9]{8}$/) });
  });

  test("shows everything that is wrong at once, and what was typed", async () => {
    const page = await visitor(world()).submit("/register", {
      email: "  no address ",
      username: " x ",
      name: " Ana ",
      password: "short",
      confirm_password: "shorter",
    });
    expect(page.status).toBe(400);
    expect(page.messageOf("email")).toBe("This is not an email address");
    expect(page.messageOf("username")).toContain("3 to 32 letters");
    expect(page.messageOf("password")).toBe("Password must be at least 8 characters");
    expect(page.messageOf("confirm_password")).toBe("Passwords do not match");
    expect([page.valueOf("email"), page.valueOf("username"), page.valueOf("name")]).toEqual([
      "no address",
      "x",
      "Ana",
    ]);
    expect(page.text).not.toMatch(/shorter|value="short"/);
  });

  test("with empty fields says which are required", async () => {
    const empty = { email: "", username: "", name: "", password: "", confirm_password: "" };
    const page = await visitor(world()).submit("/register", empty);
    expect([page.messageOf("email"), page.messageOf("password")]).toEqual([
      "Email is required",
      "Password is required",
    ]);
    expect([page.messageOf("username"), page.messageOf("confirm_password")]).toEqual([null, null]);
  });

  test("refuses passwords that differ although each is good", async () => {
    const here = world();
    const page = await visitor(here).submit("/register", { ...typed, confirm_password: `${password} ` });
    expect([page.status, page.messageOf("confirm_password")]).toEqual([400, "Passwords do not match"]);
    expect(await here.auth.users.findByIdentifier("ana")).toBeNull();
  });

  test("refuses a name that is a paragraph", async () => {
    const page = await visitor(world()).submit("/register", { ...typed, name: "a".repeat(201) });
    expect([page.status, page.messageOf("name")]).toEqual([400, "At most 200 characters"]);
  });

  test("refuses an address that somebody has, beside its field", async () => {
    const here = world();
    await registered(here);
    const page = await visitor(here).submit("/register", {
      ...typed,
      email: "ANA@example.com",
      username: "other",
    });
    expect([page.status, page.messageOf("email")]).toEqual([409, "Email already registered"]);
    expect(page.valueOf("email")).toBe("ANA@example.com");
  });

  test("never assigns what a form must not: role, superuser, permissions", async () => {
    const here = world();
    await registered(here, {
      is_superuser: "true",
      isSuperuser: "true",
      roles: "admin",
      permissions: "*",
      tier: "pro",
    });
    const user = await here.auth.users.findByIdentifier("ana");
    expect(user).toMatchObject({ isSuperuser: false, roles: [], permissions: [], tier: null });
  });

  test("shows hostile names as text on every page that greets", async () => {
    const here = world();
    const name = `"><script>alert(1)</script>`;
    const ana = await registered(here, { name });
    for (const path of [app, "/account", "/logout", "/account/delete"]) {
      const { text, status } = await ana.open(path);
      expect(status).toBe(200);
      expect(text).not.toContain("<script");
    }
    expect((await ana.open("/account")).valueOf("name")).toBe(name);
  });

  test.each(["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])(
    "never leads to %j",
    async (next) => {
      const here = world();
      const page = await visitor(here).open(`/register?next=${encodeURIComponent(next)}`);
      expect(page.hidden().next).toBeUndefined();
      expect(await visitor(here).submit("/register", { ...typed, next })).toMatchObject({
        status: 303,
        location: app,
      });
    },
  );

  test("without signing in leads to the sign-in page", async () => {
    const guest = visitor(world({ signInAfterRegistration: false }));
    const answer = await guest.submit("/register", typed);
    expect([answer.status, answer.location]).toEqual([303, "/login?done=registered"]);
    expect(guest.browser.jar.has(cookieName)).toBe(false);
    expect((await guest.open("/login?done=registered")).text).toContain("Your account is ready.");
    const onward = await visitor(world({ signInAfterRegistration: false })).submit(
      "/register?next=/account",
      typed,
    );
    expect(onward.location).toBe("/login?next=%2Faccount&done=registered");
  });

  test("is counted by address together with the JSON route: the hundred-and-first in an hour has to wait", async () => {
    const here = world();
    const guest = visitor(here);
    for (let attempt = 0; attempt < 50; attempt++) {
      expect((await guest.submit("/register", { ...typed, email: "" })).status).toBe(400);
      expect((await here.browser().post("/api/v1/auth/register", { email: "", password })).status).toBe(400);
    }
    const page = await guest.submit("/register", typed);
    expect([page.status, page.headers.get("retry-after")]).toEqual([429, "3600"]);
    expect(page.valueOf("email")).toBe("ana@example.com");
    guest.browser.ip = "192.0.2.11";
    expect((await guest.submit("/register", typed)).status).toBe(303);
  });

  test("cannot be done while it is closed", async () => {
    const here = world({ registration: "closed" });
    const guest = visitor(here);
    expect((await guest.open("/login")).text).not.toContain("/register");
    const page = await guest.open("/register");
    expect([page.status, page.text.includes("Registration is closed")]).toEqual([403, true]);
    expect((await guest.post("/register", typed)).status).toBe(403);
    expect(await here.auth.users.findByIdentifier("ana")).toBeNull();
  });
});

describe("the form's token", () => {
  const stale = "Invalid form token. Please refresh and try again.";

  test("works once: the second time the form comes back with what was typed and a token that works", async () => {
    const guest = visitor(world());
    const { hidden } = await guest.open("/register");
    await guest.post("/register", { ...hidden(), ...typed, email: "no address" });
    const again = await guest.post("/register", { ...hidden(), ...typed });
    expect([again.status, again.summary, again.valueOf("email")]).toEqual([403, stale, "ana@example.com"]);
    expect(again.hidden()._token).not.toBe(hidden()._token);
    expect((await guest.post("/register", { ...again.hidden(), ...typed })).status).toBe(303);
  });

  test("lets one of many simultaneous submissions through", async () => {
    const here = world();
    const guest = visitor(here);
    const form = { ...(await guest.open("/register")).hidden(), ...typed };
    const answers = await Promise.all(Array.from({ length: 8 }, () => guest.post("/register", form)));
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 403, 403, 403, 403, 403, 403, 403]);
    expect(here.heard("user.registered")).toHaveLength(1);
  });

  test.each(["", "f1.register.forged", "c1.something"])("is asked for: %j is none", async (_token) => {
    const here = world();
    const page = await visitor(here).post("/register", { ...typed, _token });
    expect([page.status, page.summary]).toEqual([403, stale]);
    expect(await here.auth.users.findByIdentifier("ana")).toBeNull();
  });

  test("is of one browser and of one form", async () => {
    const here = world();
    const [guest, other] = [visitor(here), visitor(here)];
    const { hidden } = await guest.open("/register");
    await other.open("/register");
    expect((await other.post("/register", { ...hidden(), ...typed })).status).toBe(403);
    const { token } = await here.auth.forms.token("another", {
      request: guest.browser.request("GET", "/register"),
      client: { ip: null },
    });
    expect((await guest.post("/register", { _token: token, ...typed })).status).toBe(403);
  });

  test("is no way past the origin", async () => {
    const here = world();
    const guest = visitor(here);
    const { hidden } = await guest.open("/register");
    const headers = { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" };
    expect((await guest.post("/register", { ...hidden(), ...typed }, { headers })).status).toBe(403);
    expect(await here.auth.users.findByIdentifier("ana")).toBeNull();
  });
});
