import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { describe, expect, onTestFinished, test } from "vitest";
import { readConfig } from "../../src/config.ts";
import { AuthError } from "../../src/errors.ts";
import { anyone, guard } from "../../src/guards/guards.ts";
import { seal } from "../../src/pipeline/seal.ts";
import type { SessionChange } from "../../src/ports/change.ts";
import { parseSetCookie, readAnswer } from "../support/browser.ts";
import { cookieName, secret, world } from "../support/world.ts";

const client = { ip: "192.0.2.10" };
const json = { json: {} };

const responses: readonly (readonly [string, () => void])[] = [
  ["as it is", () => undefined],
  [
    "beside a framework with a Response of its own",
    // Takes the place of Request and Response for the whole process.
    () => {
      const { Request, Response } = globalThis;
      onTestFinished(() => void Object.assign(globalThis, { Request, Response }));
      getRequestListener(() => new Response());
    },
  ],
];

describe("protect", () => {
  test("lets the handler answer for somebody signed in, in an answer that no cache keeps", async () => {
    const { auth, registered } = world();
    const ana = await registered();
    const handler = auth.protect(
      (_, { user }) => new Response(user.id, { headers: { "Cache-Control": "public, max-age=60" } }),
    );
    const answer = await handler(ana.request("GET", "/x"), client);
    expect(await answer.text()).toBe(ana.userId);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("vary")).toContain("Cookie");
  });

  test("leaves the answer to a stranger on an open route as it is", async () => {
    const { auth, browser } = world();
    const handler = auth.protect(
      () => new Response("hi", { headers: { "Cache-Control": "max-age=60" } }),
      anyone(),
    );
    const answer = await handler(browser().request("GET", "/x"), client);
    expect(answer.headers.get("cache-control")).toBe("max-age=60");
    expect(answer.headers.get("set-cookie")).toBeNull();
  });

  test("never calls the handler where a guard refuses", async () => {
    const { auth, registered, browser } = world();
    const ana = await registered();
    let calls = 0;
    const counting = (): Response => {
      calls++;
      return new Response();
    };
    const handler = auth.protect(
      counting,
      guard("no", () => false),
    );
    expect((await handler(ana.request("GET", "/x"), client)).status).toBe(403);
    expect((await handler(browser().request("GET", "/x"), client)).status).toBe(401);
    expect((await handler(ana.request("POST", "/x", { csrf: false }), client)).status).toBe(403);
    expect(calls).toBe(0);
  });

  test("turns what the handler throws into an answer, and tells the operator what was no refusal", async () => {
    const { auth, registered, log } = world();
    const ana = await registered();
    const refusing = auth.protect(() => Promise.reject(new AuthError("not_found")));
    expect((await handler404(refusing)).status).toBe(404);
    expect(log).toEqual([]);
    const broken = auth.protect(() => {
      throw new Error("hunter2");
    });
    const answer = await readAnswer(await handler404(broken));
    expect(answer).toMatchObject({ status: 500, body: { code: "internal_error" } });
    expect(answer.text).not.toContain("hunter2");
    expect(log).toMatchObject([{ level: "error", cause: new Error("hunter2") }]);

    function handler404(handler: typeof refusing) {
      return handler(ana.request("GET", "/x"), client);
    }
  });

  test("seals what clears a stale cookie into answers, refusals and failures", async () => {
    const { auth, browser } = world();
    const visitor = browser();
    visitor.jar.set(cookieName, `${"a".repeat(24)}.${"b".repeat(43)}`);
    const request = () => visitor.request("GET", "/x");
    const open = auth.protect(() => new Response("hi"), anyone());
    const closed = auth.protect(() => new Response("hi"));
    const broken = auth.protect(() => Promise.reject(new Error()), anyone());
    for (const handler of [open, closed, broken]) {
      const { cookies } = await readAnswer(await handler(request(), client));
      expect(cookies.map(({ name, attributes }) => [name, attributes["max-age"]])).toEqual([
        [cookieName, "0"],
        [`${cookieName}-csrf`, "0"],
      ]);
    }
  });

  test("seals the session that a visitor's first set creates, also where the handler fails after it", async () => {
    const { auth, browser } = world();
    const good = auth.protect(async (_request, _principal, session) => {
      await session.set("cart", [1]);
      return new Response("ok");
    }, anyone());
    const broken = auth.protect(async (_request, _principal, session) => {
      await session.set("cart", [1]);
      throw new AuthError("conflict");
    }, anyone());
    for (const handler of [good, broken]) {
      const { cookies } = await readAnswer(await handler(browser().request("POST", "/cart", json), client));
      expect(cookies.map(({ name }) => name)).toEqual([cookieName, `${cookieName}-csrf`]);
      expect(cookies[0]?.value).toMatch(/^\w{24}\.[\w-]{43}$/);
    }
  });

  describe.each(responses)("of one Response that a handler hands out each time, %s", (_name, load) => {
    test("carries nothing from one person to the next", async () => {
      load();
      const shared = new Response(null, { status: 204, headers: { "Cache-Control": "public" } });
      const { auth, registered, browser } = world();
      const handler = auth.protect(async ({ method }, _principal, session) => {
        if (method === "POST") await session.set("cart", [1]);
        return shared;
      }, anyone());
      const stale = browser();
      stale.jar.set(cookieName, `${"a".repeat(24)}.${"b".repeat(43)}`);
      const asked = [
        stale.request("GET", "/x"),
        browser().request("POST", "/x", json),
        (await registered()).request("GET", "/x"),
        browser().request("GET", "/x"),
      ];
      const told: unknown[] = [];
      for (const request of asked) {
        const { status, headers } = await handler(request, client);
        const names = headers.getSetCookie().map((line) => line.split("=")[0]);
        told.push([status, headers.get("cache-control"), headers.get("vary"), names]);
      }
      const both = [cookieName, `${cookieName}-csrf`];
      expect(told).toEqual([
        [204, "no-store", "Cookie", both],
        [204, "no-store", "Cookie", both],
        [204, "no-store", "Cookie", []],
        [204, "public", null, []],
      ]);
      expect([...shared.headers]).toEqual([["cache-control", "public"]]);
    });

    test("answers a failure, and says so, where its body was sent before", async () => {
      load();
      const shared = new Response("once");
      const { auth, registered, log } = world();
      const ana = await registered();
      const handler = auth.protect(() => shared);
      const first = await handler(ana.request("GET", "/x"), client);
      expect([first.status, await first.text()]).toEqual([200, "once"]);
      expect((await handler(ana.request("GET", "/x"), client)).status).toBe(500);
      expect(log).toMatchObject([{ level: "error", cause: expect.any(TypeError) }]);
    });
  });

  test("copies an answer whose headers cannot be written", async () => {
    const { auth, registered } = world();
    const ana = await registered();
    const handler = auth.protect(() => Response.redirect("https://app.example/next", 303));
    const answer = await handler(ana.request("GET", "/x"), client);
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "https://app.example/next"]);
    expect(answer.headers.get("cache-control")).toBe("no-store");
  });

  test.each(responses)(
    "says no-store alone where the answer was fetched and brought its own word about caches, %s",
    async (_name, load) => {
      load();
      const server = createServer((_, response) =>
        response.setHeader("Cache-Control", "public, max-age=60").end("hi"),
      );
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      onTestFinished(() => void server.close());
      const { port } = server.address() as AddressInfo;
      const { auth, registered } = world();
      const ana = await registered();
      const handler = auth.protect(() => fetch(`http://127.0.0.1:${port}/`));
      const answer = await handler(ana.request("GET", "/x"), client);
      expect([await answer.text(), answer.headers.get("cache-control")]).toEqual(["hi", "no-store"]);
    },
  );

  test("has one request id for the refusal's event and its problem document", async () => {
    const { auth, registered, heard } = world();
    const ana = await registered();
    const handler = auth.protect(
      () => new Response(),
      guard("no", () => false),
    );
    const { body } = await readAnswer(await handler(ana.request("GET", "/x"), client));
    expect(heard("permission.denied")[0]?.requestId).toBe(body.request_id);
  });
});

describe("seal", () => {
  const session = { token: "t", maxAgeSeconds: 60, csrfToken: "c" };

  function sealed(change: SessionChange, options: Partial<Parameters<typeof readConfig>[0]> = {}) {
    const config = readConfig({ origin: "https://app.example", secrets: [secret], ...options });
    return seal(config, new Response(), change).headers.getSetCookie().map(parseSetCookie);
  }

  test("carries a session in a cookie that scripts cannot read, and its CSRF token in one that they can", () => {
    const attributes = { path: "/", "max-age": "60", secure: "", samesite: "Lax" };
    expect(sealed({ session })).toEqual([
      { name: cookieName, value: "t", attributes: { ...attributes, httponly: "" } },
      { name: `${cookieName}-csrf`, value: "c", attributes },
    ]);
  });

  test("writes attributes as configured", () => {
    const cookie = { domain: "app.example", sameSite: "strict" } as const;
    expect(sealed({ session }, { cookie })[0]).toMatchObject({
      name: "__Secure-latchkey",
      attributes: { domain: "app.example", samesite: "Strict", secure: "" },
    });
    const plain = sealed(
      { session: { ...session, maxAgeSeconds: null } },
      { origin: "http://localhost:3000" },
    )[0];
    expect(plain).toEqual({
      name: "latchkey",
      value: "t",
      attributes: { path: "/", httponly: "", samesite: "Lax" },
    });
    const none = sealed(
      { session },
      { cookie: { sameSite: "none" }, trustedOrigins: ["https://x.example"] },
    )[0];
    expect(none?.attributes).toMatchObject({ samesite: "None", secure: "" });
  });

  test("clears both cookies with the attributes that they were set with", () => {
    const cookies = sealed({ session: "clear" }, { cookie: { domain: "app.example" } });
    expect(cookies.map(({ name, value }) => [name, value])).toEqual([
      ["__Secure-latchkey", ""],
      ["__Secure-latchkey-csrf", ""],
    ]);
    for (const { attributes } of cookies)
      expect(attributes).toMatchObject({ "max-age": "0", path: "/", domain: "app.example", secure: "" });
  });

  test("carries a form's nonce and a mailed token in cookies of their own", () => {
    expect(sealed({ form: "nonce", mailed: "token" })).toEqual([
      {
        name: `${cookieName}-form`,
        value: "nonce",
        attributes: { path: "/", httponly: "", secure: "", samesite: "Lax" },
      },
      {
        name: `${cookieName}-mailed`,
        value: "token",
        attributes: { path: "/", httponly: "", secure: "", samesite: "Lax", "max-age": "900" },
      },
    ]);
    expect(sealed({ mailed: "clear" })).toMatchObject([
      { name: `${cookieName}-mailed`, value: "", attributes: { "max-age": "0" } },
    ]);
  });

  test("of nothing sets no cookie, and still keeps caches away", () => {
    const config = readConfig({ origin: "https://app.example", secrets: [secret] });
    const { headers } = seal(config, new Response(null, { headers: { "Cache-Control": "public" } }), {});
    expect(Object.fromEntries(headers)).toEqual({ "cache-control": "no-store", vary: "Cookie" });
  });

  test("keeps the cookies that were there", () => {
    const config = readConfig({ origin: "https://app.example", secrets: [secret] });
    const { headers } = seal(config, new Response(null, { headers: { "Set-Cookie": "own=1" } }), { session });
    expect(headers.getSetCookie()).toHaveLength(3);
  });

  test("writes to whatever takes headers", () => {
    const config = readConfig({ origin: "https://app.example", secrets: [secret] });
    const written: string[] = [];
    const sink = {
      append: (name: string, value: string) => void written.push(`${name}: ${value.split(";")[0]}`),
    };
    expect(seal(config, sink, { session })).toBe(sink);
    expect(written).toEqual([
      `Set-Cookie: ${cookieName}=t`,
      `Set-Cookie: ${cookieName}-csrf=c`,
      "Vary: Cookie",
      "Cache-Control: no-store",
    ]);
  });
});
