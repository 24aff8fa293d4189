import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { explain } from "../../src/domain/explain.ts";
import { anonymous, type SignedIn, signedInAs } from "../../src/domain/principal.ts";
import { type Ask, isPermission, isRoleName, type Roles, rights, wholly } from "../../src/domain/rights.ts";
import type { User } from "../../src/domain/user.ts";
import { any } from "../../src/guards/guards.ts";
import { owner, permission, role, superuser, tier } from "../../src/guards/rights.ts";
import { authorize } from "../../src/pipeline/authorize.ts";
import type { Guard } from "../../src/ports/guard.ts";
import { testClock } from "../../src/testing/clock.ts";
import { fixtures } from "../../src/testing/fixtures.ts";
import { guardContext } from "../support/guard-context.ts";

const make = fixtures(testClock());
const roles: Roles = {
  editor: ["invoice:read", "invoice:write"],
  reader: ["invoice:read"],
  marker: [],
};
const configured = rights(roles);
const permissionNames = ["invoice:read", "invoice:write", "user:read"];

function principal(user: Partial<User>, scopes: SignedIn["scopes"] = null): SignedIn {
  const authTime = new Date(0);
  return signedInAs(make.user(user), { via: "session", amr: [], authTime, sessionId: null, scopes });
}

describe("a permission", () => {
  test("is never held by nobody", () => {
    expect(configured.holds(anonymous, "invoice:read")).toBe(false);
  });

  test("is held by oneself, by a role, or as a superuser; each finding says which", () => {
    const ask: Ask = { kind: "permission", anyOf: ["invoice:write"] };
    expect(configured.decide(principal({ permissions: ["invoice:write"] }), ask)).toMatchObject({
      allow: true,
      rule: "permission",
    });
    expect(configured.decide(principal({ roles: ["reader", "editor"] }), ask)).toEqual({
      allow: true,
      rule: "role",
      because: "given by the role editor",
    });
    expect(configured.decide(principal({ isSuperuser: true }), ask)).toMatchObject({ rule: "superuser" });
    expect(configured.decide(principal({ roles: ["reader"] }), ask)).toMatchObject({
      allow: false,
      code: "forbidden",
      rule: "permission",
    });
  });

  test("is held within the scopes of the proof only, by a superuser and by a role too", () => {
    for (const user of [{ permissions: ["a:b"] }, { isSuperuser: true }] as const)
      expect(configured.decide(principal(user, ["c:d"]), { kind: "permission", anyOf: ["a:b"] })).toEqual({
        allow: false,
        code: "forbidden",
        rule: "scope",
        because: "the proof is not good for a:b",
      });
    const key = principal({ roles: ["editor"] }, ["invoice:read", "user:write"]);
    const held = ["invoice:read", "invoice:write", "user:write"].map((each) => configured.holds(key, each));
    expect(held).toEqual([true, false, false]);
  });

  test("is not given by a role that is configured nowhere, whatever its name", () => {
    for (const name of ["ghost", "__proto__", "constructor", "toString"]) {
      const finding = configured.decide(principal({ roles: [name] }), {
        kind: "permission",
        anyOf: ["invoice:read"],
      });
      expect(finding).toMatchObject({ allow: false, rule: "permission" });
      expect(finding.because).toContain(`${name} (not configured)`);
    }
  });

  test("of several is enough", () => {
    const ask: Ask = { kind: "permission", anyOf: ["a:b", "invoice:read"] };
    expect(configured.decide(principal({ roles: ["reader"] }), ask).allow).toBe(true);
    expect(configured.decide(principal({ roles: ["marker"] }), ask).allow).toBe(false);
  });
});

describe("a proof that is restricted to scopes", () => {
  const all = permissionNames;
  const root = { isSuperuser: true, roles: ["editor"], tier: "pro", id: "own" };

  test("has no role and is no superuser, whatever its owner is and its scopes say", () => {
    const key = principal(root, all);
    for (const ask of [
      { kind: "role", anyOf: ["editor"] },
      { kind: "superuser" },
      { kind: "owner", ownerId: "other" },
    ] as const) {
      expect(configured.decide(principal(root), ask).allow).toBe(true);
      expect(configured.decide(key, ask)).toEqual({
        allow: false,
        code: "forbidden",
        rule: "scope",
        because: "the proof is restricted to scopes",
      });
    }
  });

  test("owns what its owner owns, and is in their tier", () => {
    const key = principal(root, []);
    expect(configured.decide(key, { kind: "owner", ownerId: "own" }).allow).toBe(true);
    expect(configured.decide(key, { kind: "tier", anyOf: ["pro"] }).allow).toBe(true);
  });
});

describe("an account that may not be used", () => {
  test.each(["disabled", "deleted", "anonymized"] as const)("is refused everything: %s", (status) => {
    const user = make.user({ status, isSuperuser: true, tier: "pro", roles: ["editor"] });
    for (const ask of asks(user.id))
      expect(configured.decide(wholly(user), ask)).toMatchObject({ allow: false, rule: "status" });
  });

  test("is refused everything until another password is chosen; who acts in its place is not", () => {
    const user = make.user({ mustChangePassword: true, isSuperuser: true, tier: "pro" });
    const other = make.user();
    for (const ask of asks(user.id)) {
      const refusal = { allow: false, code: "password_change_required", rule: "password" };
      expect(configured.decide(wholly(user), ask)).toMatchObject(refusal);
      expect(configured.decide({ ...wholly(user), impersonator: other } as SignedIn, ask).allow).toBe(true);
    }
  });
});

function asks(ownerId: string): readonly Ask[] {
  return [
    { kind: "permission", anyOf: ["invoice:read"] },
    { kind: "role", anyOf: ["editor"] },
    { kind: "tier", anyOf: ["pro"] },
    { kind: "superuser" },
    { kind: "owner", ownerId },
  ];
}

describe("the configuration of roles", () => {
  test("names every role and permission that cannot be used", () => {
    const wrong = { "a b": [], "": [], ok: ["invoice:read", "in voice", "a,b", ""], list: "invoice:read" };
    expect(() => rights(wrong as unknown as Roles)).toThrow(TypeError);
    expect(() => rights(wrong as unknown as Roles)).toThrow(
      /"a b".*\n.*"".*\n.*in voice.*\n.*a,b.*\n.*list/s,
    );
  });

  test("is copied: what becomes of the object afterwards gives nobody anything", () => {
    const given: Record<string, string[]> = { reader: ["invoice:read"] };
    const held = rights(given);
    given.reader?.push("invoice:write");
    given.root = ["invoice:write"];
    expect(held.holds(principal({ roles: ["reader", "root"] }), "invoice:write")).toBe(false);
  });

  test("says which roles may be given: those it names or, where it names none, any", () => {
    expect([configured.isKnownRole("editor"), configured.isKnownRole("ghost")]).toEqual([true, false]);
    expect(rights(null).isKnownRole("ghost")).toBe(true);
    expect(rights({}).isKnownRole("ghost")).toBe(false);
    expect(configured.grantsOf("reader")).toEqual(["invoice:read"]);
    expect(configured.grantsOf("ghost")).toBeNull();
  });

  test("takes names and permissions within their alphabets", () => {
    expect(["admin", "A.b_c-9", "", "a b", "ä", "x".repeat(65)].map(isRoleName)).toEqual([
      ...[true, true, false, false, false, false],
    ]);
    expect(
      ["invoice:read", "admin_panel", "", "a b", "a,b", "a\u0000b", "x".repeat(129)].map(isPermission),
    ).toEqual([...[true, true, false, false, false, false, false]]);
  });
});

const someOf = <T>(all: readonly T[]) => fc.subarray([...all]);
const users = fc.record({
  roles: someOf([...Object.keys(roles), "ghost"]),
  permissions: someOf(permissionNames),
  isSuperuser: fc.boolean(),
  mustChangePassword: fc.boolean(),
  tier: fc.option(fc.constantFrom("free", "pro")),
  status: fc.constantFrom("active", "active", "active", "disabled", "deleted"),
} as const);
const scopes = fc.option(someOf(permissionNames));
const questions: fc.Arbitrary<Ask> = fc.oneof(
  fc.subarray(permissionNames, { minLength: 1 }).map((anyOf): Ask => ({ kind: "permission", anyOf })),
  fc
    .subarray([...Object.keys(roles), "ghost"], { minLength: 1 })
    .map((anyOf): Ask => ({ kind: "role", anyOf })),
  fc.subarray(["free", "pro"], { minLength: 1 }).map((anyOf): Ask => ({ kind: "tier", anyOf })),
  fc.constant<Ask>({ kind: "superuser" }),
  fc.constantFrom("own", "other").map((ownerId): Ask => ({ kind: "owner", ownerId })),
);

function guardFor(ask: Ask): Guard {
  switch (ask.kind) {
    case "permission":
      return permission(...(ask.anyOf as [string]));
    case "role":
      return role(...(ask.anyOf as [string]));
    case "tier":
      return tier(...(ask.anyOf as [string]));
    case "superuser":
      return superuser();
    case "owner":
      return owner(() => ask.ownerId);
  }
}

describe("for any user, proof and question", () => {
  const context = guardContext({ rights: configured });

  test("scopes only ever narrow", () => {
    fc.assert(
      fc.property(users, fc.subarray(permissionNames), questions, (user, restriction, ask) => {
        const whole = principal({ ...user, id: "own" });
        const narrow = { ...whole, scopes: restriction };
        if (configured.decide(narrow, ask).allow) expect(configured.decide(whole, ask).allow).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  test("fewer scopes never allow more", () => {
    fc.assert(
      fc.property(users, fc.subarray(permissionNames), questions, fc.nat(), (user, wide, ask, drop) => {
        const whole = principal({ ...user, id: "own" });
        const less = wide.filter((_, index) => index !== drop % 3);
        if (configured.decide({ ...whole, scopes: less }, ask).allow)
          expect(configured.decide({ ...whole, scopes: wide }, ask).allow).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  test("a guard says what the evaluator says, with the same reason", async () => {
    await fc.assert(
      fc.asyncProperty(users, scopes, questions, async (user, restriction, ask) => {
        const who = principal({ ...user, id: "own" }, restriction);
        const finding = configured.decide(who, ask);
        const denial = await authorize(who, [guardFor(ask)], context);
        expect(denial === null).toBe(finding.allow);
        if (denial !== null && !finding.allow) {
          expect(denial.decision).toMatchObject({ code: finding.code, because: finding.because });
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test("explain and the guards never disagree", async () => {
    const resource = fc.constantFrom("invoice", "user");
    const action = fc.constantFrom("read", "write");
    const whose = fc.constantFrom(null, "own", "other");
    await fc.assert(
      fc.asyncProperty(
        users,
        scopes,
        resource,
        action,
        whose,
        async (user, restriction, name, verb, ownerId) => {
          const who = principal({ ...user, id: "own" }, restriction);
          const asked = ownerId === null ? name : { name, ownerId };
          const held = permission(`${name}:${verb}`);
          const guards =
            ownerId === null
              ? [held]
              : [
                  any(
                    owner(() => ownerId),
                    held,
                  ),
                ];
          const explained = explain(configured, who, verb, asked);
          const denial = await authorize(who, guards, context);
          expect(explained.allow).toBe(denial === null);
          expect(explained.permission).toBe(`${name}:${verb}`);
          if (denial !== null && !explained.allow) expect(explained.code).toBe(denial.decision.code);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test("an account is explained as its unrestricted proof is judged", () => {
    fc.assert(
      fc.property(users, fc.constantFrom(...permissionNames), (user, name) => {
        const who = principal({ ...user, id: "own" });
        const [resource = "", action = ""] = name.split(":");
        expect(explain(configured, who.user, action, resource)).toEqual(
          explain(configured, who, action, resource),
        );
        expect(configured.holds(who, name)).toBe(explain(configured, who, action, resource).allow);
      }),
    );
  });
});
