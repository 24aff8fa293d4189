import { describe, expect, test } from "vitest";
import { parseSessionToken } from "../../src/domain/session.ts";
import { anonymousUsername } from "../../src/domain/user.ts";
import { tokens } from "../../src/features/tokens.ts";
import type { Strategy } from "../../src/ports/strategy.ts";
import { backends } from "../support/backends.ts";
import type { Browser } from "../support/browser.ts";
import { bearer } from "../support/strategies.ts";
import { cookieName, password, type World, world } from "../support/world.ts";

const me = "/api/v1/users/me";
const email = "ana@example.com";

function sessionId(browser: Browser): string {
  return parseSessionToken(browser.jar.get(cookieName) ?? "")?.id ?? "";
}

/** A superuser with a session. */
async function superuser(here: World, address: string) {
  const user = await here.plant({ email: address, isSuperuser: true });
  const browser = here.browser();
  await browser.post("/api/v1/auth/login", { email: address, password });
  return Object.assign(browser, { userId: user.id });
}

/** A strategy of the application's that hands on the session of a browser. */
async function lending(here: World, browser: Browser & { readonly userId: string }): Promise<Strategy> {
  const inner = bearer(await here.user(browser.userId));
  const [found] = await here.services.stores.sessions.find([sessionId(browser)], here.call());
  if (found == null || found.expired) throw new Error("no session");
  const { session } = found;
  return {
    ...inner,
    async authenticate(request, client, stakes) {
      const outcome = await inner.authenticate(request, client, stakes);
      return outcome.kind === "accepted" ? { ...outcome, session } : outcome;
    },
  };
}

describe.each(backends)("changing the profile, on $backend", ({ open }) => {
  test("keeps a name that only operators give, where the whole profile is sent", async () => {
    const here = world({ stores: await open() });
    await here.auth.users.create({ email: "ana@example.com", username: "Admin", password });
    const admin = here.browser();
    await admin.post("/api/v1/auth/login", { email: "ana@example.com", password });
    const sent = { email: "ana@example.com", username: "ADMIN", name: "Ana" };
    const { status, body } = await admin.put(me, sent);
    expect([status, body.username, body.name]).toEqual([200, "admin", "Ana"]);
    const other = await admin.patch(me, { username: "support" });
    expect([other.status, other.body.errors?.[0]?.field]).toEqual([400, "username"]);
  });

  test("keeps a language in its usual spelling, and takes it out again", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    const said = [];
    for (const locale of ["PT-br", "  de ", "", "zh-hant-tw", null]) {
      const { status, body } = await ana.patch(me, { locale });
      said.push([status, body.locale]);
    }
    expect(said).toEqual([
      [200, "pt-BR"],
      [200, "de"],
      [200, null],
      [200, "zh-Hant-TW"],
      [200, null],
    ]);
    await ana.put(me, { locale: "ja" });
    expect((await ana.patch(me, { name: "Ana" })).body.locale).toBe("ja");
    expect((await ana.get(me)).body.locale).toBe("ja");
    const rows = await here.audit("user.updated");
    expect(JSON.parse(rows.at(-2)?.payload ?? "")).toEqual({ fields: ["locale"] });
  });

  test.each([
    "x",
    "not a language",
    "de_AT",
    "../../etc",
    "a".repeat(40),
    "en-x-abcdefgh-abcdefgh-abcdefgh-abcdefgh",
    "*",
  ])("refuses what is no language: %j", async (locale) => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    const { status, body } = await ana.patch(me, { locale, name: "New" });
    expect([status, body.code, body.errors?.map(({ field }) => field)]).toEqual([
      400,
      "invalid_input",
      ["locale"],
    ]);
    expect((await here.user(ana.userId)).version).toBe(1);
  });

  test("changes what is named and leaves the rest, with a row that names the fields", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    const before = await here.user(ana.userId);
    const { status, body } = await ana.patch(me, { name: " Ana ", username: "Ana_B" });
    expect({ status, name: body.name, username: body.username, email: body.email }).toEqual({
      status: 200,
      name: "Ana",
      username: "ana_b",
      email,
    });
    expect(await here.user(ana.userId)).toEqual({ ...before, name: "Ana", username: "ana_b", version: 2 });
    expect(here.heard("user.updated")).toMatchObject([
      { userId: ana.userId, sessionId: sessionId(ana), payload: { fields: ["username", "name"] } },
    ]);
    expect(await here.audit("user.updated")).toHaveLength(1);
  });

  test("to a new address makes it unverified and gives the session a new id", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    await here.write({
      kind: "user.update",
      userId: ana.userId,
      version: 1,
      changes: { emailVerified: true },
    });
    const [former, id] = [ana.copy(), sessionId(ana)];
    const { status, body, cookies } = await ana.patch(me, { email: "New@Example.com" });
    expect({ status, email: body.email, verified: body.email_verified }).toEqual({
      status: 200,
      email: "New@Example.com",
      verified: false,
    });
    expect(cookies.map(({ name }) => name)).toEqual([cookieName, `${cookieName}-csrf`]);
    expect(sessionId(ana)).not.toBe(id);
    expect((await former.get(me)).body.code).toBe("session_expired");
    expect((await ana.get(me)).body.email).toBe("New@Example.com");
    expect(here.events.slice(2).map(({ type }) => type)).toEqual([
      "user.updated",
      "email.changed",
      "session.rotated",
    ]);
    expect(
      (await here.browser().post("/api/v1/auth/login", { email: "new@example.com", password })).status,
    ).toBe(200);
    expect((await here.browser().post("/api/v1/auth/login", { email, password })).status).toBe(401);
  });

  test("to an address or a username that is taken is refused, and changes nothing", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    await here.plant({ email: "bob@example.com", username: "bob" });
    const id = sessionId(ana);
    expect(await ana.patch(me, { email: "BOB@example.com", name: "x" })).toMatchObject({
      status: 409,
      body: { code: "email_taken" },
    });
    expect(await ana.patch(me, { username: "BOB", name: "x" })).toMatchObject({
      status: 409,
      body: { code: "username_taken" },
    });
    expect((await ana.get(me)).body).toMatchObject({ email, name: null });
    expect(sessionId(ana)).toBe(id);
    expect(await here.audit("user.updated")).toEqual([]);
  });

  test("twice at once loses nothing silently: one succeeds, the other hears of a conflict, or both do", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    const both = await Promise.all([
      ana.copy().patch(me, { name: "Ana" }),
      ana.copy().patch(me, { username: "ana_b" }),
    ]);
    const user = await here.user(ana.userId);
    for (const [index, { status }] of both.entries()) {
      expect(status === 200 ? [user.name, user.username][index] : "conflict").toBe(
        status === 200 ? ["Ana", "ana_b"][index] : "conflict",
      );
    }
    expect(await here.audit("user.updated")).toHaveLength(both.filter(({ status }) => status === 200).length);
  });
});

describe("a profile", () => {
  test("that names nothing new changes nothing, without a row", async () => {
    const here = world();
    const ana = await here.registered();
    const { username } = await here.user(ana.userId);
    for (const change of [
      {},
      { email },
      { email: ` ${email} ` },
      { username: username.toUpperCase() },
      { name: null },
      { name: "  " },
    ]) {
      const { status, cookies } = await ana.patch(me, change);
      expect({ status, cookies }).toEqual({ status: 200, cookies: [] });
    }
    expect((await here.user(ana.userId)).version).toBe(1);
    expect(here.heard("user.updated")).toEqual([]);
  });

  test("takes another spelling of the same address without a fresh proof, and keeps it verified", async () => {
    const here = world();
    const ana = await here.registered();
    await here.write({
      kind: "user.update",
      userId: ana.userId,
      version: 1,
      changes: { emailVerified: true },
    });
    here.clock.advance(601);
    const { status, body, cookies } = await ana.patch(me, { email: "Ana@Example.com" });
    expect({ status, email: body.email, verified: body.email_verified, cookies }).toEqual({
      status: 200,
      email: "Ana@Example.com",
      verified: true,
      cookies: [],
    });
    expect(here.heard("email.changed")).toEqual([]);
  });

  test("takes an address that only folds to the same key as a new one: it is another mailbox", async () => {
    const here = world();
    const ana = await here.registered("ana@gmail.example");
    await here.write({
      kind: "user.update",
      userId: ana.userId,
      version: 1,
      changes: { emailVerified: true },
    });
    here.clock.advance(601);
    const lookalike = { email: "ana@gmaıl.example" };
    expect((await ana.patch(me, lookalike)).body.code).toBe("fresh_auth_required");
    await ana.post("/api/v1/auth/reauthenticate", { password });
    const before = ana.copy();
    expect((await ana.patch(me, lookalike)).body).toMatchObject({ ...lookalike, email_verified: false });
    expect(here.heard("email.changed")).toHaveLength(1);
    expect((await before.get(me)).status).toBe(401);
  });

  test("tells whether names are taken twenty times an hour, and no more", async () => {
    const here = world();
    await here.registered("taken@example.com");
    const ana = await here.registered();
    const probe = () => ana.patch(me, { email: "taken@example.com" });
    for (let tries = 0; tries < 20; tries++) expect((await probe()).body.code).toBe("email_taken");
    expect((await probe()).body.code).toBe("rate_limited");
    expect(here.heard("rate_limit.hit")).toHaveLength(1);
    expect((await ana.patch(me, { name: "Ana" })).status).toBe(200);
    here.clock.advance(3_600);
    await ana.post("/api/v1/auth/login", { email, password });
    expect((await probe()).body.code).toBe("email_taken");
  });

  test("takes a new address only with a proof that is younger than ten minutes", async () => {
    const here = world();
    const ana = await here.registered();
    here.clock.advance(600);
    expect(await ana.patch(me, { email: "new@example.com" })).toMatchObject({
      status: 403,
      body: { code: "fresh_auth_required" },
    });
    expect((await ana.patch(me, { name: "Ana" })).status).toBe(200);
    await ana.post("/api/v1/auth/reauthenticate", { password });
    here.clock.advance(599.999);
    expect((await ana.patch(me, { email: "new@example.com" })).status).toBe(200);
  });

  test("is fresh as long as configured, and no new session id makes it fresh", async () => {
    const here = world({ freshSeconds: 60 });
    const ana = await here.registered();
    here.clock.advance(60);
    await ana.delete(`${me}/sessions`);
    expect((await ana.patch(me, { email: "new@example.com" })).body.code).toBe("fresh_auth_required");
  });

  test("names every failing field at once", async () => {
    const here = world();
    const ana = await here.registered();
    const { status, body } = await ana.patch(me, { email: "x", username: "me" });
    expect({ status, fields: body.errors?.map(({ field, code }) => [field, code]) }).toEqual({
      status: 400,
      fields: [
        ["email", "invalid"],
        ["username", "invalid"],
      ],
    });
    expect((await ana.patch(me, { username: " " })).body.errors).toMatchObject([
      { field: "username", code: "required" },
    ]);
    expect((await ana.patch(me, { email: " " })).body.errors).toMatchObject([
      { field: "email", code: "required" },
    ]);
  });

  test("loses its name with null or blanks", async () => {
    const here = world();
    const ana = await here.registered();
    for (const gone of [null, "  "]) {
      await ana.patch(me, { name: "Ana" });
      expect((await ana.patch(me, { name: gone })).body.name).toBeNull();
    }
  });

  test("is replaced by PUT like by PATCH: absent fields stay", async () => {
    const here = world();
    const ana = await here.registered();
    await ana.patch(me, { name: "Ana" });
    expect((await ana.put(me, { username: "ana_b" })).body).toMatchObject({ name: "Ana", username: "ana_b" });
  });

  test("is not changed for a session whose account changed meanwhile", async () => {
    const here = world();
    const ana = await here.registered();
    here.recorder.before = ({ name }) => {
      if (name !== "directory.user") return null;
      here.recorder.before = () => null;
      return here.write({ kind: "user.advance", userId: ana.userId, from: 1 });
    };
    expect((await ana.patch(me, { name: "Eve" })).body.code).toBe("session_expired");
    expect((await here.user(ana.userId)).name).toBeNull();
  });

  test("is not changed past somebody else's write", async () => {
    const here = world();
    const ana = await here.registered();
    here.recorder.before = ({ writes }) => {
      if (!writes.includes("user.update")) return null;
      here.recorder.before = () => null;
      return here.write({
        kind: "user.update",
        userId: ana.userId,
        version: 1,
        changes: { name: "Admin's" },
      });
    };
    expect(await ana.patch(me, { name: "Ana" })).toMatchObject({ status: 409, body: { code: "conflict" } });
    expect((await here.user(ana.userId)).name).toBe("Admin's");
  });

  test("of another proof than a session takes no new address: it says nothing of the person being there", async () => {
    const base = world();
    const user = await base.plant({ email });
    const here = base.again({ strategies: [bearer(user)] });
    const headers = { authorization: "Test good" };
    const { body } = await here.browser().patch(me, { email: "new@example.com" }, { headers });
    expect(body.code).toBe("fresh_auth_required");
    const { status, cookies } = await here.browser().patch(me, { name: "New" }, { headers });
    expect({ status, cookies }).toEqual({ status: 200, cookies: [] });
  });
});

describe.each(backends)("deleting the account, on $backend", ({ open }) => {
  test("ends every session at once, and the account signs in no more", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    const other = here.browser();
    await other.post("/api/v1/auth/login", { email, password });
    here.events.length = 0;
    const thief = ana.copy();
    const { status, text, cookies } = await ana.delete(me);
    expect({ status, text, names: cookies.map(({ name, value }) => name + value) }).toEqual({
      status: 204,
      text: "",
      names: [cookieName, `${cookieName}-csrf`],
    });
    for (const each of [thief, other]) expect((await each.get(me)).status).toBe(401);
    expect((await here.browser().post("/api/v1/auth/login", { email, password })).status).toBe(401);
    expect(await here.user(ana.userId)).toMatchObject({
      status: "deleted",
      deletedAt: here.clock.now(),
      generation: 2,
      email,
    });
    expect(here.events.map(({ type }) => type).slice(0, 3)).toEqual([
      "user.deleted",
      "session.revoked",
      "session.revoked",
    ]);
    expect(here.heard("user.deleted")[0]?.payload).toEqual({
      by: "self",
      anonymizedAfter: "2026-01-31T00:00:00.000Z",
    });
  });

  test("anonymises it after 30 days, and not before", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    await ana.delete(me);
    here.clock.advance(30 * 86_400);
    await here.auth.sessions.sweep();
    expect((await here.user(ana.userId)).status).toBe("deleted");
    here.clock.advance(0.001);
    await here.auth.sessions.sweep();
    expect(await here.user(ana.userId)).toMatchObject({
      status: "anonymized",
      email: `${ana.userId}@anonymized.invalid`,
      username: anonymousUsername(ana.userId),
    });
    expect(here.heard("user.anonymized")).toMatchObject([
      { userId: ana.userId, ip: null, payload: { by: "operator" } },
    ]);
    await here.auth.sessions.sweep();
    expect(await here.audit("user.anonymized")).toHaveLength(1);
  });

  test("with erase=now anonymises it at once: nothing personal stays, and the address is free", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    await ana.patch(me, { name: "Ana Bernadotte" });
    expect((await ana.delete(`${me}?erase=now`)).status).toBe(204);
    const rows = await here.audit();
    const left = JSON.stringify([await here.user(ana.userId), rows]);
    for (const personal of ["ana@example.com", "Bernadotte", "192.0.2.10", "ExampleBrowser"])
      expect(left).not.toContain(personal);
    expect(rows.flatMap(({ personal }) => personal)).toEqual([]);
    expect(here.heard("user.anonymized")).toMatchObject([
      { ip: null, userAgent: null, payload: { by: "self" } },
    ]);
    await expect(here.credential(ana.userId)).rejects.toThrow();
    expect((await here.browser().post("/api/v1/auth/register", { email, password })).status).toBe(201);
  });

  test("is refused for the last superuser, and of two at once one stays", async () => {
    const here = world({ stores: await open() });
    const [one, two] = [await superuser(here, "one@example.com"), await superuser(here, "two@example.com")];
    const answers = await Promise.all([one, two].map((each) => each.copy().delete(me)));
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 409]);
    const last = answers[0]?.status === 409 ? one : two;
    expect(await last.delete(me)).toMatchObject({
      status: 409,
      body: { code: "conflict", detail: "The last administrator cannot go." },
    });
    expect((await last.get(me)).body.is_superuser).toBe(true);
    expect(await here.audit("user.deleted")).toHaveLength(1);
  });

  test("is allowed a superuser while another is there who may sign in", async () => {
    const here = world({ stores: await open() });
    const one = await superuser(here, "one@example.com");
    await here.plant({ email: "off@example.com", isSuperuser: true, status: "disabled" });
    expect((await one.delete(me)).status).toBe(409);
    await superuser(here, "two@example.com");
    expect((await one.delete(me)).status).toBe(204);
  });
});

describe("deleting the account", () => {
  test("needs a fresh proof", async () => {
    const here = world();
    const ana = await here.registered();
    here.clock.advance(600);
    for (const path of [me, `${me}?erase=now`]) {
      expect(await ana.delete(path)).toMatchObject({ status: 403, body: { code: "fresh_auth_required" } });
    }
    expect((await ana.get(me)).status).toBe(200);
  });

  test.each([
    ["by an access token of a session that is fresh", "jwt"],
    ["by a proof of the application's that comes with such a session", "own"],
  ] as const)("%s is refused: it says nothing of the person being there", async (_name, which) => {
    const feature = tokens();
    const base = world({ features: [feature] });
    const ana = await base.registered();
    const { body } = await ana.post("/api/v1/auth/token");
    const here =
      which === "jwt" ? base : base.again({ features: [], strategies: [await lending(base, ana)] });
    const headers = { authorization: which === "jwt" ? `Bearer ${body.access_token}` : "Test good" };
    for (const path of [me, `${me}?erase=now`]) {
      const refused = await here.browser().delete(path, { headers });
      expect(refused).toMatchObject({ status: 403, body: { code: "fresh_auth_required" } });
    }
    expect((await here.user(ana.userId)).status).toBe("active");
    expect((await ana.delete(me)).status).toBe(204);
  });

  test("with any other word than now erases nothing yet", async () => {
    const here = world();
    const ana = await here.registered();
    await ana.delete(`${me}?erase=NOW&erase=now`);
    expect((await here.user(ana.userId)).status).toBe("deleted");
  });

  test("past somebody else's write changes nothing", async () => {
    const here = world();
    const ana = await here.registered();
    for (const meanwhile of [
      { kind: "user.advance", userId: ana.userId, from: 1 } as const,
      { kind: "user.update", userId: ana.userId, version: 1, changes: { isSuperuser: true } } as const,
    ]) {
      const each = await here.registered(`${meanwhile.kind.replace(".", "-")}@example.com`);
      here.recorder.before = ({ writes }) => {
        if (!writes.includes("session.delete_all")) return null;
        here.recorder.before = () => null;
        return here.write({ ...meanwhile, userId: each.userId });
      };
      expect((await each.delete(me)).status).toBe(409);
      expect((await here.user(each.userId)).status).toBe("active");
    }
  });
});
