import { describe, expect, test } from "vitest";
import { signedInAs } from "../../src/domain/principal.ts";
import { fresh } from "../../src/guards/fresh.ts";
import { all, any, anyone, signedIn } from "../../src/guards/guards.ts";
import { owner, permission, role, superuser, tier } from "../../src/guards/rights.ts";
import { Asking } from "../../src/pipeline/asking.ts";
import type { Guard } from "../../src/ports/guard.ts";
import { thenable } from "../support/thenable.ts";
import { password, type World, world } from "../support/world.ts";

const roles = { editor: ["invoice:read", "invoice:write"], reader: ["invoice:read"] };

/** What a request of a signed-in browser gets behind these guards: `null` where it goes on. */
async function refusal(here: World, userId: string | null, ...guards: readonly Guard[]) {
  const browser = here.browser();
  if (userId !== null) {
    const { email } = await here.user(userId);
    const signedIn = await browser.post("/api/v1/auth/login", { email, password });
    expect(signedIn.status).toBe(200);
  }
  const verdict = await here.auth.check(browser.request("GET", "/things/1"), { ip: "192.0.2.1" }, ...guards);
  if (verdict.ok) return null;
  return { code: verdict.error.code, status: verdict.error.status, message: verdict.error.message };
}

const forbidden = { code: "forbidden", status: 403, message: "You may not do this." };
const stranger = { code: "not_authenticated", status: 401 };

describe("permission", () => {
  test("lets on who holds it, by themselves or by a role; one of several is enough", async () => {
    const here = world({ roles });
    const ana = await here.plant({ permissions: ["invoice:read"] });
    const ben = await here.plant({ roles: ["editor"] });
    expect(await refusal(here, ana.id, permission("invoice:read"))).toBeNull();
    expect(await refusal(here, ana.id, permission("invoice:write"))).toEqual(forbidden);
    expect(await refusal(here, ben.id, permission("user:read", "invoice:write"))).toBeNull();
    expect(await refusal(here, ben.id, permission("user:read"))).toEqual(forbidden);
    expect(await refusal(here, null, permission("invoice:read"))).toMatchObject(stranger);
  });

  test("that is lost is lost on the next request of a session that goes on", async () => {
    const here = world({ roles });
    const ana = await here.plant({ roles: ["editor"], email: "ana@example.com" });
    const browser = here.browser();
    await browser.post("/api/v1/auth/login", { email: ana.email, password });
    const ask = async () =>
      here.auth.check(browser.request("GET", "/"), { ip: null }, permission("invoice:write"));
    expect((await ask()).ok).toBe(true);
    await here.write({ kind: "user.update", userId: ana.id, version: 1, changes: { roles: ["reader"] } });
    expect(await ask()).toMatchObject({ ok: false, error: { code: "forbidden" } });
    expect((await browser.get("/api/v1/users/me")).status).toBe(200);
  });

  test("denied is an event that says why", async () => {
    const here = world({ roles });
    const ana = await here.plant({ roles: ["reader", "ghost"] });
    await refusal(here, ana.id, permission("invoice:write"));
    expect(here.heard("permission.denied")).toMatchObject([
      { userId: ana.id, payload: { because: expect.stringContaining("reader, ghost (not configured)") } },
    ]);
  });
});

describe("role, tier, superuser", () => {
  test("let on whom they name", async () => {
    const here = world({ roles });
    const ana = await here.plant({ roles: ["editor"], tier: "pro" });
    const root = await here.plant({ isSuperuser: true });
    expect(await refusal(here, ana.id, role("reader", "editor"))).toBeNull();
    expect(await refusal(here, ana.id, role("reader"))).toEqual(forbidden);
    expect(await refusal(here, root.id, role("reader"))).toBeNull();
    expect(await refusal(here, root.id, superuser())).toBeNull();
    expect(await refusal(here, ana.id, superuser())).toEqual(forbidden);
    expect(await refusal(here, ana.id, tier("pro"))).toBeNull();
  });

  test("a tier is what was paid for: a superuser passes by it alone, and the refusal names it", async () => {
    const here = world();
    const root = await here.plant({ isSuperuser: true });
    const message = "Requires pro tier";
    expect(await refusal(here, root.id, tier("pro"))).toEqual({ code: "forbidden", status: 403, message });
    expect(await refusal(here, root.id, tier("pro", "team"))).toMatchObject({
      message: "Requires pro or team tier",
    });
  });

  test("without roles in the configuration names of roles are labels", async () => {
    const here = world();
    const ana = await here.plant({ roles: ["anything"] });
    expect(await refusal(here, ana.id, role("anything"))).toBeNull();
  });

  test("none named is a mistake of the programmer", () => {
    for (const make of [permission, role, tier] as unknown as readonly (() => Guard)[])
      expect(() => make()).toThrow(TypeError);
  });
});

describe("owner", () => {
  test("lets on whose it is, and superusers", async () => {
    const here = world();
    const [ana, ben] = [await here.plant(), await here.plant()];
    const root = await here.plant({ isSuperuser: true });
    const ofAna = owner(() => ana.id, { action: "update" });
    expect(await refusal(here, ana.id, ofAna)).toBeNull();
    expect(await refusal(here, root.id, ofAna)).toBeNull();
    expect(await refusal(here, ben.id, ofAna)).toEqual({
      code: "forbidden",
      status: 403,
      message: "Cannot update for another user",
    });
    expect(await refusal(here, null, ofAna)).toMatchObject(stranger);
  });

  test("somebody else's that is addressed by an unguessable id looks as what is not there", async () => {
    const here = world();
    const [ana, ben] = [await here.plant(), await here.plant()];
    const hidden = { isHidden: true };
    const theirs = await refusal(
      here,
      ben.id,
      owner(async () => ana.id, hidden),
    );
    const absent = await refusal(
      here,
      ben.id,
      owner(async () => null, hidden),
    );
    expect(theirs).toEqual(absent);
    expect(theirs).toMatchObject({ code: "not_found", status: 404 });
  });

  test("what is not there is 404 for everybody", async () => {
    const here = world();
    const root = await here.plant({ isSuperuser: true });
    expect(
      await refusal(
        here,
        root.id,
        owner(() => null),
      ),
    ).toMatchObject({ status: 404 });
    const nothing = (() => undefined) as unknown as () => null;
    expect(await refusal(here, root.id, owner(nothing))).toMatchObject({ status: 404 });
  });

  test("waits for whatever can be waited for, and a load that fails is no answer about anybody", async () => {
    const here = world();
    const ana = await here.plant();
    const promised = () => thenable(() => ana.id);
    expect(await refusal(here, ana.id, owner(promised))).toBeNull();
    const failing = owner(async () => {
      throw new Error("the database is down");
    });
    expect(await refusal(here, ana.id, failing)).toMatchObject({ status: 500 });
  });
});

describe("fresh", () => {
  test("lets on who proved only just who they are, and says what to do", async () => {
    const here = world({ freshSeconds: 60 });
    const ana = await here.plant();
    const browser = here.browser();
    await browser.post("/api/v1/auth/login", { email: ana.email, password });
    const ask = async (...guards: readonly Guard[]) => {
      const verdict = await here.auth.check(browser.request("GET", "/"), { ip: null }, ...guards);
      return verdict.ok ? null : verdict.error.code;
    };
    expect(await ask(fresh())).toBeNull();
    here.clock.advance(59.999);
    expect(await ask(fresh())).toBeNull();
    here.clock.advance(0.001);
    expect(await ask(fresh())).toBe("fresh_auth_required");
    expect(await ask(fresh(61))).toBeNull();
    expect((await browser.post("/api/v1/auth/reauthenticate", { password })).status).toBe(200);
    expect(await ask(fresh(1))).toBeNull();
  });

  test.each([
    ["their own session's", "session", false, true],
    ["that of a session in somebody's place", "session", true, false],
    ["another strategy's, though a session comes along", "machine", false, false],
  ] as const)("is about a proof of the person's own: %s", (_, via, isInPlace, counts) => {
    const here = world();
    const ana = here.make.user();
    const authTime = here.clock.now();
    const impersonator = isInPlace ? here.make.user() : null;
    const principal = signedInAs(ana, { via, amr: [], authTime, sessionId: "x", scopes: null, impersonator });
    const session = here.make.session(ana, { authTime });
    const who = {
      principal,
      session,
      change: undefined,
      isAmbient: true,
      reason: undefined,
      answered: undefined,
    };
    const asking = new Asking(here.services, here.browser().request("GET", "/"), { ip: null }, who);
    expect(asking.provenAt).toEqual(counts ? authTime : null);
    expect(fresh().decide(principal, asking)).toMatchObject({ allow: counts });
  });

  test("is answered by the database itself, on a read too", async () => {
    const stakes: unknown[] = [];
    const here = world({
      strategies: [
        {
          name: "watching",
          ambient: false,
          challenge: "X",
          authenticate: (_, __, asked) => {
            stakes.push(asked?.readsThrough);
            return { kind: "absent" };
          },
        },
      ],
    });
    const request = here.browser().request("GET", "/");
    await here.auth.check(request, { ip: null });
    await here.auth.check(request, { ip: null }, fresh());
    await here.auth.check(request, { ip: null }, all(signedIn(), fresh()));
    await here.auth.check(request, { ip: null }, any(permission("a:b"), fresh()));
    await here.auth.check(request, { ip: null }, all(signedIn(), permission("a:b")));
    expect(stakes).toEqual([false, true, true, true, false]);
  });

  test.each([0, -1, 1.5, Number.NaN, 31_536_001])("%s is no time", (seconds) => {
    expect(() => fresh(seconds)).toThrow(TypeError);
  });
});

test("a guard that asks about rights never opens a route beside anyone()", async () => {
  const here = world();
  expect(await refusal(here, null, anyone(), permission("a:b"))).toMatchObject(stranger);
});
