import { describe, expect, test } from "vitest";
import { createAuth } from "../../src/auth.ts";
import type { AuthEvent } from "../../src/domain/event.ts";
import type { Feature } from "../../src/features/feature.ts";
import { passwords } from "../../src/features/passwords.ts";
import { argon2id } from "../../src/password/argon2id.ts";
import type { Visit } from "../../src/ports/visit.ts";
import { memory } from "../../src/stores/memory.ts";
import { auditQuery } from "../../src/testing/queries.ts";
import { bareRequest } from "../support/browser.ts";
import { until } from "../support/until.ts";
import { cookieName, password, secret, world } from "../support/world.ts";

const client = { ip: null };

describe("createAuth", () => {
  test("refuses sessions of another engine than the directory, and takes any ephemera", async () => {
    const [one, two] = [memory(), memory()];
    const options = { origin: "https://app.example", secrets: [secret] as const };
    const stores = { ...one, sessions: two.sessions };
    expect(() => createAuth({ ...options, stores })).toThrow(
      /not of one engine; join two engines with split/,
    );
    await createAuth({ ...options, stores: { ...one, ephemeral: two.ephemeral } }).close();
  });

  test("refuses a feature that is listed twice", () => {
    expect(() => world({ features: [passwords({ hashers: [argon2id()] })] })).toThrow(
      /passwords is listed twice/,
    );
  });

  test("refuses a weak first hasher where the origin is not loopback", () => {
    const create = (origin: string) =>
      createAuth({
        origin,
        secrets: [secret],
        stores: memory(),
        features: [passwords({ hashers: [argon2id({ memoryKiB: 64 })] })],
      });
    expect(() => create("https://app.example")).toThrow(/below OWASP's minimum/);
    expect(() => create("http://localhost:3000")).not.toThrow();
  });

  test("gives what a listed feature offers, and says which is not listed", () => {
    const extra: Feature<number> = { name: "extra", install: () => ({ api: 7 }) };
    const { auth } = world({ features: [extra] });
    expect(auth.use(extra)).toBe(7);
    const same: Feature<number> = { ...extra };
    expect(() => auth.use(same)).toThrow("extra is not in the list of features");
  });

  test("asks the strategies of features before the application's", async () => {
    const base = world();
    const user = base.make.user();
    const naming = (name: string) => ({
      name,
      ambient: false,
      challenge: name,
      authenticate: () => ({
        kind: "accepted" as const,
        principal: {
          isAuthenticated: true as const,
          user,
          via: name,
          amr: [],
          authTime: new Date(0),
          sessionId: null,
          scopes: null,
          impersonator: null,
          displayName: name,
        },
      }),
    });
    const feature: Feature<null> = {
      name: "f",
      install: () => ({ api: null, strategies: [naming("feature")] }),
    };
    const { auth } = base.again({ features: [feature], strategies: [naming("own")] });
    expect(await auth.check(bareRequest({}), client)).toMatchObject({ principal: { via: "feature" } });
  });

  test.each(["session", "ticket", "api-key", "anonymous"])(
    "takes no strategy of the application's that is called %s, as proofs of another kind are",
    (name) => {
      const strategy = {
        name,
        ambient: false,
        challenge: "Test",
        authenticate: () => ({ kind: "absent" as const }),
      };
      expect(() => world({ strategies: [strategy] })).toThrow(/another kind/);
      expect(() => world({ strategies: [{ ...strategy, name: "own" }] })).not.toThrow();
    },
  );

  test("without the feature passwords says to list it", async () => {
    const auth = createAuth({ origin: "https://app.example", secrets: [secret], stores: memory() });
    await expect(auth.users.create({ email: "a@example.com", password })).rejects.toThrow(
      /features: \[passwords\(\)\]/,
    );
    expect((await auth.routes()).map(({ path }) => path)).not.toContain("/auth/login");
    expect(await auth.handle(bareRequest({ method: "POST", url: "/api/v1/auth/login" }), client)).toBeNull();
    await auth.close();
  });

  test("is frozen", () => {
    const { auth } = world();
    expect(() => Object.assign(auth, { check: null })).toThrow(TypeError);
  });

  test("works with the real threads on loopback", async () => {
    const auth = createAuth({
      origin: "http://localhost:3000",
      secrets: [secret],
      stores: memory(),
      features: [passwords({ hashers: [argon2id({ memoryKiB: 64, passes: 1 })], threads: { size: 1 } })],
    });
    await auth.warmUp();
    const user = await auth.users.create({ email: "a@example.com", password });
    expect(await auth.users.verifyPassword(user.id, password)).toBe(true);
    const wrong = auth.users.login(
      { identifier: "a@example.com", password: "wrong" },
      { request: bareRequest({ method: "POST" }), client },
    );
    await expect(wrong).rejects.toMatchObject({ code: "invalid_credentials" });
    const { change } = await auth.users.login(
      { identifier: "a@example.com", password },
      { request: bareRequest({ method: "POST" }), client },
    );
    expect(auth.seal(new Response(), change).headers.getSetCookie()[0]).toMatch(/^latchkey=/);
    await auth.close();
    await auth.close();
  });
});

describe("users", () => {
  test("are found by id, address and username, whatever their status", async () => {
    const { auth, plant } = world();
    const user = await plant({
      email: "Ana@example.com",
      emailKey: "ana@example.com",
      username: "ana_b",
      status: "disabled",
    });
    expect(await auth.users.find(user.id)).toEqual(user);
    for (const typed of ["ANA@example.com ", "Ana_B"])
      expect(await auth.users.findByIdentifier(typed)).toEqual(user);
    expect(await auth.users.find("nobody")).toBeNull();
    expect(await auth.users.findByIdentifier("nobody")).toBeNull();
  });

  test("changed by the application's own means are forgotten by the store", async () => {
    const { auth, recorder } = world();
    await auth.users.changed("id");
    expect(recorder.calls.map(({ name, args }) => [name, args])).toEqual([["directory.forget", ["id"]]]);
  });
});

describe("events", () => {
  test("reach listeners of their type, of every type, and none that has left", async () => {
    const here = world();
    const heard: string[] = [];
    const off = here.auth.events.on("user.registered", (event) => heard.push(`typed ${event.payload.by}`));
    here.auth.events.on("*", (event) => heard.push(event.type));
    await here.registered();
    off();
    await here.registered("bob@example.com");
    expect(heard).toEqual([
      "typed self",
      "user.registered",
      "session.started",
      "user.registered",
      "session.started",
    ]);
  });

  test("are told after the change was committed", async () => {
    const here = world();
    const seen: unknown[] = [];
    here.auth.events.on("user.registered", async ({ userId }) =>
      seen.push(await here.auth.users.find(String(userId))),
    );
    const { userId } = await here.registered();
    expect(seen).toMatchObject([{ id: userId }]);
  });

  test("that were not committed are told to nobody", async () => {
    const here = world();
    await here.registered();
    here.events.length = 0;
    await here.browser().post("/api/v1/auth/register", { email: "ana@example.com", password });
    expect(here.events).toEqual([]);
  });

  test("reach every listener though one throws, now or later, and the caller feels nothing of it", async () => {
    const heard: AuthEvent["type"][] = [];
    const here = world({
      listeners: [
        () => {
          throw new Error("now");
        },
        () => Promise.reject(new Error("later")),
        ({ type }) => void heard.push(type),
      ],
    });
    await here.registered();
    await here.settle();
    expect(heard).toEqual(["user.registered", "session.started"]);
    expect(here.log.map(({ message, fields, cause }) => [message, fields.event, String(cause)])).toEqual(
      expect.arrayContaining([
        ["a listener failed", "user.registered", "Error: now"],
        ["a listener failed", "user.registered", "Error: later"],
      ]),
    );
  });

  test("are rows whose personal fields lie beside them, digested with salts, unsealed", async () => {
    const here = world();
    await here.registered();
    for (const row of await here.audit()) {
      expect(row).toMatchObject({ seq: null, chainHash: null });
      expect(row.personal.map(({ field, value }) => [field, value])).toEqual([
        ["ip", "192.0.2.10"],
        ["user_agent", "ExampleBrowser/1.0"],
      ]);
      expect(row.personal.every(({ salt }) => /^[\w-]{22}$/.test(salt))).toBe(true);
      expect(new Set(row.personal.map(({ salt }) => salt)).size).toBe(2);
      expect(Object.keys(JSON.parse(row.digests))).toEqual(["ip", "user_agent"]);
      expect(row.payload + row.digests).not.toContain("192.0.2.10");
    }
  });
});

describe("readiness", () => {
  test("is 200 while every store answers, 503 where one does not, and while closing", async () => {
    const here = world();
    expect((await here.browser().get("/readyz")).body).toEqual({ status: "ok" });
    for (const port of ["directory", "sessions", "ephemeral"]) {
      here.recorder.before = ({ name }) =>
        name === `${port}.ping` ? Promise.reject(new Error("down")) : null;
      const { status, body, headers } = await here.browser().get("/readyz");
      expect({ status, code: body.code, after: headers.get("retry-after") }).toEqual({
        status: 503,
        code: "store_unavailable",
        after: "1",
      });
      expect(await here.auth.isReady()).toBe(false);
    }
    here.recorder.before = () => null;
    expect(await here.auth.isReady()).toBe(true);
    await here.auth.close();
    expect((await here.browser().get("/readyz")).status).toBe(503);
    expect((await here.browser().get("/healthz")).status).toBe(200);
  });
});

test("warming up loads the routes and asks every feature", async () => {
  const asked: string[] = [];
  const feature = (name: string): Feature<null> => ({
    name,
    install: () => ({
      api: null,
      warmUp: async () => void asked.push(name),
      routes: async () => {
        asked.push(`routes of ${name}`);
        return [];
      },
    }),
  });
  const { auth } = world({ features: [feature("a"), feature("b")] });
  await auth.warmUp();
  expect(asked.sort()).toEqual(["a", "b", "routes of a", "routes of b"]);
  await auth.routes();
  expect(asked).toHaveLength(4);
});

describe("close", () => {
  test("waits for what is under way, then closes features and stores, once", async () => {
    const order: string[] = [];
    const feature: Feature<null> = {
      name: "f",
      install: () => ({
        api: null,
        close: async () => void order.push("feature"),
      }),
    };
    const here = world({ features: [feature] });
    const ana = await here.registered();
    here.clock.advance(61);
    await ana.get("/api/v1/auth/session");
    here.recorder.before = ({ name }) => {
      order.push(name);
      return null;
    };
    await Promise.all([here.auth.close(), here.auth.close()]);
    await here.auth.close();
    expect(order).toEqual(["feature", "sessions.touch"]);
    expect(here.recorder.trace().slice(-3)).toEqual(["sessions.close", "ephemeral.close", "directory.close"]);
    expect(here.recorder.trace().filter((name) => name.endsWith("close"))).toHaveLength(3);
  });

  test("writes what was refused just before", async () => {
    const here = world();
    const ana = await here.registered();
    await here.auth.check(ana.request("POST", "/x", { csrf: false }), client);
    await here.auth.close();
    const rows = await here.services.stores.directory.auditRows(auditQuery({ limit: 10 }), here.call());
    expect(rows.map(({ type }) => type)).toContain("csrf.refused");
  });
});

describe("the sweep", () => {
  test("runs by itself at the configured interval", async () => {
    const here = world({ session: { sweepIntervalSeconds: 1 } });
    const ana = await here.registered();
    here.clock.advance(1_800);
    await until(() => here.heard("session.expired").length > 0);
    expect(here.heard("session.expired")).toMatchObject([{ userId: ana.userId }]);
  });

  test("goes through more than one batch", async () => {
    const here = world();
    const user = await here.plant({ email: "ana@example.com" });
    for (let i = 0; i < 450; i++) {
      await here.write({
        kind: "session.insert",
        session: here.make.session(user),
        cap: 0,
        evicted: () => [],
      });
    }
    for (let i = 0; i < 450; i++) await here.services.stores.ephemeral.put(`k${i}`, "v", 60, here.call());
    here.clock.advance(1_800);
    expect(await here.auth.sessions.sweep()).toBe(450);
    expect(here.heard("session.expired")).toHaveLength(450);
    expect(await here.audit("session.expired")).toHaveLength(450);
    expect(await here.services.stores.ephemeral.sweep(1_000, here.call())).toBe(0);
  });
});

test("the cookie's name is the configured one", async () => {
  const here = world({ cookie: { name: "mine" } });
  const ana = await here.registered();
  expect([...ana.jar.keys()]).toEqual(["__Host-mine", "__Host-mine-csrf", "__Host-mine-device"]);
  expect(cookieName).toBe("__Host-latchkey");
});

describe("a flow that is called without its visit", () => {
  test.each([
    ["nothing", undefined],
    ["the client alone", { client }],
    ["the request alone", { request: bareRequest({ method: "POST" }) }],
    ["the request itself", bareRequest({ method: "POST" })],
    [
      "a request of Node's",
      { request: { method: "POST", headers: { origin: "https://app.example" } }, client },
    ],
  ])("says so, given %s", async (_, given) => {
    const { auth } = world();
    const visit = given as unknown as Visit;
    const said = /^the visit is missing, the request on whose behalf this is done: \{ request, client \}/;
    await expect(auth.users.login({ identifier: "a@example.com", password }, visit)).rejects.toThrow(said);
    await expect(auth.users.register({ email: "a@example.com", password }, visit)).rejects.toThrow(said);
    await expect(auth.sessions.logout(visit)).rejects.toThrow(said);
  });
});
