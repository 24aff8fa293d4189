import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { apiKeys } from "../../src/features/api-keys.ts";
import { oauth } from "../../src/features/oauth.ts";
import { tokens } from "../../src/features/tokens.ts";
import type { Route } from "../../src/ports/route.ts";
import { anyText } from "../support/arbitrary.ts";
import { bareRequest, readAnswer } from "../support/browser.ts";
import { allRoutes, fieldsOf, pathOf } from "../support/routes.ts";
import { cookieName, password, type World, world } from "../support/world.ts";

const features = [apiKeys(), oauth({ providers: [] }), tokens()];
const routes = await allRoutes(features);

const word = fc.oneof(
  anyText(),
  fc.constantFrom(
    "ana@example.com",
    "ana",
    password,
    "on",
    "true",
    "",
    " ",
    "x".repeat(300),
    "x".repeat(5_000),
  ),
);
const value = fc.oneof(
  { weight: 4, arbitrary: word },
  { weight: 1, arbitrary: fc.jsonValue() as fc.Arbitrary<unknown> },
);

/** Bodies of every kind, from nearly right to noise. */
function bodies(
  route: Route,
): fc.Arbitrary<{ readonly type: string | null; readonly bytes: Uint8Array | null }> {
  const { names } = fieldsOf(route);
  const fields = fc.dictionary(
    names.length === 0 ? anyText(8) : fc.oneof(fc.constantFrom(...names), anyText(8)),
    value,
    { maxKeys: 6 },
  );
  const json = fields.map((body) => ({ type: "application/json", bytes: Buffer.from(JSON.stringify(body)) }));
  const form = fields.map((body) => ({
    type: "application/x-www-form-urlencoded",
    bytes: Buffer.from(
      String(new URLSearchParams(Object.entries(body).map(([key, each]) => [key, asText(each)]))),
    ),
  }));
  const noise = fc.record({
    type: fc.option(
      fc.oneof(
        fc.constantFrom(
          "application/json",
          "application/x-www-form-urlencoded",
          "multipart/form-data; boundary=x",
        ),
        anyText(),
      ),
    ),
    bytes: fc.option(fc.uint8Array({ maxLength: 200 })),
  });
  return fc.oneof(
    { weight: 4, arbitrary: json },
    { weight: 2, arbitrary: form },
    { weight: 1, arbitrary: noise },
  );
}

const headerNames = [
  "accept",
  "authorization",
  "origin",
  "sec-fetch-site",
  "sec-fetch-mode",
  "content-length",
  "user-agent",
  "x-csrf-token",
  "x-api-key",
];
const headers = fc.dictionary(fc.constantFrom(...headerNames), anyText(), { maxKeys: 3 });
const cookies = fc.array(
  fc.oneof(
    anyText(),
    anyText().map((text) => `${cookieName}=${text}`),
    anyText().map((text) => `${cookieName}-form=${text}`),
  ),
  {
    maxLength: 6,
  },
);
const methods = fc.oneof(
  { weight: 5, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.oneof(fc.constantFrom("HEAD", "OPTIONS", "PUT", "get"), anyText(8)) },
);

function requests(route: Route) {
  return fc.record({
    method: methods,
    segment: anyText(12).map(
      (text) => encodeURI(text.replaceAll(/\p{Surrogate}/gu, "")).replaceAll(/[/?#]/g, "x") || "x",
    ),
    query: anyText(20),
    headers,
    cookies,
    body: bodies(route),
    ip: fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant(null)),
    requestId: fc.option(anyText(), { nil: undefined }),
    isSignedIn: fc.boolean(),
  });
}

/** Headers of somebody who has just signed in and whose script sends what it should. */
async function signedInHeaders(
  here: World,
): Promise<{ readonly cookie: string; readonly headers: Record<string, string> }> {
  const user = await here.plant({ username: `u${here.make.user().username}` });
  const { change } = await here.auth.sessions.start(user.id);
  if (typeof change.session !== "object") throw new Error("no session");
  const { token, csrfToken } = change.session;
  return {
    cookie: `${cookieName}=${token}`,
    headers: { "x-csrf-token": csrfToken, "sec-fetch-site": "same-origin" },
  };
}

// Total, unlike String: generated objects may have no prototype, or a `toString` of their own that is no function.
function asText(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

describe("no input gives a 5xx", () => {
  test.each(routes.map((route) => [`${route.method} ${route.path}`, route] as const))(
    "%s",
    async (_, route) => {
      const here = world({ features });
      await here.plant({ email: "ana@example.com", username: "ana" });
      await fc.assert(
        fc.asyncProperty(
          requests(route),
          async ({
            method,
            segment,
            query,
            headers: given,
            cookies: sent,
            body,
            ip,
            requestId,
            isSignedIn,
          }) => {
            const own = isSignedIn ? await signedInHeaders(here) : null;
            const all: Record<string, string> = {
              ...own?.headers,
              ...given,
              cookie: [...sent, own?.cookie ?? ""].join("; "),
            };
            if (body.type !== null) all["content-type"] = body.type;
            const stream = body.bytes === null ? null : new Response(new Uint8Array(body.bytes)).body;
            const request = bareRequest({
              method: method ?? route.method,
              url: `${pathOf(route, segment)}?${query}`,
              headers: all,
              body: stream,
            });
            const response = await here.auth.handle(
              request,
              requestId === undefined ? { ip } : { ip, requestId },
            );
            if (response === null) throw new Error("nobody's route");
            const { status, headers: answered, body: answer, text } = await readAnswer(response);
            expect(`${status} ${text}`).toMatch(/^[1234]/);
            expect(answered.get("x-request-id")).toMatch(/^[\w.:-]{1,64}$/);
            if (status < 400) return;
            expect(answered.get("content-type")).toBe("application/problem+json");
            expect(answer).toMatchObject({
              status,
              code: expect.stringMatching(/^\w+$/),
              request_id: answered.get("x-request-id"),
            });
          },
        ),
        { numRuns: 60 },
      );
      expect(here.log.filter(({ level }) => level === "error")).toEqual([]);
    },
  );
});

test("no request makes check throw, whatever it holds", async () => {
  const here = world({ features });
  const anything = fc.record({
    method: anyText(8),
    url: anyText(60),
    headers: fc.dictionary(fc.constantFrom(...headerNames, "cookie", "content-type"), anyText(200)),
    ip: anyText(20),
  });
  await fc.assert(
    fc.asyncProperty(anything, async ({ method, url, headers: given, ip }) => {
      const verdict = await here.auth.check(bareRequest({ method, url, headers: given }), { ip });
      expect(verdict).toMatchObject({ ok: false, error: { status: expect.any(Number) } });
      expect(verdict.ok === false && verdict.error.status).toBeLessThan(500);
      expect(await here.auth.handle(bareRequest({ method, url, headers: given }), { ip })).toSatisfy(
        (response: Response | null) => response === null || response.status < 500,
      );
    }),
    { numRuns: 300 },
  );
  expect(here.log).toEqual([]);
});
