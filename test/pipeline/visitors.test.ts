import { describe, expect, test } from "vitest";
import { anyone } from "../../src/guards/guards.ts";
import { bareRequest, parseSetCookie } from "../support/browser.ts";
import { cookieName, type World, world } from "../support/world.ts";

const foreign = { "sec-fetch-site": "cross-site", origin: "https://evil.example" };

/** Posts to a route that is open to anyone and writes the visitor's bag. */
async function add(
  here: World,
  headers: Readonly<Record<string, string>>,
  values: readonly string[] = ["apple"],
) {
  const handler = here.auth.protect(async (_request: Request, _principal, data) => {
    await Promise.all(values.map((value) => data.set(value, 1)));
    return Response.json(values.map((value) => data.get(value)));
  }, anyone());
  const request = new Request("https://app.example/cart", { method: "POST", headers });
  return handler(request, { ip: "192.0.2.10" });
}

function cookie(response: Response): string {
  const session = response.headers
    .getSetCookie()
    .map(parseSetCookie)
    .find(({ name }) => name === cookieName);
  return `${cookieName}=${session?.value}`;
}

describe("a visitor's bag", () => {
  test("is neither begun nor written by another site's form", async () => {
    const here = world();
    const begun = await add(here, foreign);
    expect([begun.status, begun.headers.getSetCookie()]).toEqual([403, []]);
    const own = await add(here, { "sec-fetch-site": "same-origin" });
    expect(own.status).toBe(200);
    const planted = await add(here, { ...foreign, cookie: cookie(own) }, ["planted"]);
    expect(planted.status).toBe(403);
    expect(here.heard("csrf.refused")).toHaveLength(1);
  });

  test("keeps what two writes of one request put there at once, in one session", async () => {
    const here = world();
    const response = await add(here, {}, ["apple", "pear", "plum"]);
    expect(await response.json()).toEqual([1, 1, 1]);
    expect(here.heard("session.started")).toHaveLength(1);
  });
});

test("a stale cookie is cleared where a person navigates, and not by a script's late answer", async () => {
  const here = world();
  const ana = await here.registered();
  await here.auth.sessions.revokeAll(ana.userId);
  const cleared = async (mode: string | null) => {
    const headers = {
      cookie: `${cookieName}=${ana.jar.get(cookieName)}`,
      ...(mode !== null && { "sec-fetch-mode": mode }),
    };
    const verdict = await here.auth.check(bareRequest({ headers }), { ip: null });
    return verdict.ok ? null : [verdict.error.code, verdict.change?.session];
  };
  expect(await cleared("navigate")).toEqual(["session_expired", "clear"]);
  expect(await cleared(null)).toEqual(["session_expired", "clear"]);
  for (const mode of ["cors", "same-origin", "no-cors"]) {
    expect(await cleared(mode)).toEqual(["session_expired", undefined]);
  }
});
