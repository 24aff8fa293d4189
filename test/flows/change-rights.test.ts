import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { eventOfRow } from "../../src/domain/audit.ts";
import type { EventType } from "../../src/domain/event.ts";
import type { User } from "../../src/domain/user.ts";
import { type Acting, administrator, operator } from "../../src/flows/acting.ts";
import {
  assertMayGive,
  changeRights,
  mostPermissions,
  mostRoles,
} from "../../src/flows/administration/change-rights.ts";
import { permission, role } from "../../src/guards/rights.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { memorySessions } from "../../src/stores/memory-sessions.ts";
import { split } from "../../src/stores/split.ts";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";
import { backends, temporaryDirectory } from "../support/backends.ts";
import type { Browser } from "../support/browser.ts";
import { password, type World, world } from "../support/world.ts";

const roles = { editor: ["invoice:read", "invoice:write"], reader: ["invoice:read"], admin: ["user:write"] };

const everywhere: readonly { readonly backend: string; open(): Promise<Stores> }[] = [
  ...backends,
  {
    backend: "sqlite beside sessions of another engine",
    open: async () => {
      const directory = sqlite({ path: join(temporaryDirectory(), "latchkey.db") });
      return split({ ...directory, sessions: memorySessions() });
    },
  },
];

async function signedIn(here: World, { email }: User): Promise<Browser> {
  const browser = here.browser();
  expect((await browser.post("/api/v1/auth/login", { email, password })).status).toBe(200);
  return browser;
}

/** Whether a request of this browser gets past a guard for writing invoices, and what it is told where not. */
async function writing(here: World, browser: Browser): Promise<string> {
  const request = browser.request("GET", "/invoices");
  const verdict = await here.auth.check(request, { ip: "192.0.2.1" }, permission("invoice:write"));
  return verdict.ok ? "ok" : verdict.error.code;
}

/** The events on record of one type, oldest first. */
async function told(here: World, type: EventType): Promise<readonly unknown[]> {
  return (await here.audit(type)).map(eventOfRow);
}

async function code(work: Promise<unknown>): Promise<unknown> {
  const thrown = await work.then(
    () => null,
    (error: unknown) => error,
  );
  return thrown === null ? null : (thrown as { code: string }).code;
}

describe.each(everywhere)("rights, on $backend", ({ open }) => {
  test("that are lost are lost on the next request, on every node, and the session goes on", async () => {
    const here = world({ roles, stores: await open() });
    const there = here.again();
    const ana = await here.plant({ roles: ["editor", "reader"], permissions: ["user:read"] });
    const browser = await signedIn(here, ana);
    expect([await writing(here, browser), await writing(there, browser)]).toEqual(["ok", "ok"]);
    const changed = await changeRights(here.services, ana.id, { roles: ["reader"] }, operator);
    expect(changed).toMatchObject({ roles: ["reader"], permissions: ["user:read"], generation: 1 });
    expect([await writing(there, browser), await writing(here, browser)]).toEqual(["forbidden", "forbidden"]);
    expect((await browser.get("/api/v1/users/me")).body).toMatchObject({ roles: ["reader"] });
  });

  test("that somebody is given end every session of theirs, on every node", async () => {
    const here = world({ roles, stores: await open() });
    const there = here.again();
    const ana = await here.plant({ roles: ["reader"] });
    const browser = await signedIn(here, ana);
    expect(await writing(there, browser)).toBe("forbidden");
    const changed = await changeRights(here.services, ana.id, { roles: ["reader", "editor"] }, operator);
    expect(changed).toMatchObject({ roles: ["reader", "editor"], generation: 2 });
    for (const node of [here, there]) expect(await writing(node, browser)).not.toBe("ok");
    expect((await browser.get("/api/v1/users/me")).status).toBe(401);
    expect(await writing(there, await signedIn(there, ana))).toBe("ok");
    expect(await told(here, "session.revoked")).toMatchObject([{ payload: { by: "operator" } }]);
  });

  test("change with their audit rows, and nothing is written where nothing changes", async () => {
    const here = world({ roles, stores: await open() });
    const ana = await here.plant({ roles: ["reader"], permissions: ["a:b"] });
    const wanted = { roles: ["editor", "editor"], permissions: ["a:c"], isSuperuser: true };
    await changeRights(here.services, ana.id, wanted, operator);
    const { version } = await here.user(ana.id);
    await changeRights(here.services, ana.id, wanted, operator);
    expect((await here.user(ana.id)).version).toBe(version);
    expect(await told(here, "role.changed")).toMatchObject([
      {
        userId: ana.id,
        payload: {
          by: "operator",
          added: ["editor"],
          removed: ["reader"],
          permissionsAdded: ["a:c"],
          permissionsRemoved: ["a:b"],
          superuser: "given",
        },
      },
    ]);
    expect(here.heard("role.changed")).toHaveLength(1);
  });

  test("changed by many at once lose nothing that anybody was given", async () => {
    const here = world({ roles, stores: await open() });
    const ana = await here.plant();
    const names = ["editor", "reader", "admin"];
    await Promise.all(
      names.map((name) =>
        changeRights(here.services, ana.id, (user) => ({ roles: [...user.roles, name] }), operator),
      ),
    );
    expect([...(await here.user(ana.id)).roles].sort()).toEqual([...names].sort());
  });

  test("a tier signs nobody out, and has to be there", async () => {
    const here = world({ roles, stores: await open() });
    const now = here.clock.now();
    const tier = { id: "1", name: "pro", limits: [], version: 1, createdAt: now, updatedAt: now };
    await here.write({ kind: "tier.insert", tier });
    const ana = await here.plant();
    const browser = await signedIn(here, ana);
    await changeRights(here.services, ana.id, { tier: "pro" }, operator);
    expect((await browser.get("/api/v1/users/me")).status).toBe(200);
    expect((await here.user(ana.id)).tier).toBe("pro");
    expect(await told(here, "tier.changed")).toMatchObject([
      { userId: ana.id, payload: { by: "operator", from: null, to: "pro" } },
    ]);
    expect(await told(here, "role.changed")).toEqual([]);
    await expect(changeRights(here.services, ana.id, { tier: "gold" }, operator)).rejects.toMatchObject({
      code: "invalid_input",
      fields: [{ field: "tier", code: "unknown", message: 'There is no tier "gold"' }],
    });
    await changeRights(here.services, ana.id, { tier: null }, operator);
    expect((await here.user(ana.id)).tier).toBeNull();
  });

  test("a tier that goes while somebody enters it is entered by nobody", async () => {
    const here = world({ stores: await open() });
    const now = here.clock.now();
    const tier = { id: "1", name: "pro", limits: [], version: 1, createdAt: now, updatedAt: now };
    await here.write({ kind: "tier.insert", tier });
    const ana = await here.plant();
    let isThere = true;
    here.recorder.before = ({ writes }) => {
      if (!isThere || !writes.includes("user.update")) return null;
      isThere = false;
      return here.write({ kind: "tier.delete", name: "pro" });
    };
    expect(await code(changeRights(here.services, ana.id, { tier: "pro" }, operator))).toBe("conflict");
    expect((await here.user(ana.id)).tier).toBeNull();
  });

  test("the last superuser stays one; given more rights they are not in their own way", async () => {
    const here = world({ roles, stores: await open() });
    const root = await here.plant({ isSuperuser: true });
    expect(await code(changeRights(here.services, root.id, { isSuperuser: false }, operator))).toBe(
      "conflict",
    );
    await changeRights(here.services, root.id, { roles: ["reader"] }, operator);
    const other = await here.plant({ isSuperuser: true });
    const both = [root, other].map(({ id }) =>
      code(changeRights(here.services, id, { isSuperuser: false }, operator)),
    );
    expect((await Promise.all(both)).sort()).toEqual(["conflict", null].sort());
  });
});

describe("who gives", () => {
  async function scene() {
    const here = world({ roles });
    const actingAs = async (user: Partial<User>, scopes: Acting["scopes"] = null): Promise<Acting> => {
      const planted = await here.plant(user);
      return administrator({ user: planted, sessionId: null, scopes }, { requestId: "r1" });
    };
    const ana = await here.plant();
    return { here, actingAs, ana };
  }

  test("gives what they hold and nothing else: roles, permissions, the superuser flag", async () => {
    const { here, actingAs, ana } = await scene();
    const acting = await actingAs({ roles: ["admin", "reader"], permissions: ["a:b"] });
    const change = (wanted: Parameters<typeof changeRights>[2]) =>
      code(changeRights(here.services, ana.id, wanted, acting));
    expect(await change({ roles: ["reader"] })).toBeNull();
    expect(await change({ roles: ["reader", "editor"] })).toBe("forbidden");
    expect(await change({ permissions: ["a:b"] })).toBeNull();
    expect(await change({ permissions: ["a:b", "invoice:read"] })).toBeNull();
    expect(await change({ permissions: ["a:b", "a:c"] })).toBe("forbidden");
    expect(await change({ isSuperuser: true })).toBe("forbidden");
    expect(await change({ roles: [], permissions: [] })).toBeNull();
    const root = await actingAs({ isSuperuser: true });
    const all = { roles: ["editor"], permissions: ["x:y"], isSuperuser: true };
    expect(await code(changeRights(here.services, ana.id, all, root))).toBeNull();
    expect(await told(here, "role.changed")).toMatchObject([
      ...Array(4).fill({ payload: { by: "administrator", administratorId: acting.administrator?.id } }),
      { payload: { by: "administrator", administratorId: root.administrator?.id }, requestId: "r1" },
    ]);
  });

  test("gives no more than their proof is good for", async () => {
    const { here, actingAs, ana } = await scene();
    const key = await actingAs({ isSuperuser: true, roles: ["editor"] }, ["user:write", "a:b"]);
    const change = (wanted: Parameters<typeof changeRights>[2]) =>
      code(changeRights(here.services, ana.id, wanted, key));
    expect(await change({ permissions: ["a:b"] })).toBeNull();
    expect(await change({ permissions: ["a:b", "a:c"] })).toBe("forbidden");
    expect(await change({ roles: ["editor"] })).toBe("forbidden");
    expect(await change({ isSuperuser: true })).toBe("forbidden");
  });

  test("may do so now: who was disabled or signed out since gives nothing", async () => {
    const { here, actingAs, ana } = await scene();
    const acting = await actingAs({ isSuperuser: true });
    const id = acting.administrator?.id ?? "";
    await here.write({ kind: "user.advance", userId: id, from: 1 });
    expect(await code(changeRights(here.services, ana.id, { roles: ["reader"] }, acting))).toBe("conflict");
    expect((await here.user(ana.id)).roles).toEqual([]);
  });

  test("who is no superuser does not touch one", async () => {
    const { here, actingAs } = await scene();
    const root = await here.plant({ isSuperuser: true, roles: ["reader"] });
    const acting = await actingAs({ roles: ["admin", "reader"] });
    for (const wanted of [{ roles: [] }, { isSuperuser: false }, { tier: null }, { permissions: ["a:b"] }])
      expect(await code(changeRights(here.services, root.id, wanted, acting))).toBe("forbidden");
  });

  test("an operator gives everything", async () => {
    const { here } = await scene();
    const all = { roles: ["editor"], permissions: ["x:y"], isSuperuser: true };
    expect(() => assertMayGive(here.services, operator, all)).not.toThrow();
  });
});

describe("what can be given", () => {
  test("is configured: another role, and what is no permission, are named; what is there already may stay", async () => {
    const here = world({ roles });
    const ana = await here.plant({ roles: ["ghost"] });
    const wanted = { roles: ["ghost", "nobody"], permissions: ["a b"] };
    await expect(changeRights(here.services, ana.id, wanted, operator)).rejects.toMatchObject({
      code: "invalid_input",
      fields: [
        { field: "roles", code: "unknown", message: 'There is no role "nobody"' },
        { field: "permissions", code: "invalid" },
      ],
    });
    await changeRights(here.services, ana.id, { roles: ["ghost", "reader"] }, operator);
    await changeRights(here.services, ana.id, { roles: ["reader"] }, operator);
    expect((await here.user(ana.id)).roles).toEqual(["reader"]);
  });

  test("is any label where no roles are configured", async () => {
    const here = world();
    const ana = await here.plant();
    await changeRights(here.services, ana.id, { roles: ["anything"] }, operator);
    const browser = await signedIn(here, ana);
    const request = browser.request("GET", "/");
    expect(await here.auth.check(request, { ip: null }, role("anything"))).toMatchObject({ ok: true });
    expect(await code(changeRights(here.services, ana.id, { roles: ["a b"] }, operator))).toBe(
      "invalid_input",
    );
  });

  test("is bounded, and refuses what nobody can be", async () => {
    const here = world();
    const ana = await here.plant();
    const many = (count: number) => Array.from({ length: count }, (_, index) => `x${index}`);
    const refused = [{ roles: many(mostRoles + 1) }, { permissions: many(mostPermissions + 1) }];
    for (const wanted of refused)
      expect(await code(changeRights(here.services, ana.id, wanted, operator))).toBe("invalid_input");
    expect(await code(changeRights(here.services, "nobody", {}, operator))).toBe("not_found");
    const gone = await here.plant({ status: "anonymized" });
    expect(await code(changeRights(here.services, gone.id, { roles: ["x"] }, operator))).toBe("conflict");
  });
});
