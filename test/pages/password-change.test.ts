import { expect, test } from "vitest";
import { password, world } from "../support/world.ts";
import { registered, signedIn, visitor } from "./visitor.ts";

const next = "another good pass phrase";
const form = { current_password: password, new_password: next, confirm_password: next };
const toTheForm = { status: 302, location: "/account#password" };

/** A browser that is signed in as somebody whose password was set by somebody else. */
async function scene() {
  const here = world();
  await here.plant({ username: "ana", email: "ana@example.com", mustChangePassword: true });
  return { here, ana: await signedIn(here) };
}

test("who has to choose another password is led to its form from wherever they go", async () => {
  const { ana } = await scene();
  expect(await ana.open("/app/dashboard")).toMatchObject(toTheForm);
  expect(await ana.open("/account/delete")).toMatchObject(toTheForm);
  expect(await ana.open("/login")).toMatchObject(toTheForm);
  expect(await ana.open("/")).toMatchObject({ status: 302, location: "/app/dashboard" });
});

test("the account page then has that form alone, and takes no other", async () => {
  const { here, ana } = await scene();
  const page = await ana.open("/account");
  expect(page.status).toBe(200);
  expect(page.text).toContain("Choose a new password");
  expect(page.text.match(/<form\b/g)).toHaveLength(1);
  expect(page.hidden().form).toBe("password");
  const { _token = "" } = page.hidden();
  for (const other of ["profile", "sessions", "keys", "new-key", "accounts"]) {
    const answer = await ana.post("/account", { _token, form: other, name: "Eve", email: "eve@example.com" });
    expect(answer.status, other).toBe(403);
    expect(answer.text).toContain("/account#password");
  }
  expect(await here.auth.users.findByIdentifier("ana")).toMatchObject({
    name: null,
    email: "ana@example.com",
  });
});

test("a refused form comes back; a good one lets them go on, and others have to sign in again", async () => {
  const { here, ana } = await scene();
  const thief = await signedIn(here);
  const same = { ...form, new_password: password, confirm_password: password };
  const again = await ana.submit("/account", same);
  expect(again.status).toBe(400);
  expect(again.messageOf("new_password")).toBe("Choose another password than the one you have");
  expect(await ana.submit("/account", form)).toMatchObject({
    status: 303,
    location: "/account?done=password#password",
  });
  expect((await ana.open("/account")).text).toContain("Your account");
  expect((await ana.open("/app/dashboard")).status).toBe(200);
  expect((await thief.open("/account")).location).toContain("/login");
});

test("signing out needs no other password; nobody else is led anywhere", async () => {
  const { ana } = await scene();
  expect((await ana.open("/logout")).status).toBe(200);
  expect(await ana.submit("/logout", {})).toMatchObject({ status: 303, location: "/login?done=signed-out" });
  const other = await registered(world());
  expect((await other.open("/app/dashboard")).status).toBe(200);
  expect((await visitor(world()).open("/login")).status).toBe(200);
});
