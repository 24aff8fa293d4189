import { describe, expect, test } from "vitest";
import { parseSessionToken } from "../../src/domain/session.ts";
import { anyone } from "../../src/guards/guards.ts";
import type { SessionData } from "../../src/ports/session-data.ts";
import { cached } from "../../src/stores/cached.ts";
import { memory } from "../../src/stores/memory.ts";
import { bus } from "../stores/cached-bus.ts";
import { backends } from "../support/backends.ts";
import { type Browser, parseSetCookie } from "../support/browser.ts";
import { gate } from "../support/gate.ts";
import { cookieName, password, type World, world } from "../support/world.ts";

const client = { ip: "192.0.2.10" };
const email = "ana@example.com";

/** Opens the bag of a request and answers what `work` does with it; the browser keeps the cookies. */
async function open<T>(
  here: World,
  browser: Browser,
  work: (data: SessionData) => T | Promise<T>,
  method = "POST",
): Promise<T> {
  let result: { value: T } | { error: unknown } | null = null;
  const handler = here.auth.protect(async (_request: Request, _principal, data) => {
    try {
      result = { value: await work(data) };
    } catch (error) {
      result = { error };
      throw error;
    }
    return new Response();
  }, anyone());
  const response = await handler(browser.request(method, "/x"), { ip: browser.ip });
  for (const { name, value } of response.headers.getSetCookie().map(parseSetCookie))
    browser.jar.set(name, value);
  const settled = result as { value: T } | { error: unknown } | null;
  if (settled === null) throw new Error(`refused: ${await response.text()}`);
  if ("error" in settled) throw settled.error;
  return settled.value;
}

const set = (key: string, value: unknown) => (data: SessionData) => data.set(key, value);
const get = (key: string) => (data: SessionData) => data.get(key);

describe.each(backends)("a visitor's bag, on $backend", (backend) => {
  test("is created by the first set, in a session that signs nobody in", async () => {
    const here = world({ stores: await backend.open() });
    const visitor = here.browser();
    expect(await open(here, visitor, ({ id, change, get: read }) => [id, change, read("cart")])).toEqual([
      null,
      null,
      undefined,
    ]);
    expect(visitor.jar.size).toBe(0);
    await open(here, visitor, set("user_id", "somebody"));
    expect(parseSessionToken(visitor.jar.get(cookieName) ?? "")).not.toBeNull();
    expect(await open(here, visitor, get("user_id"), "GET")).toBe("somebody");
    expect((await visitor.get("/api/v1/auth/session")).body.authenticated).toBe(false);
    expect((await visitor.get("/api/v1/users/me")).body.code).toBe("not_authenticated");
    expect((await here.audit()).map(({ type, payload }) => [type, payload])).toEqual([
      ["session.started", '{"isVisitor":true}'],
    ]);
  });

  test("is created by no GET", async () => {
    const here = world({ stores: await backend.open() });
    for (const method of ["GET", "HEAD"]) {
      await expect(open(here, here.browser(), set("cart", 1), method)).rejects.toThrow(TypeError);
    }
    expect(here.recorder.trace()).toEqual([]);
  });

  test("is written in a GET once it is there", async () => {
    const here = world({ stores: await backend.open() });
    const visitor = here.browser();
    await open(here, visitor, set("a", 1));
    await open(here, visitor, set("a", 2), "GET");
    expect(await open(here, visitor, get("a"))).toBe(2);
  });

  test("lives for 24 hours", async () => {
    const here = world({ stores: await backend.open() });
    const visitor = here.browser();
    await open(here, visitor, set("a", 1));
    here.clock.advance(86_399.999);
    expect(await open(here, visitor.copy(), get("a"))).toBe(1);
    await here.settle();
    here.clock.advance(0.001);
    expect(await open(here, visitor.copy(), get("a"))).toBe(undefined);
  });

  test("goes over to the user who signs in, and the visitor's session ends without a row", async () => {
    const here = world({ stores: await backend.open() });
    await here.plant({ email });
    for (const [path, body] of [
      ["/api/v1/auth/login", { email, password }],
      ["/api/v1/auth/register", { email: "new@example.com", password }],
    ] as const) {
      const visitor = here.browser();
      await open(here, visitor, set("cart", [1]));
      const before = visitor.copy();
      await visitor.post(path, body);
      expect(await open(here, visitor, get("cart"))).toEqual([1]);
      expect(await open(here, before, get("cart"))).toBe(undefined);
    }
    expect(here.heard("session.revoked")).toEqual([]);
  });

  test("keeps what was written while its session was being replaced", async () => {
    const here = world({ stores: await backend.open() });
    const user = await here.plant({ email });
    const browser = here.browser();
    await open(here, browser, set("a", 1));
    const duringCommitOf = async (
      kind: "session.replace" | "session.rotate",
      change: () => Promise<unknown>,
    ) => {
      const held = gate();
      here.recorder.before = ({ writes }) => {
        if (!writes.includes(kind)) return null;
        here.recorder.before = () => null;
        return held.pass();
      };
      const changing = change();
      await held.reached;
      await open(here, browser.copy(), set(kind, "written"));
      held.open();
      await changing;
      expect(await open(here, browser, get(kind))).toBe("written");
    };
    await duringCommitOf("session.replace", () => browser.post("/api/v1/auth/login", { email, password }));
    await duringCommitOf("session.rotate", () => browser.post("/api/v1/auth/reauthenticate", { password }));
    expect(await open(here, browser, get("a"))).toBe(1);
    expect((await here.auth.sessions.list(user.id)).length).toBe(1);
  });

  test("never goes from one user to another", async () => {
    const here = world({ stores: await backend.open() });
    await here.plant({ email });
    const browser = await here.registered("bob@example.com");
    await open(here, browser, set("secret", "bob's"));
    await browser.post("/api/v1/auth/login", { email, password });
    expect(await open(here, browser, get("secret"))).toBe(undefined);
    await open(here, browser, set("secret", "ana's"));
    await browser.post("/api/v1/auth/register", { email: "new@example.com", password });
    expect(await open(here, browser, get("secret"))).toBe(undefined);
  });

  test("of one's own goes over at the next sign-in", async () => {
    const here = world({ stores: await backend.open() });
    const ana = await here.registered();
    await open(here, ana, set("cart", [1]));
    await ana.post("/api/v1/auth/login", { email, password });
    expect(await open(here, ana, get("cart"))).toEqual([1]);
  });

  test("is gone at sign-out, for a visitor too and then without an event", async () => {
    const here = world({ stores: await backend.open() });
    const ana = await here.registered();
    await open(here, ana, set("cart", [1]));
    const before = ana.copy();
    await ana.post("/api/v1/auth/logout");
    expect(await open(here, before, get("cart"))).toBe(undefined);
    const visitor = here.browser();
    await open(here, visitor, set("cart", [1]));
    const thief = visitor.copy();
    expect((await visitor.post("/api/v1/auth/logout")).body).toEqual({ ended: true });
    expect(await open(here, thief, get("cart"))).toBe(undefined);
    expect(here.heard("user.logged_out")).toHaveLength(1);
  });

  test("loses nothing under parallel writes to its keys", async () => {
    const here = world({ stores: await backend.open() });
    const ana = await here.registered();
    await Promise.all(
      Array.from({ length: 6 }, (_, index) => open(here, ana.copy(), set(`k${index}`, index))),
    );
    expect(
      await open(here, ana, (data) => Array.from({ length: 6 }, (_, index) => data.get(`k${index}`))),
    ).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("of a slow request never brings back a session that ended meanwhile", async () => {
    const here = world({ stores: await backend.open() });
    for (const end of [
      (browser: Browser) => browser.copy().post("/api/v1/auth/logout"),
      (browser: Browser) => browser.copy().post("/api/v1/auth/reauthenticate", { password }),
      async () => here.clock.advance(1_800),
    ]) {
      const ana = await here.registered(
        `a${Math.floor(here.clock.now().getTime())}${end.toString().length}@example.com`,
      );
      const count = (await here.auth.sessions.list(ana.userId)).length;
      const slow = open(here, ana.copy(), async (data) => {
        await end(ana);
        await data.set("a", 1);
      });
      await expect(slow).rejects.toMatchObject({ code: "session_expired" });
      expect((await here.auth.sessions.list(ana.userId)).length).toBeLessThanOrEqual(count);
      const rows = await here.services.stores.sessions.find(
        [parseSessionToken(ana.jar.get(cookieName) ?? "")?.id ?? ""],
        here.call(),
      );
      expect(rows[0] === null || rows[0]?.expired).toBe(true);
    }
  });
});

describe("a bag", () => {
  test("holds JSON, by key", async () => {
    const here = world();
    const ana = await here.registered();
    const value = { list: [1, null, "ä", true], nested: { __proto__: { a: 1 } } };
    await open(here, ana, set("value", value));
    await open(here, ana, set("__proto__", { polluted: true }));
    await open(here, ana, set("toString", "own"));
    const seen = await open(here, ana, (data) =>
      ["value", "__proto__", "toString", "constructor", "polluted"].map((key) => data.get(key)),
    );
    expect(seen).toEqual([
      { list: [1, null, "ä", true], nested: {} },
      { polluted: true },
      "own",
      undefined,
      undefined,
    ]);
  });

  test("reads what this very request wrote", async () => {
    const here = world();
    const ana = await here.registered();
    const seen = await open(here, ana, async (data) => {
      await data.set("a", 1);
      await data.set("b", 2);
      await data.delete("a");
      return [data.get("a"), data.get("b")];
    });
    expect(seen).toEqual([undefined, 2]);
  });

  test("is emptied while its session goes on", async () => {
    const here = world();
    const ana = await here.registered();
    await open(here, ana, set("a", 1));
    await open(here, ana, (data) => data.clear());
    expect(await open(here, ana, get("a"))).toBe(undefined);
    expect((await ana.get("/api/v1/users/me")).status).toBe(200);
  });

  test.each([
    ["undefined", undefined],
    ["a function", () => 1],
    ["a bigint", 1n],
  ])("takes no %s", async (_, value) => {
    const here = world();
    await expect(open(here, await here.registered(), set("a", value))).rejects.toThrow(TypeError);
  });

  test("keeps a copy, not the object it was given", async () => {
    const here = world();
    const ana = await here.registered();
    const seen = await open(here, ana, async (data) => {
      const cart = [1];
      await data.set("cart", cart);
      cart.push(2);
      return data.get("cart");
    });
    expect(seen).toEqual([1]);
  });

  test("holds 4 KiB in all, counted in bytes of JSON", async () => {
    const here = world();
    const ana = await here.registered();
    const overhead = JSON.stringify({ a: "" }).length;
    await open(here, ana, set("a", "x".repeat(4_096 - overhead)));
    for (const [key, value] of [
      ["a", "x".repeat(4_097 - overhead)],
      ["a", "ä".repeat(2_048)],
      ["b", 1],
    ] as const) {
      await expect(open(here, ana, set(key, value))).rejects.toMatchObject({ code: "payload_too_large" });
    }
    expect(await open(here, ana, get("b"))).toBe(undefined);
    await expect(open(here, here.browser(), set("a", "x".repeat(5_000)))).rejects.toMatchObject({
      code: "payload_too_large",
    });
  });

  test("loses nothing where another process wrote it, and this one has an older copy", async () => {
    const inner = memory();
    const wires = bus();
    const here = world({ stores: cached(inner, { channel: wires.channel() }) });
    const other = here.again({ wrap: () => cached(inner, { channel: wires.channel() }) });
    const ana = await here.registered();
    await open(here, ana, set("kept", 1));
    wires.deliver();
    await open(other, ana.copy(), async (data) => {
      await open(here, ana, set("a", 2));
      await data.set("b", 3);
    });
    wires.deliver();
    expect(await open(here, ana, (data) => [data.get("kept"), data.get("a"), data.get("b")])).toEqual([
      1, 2, 3,
    ]);
  });

  test("gives up after eight lost races", async () => {
    const here = world();
    const ana = await here.registered();
    let version = 0;
    here.recorder.before = ({ writes }) => {
      if (!writes.includes("session.set_data")) return null;
      const sessionId = parseSessionToken(ana.jar.get(cookieName) ?? "")?.id ?? "";
      return here.write({
        kind: "session.set_data",
        sessionId,
        dataVersion: version,
        data: { v: ++version },
      });
    };
    await expect(open(here, ana, set("a", 1))).rejects.toMatchObject({ code: "conflict" });
    expect(version).toBe(8);
  });
});

/** Begins a visitor's session from an address; what became of it. */
function visitsOf(here: World) {
  return (ip: string): Promise<string> => {
    const visitor = here.browser();
    visitor.ip = ip;
    return open(here, visitor, set("a", 1)).then(
      () => "ok",
      ({ code }) => code,
    );
  };
}

describe("visitors' sessions", () => {
  test("that would be empty are not created", async () => {
    const here = world();
    const visitor = here.browser();
    await open(here, visitor, (data) => data.clear());
    await open(here, visitor, (data) => data.delete("a"));
    expect(visitor.jar.size).toBe(0);
    expect(here.recorder.trace()).toEqual([]);
  });

  test("are at most 60 an hour for one address, and an IPv6 /64 is one", async () => {
    const here = world();
    const visit = visitsOf(here);
    const tried = await Promise.all(Array.from({ length: 62 }, (_, index) => visit(`2001:db8::${index}`)));
    expect(tried.filter((each) => each === "rate_limited")).toHaveLength(2);
    expect(await visit("2001:db8:0:1::1")).toBe("ok");
    here.clock.advance(3_600);
    expect(await visit("2001:db8::1")).toBe("ok");
  });

  test("are at most 1,200 an hour for the /48 of an IPv6 site", async () => {
    const here = world();
    const visit = visitsOf(here);
    for (let index = 0; index < 1_200; index++)
      expect(await visit(`2001:db8:1:${index.toString(16)}::1`)).toBe("ok");
    expect([await visit("2001:db8:1:ffff::1"), await visit("2001:db8:2::1")]).toEqual(["rate_limited", "ok"]);
    expect(here.heard("rate_limit.hit")[0]?.payload.limit).toBe("visit_subnet");
  });

  test("keep address and browser like any session", async () => {
    const here = world();
    const visitor = here.browser();
    await open(here, visitor, set("a", 1));
    const [found] = await here.services.stores.sessions.find(
      [parseSessionToken(visitor.jar.get(cookieName) ?? "")?.id ?? ""],
      here.call(),
    );
    expect(found).toMatchObject({
      user: null,
      session: {
        userId: null,
        ip: client.ip,
        userAgent: "ExampleBrowser/1.0",
        generation: 0,
        authTime: null,
      },
    });
  });
});
