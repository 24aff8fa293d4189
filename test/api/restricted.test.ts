import { expect, test } from "vitest";
import { signedInAs } from "../../src/domain/principal.ts";
import type { User } from "../../src/domain/user.ts";
import type { Strategy } from "../../src/ports/strategy.ts";
import { world } from "../support/world.ts";

function restricted(user: User): Strategy {
  const proof = {
    via: "scoped",
    amr: [],
    authTime: new Date(),
    sessionId: null,
    scopes: ["invoice:read"],
  } as const;
  return {
    name: "scoped",
    ambient: false,
    challenge: "Test",
    authenticate: ({ headers }) =>
      headers.get("authorization")
        ? { kind: "accepted", principal: signedInAs(user, proof) }
        : { kind: "absent" },
  };
}

test("a proof that is restricted to scopes manages no account", async () => {
  const base = world();
  const user = await base.plant({ email: "ana@example.com" });
  const here = base.again({ strategies: [restricted(user)] });
  const options = { headers: { authorization: "Scoped" } };
  const browser = here.browser();
  for (const [method, path, body] of [
    ["PATCH", "/api/v1/users/me", { name: "Eve" }],
    ["DELETE", "/api/v1/users/me", undefined],
    ["DELETE", "/api/v1/users/me/sessions", undefined],
    ["DELETE", "/api/v1/users/me/sessions/x", undefined],
    ["POST", "/api/v1/auth/logout-all", undefined],
  ] as const) {
    const { status, body: problem } = await browser.send(method, path, { json: body, ...options });
    expect([method, path, status, problem.code]).toEqual([method, path, 403, "forbidden"]);
  }
  expect(await here.user(user.id)).toMatchObject({ status: "active", name: user.name, generation: 1 });
});
