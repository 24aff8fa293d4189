import { describe, expect, test } from "vitest";
import { administrationPermissions } from "../../src/domain/administration.ts";
import type { Permission } from "../../src/domain/user.ts";
import { apiKeys } from "../../src/features/api-keys.ts";
import { backends } from "../support/backends.ts";
import { password } from "../support/world.ts";
import { admin, administered, holding, person, root, signIn, users } from "./staff.ts";

const me = `${users}/me`;

/** Every route, the permission that it needs, and a body that it would take. */
const table: readonly (readonly [string, string, string, unknown?])[] = [
  ["GET", users, "user:read"],
  ["POST", users, "user:write", { email: "new@example.com", password }],
  ["GET", `${users}/ana`, "user:read"],
  ["PATCH", `${users}/ana`, "user:write", { name: "Ana" }],
  ["POST", `${users}/ana/disable`, "user:write"],
  ["POST", `${users}/ana/restore`, "user:write"],
  ["PUT", `${users}/ana/roles`, "user:write", { roles: [] }],
  ["PUT", `${users}/ana/tier`, "user:write", { tier: null }],
  ["GET", `${users}/ana/sessions`, "user:read"],
  ["DELETE", `${users}/ana/sessions`, "session:write"],
  ["POST", "/api/v1/invitations", "invitation:write", { email: "guest@example.com" }],
  ["DELETE", "/api/v1/invitations/0000000000000000000000", "invitation:write"],
  ["GET", "/api/v1/audit", "audit:read"],
  ["GET", "/api/v1/stats", "statistics:read"],
  ["POST", `${users}/ana/impersonate`, "user:impersonate"],
  ["DELETE", `${users}/ana`, "user:write"],
];

describe.each(table.map((row) => [`${row[0]} ${row[1]}`, row] as const))(
  "%s",
  (_, [method, path, needed, json]) => {
    const send = json === undefined ? {} : { json };

    test(`needs ${needed}, and no other permission is enough`, async () => {
      const here = administered();
      await person(here, "ana");
      const others = administrationPermissions.filter((name) => name !== needed);
      const almost = await holding(here, "almost", ...others);
      expect((await here.browser().send(method, path, send)).status).toBe(401);
      expect((await almost.send(method, path, send)).body.code).toBe("forbidden");
      expect(here.heard("permission.denied")).toMatchObject([
        { payload: { path: expect.not.stringContaining("ana") } },
      ]);
      const boss = await holding(here, "boss", needed);
      const { status } = await boss.send(method, path, send);
      expect(status === 404 ? path : status).toBe(status === 404 ? table[11]?.[1] : status);
      expect([200, 201, 204, 404]).toContain(status);
    });
  },
);

describe("what applications call", () => {
  test("checks the permission itself: a row that lost its guard gives nothing away", async () => {
    const here = administered();
    await person(here, "ana");
    const bob = await person(here, "bob");
    const visit = { request: bob.request("POST", "/"), client: { ip: null } };
    const calls = here.auth.use(admin).as(visit);
    const account = { email: "new@example.com", password };
    const all: readonly (() => Promise<unknown>)[] = [
      () => calls.users(),
      () => calls.user("ana"),
      () => calls.create(account),
      () => calls.change("ana", { name: "x" }),
      () => calls.changeRights("bob", { isSuperuser: true }),
      () => calls.disable("ana"),
      () => calls.restore("ana"),
      () => calls.delete("ana"),
      () => calls.anonymize("ana"),
      () => calls.sessions("ana"),
      () => calls.endSessions("ana"),
      () => calls.endSession("ana", "x"),
      () => calls.apiKeys("ana"),
      () => calls.revokeApiKey("ana", "x"),
      () => calls.invite({ email: "x@example.com" }),
      () => calls.withdraw("x"),
      () => calls.audit(),
      () => calls.statistics(),
      () => here.auth.use(admin).impersonate("ana", visit),
    ];
    for (const call of all) await expect(call()).rejects.toMatchObject({ code: "forbidden" });
  });

  test("knows an account by id, username and address", async () => {
    const here = administered();
    const ana = await person(here, "ana");
    const { operator } = here.auth.use(admin);
    for (const named of [ana.userId, ana.userId.toUpperCase(), "ANA", "Ana@Example.com"])
      expect((await operator.user(named)).id).toBe(ana.userId);
    await expect(operator.user("nobody")).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("an administrator who is no superuser", () => {
  test("changes no superuser, nor who may do what they may not", async () => {
    const here = administered();
    const chief = await root(here);
    const boss = await holding(here, "boss", "user:read", "user:write", "session:write");
    await holding(here, "dan", "tier:write");
    const gone = await person(here, "eve", { permissions: ["audit:read" as Permission], status: "active" });
    await chief.post(`${users}/eve/disable`);
    for (const named of ["root", "dan", "eve"]) {
      const attempts = [
        boss.patch(`${users}/${named}`, { email: "mine@example.com" }),
        boss.patch(`${users}/${named}`, { must_change_password: true }),
        boss.post(`${users}/${named}/disable`),
        boss.post(`${users}/${named}/restore`),
        boss.delete(`${users}/${named}`),
        boss.delete(`${users}/${named}/sessions`),
      ];
      for (const { body } of await Promise.all(attempts)) expect(body.code).toBe("forbidden");
    }
    expect((await here.user(gone.userId)).status).toBe("disabled");
    const almighty = await holding(here, "almighty", ...administrationPermissions);
    expect((await almighty.post(`${users}/root/disable`)).body.code).toBe("forbidden");
    expect((await almighty.post(`${users}/dan/disable`)).status).toBe(200);
    expect((await boss.get(`${users}/root`)).status).toBe(200);
  });

  test("erases nobody for good", async () => {
    const here = administered();
    const boss = await holding(here, "boss", ...administrationPermissions);
    await person(here, "ana");
    for (const path of [`${users}/db/ana`, `${users}/ana/permanent`])
      expect((await boss.delete(path)).body.code).toBe("forbidden");
    const chief = await root(here);
    here.clock.advance(600);
    expect((await chief.delete(`${users}/db/ana`)).body.code).toBe("fresh_auth_required");
    await chief.post("/api/v1/auth/reauthenticate", { password });
    expect(await chief.delete(`${users}/ana/permanent`)).toMatchObject({
      status: 200,
      body: { message: "The account is anonymised." },
    });
    expect((await chief.delete(`${users}/db/ana`)).status).toBe(404);
  });

  test("has lost the right by the time of the write: nothing is written", async () => {
    const here = administered();
    const boss = await holding(here, "boss", "user:write");
    const ana = await person(here, "ana");
    here.recorder.before = ({ writes }) => {
      if (!writes.includes("user.advance")) return null;
      here.recorder.before = () => null;
      return here.write({ kind: "user.advance", userId: boss.userId, from: 1 });
    };
    expect((await boss.post(`${users}/ana/disable`)).status).toBe(409);
    expect((await here.user(ana.userId)).status).toBe("active");
  });
});

describe("what gives a right or takes an account away", () => {
  test("needs a fresh sign-in", async () => {
    const here = administered();
    const chief = await root(here);
    await person(here, "ana");
    here.clock.advance(600);
    const stale = [
      await chief.put(`${users}/ana/roles`, { is_superuser: true }),
      await chief.put(`${users}/ana/tier`, { tier: null }),
      await chief.delete(`${users}/ana`),
      await chief.patch(`${users}/ana`, { email: "new@example.com" }),
      await chief.post("/api/v1/invitations", { email: "x@example.com", permissions: ["a:b"] }),
      await chief.post("/api/v1/invitations", { email: "x@example.com", tier: "gold" }),
    ];
    for (const { body } of stale) expect(body.code).toBe("fresh_auth_required");
    expect((await chief.patch(`${users}/ana`, { name: "Ana" })).status).toBe(200);
    await chief.post("/api/v1/auth/reauthenticate", { password });
    expect((await chief.put(`${users}/ana/roles`, { permissions: ["a:b"] })).body.permissions).toEqual([
      "a:b",
    ]);
  });

  test("is no business of an API key, which reads what its scopes say", async () => {
    const here = administered({ features: [apiKeys()] });
    const chief = await root(here);
    await person(here, "ana");
    const made = await chief.post("/api/v1/api-keys", {
      name: "k",
      permissions: ["user:read", "user:write"],
    });
    const key = { headers: { "x-api-key": String(made.body.key) } };
    const program = here.browser();
    expect((await program.get(`${users}/ana`, key)).status).toBe(200);
    expect((await program.patch(`${users}/ana`, { name: "Ana" }, key)).status).toBe(200);
    expect((await program.get("/api/v1/audit", key)).body.code).toBe("forbidden");
    expect((await program.delete(`${users}/ana`, key)).body.code).toBe("fresh_auth_required");
    expect((await program.delete(`${users}/db/ana`, key)).body.code).toBe("fresh_auth_required");
    expect((await program.post(`${users}/ana/impersonate`, undefined, key)).body.code).toBe("forbidden");
  });
});

describe("an API key of a superuser", () => {
  test("changes no superuser, nor who may do what its scopes do not say", async () => {
    const here = administered({ features: [apiKeys()] });
    const chief = await root(here);
    const other = await root(here, "other");
    await holding(here, "dan", "tier:write");
    const almost = await holding(here, "almost", "session:write");
    await person(here, "ana");
    const keyFor = async (...permissions: readonly string[]) => {
      const { body } = await chief.post("/api/v1/api-keys", { name: "k", permissions });
      return { headers: { "x-api-key": String(body.key) } };
    };
    const writes = await keyFor("user:write", "session:write");
    const ends = await keyFor("session:write");
    const program = here.browser();
    for (const named of ["root", "other", "dan"]) {
      const sessionId = (await here.auth.sessions.list(other.userId))[0]?.id;
      const attempts = [
        await program.patch(`${users}/${named}`, { name: "x", must_change_password: true }, writes),
        await program.post(`${users}/${named}/disable`, undefined, writes),
        await program.post(`${users}/${named}/restore`, undefined, writes),
        await program.post(`${users}/${named}/unlock`, undefined, writes),
        await program.delete(`${users}/${named}/sessions`, writes),
        await program.delete(`${users}/${named}/sessions`, ends),
      ];
      expect(attempts.map(({ body }) => body.code)).toEqual(attempts.map(() => "forbidden"));
      const visit = { request: program.request("DELETE", "/", ends), client: { ip: null } };
      const one = here.auth
        .use(admin)
        .as(visit)
        .endSession(named, sessionId ?? "");
      await expect(one).rejects.toMatchObject({ code: "forbidden" });
    }
    expect((await other.get(me)).status).toBe(200);
    expect((await program.post(`${users}/ana/disable`, undefined, writes)).status).toBe(200);
    expect((await program.delete(`${users}/almost/sessions`, ends)).status).toBe(204);
    expect((await almost.get(me)).status).toBe(401);
    expect((await chief.post(`${users}/other/disable`)).status).toBe(200);
  });
});

describe.each(backends)("the last superuser, on $backend", ({ open }) => {
  test("cannot be disabled, deleted, erased or made an ordinary user, and of two one stays", async () => {
    const here = administered({ stores: await open() });
    const chief = await root(here);
    const answers = [
      await chief.post(`${users}/root/disable`),
      await chief.delete(`${users}/root`),
      await chief.delete(`${users}/db/root`),
      await chief.put(`${users}/root/roles`, { is_superuser: false }),
      await chief.delete(me),
    ];
    for (const { body } of answers) expect(body.code).toBe("conflict");
    expect(await here.user(chief.userId)).toMatchObject({ status: "active", isSuperuser: true });
    const second = await root(here, "second");
    const both = await Promise.all([
      chief.post(`${users}/second/disable`),
      second.post(`${users}/root/disable`),
    ]);
    expect(both.filter(({ status }) => status === 200).length).toBeLessThan(2);
    const left = [await here.user(chief.userId), await here.user(second.userId)];
    expect(left.filter(({ status }) => status === "active").length).toBeGreaterThanOrEqual(1);
  });
});

describe.each(backends)("changing an account, on $backend", ({ open }) => {
  test("to another address ends its sessions and its links; to another name does not", async () => {
    const here = administered({ stores: await open() });
    const boss = await holding(here, "boss", "user:write");
    const ana = await person(here, "ana", { emailVerified: true });
    const token = await here.auth.users.issueResetToken(ana.userId);
    here.events.length = 0;
    expect((await boss.patch(`${users}/ana`, { name: " Ana ", locale: "de" })).body).toMatchObject({
      ...{ name: "Ana", locale: "de", email_verified: true },
    });
    expect((await ana.get(me)).status).toBe(200);
    expect((await boss.patch(`${users}/ana`, { email: "new@example.com" })).body).toMatchObject({
      ...{ email: "new@example.com", email_verified: false },
    });
    expect((await ana.get(me)).status).toBe(401);
    const visit = { request: ana.request("POST", "/"), client: { ip: null } };
    await expect(
      here.auth.users.resetPassword({ token, password: `${password}!` }, visit),
    ).rejects.toMatchObject({
      code: "token_invalid",
    });
    expect(here.events.map(({ type, payload }) => [type, payload])).toEqual([
      ["user.updated", { by: "administrator", administratorId: boss.userId, fields: ["name", "locale"] }],
      [
        "user.updated",
        { by: "administrator", administratorId: boss.userId, fields: ["email", "emailVerified"] },
      ],
      ["email.changed", { by: "administrator", administratorId: boss.userId }],
      ["session.revoked", { by: "administrator", administratorId: boss.userId }],
    ]);
    expect(here.events.every(({ ip, userAgent }) => ip === null && userAgent === null)).toBe(true);
  });

  test("to what nobody can have is refused with every field", async () => {
    const here = administered({ stores: await open() });
    const boss = await holding(here, "boss", "user:write");
    await person(here, "ana");
    const { body } = await boss.patch(`${users}/ana`, { email: "x", username: "me" });
    expect(body.errors?.map(({ field }) => field)).toEqual(["email", "username"]);
    expect((await boss.patch(`${users}/ana`, { locale: "no tag" })).body.errors?.[0]?.field).toBe("locale");
    expect((await boss.patch(`${users}/ana`, { email: "boss@example.com" })).body.code).toBe("email_taken");
    expect((await boss.patch(`${users}/ana`, { username: "boss" })).body.code).toBe("username_taken");
    expect((await boss.patch(`${users}/ana`, { is_superuser: true, status: "deleted" })).body).toMatchObject({
      ...{ is_superuser: false, status: "active" },
    });
  });

  test("leaves what is not named, and reads forms like JSON", async () => {
    const here = administered({ stores: await open() });
    const chief = await root(here);
    const ana = await person(here, "ana", { emailVerified: true, mustChangePassword: false });
    await chief.patch(`${users}/ana`, undefined, { form: { must_change_password: "on" } });
    await chief.patch(`${users}/ana`, { name: "Ana" });
    expect(await here.user(ana.userId)).toMatchObject({ emailVerified: true, mustChangePassword: true });
    await chief.put(`${users}/ana/roles`, undefined, {
      form: { permissions: "a:b, c:d", is_superuser: "true" },
    });
    expect((await chief.put(`${users}/ana/roles`, { permissions: ["a:b"] })).body).toMatchObject({
      permissions: ["a:b"],
      is_superuser: true,
    });
    expect((await chief.put(`${users}/ana/roles`, { is_superuser: "perhaps" })).body.code).toBe(
      "invalid_input",
    );
  });

  test("asks for another password of who has one, at once", async () => {
    const here = administered({ stores: await open() });
    const boss = await holding(here, "boss", "user:write");
    const ana = await person(here, "ana");
    await here.write({
      kind: "user.insert",
      user: here.make.user({ username: "oa", email: "oa@example.com" }),
    });
    expect((await boss.patch(`${users}/oa`, { must_change_password: true })).body.code).toBe("conflict");
    await boss.patch(`${users}/ana`, { must_change_password: true });
    expect((await ana.get("/api/v1/users/me/sessions")).body.code).toBe("password_change_required");
    const chosen = { current_password: password, new_password: `${password}!` };
    expect((await ana.put(`${me}/password`, chosen)).status).toBe(200);
    expect((await ana.get("/api/v1/users/me/sessions")).status).toBe(200);
  });

  test("twice at once loses nothing", async () => {
    const here = administered({ stores: await open() });
    const boss = await holding(here, "boss", "user:write");
    await person(here, "ana");
    const both = await Promise.all([
      boss.copy().patch(`${users}/ana`, { name: "Ana" }),
      boss.copy().patch(`${users}/ana`, { locale: "de" }),
    ]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    expect(await here.user((both[0]?.body.id as string) ?? "")).toMatchObject({ name: "Ana", locale: "de" });
    await signIn(here, "ana");
  });
});
