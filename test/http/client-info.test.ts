import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AuthError, type ErrorCode, errorTable } from "../../src/errors.ts";
import { clientIp, peerOf } from "../../src/http/client-info.ts";
import { eventOrigin, withRequestId } from "../../src/http/event-origin.ts";
import { problem, problemHeaders } from "../../src/http/problem.ts";
import { wantsPage } from "../../src/http/wants-page.ts";
import { systemRandom } from "../../src/services/system.ts";
import { testRandom } from "../../src/testing/random.ts";
import { anyText } from "../support/arbitrary.ts";
import { bareRequest } from "../support/browser.ts";

describe("the client's address", () => {
  test("is the socket's, whatever the request says", () => {
    expect(clientIp()("198.51.100.1", "203.0.113.9")).toBe("198.51.100.1");
  });

  test("behind a trusted proxy is the last one that is no trusted proxy", () => {
    const ip = clientIp(["10.0.0.0/8", "2001:db8::/32", "192.0.2.1"]);
    expect(ip("10.1.2.3", "203.0.113.9")).toBe("203.0.113.9");
    expect(ip("10.1.2.3", "6.6.6.6, 203.0.113.9, 10.0.0.2")).toBe("203.0.113.9");
    expect(ip("2001:db8::1", "6.6.6.6, 2001:db9::1")).toBe("2001:db9::1");
    expect(ip("192.0.2.1", "203.0.113.9")).toBe("203.0.113.9");
    expect(ip("192.0.2.2", "203.0.113.9")).toBe("192.0.2.2");
  });

  test("where every hop is a trusted proxy is the first of them", () => {
    expect(clientIp(["10.0.0.0/8"])("10.0.0.1", "10.0.0.3, 10.0.0.2")).toBe("10.0.0.3");
  });

  test("stops at what is no address: that was written by the client", () => {
    const ip = clientIp(["10.0.0.0/8"]);
    expect(ip("10.0.0.1", "203.0.113.9, unknown")).toBe("10.0.0.1");
    expect(ip("10.0.0.1", "203.0.113.9, unknown, 10.0.0.2")).toBe("10.0.0.2");
    expect(ip("10.0.0.1", "0177.0.0.1")).toBe("10.0.0.1");
  });

  test("behind a Unix socket that is trusted is what the proxy there says; nobody else is called so", () => {
    const ip = clientIp(["unix", "10.0.0.0/8"]);
    expect(ip("unix", "6.6.6.6, 203.0.113.9, 10.0.0.2")).toBe("203.0.113.9");
    expect(ip("unix", null)).toBeNull();
    expect(ip("unix", "unknown")).toBeNull();
    expect(ip(undefined, "203.0.113.9")).toBeNull();
    expect(ip("", "203.0.113.9")).toBeNull();
    expect(ip("10.0.0.1", "203.0.113.9, unix")).toBe("10.0.0.1");
    expect(clientIp(["10.0.0.0/8"])("unix", "203.0.113.9")).toBeNull();
    expect(clientIp()("unix", "203.0.113.9")).toBeNull();
  });

  test("of a socket is its peer's; without one it is a Unix socket's while both ends are there", () => {
    expect(peerOf({ remoteAddress: "192.0.2.1", localAddress: "192.0.2.2", destroyed: true })).toBe(
      "192.0.2.1",
    );
    expect(peerOf({ destroyed: false })).toBe("unix");
    expect(peerOf({ localAddress: "192.0.2.2", destroyed: false })).toBeUndefined();
    expect(peerOf({ destroyed: true })).toBeUndefined();
    expect(peerOf({})).toBeUndefined();
  });

  test("has one spelling", () => {
    expect(clientIp()("::ffff:192.0.2.7", null)).toBe("192.0.2.7");
    expect(clientIp()("fe80::1%eth0", null)).toBe("fe80::1");
    expect(clientIp(["10.0.0.0/8"])("::ffff:10.0.0.1", "[2001:db8::7]")).toBe("2001:db8::7");
  });

  test("is null where there is none", () => {
    for (const address of [undefined, "", "not an address"])
      expect(clientIp()(address, "1.2.3.4")).toBeNull();
  });

  test.each([
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/x",
    "example.com",
    "",
    "10.0.0",
    "::/129",
    "1.2.3.4/1.5",
  ])("never comes from proxies that cannot be read: %j", (cidr) => {
    expect(() => clientIp([cidr])).toThrow(TypeError);
  });

  test("is read without an error, whatever the header holds", () => {
    const ip = clientIp(["0.0.0.0/0", "::/0"]);
    fc.assert(fc.property(anyText(), (header) => void ip("10.0.0.1", header)));
    expect(ip("10.0.0.1", "1.1.1.1, ".repeat(10_000))).not.toBeNull();
  });
});

describe("where an event comes from", () => {
  test("keeps a user agent without control characters and at most 512 of it", () => {
    const from = (agent: string) =>
      eventOrigin(bareRequest({ headers: { "user-agent": agent } }), { ip: null }).userAgent;
    expect(from("a\u0007b\ud800c")).toBe("abc");
    expect(from("x".repeat(600))).toHaveLength(512);
    expect(from("")).toBeNull();
    expect(from("\u0007")).toBeNull();
  });

  test.each([
    ["the machine's randomness", systemRandom()],
    ["randomness of bytes alone", testRandom()],
  ])("keeps a request id that is short and plain, and makes one of %s for any other", (_, random) => {
    expect(withRequestId({ ip: null, requestId: "abc-1.2:3_4" }, random).requestId).toBe("abc-1.2:3_4");
    for (const requestId of [undefined, "", "a b", "a\n", "x".repeat(65), "ä"]) {
      const made = withRequestId(requestId === undefined ? { ip: null } : { ip: null, requestId }, random);
      expect(made.requestId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      expect(made.requestId).toMatch(/^.{14}4.{4}[89ab]/);
    }
  });
});

describe("page or JSON", () => {
  const navigates = { "sec-fetch-mode": "navigate" };
  const wants = (parts: Parameters<typeof bareRequest>[0]) => wantsPage(bareRequest(parts), "/api/v1");

  test("a read that navigates or names HTML wants a page", () => {
    expect(wants({ url: "/account", headers: navigates })).toBe(true);
    expect(wants({ url: "/account", headers: { accept: "text/html,*/*;q=0.8" } })).toBe(true);
    expect(wants({ method: "HEAD", url: "/account", headers: navigates })).toBe(true);
    expect(wants({ url: "/account", headers: { accept: "*/*" } })).toBe(false);
    expect(wants({ url: "/account" })).toBe(false);
  });

  test("below the base path everything is JSON", () => {
    expect(wants({ url: "/api/v1/users/me", headers: navigates })).toBe(false);
    expect(wants({ url: "/api/v1", headers: navigates })).toBe(false);
    expect(wants({ url: "/api/v10", headers: navigates })).toBe(true);
  });

  test("a write wants a page only where it is a form's", () => {
    const type = (value: string) => ({ ...navigates, "content-type": value });
    expect(wants({ method: "POST", url: "/x", headers: type("application/x-www-form-urlencoded") })).toBe(
      true,
    );
    expect(wants({ method: "POST", url: "/x", headers: type("multipart/form-data; boundary=x") })).toBe(true);
    expect(wants({ method: "POST", url: "/x", headers: type("application/json") })).toBe(false);
    expect(wants({ method: "DELETE", url: "/x", headers: type("application/x-www-form-urlencoded") })).toBe(
      false,
    );
  });
});

describe("a problem document", () => {
  const context = { origin: "https://app.example", requestId: "r1", challenges: ["Cookie", "Bearer"] };

  test.each(errorTable().map(({ code }) => code))(
    "of %s says type, title, status, code, detail and request id",
    (code) => {
      const error = new AuthError(code, { diagnosis: "for the operator", cause: new Error("inside") });
      const row = errorTable().find((each) => each.code === code);
      expect(problem(error, context)).toEqual({
        type: `https://app.example/problems/${code}`,
        title: code.replaceAll("_", " "),
        status: row?.status,
        code,
        detail: row?.message,
        request_id: "r1",
      });
      const headers = Object.fromEntries(problemHeaders(error, context));
      expect(headers["content-type"]).toBe("application/problem+json");
      expect(headers["cache-control"]).toBe("no-store");
      expect(headers["x-content-type-options"]).toBe("nosniff");
      expect(headers["www-authenticate"]).toBe(row?.status === 401 ? "Cookie, Bearer" : undefined);
    },
  );

  test("names every failing field", () => {
    const fields = [{ field: "email", code: "required", message: "Email is required" }];
    expect(problem(new AuthError("invalid_input", { fields }), context).errors).toEqual(fields);
    expect(problem(new AuthError("invalid_input"), context)).not.toHaveProperty("errors");
  });

  test("says in whole seconds, one at least, when to try again", () => {
    const after = (seconds: number) =>
      Object.fromEntries(
        problemHeaders(new AuthError("rate_limited", { retryAfterSeconds: seconds }), context),
      )["retry-after"];
    expect([0, 0.2, 1, 1.2, 899.5].map(after)).toEqual(["1", "1", "1", "2", "900"]);
    expect(Object.fromEntries(problemHeaders(new AuthError("rate_limited"), context))).not.toHaveProperty(
      "retry-after",
    );
  });

  test("has the statuses of the standard codes", () => {
    const statuses = Object.fromEntries(errorTable().map(({ code, status }) => [code, status])) as Record<
      ErrorCode,
      number
    >;
    expect(statuses).toMatchObject({
      invalid_input: 400,
      malformed_json: 400,
      password_rejected: 400,
      token_invalid: 400,
      not_authenticated: 401,
      session_expired: 401,
      invalid_credentials: 401,
      forbidden: 403,
      fresh_auth_required: 403,
      csrf_required: 403,
      csrf_failed: 403,
      origin_rejected: 403,
      form_token_stale: 403,
      not_found: 404,
      email_taken: 409,
      username_taken: 409,
      conflict: 409,
      payload_too_large: 413,
      unsupported_media_type: 415,
      rate_limited: 429,
      overloaded: 503,
      store_unavailable: 503,
      internal_error: 500,
    });
  });
});
