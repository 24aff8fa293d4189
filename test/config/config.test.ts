import { describe, expect, test } from "vitest";
import type { ConfigOptions } from "../../src/config/options.ts";
import { isLoopback } from "../../src/config/origin.ts";
import { readConfig } from "../../src/config.ts";
import { secret } from "../support/world.ts";

const origin = "https://app.example";

function read(options: Partial<ConfigOptions> = {}) {
  return readConfig({ origin, secrets: [secret], ...options });
}

/** What `createAuth` says of options that it refuses. */
function refusal(options: Partial<ConfigOptions>): string {
  try {
    read(options);
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return String(error);
  }
  return "accepted";
}

describe("the origin", () => {
  test.each([
    "app.example",
    "https://app.example/",
    "https://app.example/path",
    "https://APP.example",
    "https://app.example:443",
    "ftp://app.example",
    "https://user@app.example",
    "null",
    "",
  ])("is exact: %j is refused", (text) => {
    expect(refusal({ origin: text })).toMatch(/origin: .* is no exact origin/);
  });

  test("is https unless it is loopback", () => {
    expect(refusal({ origin: "http://app.example" })).toMatch(/http is for loopback only/);
    for (const loopback of [
      "http://localhost:3000",
      "http://127.0.0.1",
      "http://[::1]:8080",
      "http://a.localhost",
    ]) {
      expect(read({ origin: loopback })).toMatchObject({ isProduction: false, origin: loopback });
    }
  });

  test("makes it production where it is not loopback, whatever the environment says", () => {
    expect(read().isProduction).toBe(true);
    expect(read({ origin: "https://localhost" }).isProduction).toBe(false);
  });
});

test.each([
  ["localhost", true],
  ["LOCALHOST", true],
  ["app.localhost", true],
  ["127.0.0.1", true],
  ["127.8.9.10", true],
  ["[::1]", true],
  ["localhost.example", false],
  ["127.0.0.1.example", false],
  ["128.0.0.1", false],
  ["mylocalhost", false],
])("%s is loopback: %s", (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});

test("every problem is named at once", () => {
  const said = refusal({ origin: "http://app.example", secrets: ["short"], csrf: false, freshSeconds: 0 });
  for (const part of ["origin:", "secrets[0]:", "csrf:", "freshSeconds:"]) expect(said).toContain(part);
});

describe("secrets", () => {
  test("each holds at least 32 bytes", () => {
    expect(refusal({ secrets: ["x".repeat(31)] })).toContain("secrets[0]: shorter than 32 bytes");
    expect(refusal({ secrets: [secret, "x"] })).toContain("secrets[1]: shorter than 32 bytes");
    expect(read({ secrets: ["äöüéèàçß".repeat(2)] })).toBeDefined();
  });

  test("there is at least one", () => {
    expect(refusal({ secrets: [] as unknown as [string] })).toContain("secrets: at least one");
  });

  test("are no part of the configuration that others may read", () => {
    expect(JSON.stringify(read())).not.toContain(secret);
  });
});

describe("CSRF", () => {
  test("cannot be switched off where the origin is not loopback", () => {
    expect(refusal({ csrf: false })).toContain("csrf: cannot be switched off");
    expect(read({ origin: "http://localhost:3000", csrf: false }).csrf).toBe(false);
    expect(read().csrf).toBe(true);
  });

  test("trusts exact origins only", () => {
    for (const trusted of ["https://a.example/", "*", "a.example", "https://*.example"]) {
      expect(refusal({ trustedOrigins: ["https://good.example", trusted] })).toContain("trustedOrigins:");
    }
    expect(read({ trustedOrigins: ["https://a.example:8443"] }).trustedOrigins).toEqual([
      "https://a.example:8443",
    ]);
  });
});

describe("the cookie", () => {
  test("is __Host- on https, __Secure- with a domain, plain on http", () => {
    expect(read().cookie).toMatchObject({
      name: "__Host-latchkey",
      isSecure: true,
      domain: null,
      sameSite: "Lax",
    });
    expect(read({ cookie: { domain: "app.example" } }).cookie).toMatchObject({
      name: "__Secure-latchkey",
      domain: "app.example",
    });
    expect(read({ origin: "http://localhost:3000" }).cookie).toMatchObject({
      name: "latchkey",
      isSecure: false,
    });
  });

  test.each(["a b", "", "a;b", "ä", "x".repeat(65)])("has a plain name: %j is refused", (name) => {
    expect(refusal({ cookie: { name } })).toContain("cookie.name: 1 to 64");
  });

  test.each(["__Host-mine", "__Secure-mine", "__http-mine"])(
    "gets its prefix by itself: %s is refused",
    (name) => {
      expect(refusal({ cookie: { name } })).toContain("the prefix is added by itself");
    },
  );

  test("of a domain that does not cover the origin is refused", () => {
    expect(refusal({ cookie: { domain: "other.example" } })).toContain("does not cover the origin");
    expect(refusal({ cookie: { domain: "pp.example" } })).toContain("does not cover the origin");
    expect(read({ origin: "https://a.b.example.com", cookie: { domain: "example.com" } }).cookie.domain).toBe(
      "example.com",
    );
  });

  test.each([
    ["https://shop.example.com", "com"],
    ["https://shop.co.uk", "co.uk"],
    ["https://me.github.io", "github.io"],
  ])("of %s never goes to the public suffix %s", (at, domain) => {
    expect(refusal({ origin: at, cookie: { domain } })).toContain("public suffix");
  });

  test("is SameSite=None only with trusted origins, and on https", () => {
    expect(refusal({ cookie: { sameSite: "none" } })).toContain("none needs trustedOrigins");
    const trustedOrigins = ["https://partner.example"];
    expect(read({ cookie: { sameSite: "none" }, trustedOrigins }).cookie.sameSite).toBe("None");
    expect(
      refusal({ origin: "http://localhost:3000", cookie: { sameSite: "none" }, trustedOrigins }),
    ).toContain("https origin");
    expect(read({ cookie: { sameSite: "strict" } }).cookie.sameSite).toBe("Strict");
  });

  test("lives a second at least, or as long as the browser", () => {
    for (const maxAgeSeconds of [0, -1, Number.NaN]) {
      expect(refusal({ cookie: { maxAgeSeconds } })).toContain("cookie.maxAgeSeconds");
    }
    expect(read({ cookie: { maxAgeSeconds: null } }).cookie.maxAgeSeconds).toBeNull();
    expect(read({ cookie: { maxAgeSeconds: 60 } }).cookie.maxAgeSeconds).toBe(60);
  });
});

describe("a choice", () => {
  test.each([
    ["cookie.sameSite", { cookie: { sameSite: "Lax" } }, "lax, strict or none"],
    ["cookie.sameSite", { cookie: { sameSite: "toString" } }, "lax, strict or none"],
    ["session.binding", { session: { binding: "ip" } }, "off, user-agent or ip+user-agent"],
    ["session.mode", { session: { mode: "Stateless" } }, "stateful or stateless"],
    ["session.encrypt", { session: { encrypt: "false" } }, "true or false"],
    ["registration", { registration: "close" }, "open, confirm, invite or closed"],
    ["csrf", { origin: "http://localhost:3000", csrf: 0 }, "true or false"],
    ["csrf", { origin: "http://localhost:3000", csrf: "" }, "true or false"],
    ["signInAfterRegistration", { signInAfterRegistration: 1 }, "true or false"],
    ["cors.credentials", { cors: { origins: ["https://a.example"], credentials: "false" } }, "true or false"],
  ])("is one of those that there are: %s is not %j", (name, options, choices) => {
    expect(refusal(options as Partial<ConfigOptions>)).toBe(
      `TypeError: createAuth cannot start:\n- ${name}: ${choices}`,
    );
  });
});

describe("numbers", () => {
  test.each([
    [
      "session.idleSeconds",
      (value: number): Partial<ConfigOptions> => ({ session: { idleSeconds: value } }),
      10,
    ],
    ["session.absoluteSeconds", (value: number) => ({ session: { absoluteSeconds: value } }), 10],
    ["session.rememberedIdleSeconds", (value: number) => ({ session: { rememberedIdleSeconds: value } }), 10],
    [
      "session.rememberedAbsoluteSeconds",
      (value: number) => ({ session: { rememberedAbsoluteSeconds: value } }),
      10,
    ],
    ["session.maxPerUser", (value: number) => ({ session: { maxPerUser: value } }), 0],
    ["session.sweepIntervalSeconds", (value: number) => ({ session: { sweepIntervalSeconds: value } }), 0],
    ["login.maxAttempts", (value: number) => ({ login: { maxAttempts: value } }), 1],
    ["login.windowSeconds", (value: number) => ({ login: { windowSeconds: value } }), 1],
    ["freshSeconds", (value: number) => ({ freshSeconds: value }), 1],
    ["maxBodyBytes", (value: number) => ({ maxBodyBytes: value }), 1024],
    ["storeTimeoutMs", (value: number) => ({ storeTimeoutMs: value }), 10],
  ] as const)("%s is whole and not below its least", (name, options, least) => {
    for (const value of [least - 1, least + 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(refusal(options(value))).toContain(`${name}: a whole number, at least ${least}`);
    }
    expect(() => read(options(least))).not.toThrow();
  });

  test("an absolute lifetime is never below the idle one", () => {
    const { session } = read({ session: { idleSeconds: 100_000, rememberedIdleSeconds: 3_000_000 } });
    expect(session).toMatchObject({ absoluteSeconds: 100_000, rememberedAbsoluteSeconds: 3_000_000 });
  });

  test("have the documented defaults", () => {
    expect(read()).toMatchObject({
      session: {
        idleSeconds: 1_800,
        absoluteSeconds: 86_400,
        rememberedIdleSeconds: 14 * 86_400,
        rememberedAbsoluteSeconds: 30 * 86_400,
        maxPerUser: 5,
        sweepIntervalSeconds: 900,
        binding: "off",
        mode: "stateful",
      },
      login: { maxAttempts: 5, windowSeconds: 900 },
      freshSeconds: 600,
      maxBodyBytes: 65_536,
      storeTimeoutMs: 5_000,
    });
  });
});

test.each(["basePath", "loginPath", "appPath"] as const)(
  "%s is a plain path without a slash at its end",
  (name) => {
    for (const path of ["api", "/api/", "//evil.example", "/a b", "/a?b", "/a{b}", "https://x"]) {
      expect(refusal({ [name]: path })).toContain(`${name}: a path`);
    }
    expect(read({ [name]: "/" })[name]).toBe("/");
    expect(read({ [name]: "/a/b-c.d" })[name]).toBe("/a/b-c.d");
  },
);

describe("CORS", () => {
  test("never combines * with credentials", () => {
    const cors = { origins: "*", credentials: true } as const;
    expect(refusal({ origin: "http://localhost:3000", cors })).toContain("`*` with credentials");
  });

  test("answers everybody on loopback only", () => {
    expect(refusal({ cors: { origins: "*" } })).toContain("`*` is for loopback only");
    expect(read({ origin: "http://localhost:3000", cors: { origins: "*" } }).cors?.origins).toBe("*");
  });

  test("lists exact origins", () => {
    expect(refusal({ cors: { origins: ["https://a.example", "a.example"] } })).toContain(
      '"a.example" is no exact origin',
    );
    expect(read({ cors: { origins: ["https://a.example"] } }).cors).toMatchObject({
      credentials: false,
      headers: [],
    });
  });
});

test("the configuration is frozen", () => {
  const config = read() as { csrf: boolean };
  expect(() => {
    config.csrf = false;
  }).toThrow(TypeError);
});
