import { pbkdf2Sync } from "node:crypto";
import { hashSync } from "bcryptjs";
import { describe, expect, test } from "vitest";
import { parseSessionToken } from "../../src/domain/session.ts";
import { AuthError } from "../../src/errors.ts";
import { argon2id } from "../../src/password/argon2id.ts";
import { bcrypt } from "../../src/password/bcrypt.ts";
import { pbkdf2 } from "../../src/password/pbkdf2.ts";
import type { Policy } from "../../src/ports/policy.ts";
import type { Write } from "../../src/ports/store.ts";
import { faulty } from "../../src/testing/faulty.ts";
import { backends } from "../support/backends.ts";
import { gate } from "../support/gate.ts";
import { cookieName, password, world } from "../support/world.ts";

const path = "/api/v1/auth/login";
const email = "ana@example.com";
const django = `pbkdf2_sha256$1000$salt$${pbkdf2Sync(password, "salt", 1_000, 32, "sha256").toString("base64")}`;
const foreign = { normalization: "raw" } as const;

describe.each(backends)("signing in, on $backend", ({ open }) => {
  test("by address or username, however spelled, starts a session", async () => {
    const here = world({ stores: await open() });
    const user = await here.plant({ email: "Ana@example.com", emailKey: email, username: "ana_b" });
    for (const body of [
      { email: "ANA@example.com" },
      { username: " ana@Example.com " },
      { username: "ANA_B" },
      { email: "ana_b" },
      { username: "\uff41na_b" },
      { username: "ana_b", email: "ana_b" },
    ]) {
      const { status, body: answer, cookies } = await here.browser().post(path, { ...body, password });
      expect(status).toBe(200);
      expect(answer).toMatchObject({
        user: { id: user.id },
        expires_at: "2026-01-02T00:00:00.000Z",
        csrf_token: cookies[1]?.value,
      });
      const names = [cookieName, `${cookieName}-csrf`, `${cookieName}-device`];
      expect(cookies.map(({ name }) => name)).toEqual(names);
    }
  });

  test("reads the generation with the hash, and inserts the session only while it holds, with its rows", async () => {
    const here = world({ stores: await open() });
    await here.plant({ email });
    here.recorder.calls.length = 0;
    await here.browser().post(path, { email, password });
    expect(here.recorder.trace()).toEqual([
      "directory.userWithPassword",
      "ephemeral.read",
      "ephemeral.reserve",
      "directory.commit(user.require session.insert audit.insert audit.insert)",
      "ephemeral.remove",
      "ephemeral.refund",
      // The browser, which is remembered.
      "ephemeral.reserve",
      "ephemeral.put",
    ]);
    expect((await here.audit()).map(({ type }) => type)).toEqual(["session.started", "user.logged_in"]);
  });

  test("replaces the session that the browser carried", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    const before = ana.copy();
    const beforeId = parseSessionToken(before.jar.get(cookieName) ?? "")?.id;
    await ana.post(path, { email, password });
    expect((await before.get("/api/v1/users/me")).body.code).toBe("session_expired");
    const sessions = await here.auth.sessions.list(ana.userId);
    expect(sessions).toHaveLength(1);
    expect(sessions[0]?.rotatedFrom).toBe(beforeId);
    expect(here.heard("session.rotated").map(({ payload }) => payload.rotatedFrom)).toEqual([beforeId]);
  });

  test("upgrades a hash in an older format, and only once where two sign in at once", async () => {
    for (const [encoded, from] of [
      [hashSync(password, 4), "2b"],
      [django, "pbkdf2_sha256"],
    ] as const) {
      const here = world({
        stores: await open(),
        passwords: { hashers: [argon2id({ memoryKiB: 8, passes: 1 }), bcrypt(), pbkdf2()] },
      });
      const user = await here.plant({ email }, { encoded, ...foreign });
      const answers = await Promise.all([1, 2].map(() => here.browser().post(path, { email, password })));
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      const credential = await here.credential(user.id);
      expect(credential).toMatchObject({
        version: 2,
        normalization: "nfc-1",
        encoded: expect.stringMatching(/^\$argon2id\$/),
      });
      expect((await here.audit("password.rehashed")).map(({ payload }) => JSON.parse(payload))).toEqual([
        { from, to: "argon2id" },
      ]);
      expect(here.heard("password.rehashed")).toHaveLength(1);
      expect((await here.browser().post(path, { email, password })).status).toBe(200);
      expect((await here.credential(user.id)).version).toBe(2);
    }
  });

  test("never upgrades over a password that was changed meanwhile", async () => {
    const here = world({ stores: await open() });
    const user = await here.plant({ email }, { encoded: django, ...foreign });
    const held = gate();
    let isFirst = true;
    here.threads.before = async ({ call }) => {
      if (call !== "hash" || !isFirst) return;
      isFirst = false;
      await held.pass();
    };
    const signingIn = here.browser().post(path, { email, password });
    await held.reached;
    const token = await here.auth.users.issueResetToken(user.id);
    const visit = { request: here.browser().request("POST", "/reset"), client: { ip: null } };
    await here.auth.users.resetPassword({ token, password: `${password} new` }, visit);
    held.open();
    expect((await signingIn).status).toBe(401);
    expect(await here.auth.users.verifyPassword(user.id, `${password} new`)).toBe(true);
    expect(await here.auth.users.verifyPassword(user.id, password)).toBe(false);
    expect(await here.audit("password.rehashed")).toEqual([]);
  });

  test.each(["hashing is overloaded", "the directory fails"])(
    "refuses no right password because it cannot be upgraded now: %s",
    async (why) => {
      let isFailing = false;
      const isUpgrade = (writes: readonly Write[]): boolean =>
        writes.some(({ kind }) => kind === "password.replace");
      const here = world({
        stores: await open(),
        wrap: (stores) =>
          faulty(stores, ({ writes }) =>
            isFailing && why === "the directory fails" && isUpgrade(writes) ? "refuse" : null,
          ),
      });
      here.threads.before = async ({ call }) => {
        if (isFailing && why === "hashing is overloaded" && call === "hash")
          throw new AuthError("overloaded", { retryAfterSeconds: 1 });
      };
      const user = await here.plant({ email }, { encoded: django, ...foreign });
      const browser = here.browser();
      isFailing = true;
      expect((await browser.post(path, { email, password })).status).toBe(200);
      expect((await browser.get("/api/v1/users/me")).status).toBe(200);
      expect((await here.credential(user.id)).encoded).toBe(django);
      expect(here.log.map(({ message, fields }) => [message, fields])).toEqual([
        ["a password was not re-encoded", { userId: user.id }],
      ]);
      expect((await here.browser().post(path, { email, password: `${password}!` })).status).toBe(401);
      isFailing = false;
      expect((await here.browser().post(path, { email, password })).status).toBe(200);
      expect((await here.credential(user.id)).encoded).toMatch(/^\$argon2id\$/);
    },
  );

  test("keeps to the cap of sessions: the least recently used goes, and says so", async () => {
    const here = world({ stores: await open() });
    const user = await here.plant({ email });
    const browsers = [];
    for (let i = 0; i < 6; i++) {
      const browser = here.browser();
      await browser.post(path, { email, password });
      browsers.push(browser);
      here.clock.advance(1);
    }
    const statuses = await Promise.all(
      browsers.map(async (each) => (await each.copy().get("/api/v1/users/me")).status),
    );
    expect(statuses).toEqual([401, 200, 200, 200, 200, 200]);
    expect(here.heard("session.evicted")).toMatchObject([{ userId: user.id, payload: { cap: 5 } }]);
    expect(await here.audit("session.evicted")).toHaveLength(1);
  });

  test("keeps to the cap of sessions when 12 arrive at once", async () => {
    const here = world({ stores: await open(), login: { maxAttempts: 50 } });
    const user = await here.plant({ email });
    await Promise.all(Array.from({ length: 12 }, () => here.browser().post(path, { email, password })));
    expect(await here.auth.sessions.list(user.id)).toHaveLength(5);
    expect(await here.audit("session.evicted")).toHaveLength(7);
  });

  test("with a cap of one is a single session; without one, any number", async () => {
    for (const [maxPerUser, count] of [
      [1, 1],
      [0, 7],
    ] as const) {
      const here = world({ stores: await open(), session: { maxPerUser }, login: { maxAttempts: 50 } });
      const user = await here.plant({ email });
      await Promise.all(Array.from({ length: 7 }, () => here.browser().post(path, { email, password })));
      expect(await here.auth.sessions.list(user.id)).toHaveLength(count);
    }
  });
});

describe("a session that is started", () => {
  test("is remembered, or ends with the browser", async () => {
    const here = world();
    await here.plant({ email });
    const [plain, remembered] = [here.browser(), here.browser()];
    const answers = [
      await plain.post(path, { email, password }),
      await remembered.post(path, { email, password, remember: true }),
    ];
    expect(answers.map(({ cookies }) => cookies.map(({ attributes }) => attributes["max-age"]))).toEqual([
      [undefined, undefined, "15552000"],
      ["2592000", "2592000", "15552000"],
    ]);
    expect(answers.map(({ body }) => body.expires_at)).toEqual([
      "2026-01-02T00:00:00.000Z",
      "2026-01-31T00:00:00.000Z",
    ]);
    expect(here.heard("user.logged_in").map(({ payload }) => payload)).toEqual([
      { amr: ["pwd"], isRemembered: false },
      { amr: ["pwd"], isRemembered: true },
    ]);
  });

  test("has the configured Max-Age where it is not remembered", async () => {
    const here = world({ cookie: { maxAgeSeconds: 600 } });
    await here.plant({ email });
    expect((await here.browser().post(path, { email, password })).cookies[0]?.attributes["max-age"]).toBe(
      "600",
    );
  });

  test("has a fresh secret each time, and the address and browser that it came from", async () => {
    const here = world();
    const user = await here.plant({ email });
    const tokens = new Set<string>();
    for (let i = 0; i < 5; i++) {
      const { cookies } = await here.browser().post(path, { email, password });
      tokens.add(parseSessionToken(cookies[0]?.value ?? "")?.secret ?? "");
    }
    expect(tokens.size).toBe(5);
    expect((await here.auth.sessions.list(user.id))[0]).toMatchObject({
      ip: "192.0.2.10",
      userAgent: "ExampleBrowser/1.0",
      rotatedFrom: null,
    });
  });

  test("begins with its user's slot tag", async () => {
    const here = world();
    const user = await here.plant({ email });
    await here.browser().post(path, { email, password });
    expect((await here.auth.sessions.list(user.id))[0]?.id.startsWith(user.slotTag)).toBe(true);
  });
});

describe("a wrong sign-in", () => {
  test.each([
    ["an unknown address", { email: "nobody@example.com", password }],
    ["an unknown username", { username: "nobody", password }],
    ["a wrong password", { email, password: "wrong horse battery" }],
    ["a disabled account", { email: "disabled@example.com", password }],
    [
      "a disabled account and a wrong password",
      { email: "disabled@example.com", password: "wrong horse battery" },
    ],
    ["a deleted account", { email: "deleted@example.com", password }],
    ["an account without a password", { email: "none@example.com", password }],
  ])("with %s looks, costs and calls the same", async (_, body) => {
    const here = world();
    await here.plant({ email });
    await here.plant({ email: "disabled@example.com", status: "disabled" });
    await here.plant({ email: "deleted@example.com", status: "deleted", deletedAt: here.clock.now() });
    await here.write({ kind: "user.insert", user: here.make.user({ email: "none@example.com" }) });
    here.recorder.calls.length = 0;
    here.threads.tasks.length = 0;
    const { status, headers, body: answer } = await here.browser().post(path, body);
    expect({
      status,
      names: [...headers.keys()],
      answer: { ...answer, request_id: "" },
      calls: here.recorder.trace(),
      hashes: here.threads.hashes(),
    }).toEqual({
      status: 401,
      names: ["cache-control", "content-type", "www-authenticate", "x-content-type-options", "x-request-id"],
      answer: {
        type: "https://app.example/problems/invalid_credentials",
        title: "invalid credentials",
        status: 401,
        code: "invalid_credentials",
        detail: "Invalid email or password",
        request_id: "",
      },
      calls: [
        "directory.userWithPassword",
        "ephemeral.read",
        "ephemeral.reserve",
        "directory.commit(audit.insert)",
      ],
      hashes: 1,
    });
    expect(here.threads.tasks.map(({ args }) => args[0]?.split("$").slice(0, 4))).toEqual([
      ["", "argon2id", "v=19", "m=8,t=1,p=1"],
    ]);
    // What is owed to the floor is waited for after the work, and before the answer.
    expect(here.clock.sleeps).toHaveLength(1);
  });

  test("waits for what the hashing says it owes: as long as the slowest format", async () => {
    const here = world();
    const slow = here.threads.run;
    here.threads.run = async (task) => {
      const result = await slow(task);
      return { ...result, durationMs: task.args[0]?.startsWith("$2") ? 500 : 20 };
    };
    const hash = hashSync(password, 4);
    for (let i = 0; i < 3; i++) {
      await here.plant({ email: `slow${i}@example.com` }, { encoded: hash, ...foreign });
      await here.browser().post(path, { email: `slow${i}@example.com`, password: "wrong horse battery" });
    }
    await here.browser().post(path, { email: "nobody@example.com", password });
    expect(here.clock.sleeps.at(-1)).toBe(480);
  });

  test("is on record with a keyed digest of what was typed, never the words themselves", async () => {
    const here = world();
    const user = await here.plant({ email });
    const blocked = await here.plant({ email: "off@example.com", status: "disabled" });
    await here.browser().post(path, { username: "My Secret Password", password });
    await here.browser().post(path, { email: "nobody@example.com", password });
    await here.browser().post(path, { email: "NOBODY@example.com", password });
    await here.browser().post(path, { email, password: "wrong horse battery" });
    await here.browser().post(path, { email: "off@example.com", password });
    const events = here.heard("user.login_failed");
    expect(events.map(({ userId, payload }) => [userId, payload.reason])).toEqual([
      [null, "credentials"],
      [null, "credentials"],
      [null, "credentials"],
      [user.id, "credentials"],
      [blocked.id, "status"],
    ]);
    const digests = events.map(({ payload }) => payload.identifierHmac);
    expect(digests.every((digest) => /^[\w-]{43}$/.test(digest))).toBe(true);
    expect(digests[1]).toBe(digests[2]);
    expect(new Set(digests).size).toBe(4);
    const written = JSON.stringify([
      await here.audit(),
      here.recorder.calls.filter(({ name }) => name.startsWith("ephemeral")),
    ]);
    for (const word of ["secret password", "nobody", "wrong horse"])
      expect(written.toLowerCase()).not.toContain(word);
    const other = here.again({ secrets: ["another secret of thirty-two bytes and more"] });
    await other.browser().post(path, { email: "nobody@example.com", password });
    expect(other.heard("user.login_failed")[0]?.payload.identifierHmac).not.toBe(digests[1]);
  });

  test("names no identifier, or two: a request that means two things is refused before any work", async () => {
    const here = world();
    for (const [body, field] of [
      [{ password }, "username"],
      [{ username: "  ", password }, "username"],
      [{ username: "ana", email: "bob@example.com", password }, "email"],
    ] as const) {
      const { status, body: answer } = await here.browser().post(path, body);
      expect({ status, fields: answer.errors?.map((each) => each.field) }).toEqual({
        status: 400,
        fields: [field],
      });
    }
    expect(here.recorder.calls).toEqual([]);
  });

  test("with a stored hash that nobody recognises is told to the operator, and is no sign-in", async () => {
    const here = world();
    const user = await here.plant({ email }, { encoded: "$unknown$x", ...foreign });
    expect((await here.browser().post(path, { email, password })).status).toBe(401);
    expect(here.log).toMatchObject([{ level: "warn", fields: { userId: user.id } }]);
  });
});

describe("a policy", () => {
  test("may veto a sign-in, which is on record and takes no attempt", async () => {
    const here = world({ policies: [({ kind }) => (kind === "login" ? "Not today." : null)] });
    const user = await here.plant({ email });
    for (let i = 0; i < 7; i++) {
      const { status, body, cookies } = await here.browser().post(path, { email, password });
      expect({ status, detail: body.detail, cookies }).toEqual({
        status: 403,
        detail: "Not today.",
        cookies: [],
      });
    }
    expect(await here.auth.sessions.list(user.id)).toEqual([]);
    expect(here.heard("user.login_failed")[0]).toMatchObject({
      userId: user.id,
      payload: { reason: "policy" },
    });
    expect(await here.audit("user.login_failed")).toHaveLength(7);
  });

  test("is asked only about who has proven to be there", async () => {
    const asked: string[] = [];
    const policy: Policy = ({ kind, user }) => {
      asked.push(`${kind} ${user.email}`);
      return null;
    };
    const here = world({ policies: [policy] });
    await here.plant({ email });
    await here.browser().post(path, { email, password: "wrong horse battery" });
    expect(asked).toEqual([]);
    expect((await here.browser().post(path, { email, password })).status).toBe(200);
    expect(asked).toEqual([`login ${email}`]);
  });
});

describe("attempts", () => {
  const wrong = { email, password: "wrong horse battery" };

  test("are five for one address and identifier, then 429 with Retry-After and no work, until the window ends", async () => {
    const here = world();
    await here.plant({ email });
    for (let i = 0; i < 5; i++) expect((await here.browser().post(path, wrong)).status).toBe(401);
    here.clock.advance(100);
    const hashes = here.threads.hashes();
    const { status, body, headers } = await here.browser().post(path, { email, password });
    expect({ status, code: body.code, after: headers.get("retry-after") }).toEqual({
      status: 429,
      code: "rate_limited",
      after: "800",
    });
    expect(body.detail).toBe("Too many failed login attempts. Please try again later.");
    expect(here.threads.hashes()).toBe(hashes);
    expect(here.heard("rate_limit.hit")).toMatchObject([
      { payload: { limit: "login", retryAfterSeconds: 800 } },
    ]);
    expect(await here.audit("rate_limit.hit")).toHaveLength(1);
    here.clock.advance(800);
    expect((await here.browser().post(path, { email, password })).status).toBe(200);
  });

  test("at once are never more than five, however many", async () => {
    const here = world();
    await here.plant({ email });
    const hashes = here.threads.hashes();
    const answers = await Promise.all(Array.from({ length: 30 }, () => here.browser().post(path, wrong)));
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(25);
    expect(here.threads.hashes() - hashes).toBe(5);
  });

  test("count every spelling of an identifier together", async () => {
    const here = world();
    const spellings = ["ana@example.com", "ANA@EXAMPLE.COM", "  ana@example.com ", "\uff41na@example.com"];
    const statuses = [];
    for (const each of [...spellings, "Ana@example.com", "aNa@example.com"]) {
      statuses.push((await here.browser().post(path, { ...wrong, email: each })).status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    expect((await here.browser().post(path, { ...wrong, email: "other@example.com" })).status).toBe(401);
  });

  test("of another address are its own, and an IPv6 /64 is one", async () => {
    const here = world({ login: { maxAttempts: 3 } });
    await here.plant({ email });
    const from = async (ip: string, body: object = wrong) => {
      const browser = here.browser();
      browser.ip = ip;
      return (await browser.post(path, body)).status;
    };
    for (let i = 0; i < 3; i++) await from("192.0.2.1");
    expect([await from("192.0.2.1"), await from("192.0.2.2")]).toEqual([429, 401]);
    for (let i = 0; i < 3; i++) await from(`2001:db8::${i}`);
    expect([await from("2001:db8::ffff"), await from("2001:db8:0:1::1")]).toEqual([429, 401]);
  });

  test("are forgotten by a success", async () => {
    const here = world();
    await here.plant({ email });
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 4; i++) expect((await here.browser().post(path, wrong)).status).toBe(401);
      expect((await here.browser().post(path, { email, password })).status).toBe(200);
    }
  });

  test("are as many as configured", async () => {
    const here = world({ login: { maxAttempts: 2, windowSeconds: 10 } });
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await here.browser().post(path, wrong)).status);
    here.clock.advance(10);
    statuses.push((await here.browser().post(path, wrong)).status);
    expect(statuses).toEqual([401, 401, 429, 401]);
  });

  test("are given back where the password was not tried: hashing is overloaded, or the text can be no password", async () => {
    const here = world();
    await here.plant({ email });
    here.threads.before = async () => {
      throw new AuthError("overloaded", { retryAfterSeconds: 1 });
    };
    for (let i = 0; i < 7; i++)
      expect((await here.browser().post(path, { email, password })).body.code).toBe("overloaded");
    here.threads.before = async () => {};
    for (let i = 0; i < 7; i++) {
      expect((await here.browser().post(path, { email, password: "x".repeat(1_025) })).body.code).toBe(
        "password_rejected",
      );
    }
    expect((await here.browser().post(path, { email, password })).status).toBe(200);
  });
});

test("a sign-in gives up where the generation moves under each of its tries", async () => {
  const here = world();
  const user = await here.plant({ email });
  let moves = 0;
  here.threads.before = async ({ call }) => {
    if (call !== "verify") return;
    await here.write({ kind: "user.advance", userId: user.id, from: ++moves });
  };
  expect((await here.browser().post(path, { email, password })).body.code).toBe("invalid_credentials");
  expect(moves).toBe(3);
  expect(await here.auth.sessions.list(user.id)).toEqual([]);
  here.threads.before = async ({ call }) => {
    if (call === "verify" && moves === 3)
      await here.write({ kind: "user.advance", userId: user.id, from: ++moves });
  };
  expect((await here.browser().post(path, { email, password })).status).toBe(200);
});
