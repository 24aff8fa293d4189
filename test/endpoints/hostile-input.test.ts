import { describe, expect, test } from "vitest";
import type { Browser } from "../support/browser.ts";
import { allRoutes, fieldsOf, pathOf } from "../support/routes.ts";
import { password, type World, world } from "../support/world.ts";

const email = "ana@example.com";
const routes = (await allRoutes()).filter(({ input }) => input !== undefined);
const named = routes.map((route) => [`${route.method} ${pathOf(route)}`, route] as const);

/** A body that each route accepts. */
const good: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "POST /api/v1/auth/register": {
    email: "new@example.com",
    username: "newcomer",
    password,
    name: "New",
    remember: true,
  },
  "POST /api/v1/auth/login": { email, password, remember: false },
  "POST /api/v1/auth/reauthenticate": { password },
  "PUT /api/v1/users/me/password": {
    current_password: password,
    new_password: "staple battery horse correct",
  },
  // The token is of somebody: the test that is about good bodies puts one in.
  "POST /api/v1/auth/password/reset": { token: "none", new_password: "staple battery horse correct" },
  "PATCH /api/v1/users/me": { email: "new@example.com", username: "newname", name: "New", locale: "de" },
  "PUT /api/v1/users/me": { email: "new@example.com", username: "newname", name: "New", locale: "de" },
};

/** Somebody signed in, and what has been done by then. */
async function signedIn(here: World): Promise<Browser & { readonly userId: string }> {
  const ana = await here.registered(email);
  here.recorder.calls.length = 0;
  here.events.length = 0;
  here.threads.tasks.length = 0;
  return ana;
}

/** The body that a route accepts, with a token of the person where it takes one. */
async function goodBody(
  here: World,
  name: string,
  userId: string,
): Promise<Readonly<Record<string, unknown>>> {
  const body = good[name] ?? {};
  if (!("token" in body)) return body;
  const token = await here.auth.users.issueResetToken(userId);
  here.recorder.calls.length = 0;
  here.events.length = 0;
  return { ...body, token };
}

function expectNothingDone(here: World): void {
  expect(here.recorder.trace().filter((call) => /commit|put|take|add/.test(call))).toEqual([]);
  expect(here.events).toEqual([]);
  expect(here.threads.hashes()).toBe(0);
}

test("every route with input has a good body here", () => {
  expect(named.map(([name]) => name).sort()).toEqual(Object.keys(good).sort());
});

describe.each(named)("%s", (name, route) => {
  const path = pathOf(route);

  test("accepts its good body, as JSON and as a form", async () => {
    for (const kind of ["json", "form"] as const) {
      const here = world();
      const ana = await signedIn(here);
      const fields = await goodBody(here, name, ana.userId);
      const body = Object.fromEntries(
        Object.entries(fields).map(([key, value]) => [key, kind === "json" ? value : String(value)]),
      );
      const { status, text } = await ana.send(route.method, path, { [kind]: body });
      expect(`${status} ${text}`).toMatch(/^20[014] /);
    }
  });

  test.each([
    ["malformed JSON", "{", "application/json", 400, "malformed_json"],
    ["no object", "[]", "application/json", 400, "invalid_input"],
    ["a key twice", '{"password":"a","password":"b"}', "application/json", 400, "malformed_json"],
    [
      "deep JSON",
      `{"email":${"[".repeat(5_000)}${"]".repeat(5_000)}}`,
      "application/json",
      400,
      "invalid_input",
    ],
    ["__proto__", '{"__proto__":{"is_superuser":true}}', "application/json", 400, "invalid_input"],
    ["plain text", "{}", "text/plain", 415, "unsupported_media_type"],
    ["no content type", "{}", null, 415, "unsupported_media_type"],
    ["another charset", "{}", "application/json; charset=utf-16le", 415, "unsupported_media_type"],
    ["a file upload", "--x--", "multipart/form-data; boundary=x", 415, "unsupported_media_type"],
    ["a field twice", "password=a&password=b", "application/x-www-form-urlencoded", 400, "invalid_input"],
    ["too much", JSON.stringify({ email: "x".repeat(65_536) }), "application/json", 413, "payload_too_large"],
    [
      "too much of a form",
      `email=${"x".repeat(65_536)}`,
      "application/x-www-form-urlencoded",
      413,
      "payload_too_large",
    ],
  ])("refuses %s and does nothing", async (_, text, type, status, code) => {
    const here = world();
    const ana = await signedIn(here);
    const answer = await ana.send(route.method, path, {
      body: Buffer.from(text),
      headers: { "content-type": type },
    });
    expect(answer).toMatchObject({ status, body: { code, status }, cookies: [] });
    expectNothingDone(here);
  });

  test("refuses too much whether it is declared or not", async () => {
    const here = world({ maxBodyBytes: 2_000 });
    const ana = await signedIn(here);
    const headers = { "content-type": "application/json" };
    const declared = await ana.send(route.method, path, {
      body: "{}",
      headers: { ...headers, "content-length": "2001" },
    });
    expect(declared.body.code).toBe("payload_too_large");
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(Buffer.alloc(500, 0x20)),
    });
    expect((await ana.send(route.method, path, { body, headers })).body.code).toBe("payload_too_large");
    expectNothingDone(here);
  });

  test.each([
    ["NUL", "\u0000"],
    ["half of a surrogate pair", "\ud800"],
  ])("refuses %s in every field, and does nothing", async (_, character) => {
    const here = world();
    const ana = await signedIn(here);
    for (const field of fieldsOf(route).names) {
      const body = { ...good[name], [field]: `a${character}b` };
      const { status, body: answer } = await ana.send(route.method, path, { json: body });
      expect([field, status, answer.code]).toEqual([field, 400, "invalid_input"]);
    }
    expectNothingDone(here);
  });

  test("refuses any value that is no text in every field, names it, and does nothing", async () => {
    const here = world();
    const ana = await signedIn(here);
    // Null takes these out of a profile.
    const isRemovable = (field: string): boolean =>
      route.path === "/users/me" && (field === "name" || field === "locale");
    for (const field of fieldsOf(route).names) {
      const values: readonly unknown[] = [
        [],
        {},
        ["a"],
        { a: 1 },
        { toString: "a" },
        7,
        1e308,
        -1,
        ...(field === "remember" ? ["maybe", 1] : [true, false]),
      ];
      for (const value of [...values, ...(isRemovable(field) ? [] : [null])]) {
        const { status, body } = await ana.send(route.method, path, {
          json: { ...good[name], [field]: value },
        });
        const fields = body.errors?.map((each) => each.field);
        expect([field, value, status, body.code, fields]).toEqual([
          field,
          value,
          400,
          "invalid_input",
          [field],
        ]);
      }
    }
    expectNothingDone(here);
  });

  test("asks for what it requires, every missing field at once", async () => {
    const here = world();
    const ana = await signedIn(here);
    const { required } = fieldsOf(route);
    for (const body of [{}, Object.fromEntries(required.map((field) => [field, ""]))]) {
      const { status, body: answer } = await ana.send(route.method, path, { json: body });
      if (required.length === 0) expect(status).toBe(200);
      else
        expect([status, answer.code, answer.errors?.map(({ field }) => field).sort()]).toEqual([
          400,
          "invalid_input",
          [...required].sort(),
        ]);
    }
    if (required.length > 0) expectNothingDone(here);
  });

  test("refuses a password of 10 kB before hashing, and one of 1,025 bytes too", async () => {
    const here = world();
    const ana = await signedIn(here);
    const accepted = await goodBody(here, name, ana.userId);
    for (const field of fieldsOf(route).names.filter((each) => each.includes("password"))) {
      for (const long of ["x".repeat(10_240), "x".repeat(4_097), "x".repeat(1_025), "\u20ac".repeat(342)]) {
        const { status, body } = await ana.send(route.method, path, {
          json: { ...accepted, [field]: long },
        });
        // The new password is judged when the current one has been proven.
        expect([status, body.code]).toEqual([
          400,
          long.length > 4_096 ? "invalid_input" : "password_rejected",
        ]);
        if (field !== "new_password") expect(here.threads.hashes()).toBe(0);
      }
    }
    expect((await here.user(ana.userId)).version).toBe(1);
  });

  test("assigns nothing that it does not name", async () => {
    const here = world();
    const ana = await signedIn(here);
    const { names } = fieldsOf(route);
    const extra = {
      ...{
        id: "x",
        role: "admin",
        roles: ["admin"],
        permissions: ["*"],
        superuser: true,
        is_superuser: true,
        isSuperuser: true,
      },
      ...{
        tier: "gold",
        email_verified: true,
        emailVerified: true,
        status: "disabled",
        generation: 99,
        version: 99,
        ...(names.includes("locale") ? {} : { locale: "xx" }),
      },
      ...{
        data: { plan: "gold" },
        created_at: "2000-01-01T00:00:00Z",
        deletedAt: null,
        emailKey: "x@example.com",
        slotTag: "x",
        userId: "x",
      },
      ...{
        constructor: { prototype: { isSuperuser: true } },
        user: { is_superuser: true },
        isRemembered: true,
        by: "operator",
      },
    };
    const { body, status } = await ana.send(route.method, path, {
      json: { ...(await goodBody(here, name, ana.userId)), ...extra },
    });
    expect(status).toBeLessThan(300);
    const id = String(body.user?.id ?? body.id ?? ana.userId);
    const user = await here.user(id);
    expect(user).toMatchObject({
      ...{
        roles: [],
        permissions: [],
        isSuperuser: false,
        tier: null,
        emailVerified: false,
        status: "active",
        locale: names.includes("locale") ? "de" : null,
        data: {},
      },
      createdAt: here.clock.now(),
    });
    expect(user.generation).toBeLessThan(3);
    expect(user.version).toBeLessThan(3);
    expect(JSON.stringify(user)).not.toMatch(/gold|admin/);
    expect(({} as { isSuperuser?: boolean }).isSuperuser).toBe(undefined);
  });
});

describe("lengths", () => {
  test.each([
    ["email", `${"a".repeat(250)}@x.com`],
    ["username", "a".repeat(65)],
    ["name", "a".repeat(201)],
    ["name", "a\u0007b"],
    ["username", "a\nb"],
    ["email", "a\r\n@example.com"],
  ])("of %s are bounded, and its characters", async (field, value) => {
    const here = world();
    const answer = await here
      .browser()
      .post("/api/v1/auth/register", { ...good["POST /api/v1/auth/register"], [field]: value });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ field }] } });
    const ana = await signedIn(here);
    expect((await ana.patch("/api/v1/users/me", { [field]: value })).body.errors?.[0]?.field).toBe(field);
  });

  test("of an identifier at sign-in are bounded", async () => {
    const { status, body } = await world()
      .browser()
      .post("/api/v1/auth/login", { username: "x".repeat(255), password });
    expect([status, body.errors?.[0]?.field]).toEqual([400, "username"]);
  });

  test("of what a form ticks are few", async () => {
    const here = world();
    for (const [index, remember] of ["on", "true", "1", "off", "false", "0", ""].entries()) {
      const { status, cookies } = await here.browser().send("POST", "/api/v1/auth/register", {
        form: { email: `a${index}@example.com`, password, remember },
      });
      expect([status, cookies[0]?.attributes["max-age"] !== undefined]).toEqual([201, index < 3]);
    }
  });
});
