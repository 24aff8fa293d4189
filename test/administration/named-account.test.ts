import { expect, test } from "vitest";
import { isMailboxOf } from "../../src/domain/identifier.ts";
import { mailWorld } from "../support/mail.ts";
import { password } from "../support/world.ts";
import { admin, users } from "./staff.ts";

const lookalike = "boss@gma\u0131l.com";

test("what is meant for an address is not given to the account of another mailbox with the same key", async () => {
  const here = mailWorld({ registration: "confirm", features: [admin] });
  await here.auth.users.create({ email: lookalike, username: "squatter", password });
  const { operator } = here.auth.use(admin);
  const meant = operator.changeRights("boss@gmail.com", { isSuperuser: true });
  await expect(meant).rejects.toMatchObject({ code: "not_found" });
  expect(await here.auth.users.findByIdentifier("boss@gmail.com")).toBeNull();
  expect(await here.auth.users.findByIdentifier("squatter")).toMatchObject({ isSuperuser: false });
  expect(await here.auth.users.findByIdentifier(lookalike)).toMatchObject({ username: "squatter" });

  await here.plant({ email: "chief@example.com", username: "chief", isSuperuser: true });
  const chief = here.browser();
  await chief.post("/api/v1/auth/login", { username: "chief", password });
  const byHttp = `${users}/${encodeURIComponent("boss@gmail.com")}/roles`;
  expect((await chief.put(byHttp, { permissions: ["user:write"] })).status).toBe(404);
  expect((await chief.put(`${users}/squatter/roles`, { permissions: ["user:write"] })).status).toBe(200);
});

test.each([
  ["ana@example.com", " ANA@Example.COM ", true],
  ["\u00c4rger@x.example", "A\u0308rger@x.example", true],
  ["\u00c4rger@x.example", "\u00e4rger@x.example", false],
  [lookalike, "boss@gmail.com", false],
  ["boss@gmail.com", "\uff42oss@gmail.com", false],
])("of the address %s, %s is the mailbox: %s", (email, typed, isTheirs) => {
  expect(isMailboxOf({ email }, typed)).toBe(isTheirs);
});
