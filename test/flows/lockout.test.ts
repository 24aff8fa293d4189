import { describe, expect, test } from "vitest";
import { operator } from "../../src/flows/acting.ts";
import { unlock } from "../../src/flows/administration/unlock.ts";
import type { Answer, Browser } from "../support/browser.ts";
import { password, type World, world } from "../support/world.ts";

const login = "/api/v1/auth/login";
const deviceCookie = "__Host-latchkey-device";
const email = "ana@example.com";

let attackers = 0;

/** A wrong guess from an address that nobody has used before, in a browser that nobody knows. */
async function tryOne(here: World, typed: string): Promise<Answer> {
  attackers++;
  const browser = here.browser();
  browser.ip = `198.${18 + (attackers >> 16)}.${(attackers >> 8) & 255}.${attackers & 255}`;
  return browser.post(login, { email: typed, password: "a wrong guess of mine" });
}

async function guess(here: World, typed = email): Promise<number> {
  return (await tryOne(here, typed)).status;
}

async function signIn(browser: Browser, typed = email, given = password): Promise<number> {
  return (await browser.post(login, { email: typed, password: given })).status;
}

/** Guesses until so many failed in a row, waiting as long as one is asked to. */
async function fail(here: World, times: number, typed = email): Promise<void> {
  for (let count = 0; count < times; ) {
    const { status, headers } = await tryOne(here, typed);
    if (status === 401) count++;
    else here.clock.advance(Number(headers.get("retry-after")));
  }
}

/** Somebody who has signed in in a browser, and is not signed in there any more. */
async function owner(here: World): Promise<Browser & { readonly userId: string }> {
  const browser = await here.registered(email);
  await browser.post("/api/v1/auth/logout");
  return browser;
}

describe("failures in a row from browsers that nobody knows", () => {
  test.each([
    ["an account", true],
    ["what belongs to nobody", false],
  ])(
    "make everybody wait, of %s: 30 s after ten, twice as long after each, up to an hour",
    async (_, exists) => {
      const here = world();
      if (exists) await here.plant({ email });
      for (let times = 0; times < 10; times++) expect(await guess(here)).toBe(401);
      for (const wait of [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600]) {
        expect(await guess(here)).toBe(429);
        here.clock.advance(wait - 1);
        expect(await guess(here), `${wait} s not over`).toBe(429);
        here.clock.advance(1);
        expect(await guess(here), `${wait} s over`).toBe(401);
      }
      const locks = here.heard("user.locked").map(({ payload }) => payload);
      expect(locks).toEqual([{ failures: 10, retryAfterSeconds: 30 }]);
    },
  );

  test("of several at once when the waiting is over, one is tried", async () => {
    const here = world();
    await here.plant({ email });
    await fail(here, 10);
    here.clock.advance(30);
    const answers = await Promise.all(Array.from({ length: 20 }, () => guess(here)));
    expect(answers.filter((status) => status === 401)).toHaveLength(1);
    const again = await Promise.all(Array.from({ length: 20 }, () => guess(here)));
    expect(again.filter((status) => status === 401)).toHaveLength(0);
  });

  test("twenty at once at the beginning get ten guesses", async () => {
    const here = world();
    await here.plant({ email });
    const answers = await Promise.all(Array.from({ length: 20 }, () => guess(here)));
    expect(answers.filter((status) => status === 401)).toHaveLength(10);
  });

  test.each([
    ["an account", true],
    ["what belongs to nobody", false],
  ])("end the password by itself at a hundred, of %s", { timeout: 60_000 }, async (_, exists) => {
    const here = world();
    if (exists) await here.plant({ email });
    await fail(here, 99);
    here.clock.advance(3_600);
    expect(await guess(here)).toBe(401);
    here.clock.advance(24 * 3_600);
    const answer = await here.browser().post(login, { email, password });
    expect(answer.status).toBe(429);
    expect(answer.headers.get("retry-after")).toBe("3600");
    expect(answer.body.detail).toMatch(/Reset the password/);
    expect(here.heard("user.locked").map(({ payload }) => payload.failures)).toEqual([10, 100]);
    expect(here.heard("user.locked").every(({ userId }) => (userId !== null) === exists)).toBe(true);
  });

  test("are forgotten by a success, which is on record", async () => {
    const here = world();
    const { id } = await here.plant({ email });
    await fail(here, 12);
    here.clock.advance(3_600);
    expect(await signIn(here.browser())).toBe(200);
    expect(here.heard("user.unlocked")).toMatchObject([{ userId: id, payload: { by: "self" } }]);
    for (let times = 0; times < 10; times++) expect(await guess(here)).toBe(401);
  });

  test("do the same work whether the account exists or not", async () => {
    const traces = await Promise.all(
      [true, false].map(async (exists) => {
        const here = world();
        if (exists) await here.plant({ email });
        const steps: unknown[] = [];
        for (let times = 0; times < 14; times++) {
          here.recorder.calls.length = 0;
          const hashes = here.threads.hashes();
          const status = await guess(here);
          steps.push([status, here.threads.hashes() - hashes, here.recorder.trace()]);
          if (status === 429) here.clock.advance(60);
        }
        return steps;
      }),
    );
    expect(traces[0]).toEqual(traces[1]);
  });
});

describe("a browser in which its user has signed in", () => {
  test("gets in while everybody else waits or is locked out", { timeout: 60_000 }, async () => {
    const here = world();
    const browser = await owner(here);
    await fail(here, 10);
    expect(await signIn(here.browser())).toBe(429);
    expect(await signIn(browser)).toBe(200);
    await browser.post("/api/v1/auth/logout");
    await fail(here, 90);
    expect(await signIn(here.browser())).toBe(429);
    expect(await signIn(browser)).toBe(200);
  });

  test("gets in from an address whose guesses are used up by others", async () => {
    const here = world();
    const browser = await owner(here);
    for (let times = 0; times < 101; times++) await signIn(here.browser(), `nobody${times}@example.com`);
    expect(await signIn(here.browser())).toBe(429);
    expect(await signIn(browser)).toBe(200);
  });

  test("has guesses of its own, which count like anybody's, and no more", async () => {
    const here = world();
    const browser = await owner(here);
    for (let times = 0; times < 5; times++)
      expect(await signIn(browser, email, "not the password")).toBe(401);
    expect(await signIn(browser)).toBe(429);
    here.clock.advance(900);
    for (let times = 0; times < 5; times++)
      expect(await signIn(browser, email, "not the password")).toBe(401);
    here.clock.advance(29);
    expect(await signIn(browser)).toBe(429);
    here.clock.advance(871);
    expect(await signIn(browser)).toBe(200);
  });

  test("is one like any other after a hundred failures", { timeout: 60_000 }, async () => {
    const here = world();
    const browser = await owner(here);
    for (let count = 0; count < 100; ) {
      const { status, headers } = await browser.post(login, { email, password: "not the password" });
      if (status === 401) count++;
      else here.clock.advance(Number(headers.get("retry-after")));
    }
    here.clock.advance(3_600);
    expect(await signIn(browser, email, "not the password")).toBe(401);
    await fail(here, 9);
    expect(await signIn(browser)).toBe(429);
  });

  test("is known for its own user alone", async () => {
    const here = world();
    const bea = await here.registered("bea@example.com");
    await bea.post("/api/v1/auth/logout");
    await here.plant({ email });
    await fail(here, 10);
    expect(await signIn(bea)).toBe(429);
  });

  test("is known by its secret alone, of which a digest is kept", async () => {
    const here = world();
    const browser = await owner(here);
    await fail(here, 10);
    const cookie = browser.jar.get(deviceCookie) ?? "";
    const [id = "", secret = ""] = cookie.split(".");
    for (const forged of [`${id}.${"A".repeat(43)}`, id, `${secret}.${id}`, "x".repeat(66), ""]) {
      const thief = here.browser();
      thief.jar.set(deviceCookie, forged);
      expect(await signIn(thief)).toBe(429);
    }
    const stored = await here.services.stores.ephemeral.read(`device:${id}`, here.call());
    expect(stored).not.toBeNull();
    expect(stored).not.toContain(secret);
  });

  test("is nobody's after a reset, and every other one goes on after a changed password", async () => {
    const here = world();
    const browser = await owner(here);
    const other = here.browser();
    await signIn(other);
    const next = "another battery staple";
    const change = { current_password: password, new_password: next };
    expect((await other.put("/api/v1/users/me/password", change)).status).toBe(200);
    await fail(here, 10);
    expect(await signIn(browser, email, next)).toBe(200);
    await browser.post("/api/v1/auth/logout");
    const token = await here.auth.users.issueResetToken(browser.userId);
    const visit = { request: here.browser().request("POST", "/"), client: { ip: "192.0.2.1" } };
    await here.auth.users.resetPassword({ token, password: "a third battery staple" }, visit);
    await fail(here, 10);
    expect(await signIn(browser, email, "a third battery staple")).toBe(429);
    expect(await signIn(other, email, "a third battery staple")).toBe(429);
  });

  test("carries a cookie that no script reads, for 180 days from its last sign-in", async () => {
    const here = world();
    const answer = await here.browser().post("/api/v1/auth/register", { email, password });
    const cookie = answer.cookies.find(({ name }) => name === deviceCookie);
    expect(cookie?.attributes.samesite).toBe("Lax");
    expect(Object.keys(cookie?.attributes ?? {})).toEqual(
      expect.arrayContaining(["httponly", "secure", "path"]),
    );
    expect(cookie?.attributes["max-age"]).toBe(String(180 * 86_400));
    const browser = here.browser();
    browser.jar.set(deviceCookie, cookie?.value ?? "");
    const soon = await browser.post(login, { email, password });
    expect(soon.cookies.find(({ name }) => name === deviceCookie)).toBeUndefined();
    here.clock.advance(179 * 86_400);
    const later = await browser.post(login, { email, password });
    expect(later.cookies.find(({ name }) => name === deviceCookie)?.value).toBe(cookie?.value);
    here.clock.advance(179 * 86_400);
    await fail(here, 10);
    expect(await signIn(browser)).toBe(200);
    here.clock.advance(180 * 86_400);
    await fail(here, 10);
    expect(await signIn(browser)).toBe(429);
  });

  test("is never a way in by itself", async () => {
    const here = world();
    const browser = await owner(here);
    expect([...browser.jar.keys()]).toContain(deviceCookie);
    expect((await browser.get("/api/v1/users/me")).status).toBe(401);
    expect(await signIn(browser, email, "not the password")).toBe(401);
  });

  test("of which one account makes ever more is remembered twenty times a day", async () => {
    const here = world();
    await here.plant({ email });
    const given: number[] = [];
    for (let times = 0; times < 22; times++) {
      const answer = await here.browser().post(login, { email, password });
      expect(answer.status).toBe(200);
      given.push(answer.cookies.filter(({ name }) => name === deviceCookie).length);
    }
    expect(given.reduce((sum, count) => sum + count)).toBe(20);
  });

  test("a sign-in stands where the browser cannot be remembered", async () => {
    const here = world({
      wrap: (stores) => ({
        ...stores,
        ephemeral: { ...stores.ephemeral, put: () => Promise.reject(new Error("down")) },
      }),
    });
    await here.plant({ email });
    const answer = await here.browser().post(login, { email, password });
    expect(answer.status).toBe(200);
    expect(answer.cookies.some(({ name }) => name === deviceCookie)).toBe(false);
    expect(here.log).toMatchObject([{ level: "error", message: expect.stringContaining("not remembered") }]);
  });
});

describe("an account that nobody gets into by password alone any more", () => {
  async function lockedOut(): Promise<{ here: World; userId: string }> {
    const here = world();
    const { id } = await here.plant({ email });
    await fail(here, 100);
    here.clock.advance(3_600);
    expect(await signIn(here.browser())).toBe(429);
    return { here, userId: id };
  }

  test("is open again once an operator says so", { timeout: 60_000 }, async () => {
    const { here, userId } = await lockedOut();
    expect(await unlock(here.services, userId, operator)).toBe(100);
    expect(here.heard("user.unlocked")).toMatchObject([{ userId, payload: { by: "operator" } }]);
    expect(await signIn(here.browser())).toBe(200);
    expect(await unlock(here.services, userId, operator)).toBe(0);
    await expect(unlock(here.services, "nobody", operator)).rejects.toMatchObject({ code: "not_found" });
  });

  test("is open again after a reset", { timeout: 60_000 }, async () => {
    const { here, userId } = await lockedOut();
    const token = await here.auth.users.issueResetToken(userId);
    const visit = { request: here.browser().request("POST", "/"), client: { ip: "192.0.2.1" } };
    await here.auth.users.resetPassword({ token, password: "another battery staple" }, visit);
    expect(here.heard("user.unlocked")).toMatchObject([{ userId, payload: { by: "self" } }]);
    expect(await signIn(here.browser(), email, "another battery staple")).toBe(200);
  });
});

describe("limits of neighbourhoods", () => {
  test.each([
    ["a /24", (at: number) => `192.0.2.${at % 250}`],
    ["a /48", (at: number) => `2001:db8:7:${(at % 250).toString(16)}::1`],
  ])(
    "%s has five hundred failures in a window, however many addresses it has",
    { timeout: 60_000 },
    async (_, ip) => {
      const here = world();
      const statuses: number[] = [];
      for (let times = 0; times < 501; times++) {
        const browser = here.browser();
        browser.ip = ip(times);
        statuses.push(await signIn(browser, `nobody${times}@example.com`));
      }
      expect(statuses.slice(0, 500).every((status) => status === 401)).toBe(true);
      expect(statuses[500]).toBe(429);
      expect(here.heard("rate_limit.hit").at(-1)?.payload.limit).toBe("login_subnet");
      here.clock.advance(900);
      const browser = here.browser();
      browser.ip = ip(7);
      expect(await signIn(browser, "nobody@example.com")).toBe(401);
    },
  );
});
