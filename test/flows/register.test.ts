import { describe, expect, test } from "vitest";
import type { Intent } from "../../src/ports/policy.ts";
import { backends } from "../support/backends.ts";
import { bareRequest } from "../support/browser.ts";
import { cookieName, password, world } from "../support/world.ts";

const path = "/api/v1/auth/register";
const ana = { email: "Ana@Example.com", username: "Ana_B", password, name: "  Ana B. " };

describe.each(backends)("registering, on $backend", ({ open }) => {
  test("creates an account and signs in, all in one transaction with its audit rows", async () => {
    const here = world({ stores: await open() });
    const browser = here.browser();
    const { status, body, cookies } = await browser.post(path, ana);
    expect(status).toBe(201);
    expect(body.user).toMatchObject({
      email: "Ana@Example.com",
      username: "ana_b",
      name: "Ana B.",
      is_superuser: false,
      roles: [],
      tier: null,
    });
    expect(cookies.map(({ name }) => name)).toEqual([
      cookieName,
      `${cookieName}-csrf`,
      `${cookieName}-device`,
    ]);
    expect(here.recorder.trace().filter((call) => call.includes("commit"))).toEqual([
      "directory.commit(user.insert password.insert audit.insert session.insert audit.insert)",
    ]);
    expect((await browser.get("/api/v1/users/me")).body.id).toBe(body.user?.id);
    const rows = await here.audit();
    expect(rows.map(({ type, userId }) => [type, userId])).toEqual([
      ["user.registered", body.user?.id],
      ["session.started", body.user?.id],
    ]);
    expect(rows[0]).toMatchObject({ payload: '{"by":"self","isSuperuser":false}' });
  });

  test("stores the password as a hash", async () => {
    const here = world({ stores: await open() });
    const { userId } = await here.registered();
    const { encoded, normalization } = await here.credential(userId);
    expect(encoded).toMatch(/^\$argon2id\$/);
    expect(normalization).toBe("nfc-1");
  });

  test("of 20 at once for one address, one succeeds and the others hear that it is taken", async () => {
    const here = world({ stores: await open() });
    const variants = ["ana@example.com", "ANA@example.com", " Ana@Example.COM ", "\uff21na@example.com"];
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        here.browser().post(path, { email: variants[index % 4], password }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(19).fill(409)]);
    expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({
      code: "email_taken",
      errors: [{ field: "email", code: "taken" }],
    });
    expect(await here.audit("user.registered")).toHaveLength(1);
    expect(here.heard("user.registered")).toHaveLength(1);
    expect(here.heard("session.started")).toHaveLength(1);
  });

  test("of 10 at once for one username, one succeeds, and nothing of the others stays", async () => {
    const here = world({ stores: await open() });
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        here
          .browser()
          .post(path, { email: `a${index}@example.com`, username: index % 2 ? "ANA" : " ana", password }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(9).fill(409)]);
    expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({
      code: "username_taken",
      errors: [{ field: "username", code: "taken" }],
    });
    expect(await here.audit("user.registered")).toHaveLength(1);
    const free = answers.findIndex(({ status }) => status === 409);
    expect((await here.browser().post(path, { email: `a${free}@example.com`, password })).status).toBe(201);
  });
});

describe("a registration", () => {
  test.each([
    ["case", "ANA@EXAMPLE.COM"],
    ["spaces around", "  ana@example.com\t"],
    ["full-width letters", "\uff41na@example.com"],
  ])("of an address that differs by %s is refused", async (_, email) => {
    const here = world();
    await here.registered();
    const refused = await here.browser().post(path, { email: email.replace("\t", " "), password });
    expect(refused).toMatchObject({ status: 409, body: { code: "email_taken" }, cookies: [] });
  });

  test("of an address whose letters are composed otherwise is refused", async () => {
    const here = world();
    await here.registered("\u00e4rger@example.com");
    expect((await here.browser().post(path, { email: "A\u0308RGER@example.com", password })).status).toBe(
      409,
    );
  });

  test("of a username that differs by case or width is refused", async () => {
    const here = world();
    await here.browser().post(path, { ...ana, username: "ana" });
    for (const username of ["ANA", "\uff41na", " ana "]) {
      expect(
        (await here.browser().post(path, { email: "b@example.com", username, password })).body.code,
      ).toBe("username_taken");
    }
  });

  test("without a username makes one", async () => {
    const here = world();
    for (const username of [undefined, "", "  "]) {
      const { body } = await here
        .browser()
        .post(path, { email: `a${username?.length}@example.com`, username, password });
      expect(body.user?.username).toMatch(/^u[0-9a-z]{8}$/);
    }
  });

  test("under a name that speaks for the service is for operators alone", async () => {
    const here = world();
    const admin = { email: "ana@example.com", username: "Admin", password };
    const { status, body } = await here.browser().post(path, admin);
    expect([status, body.errors?.[0]?.field]).toEqual([400, "username"]);
    await expect(here.auth.users.create({ ...admin, username: "me" })).rejects.toMatchObject({
      code: "invalid_input",
    });
    expect(await here.auth.users.create(admin)).toMatchObject({ username: "admin" });
  });

  test("names every failing field at once, and writes nothing", async () => {
    const here = world();
    const { status, body } = await here
      .browser()
      .post(path, { email: "ana", username: "me", password: "short", name: "a" });
    expect({ status, code: body.code }).toEqual({ status: 400, code: "invalid_input" });
    expect(body.errors?.map(({ field, code }) => [field, code])).toEqual([
      ["email", "invalid"],
      ["username", "invalid"],
      ["password", "too_short"],
    ]);
    expect(here.recorder.trace()).toEqual(["ephemeral.reserve"]);
    expect(here.threads.hashes()).toBe(0);
  });

  test("without an address says that one is required", async () => {
    const { body } = await world().browser().post(path, { email: "  ", password });
    expect(body.errors).toMatchObject([{ field: "email", code: "required" }]);
  });

  test.each([
    ["the address", "ana@example.com", "ana@example.com"],
    ["the username", "ana@example.com", "ANA-B.C-long"],
    ["the name", "ana@example.com", "Ana Bernadotte"],
    ["the site", "ana@example.com", "app.example"],
  ])("with %s as its password is refused as a password", async (_, email, chosen) => {
    const here = world();
    const { status, body } = await here
      .browser()
      .post(path, { email, username: "ana-b.c-long", name: "Ana Bernadotte", password: chosen });
    expect({ status, code: body.code, errors: body.errors?.map(({ field, code }) => [field, code]) }).toEqual(
      {
        status: 400,
        code: "password_rejected",
        errors: [["password", "context_word"]],
      },
    );
    expect(here.threads.hashes()).toBe(0);
  });

  test("with a common password is refused", async () => {
    const here = world({ passwords: { refusesCommon: true } });
    const { body } = await here.browser().post(path, { email: "ana@example.com", password: "Password1" });
    expect(body.errors).toMatchObject([{ field: "password", code: "too_common" }]);
  });

  test("does not sign in where the configuration says so", async () => {
    const here = world({ signInAfterRegistration: false });
    const { status, body, cookies } = await here.browser().post(path, ana);
    expect({ status, keys: Object.keys(body), cookies }).toEqual({
      status: 201,
      keys: ["user"],
      cookies: [],
    });
    expect((await here.audit()).map(({ type }) => type)).toEqual(["user.registered"]);
    expect(await here.auth.sessions.list(String(body.user?.id))).toEqual([]);
  });

  test("is remembered where that was asked for", async () => {
    const here = world();
    for (const [remember, maxAge] of [
      [true, "2592000"],
      ["on", "2592000"],
      [false, undefined],
      ["off", undefined],
      [undefined, undefined],
    ] as const) {
      const { cookies } = await here
        .browser()
        .post(path, { email: `a${remember}@example.com`, password, remember });
      expect(cookies.map(({ attributes }) => attributes["max-age"])).toEqual([maxAge, maxAge, "15552000"]);
    }
  });

  test("is refused while registration is closed, and an operator still creates accounts", async () => {
    const here = world({ registration: "closed" });
    const { status, body } = await here.browser().post(path, ana);
    expect({ status, code: body.code }).toEqual({ status: 403, code: "registration_closed" });
    expect(here.threads.hashes()).toBe(0);
    const created = await here.auth.users.create(
      { email: "op@example.com", password },
      { isSuperuser: true },
    );
    expect(created.isSuperuser).toBe(true);
    expect(await here.audit()).toMatchObject([
      { type: "user.registered", payload: '{"by":"operator","isSuperuser":true}' },
    ]);
    expect(await here.auth.sessions.list(created.id)).toEqual([]);
  });

  test("by an operator makes nobody superuser by itself", async () => {
    expect((await world().auth.users.create({ email: "op@example.com", password })).isSuperuser).toBe(false);
  });

  test("ends another person's session that the browser carried, and says so", async () => {
    const here = world();
    const browser = await here.registered("bob@example.com");
    const before = browser.copy();
    await browser.post(path, ana);
    expect((await before.get("/api/v1/users/me")).status).toBe(401);
    expect(here.heard("session.revoked")).toMatchObject([
      { userId: browser.userId, payload: { by: "self" } },
    ]);
  });
});

describe("a policy", () => {
  const seen: Intent[] = [];

  test("may veto a registration, before anything is hashed or written", async () => {
    const here = world({
      policies: [
        () => null,
        async (intent) => {
          seen.push(intent);
          return intent.kind === "register" && intent.user.email.endsWith("@spam.example")
            ? "Not from there."
            : null;
        },
      ],
    });
    const { status, body } = await here.browser().post(path, { email: "a@spam.example", password });
    expect({ status, code: body.code, detail: body.detail }).toEqual({
      status: 403,
      code: "forbidden",
      detail: "Not from there.",
    });
    expect(here.threads.hashes()).toBe(0);
    expect(await here.audit()).toEqual([]);
    expect(seen).toMatchObject([
      { kind: "register", user: { email: "a@spam.example" }, client: { ip: "192.0.2.10" } },
    ]);
    expect((await here.browser().post(path, ana)).status).toBe(201);
  });

  test("that fails refuses, and tells the operator", async () => {
    const here = world({ policies: [() => Promise.reject(new Error("down"))] });
    expect((await here.browser().post(path, ana)).status).toBe(500);
    expect(here.log).toMatchObject([{ cause: new Error("down") }]);
    expect(await here.audit()).toEqual([]);
  });
});

test("a registration through the library is the same as by HTTP", async () => {
  const here = world();
  const visit = { request: bareRequest({ method: "POST" }), client: { ip: null } };
  const { user, signIn } = await here.auth.users.register({ ...ana, isRemembered: true }, visit);
  expect(user?.emailKey).toBe("ana@example.com");
  expect(signIn?.session).toMatchObject({
    userId: user?.id,
    isRemembered: true,
    amr: ["pwd"],
    authTime: here.clock.now(),
  });
  await expect(here.auth.users.register(ana, visit)).rejects.toMatchObject({ code: "email_taken" });
  const noName = { ...ana, email: "b@example.com", username: "bbb", name: "x".repeat(201) };
  await expect(here.auth.users.register(noName, visit)).rejects.toMatchObject({
    code: "invalid_input",
    fields: [{ field: "name" }],
  });
  await expect(here.auth.users.register({ ...noName, name: "a\u0007" }, visit)).rejects.toMatchObject({
    fields: [{ field: "name" }],
  });
  expect(await here.auth.users.registrationErrors({ email: "x", password: "y" })).toHaveLength(2);
  expect(await here.auth.users.registrationErrors({ email: "x@example.com", password })).toEqual([]);
  const named = { email: "x@example.com", username: "admin", password };
  expect(await here.auth.users.registrationErrors(named)).toMatchObject([{ field: "username" }]);
  expect(await here.auth.users.registrationErrors(named, { isOperators: true })).toEqual([]);
});
