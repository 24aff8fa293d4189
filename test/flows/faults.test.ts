import { describe, expect, test } from "vitest";
import { anyone } from "../../src/guards/guards.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { memory } from "../../src/stores/memory.ts";
import { type Fault, type FaultyCall, faulty } from "../../src/testing/faulty.ts";
import { auditQuery } from "../../src/testing/queries.ts";
import { backends } from "../support/backends.ts";
import { type Answer, type Browser, bareRequest } from "../support/browser.ts";
import { password, type World, type WorldOptions, world } from "../support/world.ts";

const email = "ana@example.com";
const next = "staple battery horse correct";
const client = { ip: "192.0.2.10" };

/** A world whose stores fail as its plan of the moment says. */
function fragile(stores: Stores, options: WorldOptions = {}) {
  const plan = { now: (_call: FaultyCall): Fault | null => null };
  const wrap = (inner: Stores): Stores => faulty(inner, (call) => plan.now(call));
  return { plan, here: world({ stores, wrap, storeTimeoutMs: 20, ...options }) };
}

/** Fails calls by name (`sessions.find`), `sessions.*` or `*`; null once it is over. */
function on(name: string, fault: Fault) {
  return ({ port, method }: FaultyCall): Fault | null =>
    name === "*" || name === `${port}.*` || name === `${port}.${method}` ? fault : null;
}

/** Everything that can be read of an account, for "nothing half-done". */
async function account({ services, call, auth }: World, userId: string) {
  const { directory } = services.stores;
  return {
    found: await directory.userWithPassword({ kind: "id", key: userId }, call()),
    sessions: await auth.sessions.list(userId),
    audit: await directory.auditRows(auditQuery({ limit: 1_000 }), call()),
  };
}

function expectUnavailable(answer: Answer): void {
  expect(answer).toMatchObject({
    status: 503,
    body: { code: "store_unavailable", status: 503 },
    cookies: [],
  });
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(answer.headers.get("retry-after")).toBe("1");
  expect(answer.text).not.toMatch(/refused|Injected|connection/);
}

describe.each(["refuse", "hang", "lose_answer"] as const)(
  "a session store whose answers are: %s",
  (fault) => {
    test("never reads as signed out, nor as allowed", async () => {
      const { plan, here } = fragile(memory());
      const ana = await here.registered();
      plan.now = on("sessions.find", fault);
      expectUnavailable(await ana.get("/api/v1/users/me"));
      expectUnavailable(await ana.get("/api/v1/auth/session"));
      expect(await here.auth.check(ana.request("GET", "/x"), client, anyone())).toMatchObject({
        ok: false,
        error: { code: "store_unavailable" },
        change: undefined,
      });
      await expect(here.auth.authenticate(ana.request("GET", "/x"), client)).rejects.toMatchObject({
        code: "store_unavailable",
      });
      plan.now = () => null;
      expect((await ana.get("/api/v1/users/me")).status).toBe(200);
      expect(here.log[0]).toMatchObject({
        level: "error",
        fields: { code: "store_unavailable", diagnosis: "sessions.find failed" },
      });
    });
  },
);

describe.each(["refuse", "hang"] as const)("counters whose answers are: %s", (fault) => {
  test("never read as unlimited: nothing is hashed, nobody is registered", async () => {
    const { plan, here } = fragile(memory());
    await here.plant({ email });
    const ana = await here.registered("bob@example.com");
    const hashes = here.threads.hashes();
    plan.now = on("ephemeral.reserve", fault);
    expectUnavailable(await here.browser().post("/api/v1/auth/login", { email, password }));
    expectUnavailable(
      await here.browser().post("/api/v1/auth/register", { email: "new@example.com", password }),
    );
    expectUnavailable(await ana.post("/api/v1/auth/reauthenticate", { password }));
    expect(here.threads.hashes()).toBe(hashes);
    const cart = here.auth.protect(async (_request, _principal, session) => {
      await session.set("cart", [1]);
      return new Response();
    }, anyone());
    const answer = await cart(here.browser().request("POST", "/cart"), client);
    expect([answer.status, answer.headers.get("set-cookie")]).toEqual([503, null]);
  });
});

/** Every change that the routes offer, by somebody signed in. */
const changes: Readonly<Record<string, (browser: Browser) => Promise<Answer>>> = {
  login: (browser) => browser.post("/api/v1/auth/login", { email, password }),
  register: (browser) => browser.post("/api/v1/auth/register", { email: "new@example.com", password }),
  logout: (browser) => browser.post("/api/v1/auth/logout"),
  "logout-all": (browser) => browser.post("/api/v1/auth/logout-all"),
  reauthenticate: (browser) => browser.post("/api/v1/auth/reauthenticate", { password }),
  "change password": (browser) =>
    browser.put("/api/v1/users/me/password", { current_password: password, new_password: next }),
  "change address": (browser) => browser.patch("/api/v1/users/me", { email: "new@example.com" }),
  "change name": (browser) => browser.patch("/api/v1/users/me", { name: "Ana" }),
  delete: (browser) => browser.delete("/api/v1/users/me"),
  erase: (browser) => browser.delete("/api/v1/users/me?erase=now"),
  "end others": (browser) => browser.delete("/api/v1/users/me/sessions"),
};

describe.each(backends)("on $backend", ({ open }) => {
  test.each(Object.entries(changes))(
    "%s fails whole before each of its writes, and nothing is told",
    async (_, change) => {
      for (let beforeWrite = 0; beforeWrite < 20; beforeWrite++) {
        const { plan, here } = fragile(await open());
        const ana = await here.registered();
        const before = await account(here, ana.userId);
        const heard = here.events.length;
        let isPast = false;
        plan.now = ({ method, writes }) => {
          if (method !== "commit") return null;
          isPast ||= beforeWrite > writes.length;
          return isPast ? null : { beforeWrite };
        };
        const answer = await change(ana.copy());
        if (isPast) {
          expect(answer.status).toBeLessThan(300);
          expect(beforeWrite).toBeGreaterThan(1);
          return;
        }
        expectUnavailable(answer);
        expect(here.events.length).toBe(heard);
        plan.now = () => null;
        expect(await account(here, ana.userId)).toEqual(before);
        expect((await ana.get("/api/v1/users/me")).status).toBe(200);
      }
      throw new Error("no end of writes");
    },
  );

  test.each(Object.entries(changes))(
    "%s where the directory refuses or hangs is 503, and the session goes on",
    async (_, change) => {
      for (const fault of ["refuse", "hang"] as const) {
        const { plan, here } = fragile(await open());
        const ana = await here.registered();
        const before = await account(here, ana.userId);
        plan.now = on("directory.commit", fault);
        expectUnavailable(await change(ana.copy()));
        plan.now = () => null;
        expect(await account(here, ana.userId)).toEqual(before);
        expect((await ana.get("/api/v1/users/me")).status).toBe(200);
      }
    },
  );

  test("a change whose answer is lost was made whole, and the caller hears of a failure", async () => {
    const { plan, here } = fragile(await open());
    const ana = await here.registered();
    plan.now = on("directory.commit", "lose_answer");
    expectUnavailable(
      await ana.copy().put("/api/v1/users/me/password", { current_password: password, new_password: next }),
    );
    plan.now = () => null;
    expect((await here.user(ana.userId)).generation).toBe(2);
    expect(await here.auth.users.verifyPassword(ana.userId, next)).toBe(true);
    expect((await ana.copy().get("/api/v1/users/me")).status).toBe(401);
  });

  test("a sweep that fails deletes nothing and tells nobody, and the next one does its work", async () => {
    const { plan, here } = fragile(await open());
    await here.registered();
    here.clock.advance(1_800);
    plan.now = ({ method }) => (method === "sweep" ? { beforeWrite: 0 } : null);
    await expect(here.auth.sessions.sweep()).rejects.toMatchObject({ code: "store_unavailable" });
    expect(here.heard("session.expired")).toEqual([]);
    plan.now = () => null;
    expect(await here.auth.sessions.sweep()).toBe(1);
    expect(await here.audit("session.expired")).toHaveLength(1);
  });
});

describe("work after the answer", () => {
  test("that fails costs nobody anything, and the operator hears of it", async () => {
    const { plan, here } = fragile(memory());
    const ana = await here.registered();
    here.clock.advance(61);
    plan.now = on("sessions.touch", "refuse");
    expect((await ana.get("/api/v1/users/me")).status).toBe(200);
    await here.settle();
    expect(here.log).toMatchObject([{ message: "background work failed", fields: { task: "touch" } }]);
    here.clock.advance(1_739);
    plan.now = on("directory.commit", "hang");
    expect((await ana.get("/api/v1/users/me")).status).toBe(401);
    await here.settle();
    expect(here.log.at(-1)).toMatchObject({ fields: { task: "end expired session" } });
  });

  test("a refusal whose audit row cannot be written is still heard, and still a refusal", async () => {
    const { plan, here } = fragile(memory());
    const ana = await here.registered();
    plan.now = on("directory.commit", "refuse");
    expect((await ana.post("/api/v1/auth/logout-all", undefined, { csrf: false })).status).toBe(403);
    await here.settle();
    expect(here.heard("csrf.refused")).toHaveLength(1);
    expect(here.log.at(-1)).toMatchObject({ fields: { task: "write audit rows" } });
  });
});

describe("attempts", () => {
  test("are not used up by a directory that is down", async () => {
    for (const method of ["directory.userWithPassword", "directory.commit"]) {
      const { plan, here } = fragile(memory());
      await here.plant({ email });
      plan.now = on(method, "refuse");
      for (let i = 0; i < 7; i++)
        expectUnavailable(await here.browser().post("/api/v1/auth/login", { email, password }));
      plan.now = () => null;
      expect((await here.browser().post("/api/v1/auth/login", { email, password })).status).toBe(200);
    }
  });

  test("are used up by wrong passwords, also while nothing can be written about them", async () => {
    const { plan, here } = fragile(memory());
    await here.plant({ email });
    plan.now = on("directory.commit", "refuse");
    const statuses = [];
    for (let i = 0; i < 6; i++)
      statuses.push((await here.browser().post("/api/v1/auth/login", { email, password: "wrong" })).status);
    expect(statuses).toEqual([503, 503, 503, 503, 503, 429]);
  });

  test("that cannot be given back, or forgotten, are a lesser reason than the one at hand", async () => {
    const { plan, here } = fragile(memory());
    await here.plant({ email });
    plan.now = on("ephemeral.remove", "refuse");
    expect((await here.browser().post("/api/v1/auth/login", { email, password })).status).toBe(200);
    expect(here.log).toMatchObject([{ level: "error", message: "failed attempts were not cleared" }]);
    plan.now = on("ephemeral.refund", "refuse");
    const tooLong = await here.browser().post("/api/v1/auth/login", { email, password: "x".repeat(1_025) });
    expect(tooLong).toMatchObject({ status: 400, body: { code: "password_rejected" } });
  });
});

describe("one-time tokens", () => {
  const visit = { request: bareRequest({ method: "POST" }), client };

  test("grant nothing where the store fails, and a form token spends nothing", async () => {
    for (const fault of ["refuse", "hang"] as const) {
      const { plan, here } = fragile(memory());
      const user = await here.plant({ email });
      const token = await here.auth.users.issueResetToken(user.id);
      for (const method of ["ephemeral.read", "directory.userWithPassword", "directory.commit"]) {
        plan.now = on(method, fault);
        await expect(here.auth.users.resetPassword({ token, password: next }, visit)).rejects.toMatchObject({
          code: "store_unavailable",
        });
      }
      plan.now = on("ephemeral.put", fault);
      await expect(here.auth.users.issueResetToken(user.id)).rejects.toMatchObject({
        code: "store_unavailable",
      });
      plan.now = on("directory.isEmpty", fault);
      await expect(here.auth.users.issueSetupToken()).rejects.toMatchObject({ code: "store_unavailable" });
      const form = await here.auth.forms.token("f", visit);
      plan.now = on("ephemeral.add", fault);
      const nonce = bareRequest({
        method: "POST",
        headers: { cookie: `__Host-latchkey-form=${form.change?.form}` },
      });
      const spend = () => here.auth.forms.spend("f", form.token, { request: nonce, client });
      await expect(spend()).rejects.toMatchObject({ code: "store_unavailable" });
      plan.now = () => null;
      await spend();
      await here.auth.users.resetPassword({ token, password: next }, visit);
    }
  });

  test("a setup that succeeded is one, though its token could not be taken away", async () => {
    const { plan, here } = fragile(memory());
    const token = String(await here.auth.users.issueSetupToken());
    plan.now = on("ephemeral.take", "refuse");
    expect((await here.auth.users.setUp(token, { email, password }, visit)).user.isSuperuser).toBe(true);
  });
});

test("everything down is 503 everywhere, and healthz still answers", async () => {
  const { plan, here } = fragile(memory());
  const ana = await here.registered();
  plan.now = on("*", "refuse");
  for (const route of await here.auth.routes()) {
    const path = route.isAtRoot ? route.path : `/api/v1${route.path.replace("{id}", "x")}`;
    const json =
      route.input === undefined
        ? undefined
        : { email, username: email, password, current_password: password, new_password: next };
    const { status } = await ana.copy().send(route.method, path, { json });
    // The process runs, which is all that it is asked.
    expect([route.path, status]).toEqual([route.path, route.path === "/healthz" ? 200 : 503]);
  }
  expect((await here.browser().get("/api/v1/openapi.json")).status).toBe(200);
});
