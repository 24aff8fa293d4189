import { describe, expect, test } from "vitest";
import { admin, administered } from "../administration/staff.ts";
import { cookieName, password, type World } from "../support/world.ts";
import { type Visitor, visitor } from "./visitor.ts";

const email = "guest@example.com";
const typed = { username: "guest", name: "Guest", password, confirm_password: password };

async function opened(here: World): Promise<{ guest: Visitor; id: string; link: string }> {
  const { invitation, token } = await here.auth.use(admin).operator.invite({ email, name: "Dear Guest" });
  const guest = visitor(here, { administration: here.auth.use(admin) });
  const link = `/invite?token=${token}`;
  const { status, location } = await guest.open(link);
  expect({ status, location }).toEqual({ status: 303, location: "/invite" });
  return { guest, id: invitation.id, link };
}

describe("the page behind an invitation", () => {
  test("moves the token out of the address, shows whom it is for, and spends nothing", async () => {
    const here = administered({ registration: "closed" });
    const { guest } = await opened(here);
    for (let times = 0; times < 2; times++) {
      const page = await guest.open("/invite");
      expect(page.status).toBe(200);
      expect(page.text).toContain(email);
      expect(page.valueOf("name")).toBe("Dear Guest");
    }
  });

  test("creates the account and signs in", async () => {
    const here = administered({ registration: "closed" });
    const { guest, link } = await opened(here);
    const { status, location, cookies } = await guest.submit("/invite", typed);
    expect({ status, location }).toEqual({ status: 303, location: "/app/dashboard" });
    expect(cookies.find(({ name }) => name === `${cookieName}-mailed`)?.attributes["max-age"]).toBe("0");
    expect((await guest.open("/account")).valueOf("email")).toBe(email);
    const other = visitor(here, { administration: here.auth.use(admin) });
    await other.open(link);
    expect(await other.open("/invite")).toMatchObject({
      status: 400,
      summary: expect.stringContaining("expired"),
    });
  });

  test("shows the form again with every message, and what was typed", async () => {
    const here = administered();
    const { guest } = await opened(here);
    const wrong = { ...typed, username: "me", password: "x", confirm_password: "y" };
    const page = await guest.submit("/invite", wrong);
    expect(page.status).toBe(400);
    expect(page.messageOf("username")).toContain("reserved");
    expect(page.messageOf("password")).not.toBeNull();
    expect(page.messageOf("confirm_password")).toBe("Passwords do not match");
    expect(page.valueOf("name")).toBe("Guest");
    expect((await guest.post("/invite", { ...page.hidden(), ...typed })).status).toBe(303);
  });

  test("opens nothing without a token, with a wrong one, one that was taken back or where nobody is invited", async () => {
    const here = administered();
    const nobody = visitor(here, { administration: here.auth.use(admin) });
    expect((await nobody.open("/invite")).status).toBe(400);
    expect((await nobody.open("/invite?token=%00")).status).toBe(400);
    await nobody.open(`/invite?token=${"a".repeat(22)}.${"b".repeat(43)}`);
    expect((await nobody.open("/invite")).status).toBe(400);
    const { guest, id } = await opened(here);
    const fields = (await guest.open("/invite")).hidden();
    await here.auth.use(admin).operator.withdraw(id);
    expect((await guest.post("/invite", { ...fields, ...typed })).status).toBe(400);
    expect((await visitor(here).open("/invite")).status).toBe(400);
  });

  test("is posted by nobody who was not shown it", async () => {
    const here = administered();
    const { guest } = await opened(here);
    expect((await guest.post("/invite", typed)).status).toBe(403);
    const fields = (await guest.open("/invite")).hidden();
    const headers = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
    expect((await guest.post("/invite", { ...fields, ...typed }, { headers })).status).toBe(403);
    expect(here.heard("user.registered")).toEqual([]);
  });
});
