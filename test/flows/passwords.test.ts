import { describe, expect, test } from "vitest";
import { parseSessionToken } from "../../src/domain/session.ts";
import { AuthError } from "../../src/errors.ts";
import { tokens } from "../../src/features/tokens.ts";
import { backends } from "../support/backends.ts";
import { type Browser, bareRequest } from "../support/browser.ts";
import { bearer } from "../support/strategies.ts";
import { cookieName, password, type World, world } from "../support/world.ts";

const email = "ana@example.com";
const next = "staple battery horse correct";
const change = { current_password: password, new_password: next };
const visit = { request: bareRequest({ method: "POST" }), client: { ip: "192.0.2.10" } };

function sessionId(browser: Browser): string {
  return parseSessionToken(browser.jar.get(cookieName) ?? "")?.id ?? "";
}

/** Somebody with a session here and one elsewhere. */
async function twoBrowsers(here: World) {
  const ana = await here.registered();
  const elsewhere = here.browser();
  await elsewhere.post("/api/v1/auth/login", { email, password });
  here.recorder.calls.length = 0;
  here.events.length = 0;
  return { ana, elsewhere };
}

/** A browser that is signed in for longer than the waits last. */
async function remembered(here: World): Promise<Browser> {
  const browser = here.browser();
  expect((await browser.post("/api/v1/auth/login", { email, password, remember: true })).status).toBe(200);
  return browser;
}

/** A wrong password at a prompt. @returns whether it was tried; else the clock is on when the next may be */
async function wrongPrompt(here: World, browser: Browser): Promise<boolean> {
  const { status, headers, body } = await browser.post("/api/v1/auth/reauthenticate", { password: "wrong" });
  expect(["invalid_credentials", "rate_limited"]).toContain(body.code);
  if (status === 429) here.clock.advance(Number(headers.get("retry-after")));
  return status === 401;
}

async function wrongPrompts(here: World, browser: Browser, times: number): Promise<void> {
  for (let count = 0; count < times; ) if (await wrongPrompt(here, browser)) count++;
}

describe.each(backends)("changing the password, on $backend", ({ open }) => {
  test("replaces it, ends every other session, and gives this one a new id", async () => {
    const here = world({ stores: await open() });
    const { ana, elsewhere } = await twoBrowsers(here);
    const [former, formerId] = [ana.copy(), sessionId(ana)];
    const { status, body } = await ana.put("/api/v1/users/me/password", change);
    expect(status).toBe(200);
    expect(body.user).toMatchObject({ email });
    expect(sessionId(ana)).not.toBe(formerId);
    expect((await ana.get("/api/v1/users/me")).status).toBe(200);
    expect((await former.get("/api/v1/users/me")).body.code).toBe("session_expired");
    expect((await elsewhere.get("/api/v1/users/me")).body.code).toBe("session_expired");
    expect((await here.browser().post("/api/v1/auth/login", { email, password })).status).toBe(401);
    expect((await here.browser().post("/api/v1/auth/login", { email, password: next })).status).toBe(200);
  });

  test("is one transaction with its rows, and the generation moves", async () => {
    const here = world({ stores: await open() });
    const { ana } = await twoBrowsers(here);
    await ana.put("/api/v1/users/me/password", change);
    expect(here.recorder.trace().filter((call) => call.includes("commit"))).toEqual([
      "directory.commit(user.advance password.replace session.rotate audit.insert session.delete_all audit.insert)",
    ]);
    expect((await here.user(ana.userId)).generation).toBe(2);
    expect(here.events.map(({ type, sessionId: id }) => [type, id === sessionId(ana)])).toEqual([
      ["session.rotated", true],
      ["password.changed", true],
      ["session.revoked", false],
    ]);
    const rows = (await here.audit()).map(({ type }) => type);
    for (const type of ["session.rotated", "password.changed", "session.revoked"])
      expect(rows).toContain(type);
  });

  test("with a wrong current password changes nothing", async () => {
    const here = world({ stores: await open() });
    const { ana, elsewhere } = await twoBrowsers(here);
    const { status, body } = await ana.put("/api/v1/users/me/password", {
      ...change,
      current_password: "wrong horse battery",
    });
    expect({ status, code: body.code, errors: body.errors }).toEqual({
      status: 401,
      code: "invalid_credentials",
      errors: [{ field: "current_password", code: "incorrect", message: "Current password is incorrect" }],
    });
    expect(here.recorder.trace().filter((call) => call.includes("commit"))).toEqual([
      "directory.commit(audit.insert)",
    ]);
    const [failed] = await here.audit("user.login_failed");
    expect(failed).toMatchObject({ userId: ana.userId, sessionId: expect.any(String) });
    expect((await ana.get("/api/v1/users/me")).status).toBe(200);
    expect((await elsewhere.get("/api/v1/users/me")).status).toBe(200);
  });

  test("to one that policy refuses changes nothing, and is no failed attempt", async () => {
    const here = world({ stores: await open() });
    const { ana } = await twoBrowsers(here);
    for (let i = 0; i < 7; i++) {
      const { status, body } = await ana.put("/api/v1/users/me/password", {
        ...change,
        new_password: i % 2 ? email : "short",
      });
      expect({ status, code: body.code, field: body.errors?.[0]?.field }).toEqual({
        status: 400,
        code: "password_rejected",
        field: "new_password",
      });
    }
    expect((await ana.put("/api/v1/users/me/password", change)).status).toBe(200);
  });

  test("twice at once succeeds once; the other hears of it", async () => {
    const here = world({ stores: await open() });
    const { ana } = await twoBrowsers(here);
    const both = await Promise.all(
      ["one", "two"].map((word) =>
        ana.copy().put("/api/v1/users/me/password", { ...change, new_password: `${next} ${word}` }),
      ),
    );
    expect(both.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(both.find(({ status }) => status !== 200)?.body.code).toMatch(
      /^(conflict|session_expired|invalid_credentials)$/,
    );
    expect((await here.user(ana.userId)).generation).toBe(2);
    expect(await here.auth.sessions.list(ana.userId)).toHaveLength(1);
  });
});

describe("a password prompt behind a session", () => {
  test("allows five wrong ones, and a right one forgets them", async () => {
    const here = world();
    const { ana } = await twoBrowsers(here);
    const ask = (given: string) => ana.post("/api/v1/auth/reauthenticate", { password: given });
    for (let i = 0; i < 4; i++) expect((await ask("wrong")).status).toBe(401);
    expect((await ask(password)).status).toBe(200);
    for (let i = 0; i < 5; i++) expect((await ask("wrong")).status).toBe(401);
    const hashes = here.threads.hashes();
    const { status, headers } = await ask(password);
    expect({ status, after: headers.get("retry-after"), hashes: here.threads.hashes() }).toEqual({
      status: 429,
      after: "900",
      hashes,
    });
    expect((await ana.put("/api/v1/users/me/password", change)).status).toBe(429);
    expect(here.heard("rate_limit.hit")[0]?.payload.limit).toBe("password_prompt");
  });

  test("counts the session, not the address: its thief gets no more by moving", async () => {
    const here = world();
    const { ana } = await twoBrowsers(here);
    for (let i = 0; i < 5; i++) {
      ana.ip = `192.0.2.${20 + i}`;
      await ana.post("/api/v1/auth/reauthenticate", { password: "wrong" });
    }
    ana.ip = "198.51.100.1";
    expect((await ana.post("/api/v1/auth/reauthenticate", { password })).status).toBe(429);
    const bob = await here.registered("bob@example.com");
    expect((await bob.post("/api/v1/auth/reauthenticate", { password })).status).toBe(200);
  });

  test("counts on where the session goes on under a new id, or in a token", async () => {
    const here = world({ features: [tokens()] });
    const { ana } = await twoBrowsers(here);
    await wrongPrompts(here, ana, 5);
    const formerId = sessionId(ana);
    expect((await ana.delete("/api/v1/users/me/sessions")).status).toBe(204);
    expect(sessionId(ana)).not.toBe(formerId);
    expect((await ana.post("/api/v1/auth/reauthenticate", { password })).status).toBe(429);
    const issued = await ana.post("/api/v1/auth/token", {});
    const headers = { authorization: `Bearer ${issued.body.access_token}` };
    const byToken = { json: change, headers };
    expect((await here.browser().send("PUT", "/api/v1/users/me/password", byToken)).status).toBe(429);
  });

  test("gives the holder of a session 41 guesses in a day and 100 in all, and the waits are on record", {
    timeout: 60_000,
  }, async () => {
    const here = world();
    const { id: userId } = await here.plant({ email });
    const thief = await remembered(here);
    const id = sessionId(thief);
    const end = here.clock.now().getTime() + 86_400_000;
    let guesses = 0;
    while (here.clock.now().getTime() < end) if (await wrongPrompt(here, thief)) guesses++;
    expect(guesses).toBeGreaterThan(20);
    expect(guesses).toBeLessThanOrEqual(41);
    await wrongPrompts(here, thief, 100 - guesses);
    here.clock.advance(86_400);
    const hashes = here.threads.hashes();
    const { status, headers, body } = await thief.post("/api/v1/auth/reauthenticate", { password });
    expect({ status, after: headers.get("retry-after"), code: body.code }).toEqual({
      status: 429,
      after: "3600",
      code: "rate_limited",
    });
    expect(here.threads.hashes()).toBe(hashes);
    const locks = here.heard("user.locked");
    expect(locks).toMatchObject([
      { userId, sessionId: id, payload: { failures: 10, retryAfterSeconds: 30 } },
      { userId, sessionId: id, payload: { failures: 100, retryAfterSeconds: 3_600 } },
    ]);
    expect(await here.audit("user.locked")).toHaveLength(2);
    // Who does know the password signs in again.
    expect((await thief.post("/api/v1/auth/login", { email, password })).status).toBe(200);
    expect((await thief.post("/api/v1/auth/reauthenticate", { password })).status).toBe(200);
  });

  test("forgets the whole row at a right one", async () => {
    const here = world();
    await here.plant({ email });
    const ana = await remembered(here);
    await wrongPrompts(here, ana, 10);
    here.clock.advance(900);
    expect((await ana.post("/api/v1/auth/reauthenticate", { password })).status).toBe(200);
    await wrongPrompts(here, ana, 9);
    expect(here.heard("user.locked")).toHaveLength(1);
  });

  test("is barred neither by the thief of another session nor by strangers who guess at the sign-in", async () => {
    const here = world();
    await here.plant({ email });
    const ana = await remembered(here);
    here.clock.advance(60);
    const thief = await remembered(here);
    await wrongPrompts(here, thief, 12);
    for (let i = 0; i < 12; i++) {
      const stranger = here.browser();
      stranger.ip = `198.51.100.${i}`;
      await stranger.post("/api/v1/auth/login", { email, password: "a wrong guess of mine" });
    }
    expect((await here.browser().post("/api/v1/auth/login", { email, password })).status).toBe(429);
    expect((await thief.post("/api/v1/auth/reauthenticate", { password })).status).toBe(429);
    expect((await ana.put("/api/v1/users/me/password", change)).status).toBe(200);
  });

  test("takes no attempt where nothing was tried", async () => {
    const here = world();
    const { ana } = await twoBrowsers(here);
    here.threads.before = async () => {
      throw new AuthError("overloaded", { retryAfterSeconds: 1 });
    };
    for (let i = 0; i < 7; i++)
      expect((await ana.post("/api/v1/auth/reauthenticate", { password })).status).toBe(503);
    here.threads.before = async () => {};
    expect((await ana.post("/api/v1/auth/reauthenticate", { password })).status).toBe(200);
  });

  test("of an account without a password is refused like a wrong one", async () => {
    const here = world();
    const user = here.make.user({ email });
    await here.write({ kind: "user.insert", user });
    const ana = here.browser();
    const { change: started } = await here.auth.sessions.start(user.id);
    if (typeof started.session !== "object") throw new Error("no session");
    ana.jar.set(cookieName, started.session.token);
    ana.jar.set(`${cookieName}-csrf`, started.session.csrfToken);
    expect(await ana.post("/api/v1/auth/reauthenticate", { password })).toMatchObject({
      status: 401,
      body: { code: "invalid_credentials", errors: [{ field: "password" }] },
    });
  });

  test("of a session whose account changed meanwhile rides on nothing", async () => {
    const here = world();
    const { ana } = await twoBrowsers(here);
    here.threads.before = async ({ call }) => {
      here.threads.before = async () => {};
      if (call === "verify") await here.auth.sessions.revokeAll(ana.userId);
    };
    expect((await ana.put("/api/v1/users/me/password", change)).body.code).toMatch(
      /^(conflict|session_expired)$/,
    );
    expect((await here.browser().post("/api/v1/auth/login", { email, password })).status).toBe(200);
    // And where the move came before the password was read.
    const bob = await here.registered("bob@example.com");
    here.recorder.before = ({ name }) => {
      if (name !== "directory.userWithPassword") return null;
      here.recorder.before = () => null;
      return here.write({ kind: "user.advance", userId: bob.userId, from: 1 });
    };
    expect((await bob.put("/api/v1/users/me/password", change)).body.code).toBe("session_expired");
    const eve = await here.registered("eve@example.com");
    here.recorder.before = ({ name }) => {
      if (name !== "directory.userWithPassword") return null;
      here.recorder.before = () => null;
      return here.write({
        kind: "user.update",
        userId: eve.userId,
        version: 1,
        changes: { status: "disabled" },
      });
    };
    expect((await eve.post("/api/v1/auth/reauthenticate", { password })).body.code).toBe("session_expired");
  });

  test("needs a session: another proof has none to give a new id", async () => {
    const base = world();
    const user = await base.plant({ email });
    const { browser } = base.again({ strategies: [bearer(user)] });
    const headers = { authorization: "Test good" };
    for (const [method, path, json] of [
      ["POST", "/api/v1/auth/reauthenticate", { password }],
      ["PUT", "/api/v1/users/me/password", change],
      ["DELETE", "/api/v1/users/me/sessions", undefined],
    ] as const) {
      expect((await browser().send(method, path, { json, headers })).body).toMatchObject({
        code: "forbidden",
        detail: "This needs a session.",
      });
    }
  });
});

describe.each(backends)("reauthenticating, on $backend", ({ open }) => {
  test("gives the session a new id and a fresh proof; the old id is dead, other sessions go on", async () => {
    const here = world({ stores: await open() });
    const { ana, elsewhere } = await twoBrowsers(here);
    const former = ana.copy();
    here.clock.advance(700);
    const { status, body } = await ana.post("/api/v1/auth/reauthenticate", { password });
    expect({ status, expires: body.expires_at }).toEqual({
      status: 200,
      expires: "2026-01-02T00:00:00.000Z",
    });
    expect((await ana.get("/api/v1/auth/session")).body.authenticated_at).toBe(
      here.clock.now().toISOString(),
    );
    expect((await former.get("/api/v1/users/me")).status).toBe(401);
    expect((await elsewhere.get("/api/v1/users/me")).status).toBe(200);
    expect(here.heard("user.reauthenticated")).toMatchObject([
      { userId: ana.userId, sessionId: sessionId(ana) },
    ]);
    expect(here.heard("session.rotated")).toHaveLength(1);
  });

  test("twice at once leaves one session of the two", async () => {
    const here = world({ stores: await open() });
    const { ana } = await twoBrowsers(here);
    const both = await Promise.all(
      [ana, ana].map((each) => each.copy().post("/api/v1/auth/reauthenticate", { password })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(await here.auth.sessions.list(ana.userId)).toHaveLength(2);
  });

  test("proves nothing for an account that changed after the password was read", async () => {
    const here = world({ stores: await open() });
    const { ana } = await twoBrowsers(here);
    here.recorder.before = ({ writes }) => {
      if (!writes.includes("session.rotate")) return null;
      here.recorder.before = () => null;
      return here.write({ kind: "user.advance", userId: ana.userId, from: 1 });
    };
    expect(await ana.post("/api/v1/auth/reauthenticate", { password })).toMatchObject({
      status: 409,
      body: { code: "conflict" },
    });
    expect(here.heard("user.reauthenticated")).toEqual([]);
  });

  test("never brings back a session that was ended meanwhile", async () => {
    const here = world({ stores: await open() });
    const { ana } = await twoBrowsers(here);
    const thief = ana.copy();
    here.threads.before = async ({ call }) => {
      here.threads.before = async () => {};
      if (call === "verify") await ana.post("/api/v1/auth/logout");
    };
    expect((await thief.post("/api/v1/auth/reauthenticate", { password })).body.code).toBe("conflict");
    expect(await here.auth.sessions.list(ana.userId)).toHaveLength(1);
  });

  test("keeps lifetime, remembering and data of the session", async () => {
    const here = world({ stores: await open() });
    await here.plant({ email });
    const ana = here.browser();
    await ana.post("/api/v1/auth/login", { email, password, remember: true });
    const verdict = await here.auth.check(ana.request("POST", "/x"), visit.client);
    if (!verdict.ok) throw verdict.error;
    await verdict.session.set("cart", [1]);
    here.clock.advance(100);
    const { cookies } = await ana.post("/api/v1/auth/reauthenticate", { password });
    expect(cookies[0]?.attributes["max-age"]).toBe(String(30 * 86_400 - 100));
    const after = await here.auth.check(ana.request("GET", "/x"), visit.client);
    expect(after.ok && after.session.get("cart")).toEqual([1]);
  });
});

describe.each(backends)("a reset token, on $backend", ({ open }) => {
  test("chooses a password once, ends every session, and signs nobody in", async () => {
    const here = world({ stores: await open() });
    const { ana, elsewhere } = await twoBrowsers(here);
    const token = await here.auth.users.issueResetToken(ana.userId);
    expect(token).toMatch(/^[A-Za-z0-9]{22}\.[\w-]{43}$/);
    here.recorder.calls.length = 0;
    const user = await here.auth.users.resetPassword({ token, password: next }, visit);
    expect(user).toMatchObject({ id: ana.userId, generation: 2 });
    expect(here.recorder.trace()).toEqual([
      "ephemeral.read",
      "directory.userWithPassword",
      "directory.commit(user.advance password.replace session.delete_all audit.insert)",
      "ephemeral.read",
      "ephemeral.take",
      // Failures of before are forgotten, and so are the browsers.
      "ephemeral.read",
      "ephemeral.remove",
      "ephemeral.put",
    ]);
    for (const browser of [ana, elsewhere]) expect((await browser.get("/api/v1/users/me")).status).toBe(401);
    expect((await here.browser().post("/api/v1/auth/login", { email, password: next })).status).toBe(200);
    await expect(here.auth.users.resetPassword({ token, password: `${next}!` }, visit)).rejects.toMatchObject(
      { code: "token_invalid" },
    );
    expect((await here.audit()).map(({ type }) => type)).toEqual(
      expect.arrayContaining(["password.reset_requested", "password.reset", "session.revoked"]),
    );
    expect(await here.audit("password.reset")).toHaveLength(1);
  });

  test("given ten times at once works once", async () => {
    const here = world({ stores: await open() });
    const user = await here.plant({ email });
    const token = await here.auth.users.issueResetToken(user.id);
    const tried = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) =>
        here.auth.users.resetPassword({ token, password: `${next} ${index}` }, visit),
      ),
    );
    const winner = tried.findIndex(({ status }) => status === "fulfilled");
    expect(tried.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const each of tried)
      if (each.status === "rejected") expect(each.reason).toMatchObject({ code: "token_invalid" });
    expect(await here.auth.users.verifyPassword(user.id, `${next} ${winner}`)).toBe(true);
    expect((await here.user(user.id)).generation).toBe(2);
  });

  test("gives a first password to an account that has none", async () => {
    const here = world({ stores: await open() });
    const user = here.make.user({ email });
    await here.write({ kind: "user.insert", user });
    const token = await here.auth.users.issueResetToken(user.id);
    await here.auth.users.resetPassword({ token, password: next }, visit);
    expect(await here.auth.users.verifyPassword(user.id, next)).toBe(true);
  });
});

describe("a reset token", () => {
  async function issued(here: World) {
    const user = await here.plant({ email });
    return { user, token: await here.auth.users.issueResetToken(user.id) };
  }
  // Whatever it is worth, looking at it says the same and spends nothing.
  async function reset(here: World, token: string, chosen = next): Promise<string> {
    const looked = await here.auth.users.openResetToken(token).then(
      () => "ok",
      ({ code }) => code,
    );
    const tried = await here.auth.users.resetPassword({ token, password: chosen }, visit).then(
      () => "ok",
      ({ code }) => code,
    );
    if (tried === "ok" || tried === "token_invalid") expect(looked).toBe(tried);
    return tried;
  }

  test("tells the form whose password it chooses", async () => {
    const here = world();
    const { user, token } = await issued(here);
    expect(await here.auth.users.openResetToken(token)).toMatchObject({ id: user.id, email });
  });

  test("works for 15 minutes, the last instant not included", async () => {
    const here = world();
    const { user, token } = await issued(here);
    here.clock.advance(899.999);
    expect(await reset(here, token)).toBe("ok");
    const late = await here.auth.users.issueResetToken(user.id);
    here.clock.advance(900);
    expect(await reset(here, late)).toBe("token_invalid");
  });

  test("with another secret is refused, and does not use the real one up", async () => {
    const here = world();
    const { token } = await issued(here);
    expect(await reset(here, `${token.slice(0, 23)}${"A".repeat(43)}`)).toBe("token_invalid");
    expect(await reset(here, token)).toBe("ok");
  });

  test.each(["", "x", "a.b", `${"A".repeat(22)}.${"A".repeat(42)}`, `${"A".repeat(22)}.${"A".repeat(43)}`])(
    "of garbage is refused: %j",
    async (token) => {
      expect(await reset(world(), token)).toBe("token_invalid");
    },
  );

  test("is worthless once the account's generation moved, it may not sign in any more, or it is gone", async () => {
    const here = world();
    const { user, token } = await issued(here);
    await here.auth.sessions.revokeAll(user.id);
    expect(await reset(here, token)).toBe("token_invalid");
    const other = await here.plant({ email: "bob@example.com" });
    const bobs = await here.auth.users.issueResetToken(other.id);
    await here.write({ kind: "user.update", userId: other.id, version: 1, changes: { status: "disabled" } });
    expect(await reset(here, bobs)).toBe("token_invalid");
    expect(here.threads.hashes()).toBe(2);
  });

  test("that is overtaken between reading and writing is refused, and nothing is written", async () => {
    const here = world();
    const { user, token } = await issued(here);
    here.threads.before = async ({ call }) => {
      here.threads.before = async () => {};
      if (call === "hash") await here.auth.sessions.revokeAll(user.id);
    };
    const late = here.auth.users.resetPassword({ token, password: next }, visit);
    await expect(late).rejects.toMatchObject({ code: "token_invalid" });
    expect(await here.auth.users.verifyPassword(user.id, password)).toBe(true);
  });

  test("stays usable where policy refuses the password", async () => {
    const here = world();
    const { token } = await issued(here);
    for (const weak of ["short", "x".repeat(1_025), email])
      expect(await reset(here, token, weak)).toBe("password_rejected");
    expect(await reset(here, token)).toBe("ok");
  });

  test("is made only for who may sign in", async () => {
    const here = world();
    const off = await here.plant({ email: "off@example.com", status: "disabled" });
    for (const id of [off.id, "nobody"])
      await expect(here.auth.users.issueResetToken(id)).rejects.toMatchObject({ code: "not_found" });
  });

  test("is kept as a digest", async () => {
    const here = world();
    const { token } = await issued(here);
    const put = here.recorder.calls.find(({ name }) => name === "ephemeral.put");
    expect(JSON.stringify(put?.args)).not.toContain(token.slice(23));
    expect(put?.args[2]).toBe(900);
  });

  test("of another purpose is none", async () => {
    const here = world();
    const setup = String(await here.auth.users.issueSetupToken());
    await issued(here);
    expect(await reset(here, setup)).toBe("token_invalid");
  });
});

describe.each(backends)("setting up, on $backend", ({ open }) => {
  const admin = { email: "root@example.com", password };

  test("creates one administrator and signs them in, also while registration is closed", async () => {
    const here = world({ stores: await open(), registration: "closed", signInAfterRegistration: false });
    const token = String(await here.auth.users.issueSetupToken());
    const { user, signIn } = await here.auth.users.setUp(token, admin, visit);
    expect(user).toMatchObject({ isSuperuser: true, email: "root@example.com" });
    expect(signIn?.session.userId).toBe(user.id);
    await expect(
      here.auth.users.setUp(token, { ...admin, email: "b@example.com" }, visit),
    ).rejects.toMatchObject({ code: "token_invalid" });
    expect(await here.auth.users.issueSetupToken()).toBeNull();
    expect((await here.audit("user.registered")).map(({ payload }) => payload)).toEqual([
      '{"by":"operator","isSuperuser":true}',
    ]);
  });

  test("ten times at once with one token, and with ten, gives one administrator", async () => {
    for (const tokens of [1, 10]) {
      const here = world({ stores: await open() });
      const issued = await Promise.all(
        Array.from({ length: tokens }, () => here.auth.users.issueSetupToken()),
      );
      const tried = await Promise.allSettled(
        Array.from({ length: 10 }, (_, index) =>
          here.auth.users.setUp(
            String(issued[index % tokens]),
            { ...admin, email: `root${index}@example.com` },
            visit,
          ),
        ),
      );
      expect(tried.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      for (const each of tried)
        if (each.status === "rejected") expect(each.reason).toMatchObject({ code: "token_invalid" });
      expect(await here.audit("user.registered")).toHaveLength(1);
      expect(here.heard("session.started")).toHaveLength(1);
    }
  });
});

describe("a setup token", () => {
  const admin = { email: "root@example.com", password };

  test("works for an hour, and stays usable where the form is refused", async () => {
    const here = world();
    const token = String(await here.auth.users.issueSetupToken());
    here.clock.advance(3_599.999);
    await expect(here.auth.users.setUp(token, { ...admin, password: "short" }, visit)).rejects.toMatchObject({
      code: "password_rejected",
    });
    await expect(here.auth.users.setUp(token, { ...admin, email: "x" }, visit)).rejects.toMatchObject({
      code: "invalid_input",
    });
    const late = String(await here.auth.users.issueSetupToken());
    expect((await here.auth.users.setUp(token, admin, visit)).user.isSuperuser).toBe(true);
    here.clock.advance(3_600);
    await expect(here.again().auth.users.setUp(late, admin, visit)).rejects.toMatchObject({
      code: "token_invalid",
    });
  });

  test("is worthless once there is somebody, before anything is hashed", async () => {
    const here = world();
    const token = String(await here.auth.users.issueSetupToken());
    await here.plant({ email });
    const hashes = here.threads.hashes();
    await expect(here.auth.users.setUp(token, admin, visit)).rejects.toMatchObject({ code: "token_invalid" });
    expect(here.threads.hashes()).toBe(hashes);
  });

  test("that expired is refused", async () => {
    const here = world();
    const token = String(await here.auth.users.issueSetupToken());
    here.clock.advance(3_600);
    await expect(here.auth.users.setUp(token, admin, visit)).rejects.toMatchObject({ code: "token_invalid" });
  });
});

describe("a password by itself", () => {
  test("is verified without counting, for an application that keeps count", async () => {
    const here = world();
    const user = await here.plant({ email });
    const none = here.make.user({ email: "none@example.com" });
    await here.write({ kind: "user.insert", user: none });
    for (let i = 0; i < 7; i++) expect(await here.auth.users.verifyPassword(user.id, "wrong")).toBe(false);
    expect(await here.auth.users.verifyPassword(user.id, password)).toBe(true);
    for (const id of [none.id, "nobody"])
      expect(await here.auth.users.verifyPassword(id, password)).toBe(false);
  });

  test("is judged by length, words and list, under the form's own field", async () => {
    const { auth } = world();
    const about = { email, username: "ana_b", name: "Ana" };
    expect(await auth.users.passwordErrors("ana_b", about)).toMatchObject([{ field: "new_password" }]);
    expect(await auth.users.passwordErrors(email, about)).toMatchObject([{ code: "context_word" }]);
    expect(await auth.users.passwordErrors(email, null)).toEqual([]);
  });
});
