import { describe, expect, test } from "vitest";
import { cookieName, password, type World, world } from "../support/world.ts";
import { registered, signedIn, visitor } from "./visitor.ts";

const mailed = `${cookieName}-mailed`;
const next = "another good pass phrase";
const app = "/app/dashboard";

describe.each(["/setup", "/reset"])("the link to %s", (path) => {
  async function tokenFor(here: World): Promise<string> {
    if (path === "/setup") return (await here.auth.users.issueSetupToken()) ?? "";
    const user = await here.auth.users.create({ email: "ana@example.com", username: "ana", password });
    return here.auth.users.issueResetToken(user.id);
  }

  test("moves its token out of the address into a cookie that no script reads", async () => {
    const here = world();
    const guest = visitor(here);
    const token = await tokenFor(here);
    const answer = await guest.open(`${path}?token=${token}`);
    expect([answer.status, answer.location, answer.text]).toEqual([303, path, ""]);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.cookies).toMatchObject([{ name: mailed, value: token }]);
    expect(answer.cookies[0]?.attributes).toMatchObject({ httponly: "", "max-age": "900", secure: "" });
    const page = await guest.open(path);
    expect([page.status, page.text.includes(token)]).toEqual([200, false]);
  });

  test("is spent by nothing but the form: opening it again and again changes nothing", async () => {
    const here = world();
    const token = await tokenFor(here);
    for (let scan = 0; scan < 3; scan++) {
      const scanner = visitor(here);
      await scanner.open(`${path}?token=${token}`);
      expect((await scanner.open(path)).status).toBe(200);
    }
  });

  test.each(["", "%20", "%3Cscript%3E", `${"a".repeat(200)}`])(
    "with %j for a token opens nothing",
    async (token) => {
      const page = await visitor(world()).open(`${path}?token=${token}`);
      expect([page.status, page.summary]).toEqual([400, "This link is unknown, used or expired."]);
    },
  );

  test("is needed: the page alone has no form, and what is posted to it does nothing", async () => {
    const guest = visitor(world());
    const page = await guest.open(path);
    expect([page.status, page.main.includes("<form")]).toEqual([400, false]);
    const typed = { email: "a@example.com", password, new_password: password, confirm_password: password };
    expect((await guest.post(path, typed)).status).toBe(400);
  });

  test("that is unknown or expired says so when the form is sent, and its cookie goes", async () => {
    const here = world();
    const guest = visitor(here);
    await guest.open(`${path}?token=${await tokenFor(here)}`);
    here.clock.advance(path === "/setup" ? 3_599 : 899);
    const shown = (await guest.open(path)).hidden();
    here.clock.advance(2);
    const typed = { email: "a@example.com", password: next, new_password: next, confirm_password: next };
    const page = await guest.post(path, { ...shown, ...typed });
    expect([page.status, page.summary]).toEqual([400, "This link is unknown, used or expired."]);
    expect(guest.browser.jar.has(mailed)).toBe(false);
    expect(here.heard("session.started")).toEqual([]);
  });
});

describe("setting up", () => {
  const typed = {
    email: "root@example.com",
    username: "chief",
    name: "",
    password,
    confirm_password: password,
  };

  test("creates the first administrator and signs them in", async () => {
    const here = world();
    const guest = visitor(here);
    await guest.open(`/setup?token=${await here.auth.users.issueSetupToken()}`);
    expect(await guest.submit("/setup", typed)).toMatchObject({ status: 303, location: app });
    expect(guest.browser.jar.has(mailed)).toBe(false);
    expect((await guest.open(app)).text).toContain("you are an administrator");
    expect(await here.auth.users.findByIdentifier("chief")).toMatchObject({ isSuperuser: true });
  });

  test("names everything that is wrong at once, and the link still works", async () => {
    const here = world();
    const guest = visitor(here);
    await guest.open(`/setup?token=${await here.auth.users.issueSetupToken()}`);
    const page = await guest.submit("/setup", { ...typed, email: "", password: "short" });
    expect([page.status, page.messageOf("email")]).toEqual([400, "Email is required"]);
    expect(page.messageOf("password")).toBe("Password must be at least 8 characters");
    expect(page.messageOf("confirm_password")).toBe("Passwords do not match");
    expect(page.valueOf("username")).toBe("chief");
    expect((await guest.submit("/setup", typed)).status).toBe(303);
  });

  test("takes a name that speaks for the service, whatever else is wrong; registering does not", async () => {
    const here = world();
    const guest = visitor(here);
    await guest.open(`/setup?token=${await here.auth.users.issueSetupToken()}`);
    const admin = { ...typed, username: "Admin" };
    for (const wrong of [{ confirm_password: "another" }, { email: "" }]) {
      const page = await guest.submit("/setup", { ...admin, ...wrong });
      expect([page.status, page.messageOf("username"), page.valueOf("username")]).toEqual([
        400,
        null,
        "Admin",
      ]);
    }
    const anyone = await guest.submit("/register", { ...admin, confirm_password: "another" });
    expect([anyone.status, anyone.messageOf("username")]).toEqual([400, expect.stringContaining("reserved")]);
    expect((await guest.submit("/setup", admin)).status).toBe(303);
    expect(await here.auth.users.findByIdentifier("admin")).toMatchObject({ isSuperuser: true });
  });

  test("works while registration is closed, and not once there is an account", async () => {
    const here = world({ registration: "closed" });
    const [guest, late] = [visitor(here), visitor(here)];
    const token = await here.auth.users.issueSetupToken();
    await guest.open(`/setup?token=${token}`);
    await late.open(`/setup?token=${token}`);
    expect((await guest.submit("/setup", typed)).status).toBe(303);
    expect(
      (await late.submit("/setup", { ...typed, email: "x@example.com", username: "other" })).status,
    ).toBe(400);
  });

  test("is not done by another site's form", async () => {
    const here = world();
    const guest = visitor(here);
    await guest.open(`/setup?token=${await here.auth.users.issueSetupToken()}`);
    const headers = { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" };
    expect((await guest.post("/setup", typed, { headers })).status).toBe(403);
    expect(await here.auth.users.findByIdentifier("chief")).toBeNull();
  });
});

describe("choosing a new password by a link", () => {
  const typed = { new_password: next, confirm_password: next };

  async function opened(here: World) {
    const ana = await registered(here);
    const user = await here.auth.users.findByIdentifier("ana");
    const guest = visitor(here);
    await guest.open(`/reset?token=${await here.auth.users.issueResetToken(user?.id ?? "")}`);
    return { ana, guest };
  }

  test("changes it, ends every session, signs nobody in and says to sign in", async () => {
    const here = world();
    const { ana, guest } = await opened(here);
    expect(await guest.submit("/reset", typed)).toMatchObject({ status: 303, location: "/reset?done=1" });
    const page = await guest.open("/reset?done=1");
    expect(page.text).toContain("Sign in with your new password.");
    expect([guest.browser.jar.has(mailed), guest.browser.jar.has(cookieName)]).toEqual([false, false]);
    expect((await ana.open(app)).status).toBe(302);
    await signedIn(here, "ana", next);
    await expect(signedIn(here)).rejects.toThrow("401");
  });

  test("says whose it is, to password managers too, and of a link that has expired that it has, before anything is typed", async () => {
    const here = world();
    const { guest } = await opened(here);
    const page = await guest.open("/reset");
    expect(page.main).toContain("This link is for the account of ana@example.com. You will be signed out");
    expect(page.main).toContain('<input hidden type="text" autocomplete="username" value="ana@example.com"');
    here.clock.advance(901);
    const late = await guest.open("/reset");
    expect([late.status, late.summary]).toEqual([400, "This link is unknown, used or expired."]);
    expect([late.main.includes("ana@example.com"), guest.browser.jar.has(mailed)]).toEqual([false, false]);
  });

  test("works in a browser where somebody is signed in", async () => {
    const here = world();
    const ana = await registered(here);
    const user = await here.auth.users.findByIdentifier("ana");
    await ana.open(`/reset?token=${await here.auth.users.issueResetToken(user?.id ?? "")}`);
    expect((await ana.submit("/reset", typed)).status).toBe(303);
    expect((await ana.open("/reset?done=1")).status).toBe(200);
  });

  test("names everything that is wrong at once, and the link still works", async () => {
    const here = world();
    const { guest } = await opened(here);
    const page = await guest.submit("/reset", { new_password: "short", confirm_password: "shorter" });
    expect(page.status).toBe(400);
    expect(page.messageOf("new_password")).toBe("Password must be at least 8 characters");
    expect(page.messageOf("confirm_password")).toBe("Passwords do not match");
    const own = await guest.submit("/reset", {
      new_password: "ana@example.com",
      confirm_password: "ana@example.com",
    });
    expect(own.messageOf("new_password")).toContain("must not be a name or address of yours");
    const both = await guest.submit("/reset", { new_password: "ana@example.com", confirm_password: "x" });
    expect(both.messageOf("new_password")).toContain("must not be a name or address of yours");
    expect((await guest.submit("/reset", typed)).status).toBe(303);
  });

  test("needs the token of a form that this browser was shown", async () => {
    const here = world();
    const { guest } = await opened(here);
    expect((await guest.post("/reset", typed)).status).toBe(403);
    await signedIn(here);
  });
});
