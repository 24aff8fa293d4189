import { SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { parseApiKey } from "../../src/domain/api-key-text.ts";
import { anonymous } from "../../src/domain/principal.ts";
import { jwt } from "../../src/features/jwt.ts";
import { tickets } from "../../src/features/tickets.ts";
import type { NewApiKey } from "../../src/flows/api-keys/api-keys.ts";
import { faulty } from "../../src/testing/faulty.ts";
import { apiKeyWorld, notingReads } from "../support/api-keys.ts";
import { backends } from "../support/backends.ts";
import { bareRequest } from "../support/browser.ts";
import { path, ticketOf } from "../support/tickets.ts";
import { password, type WorldOptions } from "../support/world.ts";

const later = (here: { readonly clock: { now(): Date } }, seconds: number): Date =>
  new Date(here.clock.now().getTime() + seconds * 1000);

const nobodys = "0".repeat(16);

/** Ana, by a ticket that she asked for in her browser. */
async function ticketPrincipal(options: WorldOptions = {}) {
  const feature = tickets();
  const here = await apiKeyWorld({ ...options, features: [feature] });
  const browser = here.browser();
  await browser.post("/api/v1/auth/login", { email: "ana@example.com", password });
  const request = bareRequest({ url: `${path}?ticket=${await ticketOf(browser)}` });
  return { here, principal: await here.auth.use(feature).redeem(request, { ip: "192.0.2.1" }) };
}

/** Ana, by a token that another program has issued for her. */
async function foreignPrincipal() {
  const key = "the secret of another program, long enough";
  const here = await apiKeyWorld({ features: [jwt({ key, name: "partner" })] });
  const exp = here.clock.now().getTime() / 1000 + 3_600;
  const token = await new SignJWT({ sub: here.ana.id, exp })
    .setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(key));
  const request = bareRequest({ headers: { authorization: `Bearer ${token}` } });
  const { principal } = await here.auth.authenticate(request, { ip: "192.0.2.1" });
  return { here, principal };
}

describe.each(backends)("API keys, on $backend", ({ open }) => {
  test("a key is made as wanted, and its text is told once", async () => {
    const here = await apiKeyWorld({ stores: await open() });
    const expiresAt = later(here, 3_600);
    const created = await here.key({
      name: "  CI  ",
      permissions: ["invoice:read", "invoice:read"],
      limits: { perMinute: 60 },
      allowedIps: ["::ffff:10.0.0.0/104", "10.0.0.0/8", "2001:DB8::1"],
      expiresAt,
    });
    const { key, ...info } = created;
    expect(info).toEqual({
      id: parseApiKey(key)?.id,
      userId: here.ana.id,
      name: "CI",
      permissions: ["invoice:read"],
      limits: { perMinute: 60, perDay: null },
      allowedIps: ["10.0.0.0/8", "2001:db8::1"],
      expiresAt,
      lastUsedAt: null,
      rotatedFrom: null,
      version: 1,
      createdAt: here.clock.now(),
      updatedAt: here.clock.now(),
    });
    expect(await here.keys.get(here.principal(), info.id)).toEqual(info);
    expect(await here.keys.list(here.principal())).toEqual([info]);
    const secret = parseApiKey(key)?.secret ?? "";
    const stored = await here.services.stores.directory.apiKeys(here.ana.id, here.call());
    expect(Buffer.from(stored[0]?.secretDigest ?? []).toString("hex")).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify([stored, await here.audit()])).not.toContain(secret);
  });

  test("every change is on record, in its own transaction", async () => {
    const here = await apiKeyWorld({ stores: await open() });
    const ana = here.principal();
    const request = bareRequest({ headers: { "user-agent": "Browser" } });
    const visit = { request, client: { ip: "192.0.2.1", requestId: "r1" } };
    const { id: keyId } = await here.keys.create(ana, { name: "CI" }, visit);
    await here.keys.update(ana, keyId, { name: "CD", limits: { perDay: 5 } }, visit);
    const { id: newId } = await here.keys.rotate(ana, keyId, {}, visit);
    await here.keys.revoke(ana, keyId, visit);
    const said = here.events.map(({ type, payload, userId, ip, userAgent, requestId }) => ({
      ...{ type, payload, userId },
      ...{ ip, userAgent, requestId },
    }));
    const common = { userId: here.ana.id, ip: "192.0.2.1", userAgent: "Browser", requestId: "r1" };
    expect(said).toEqual([
      { ...common, type: "api_key.created", payload: { keyId } },
      { ...common, type: "api_key.updated", payload: { keyId, fields: ["name", "limits"] } },
      { ...common, type: "api_key.rotated", payload: { keyId: newId, rotatedFrom: keyId } },
      { ...common, type: "api_key.revoked", payload: { keyId } },
    ]);
    expect((await here.audit()).map(({ type }) => type)).toEqual(said.map(({ type }) => type));
    const commits = here.recorder.calls.filter(({ writes }) => writes.includes("audit.insert"));
    expect(commits.map(({ writes }) => writes.filter((kind) => kind.startsWith("api_key")))).toEqual([
      ["api_key.insert"],
      ["api_key.update"],
      ["api_key.update", "api_key.insert"],
      ["api_key.delete"],
    ]);
    expect(commits.map(({ writes }) => writes[0])).toEqual(commits.map(() => "user.require"));
  });

  test("an update changes what is given, and what is the same is not written", async () => {
    const here = await apiKeyWorld({ stores: await open() });
    const ana = here.principal();
    const wanted = {
      permissions: ["invoice:read"],
      limits: { perDay: 9 },
      allowedIps: ["10.0.0.1"],
      expiresAt: later(here, 60),
    };
    const { key: _, ...info } = await here.key(wanted);
    here.clock.advance(1);
    here.recorder.calls.length = 0;
    expect(await here.keys.update(ana, info.id, { ...wanted, name: " CI " })).toEqual(info);
    expect(await here.keys.update(ana, info.id, {})).toEqual(info);
    expect(here.recorder.trace()).toEqual(["directory.apiKey", "directory.apiKey"]);
    const changed = await here.keys.update(ana, info.id, { expiresAt: null });
    expect(changed).toEqual({ ...info, expiresAt: null, version: 2, updatedAt: here.clock.now() });
    expect(await here.keys.get(ana, info.id)).toEqual(changed);
  });

  test("another user's key reads as absent, and nothing is done to it", async () => {
    const here = await apiKeyWorld({ stores: await open() });
    const { key: _, ...info } = await here.key();
    const eve = here.principal(await here.plant({ isSuperuser: true }));
    here.events.length = 0;
    for (const keyId of [info.id, nobodys, "", "x".repeat(10_000)]) {
      for (const call of [
        here.keys.get(eve, keyId),
        here.keys.update(eve, keyId, { name: "mine" }),
        here.keys.revoke(eve, keyId),
        here.keys.rotate(eve, keyId),
        here.keys.usage(eve, keyId),
      ])
        await expect(call).rejects.toMatchObject({ code: "not_found" });
    }
    expect(await here.keys.list(eve)).toEqual([]);
    expect(await here.keys.list(here.principal())).toEqual([info]);
    expect(here.events).toEqual([]);
  });

  test("a rotated key goes on for the overlap, beside the new one", async () => {
    const here = await apiKeyWorld({ stores: await open() });
    const ana = here.principal();
    const old = await here.key({ permissions: ["invoice:read"], limits: { perDay: 5 } });
    here.clock.advance(5);
    const made = await here.keys.rotate(ana, old.id, { overlapSeconds: 60 });
    expect(made).toMatchObject({
      ...{ name: "CI", permissions: ["invoice:read"], limits: { perMinute: null, perDay: 5 } },
      ...{ expiresAt: null, rotatedFrom: old.id, createdAt: here.clock.now(), lastUsedAt: null },
    });
    expect([made.key === old.key, made.id === old.id]).toEqual([false, false]);
    expect((await here.keys.get(ana, old.id)).expiresAt).toEqual(later(here, 60));
    const status = async (key: string): Promise<number> =>
      (await here.browser().get("/api/v1/users/me", { headers: { "X-API-Key": key } })).status;
    expect([await status(old.key), await status(made.key)]).toEqual([200, 200]);
    here.clock.advance(60);
    expect([await status(old.key), await status(made.key)]).toEqual([401, 200]);
  });

  test("of concurrent rotations of one key one succeeds", async () => {
    const here = await apiKeyWorld({ stores: await open() });
    const { id } = await here.key();
    const all = await Promise.allSettled(
      Array.from({ length: 5 }, () => here.keys.rotate(here.principal(), id)),
    );
    const errors = all.flatMap((each) => (each.status === "rejected" ? [each.reason.code] : []));
    expect(errors).toEqual(["conflict", "conflict", "conflict", "conflict"]);
    expect(await here.keys.list(here.principal())).toHaveLength(2);
  });

  test("a user has a hundred keys at most, however many race", async () => {
    const here = await apiKeyWorld({ stores: await open() });
    for (let index = 0; index < 98; index++)
      await here.write({ kind: "api_key.insert", key: here.make.apiKey(here.ana) });
    const all = await Promise.allSettled(Array.from({ length: 4 }, () => here.key()));
    expect(all.map(({ status }) => status).sort()).toEqual([
      "fulfilled",
      "fulfilled",
      "rejected",
      "rejected",
    ]);
    expect(await here.keys.list(here.principal())).toHaveLength(100);
    await expect(here.key()).rejects.toMatchObject({ code: "conflict" });
  });

  test("expired keys make room for new ones, the first expired first", async () => {
    const here = await apiKeyWorld({ stores: await open() });
    for (let index = 0; index < 98; index++)
      await here.write({ kind: "api_key.insert", key: here.make.apiKey(here.ana) });
    const first = await here.key({ expiresAt: later(here, 10) });
    here.clock.advance(1);
    const second = await here.key({ expiresAt: later(here, 19) });
    await expect(here.key()).rejects.toMatchObject({ code: "conflict" });
    here.clock.advance(20);
    const ids = async () => new Set((await here.keys.list(here.principal())).map(({ id }) => id));
    const third = await here.key();
    const now = await ids();
    expect([now.size, now.has(first.id), now.has(second.id), now.has(third.id)]).toEqual([
      100,
      false,
      true,
      true,
    ]);
  });

  test("a key that is made while its owner is locked out is not made", async () => {
    const here = await apiKeyWorld({ stores: await open() });
    const before = here.principal();
    await here.auth.sessions.revokeAll(here.ana.id);
    await expect(here.keys.create(before, { name: "late" })).rejects.toMatchObject({ code: "conflict" });
    const { id } = await here.keys.create(here.principal(await here.user(here.ana.id)), { name: "x" });
    await here.auth.sessions.revokeAll(here.ana.id);
    const stale = here.principal(await here.user(here.ana.id).then((user) => ({ ...user, generation: 1 })));
    await expect(here.keys.update(stale, id, { name: "y" })).rejects.toMatchObject({ code: "conflict" });
    await expect(here.keys.rotate(stale, id)).rejects.toMatchObject({ code: "conflict" });
    await expect(here.keys.revoke(stale, id)).rejects.toMatchObject({ code: "conflict" });
  });
});

describe("an API key", () => {
  test.each<[string, Partial<NewApiKey>, string]>([
    [
      "a permission that its owner does not have",
      { permissions: ["invoice:read", "user:read", "user:write"] },
      "permissions",
    ],
    ["an empty permission", { permissions: [""] }, "permissions"],
    ["no name", { name: " \t " }, "name"],
    ["a long name", { name: "x".repeat(101) }, "name"],
    ["a name with a control character", { name: "a\u0007b" }, "name"],
    ["a limit of nothing", { limits: { perDay: 0 } }, "usage_limits"],
    ["half a use", { limits: { perMinute: 1.5 } }, "usage_limits"],
    ["more uses than there are", { limits: { perMinute: 1e12 } }, "usage_limits"],
    ["no network", { allowedIps: ["10.0.0.0/"] }, "ip_allow"],
    ["many networks", { allowedIps: Array.from({ length: 51 }, (_, n) => `10.0.0.${n}`) }, "ip_allow"],
    ["an end in the past", { expiresAt: new Date("2026-01-01T00:00:00Z") }, "expires_at"],
    ["an end at no time", { expiresAt: new Date(Number.NaN) }, "expires_at"],
    ["an end after all dates", { expiresAt: new Date(8.64e15) }, "expires_at"],
  ])("with %s is not made, and none is changed into one", async (_, wanted, field) => {
    const here = await apiKeyWorld();
    const { id } = await here.key();
    const refused = { code: "invalid_input", fields: [{ field }] };
    await expect(here.key(wanted)).rejects.toMatchObject(refused);
    await expect(here.keys.update(here.principal(), id, wanted)).rejects.toMatchObject(refused);
    expect(await here.keys.list(here.principal())).toHaveLength(1);
    expect((await here.keys.get(here.principal(), id)).version).toBe(1);
  });

  test("that is wrong in every field is told so at once", async () => {
    const here = await apiKeyWorld();
    const wanted = { name: "", permissions: ["x"], limits: { perDay: -1 }, allowedIps: ["x"] };
    const past = here.clock.now();
    const error = await here.key({ ...wanted, expiresAt: past }).catch((thrown) => thrown);
    const fields = error.fields.map(({ field }: { readonly field: string }) => field);
    expect(fields).toEqual(["name", "permissions", "usage_limits", "ip_allow", "expires_at"]);
  });

  test("of a superuser may do anything that has a name", async () => {
    const here = await apiKeyWorld();
    const root = here.principal(await here.plant({ isSuperuser: true }));
    const { permissions } = await here.keys.create(root, { name: "x", permissions: ["any:thing"] });
    expect(permissions).toEqual(["any:thing"]);
    const tooMany = Array.from({ length: 201 }, (_, n) => `invoice:${n}`);
    for (const wrong of [["a\nb"], ["x".repeat(129)], tooMany]) {
      const refused = here.keys.create(root, { name: "x", permissions: wrong });
      await expect(refused).rejects.toMatchObject({ fields: [{ field: "permissions" }] });
    }
  });

  test("is judged by what its owner may as of now, not as of the request", async () => {
    const here = await apiKeyWorld();
    const before = here.principal();
    const changes = { permissions: [] };
    await here.write({ kind: "user.update", userId: here.ana.id, version: 1, changes });
    const refused = here.keys.create(before, { name: "x", permissions: ["invoice:read"] });
    await expect(refused).rejects.toMatchObject({ code: "invalid_input" });
  });

  test("is judged by what the database says, past any cache", async () => {
    const { calls, wrap } = notingReads("user");
    const here = await apiKeyWorld({ wrap });
    await here.key();
    expect(calls).toEqual([true]);
  });

  test("is made by nobody but a person, with the whole of their rights", async () => {
    const here = await apiKeyWorld();
    const { id } = await here.key();
    const scoped = { ...here.principal(), scopes: here.ana.permissions };
    for (const [principal, code] of [
      [anonymous, "not_authenticated"],
      [scoped, "forbidden"],
    ] as const) {
      for (const call of [
        () => here.keys.create(principal, { name: "x" }),
        () => here.keys.list(principal),
        () => here.keys.get(principal, id),
        () => here.keys.update(principal, id, { name: "x" }),
        () => here.keys.revoke(principal, id),
        () => here.keys.rotate(principal, id),
        () => here.keys.usage(principal, id),
      ])
        await expect(call()).rejects.toMatchObject({ code });
    }
    expect(await here.keys.list(here.principal())).toHaveLength(1);
  });

  test.each([
    ["a ticket, though its session is a person's", ticketPrincipal],
    [
      "a ticket of a session that its cookie holds",
      () => ticketPrincipal({ session: { mode: "stateless" } }),
    ],
    ["a token of another program", foreignPrincipal],
  ])("is not left behind by %s", async (_name, arrive) => {
    const { here, principal } = await arrive();
    expect(principal).toMatchObject({ isAuthenticated: true, scopes: null, user: { id: here.ana.id } });
    const { id } = await here.key();
    for (const call of [
      () => here.keys.create(principal, { name: "x" }),
      () => here.keys.rotate(principal, id),
      () => here.keys.update(principal, id, { allowedIps: [] }),
      () => here.keys.revoke(principal, id),
    ])
      await expect(call()).rejects.toMatchObject({ code: "forbidden", message: "This needs a session." });
    expect((await here.keys.list(here.principal())).map((each) => each.id)).toEqual([id]);
  });

  test("that somebody else changed in the meantime is not overwritten", async () => {
    const here = await apiKeyWorld();
    const { id } = await here.key();
    const change = {
      kind: "api_key.update",
      keyId: id,
      userId: here.ana.id,
      version: 1,
      changes: {},
    } as const;
    here.recorder.before = ({ writes }) => (writes.includes("api_key.update") ? here.write(change) : null);
    const late = here.keys.update(here.principal(), id, { name: "late" });
    await expect(late).rejects.toMatchObject({ code: "conflict" });
    expect((await here.keys.get(here.principal(), id)).name).toBe("CI");
  });

  test("that somebody else revoked in the meantime is not found", async () => {
    const here = await apiKeyWorld();
    const { id } = await here.key();
    const revoked = await Promise.allSettled([1, 2, 3].map(() => here.keys.revoke(here.principal(), id)));
    const codes = revoked.map((each) => (each.status === "rejected" ? each.reason.code : "revoked"));
    expect(codes.sort()).toEqual(["not_found", "not_found", "revoked"]);
    expect(here.heard("api_key.revoked")).toHaveLength(1);
  });

  test("is not made beside a change of the account without seeing it: it is tried again", async () => {
    const here = await apiKeyWorld();
    let changed = false;
    here.recorder.before = ({ writes }) => {
      if (changed || !writes.includes("api_key.insert")) return null;
      changed = true;
      return here.write({ kind: "user.update", userId: here.ana.id, version: 1, changes: { name: "Ana" } });
    };
    await here.key();
    expect(await here.user(here.ana.id)).toMatchObject({ name: "Ana", version: 3 });
  });

  test("is all there or not at all, wherever a transaction breaks", async () => {
    let beforeWrite = -1;
    const here = await apiKeyWorld({
      wrap: (stores) =>
        faulty(stores, ({ method, writes }) =>
          method === "commit" && writes.some(({ kind }) => kind === "api_key.insert") && beforeWrite >= 0
            ? { beforeWrite }
            : null,
        ),
    });
    const old = await here.key();
    for (beforeWrite = 0; beforeWrite < 5; beforeWrite++) {
      const refused = here.keys.rotate(here.principal(), old.id);
      await expect(refused).rejects.toMatchObject({ code: "store_unavailable" });
    }
    const { key: _, ...info } = old;
    expect(await here.keys.list(here.principal())).toEqual([info]);
    expect((await here.user(here.ana.id)).version).toBe(2);
    expect(here.heard("api_key.rotated")).toEqual([]);
  });
});

describe("a rotation", () => {
  test.each([-1, 604_801, 0.5, Number.NaN])(
    "with an overlap of %d seconds is refused",
    async (overlapSeconds) => {
      const here = await apiKeyWorld();
      const { id } = await here.key();
      const refused = here.keys.rotate(here.principal(), id, { overlapSeconds });
      await expect(refused).rejects.toMatchObject({
        code: "invalid_input",
        fields: [{ field: "overlap_seconds" }],
      });
    },
  );

  test.each([
    [undefined, 86_400],
    [0, 0],
    [604_800, 604_800],
  ])("with an overlap of %s lets the old key live for %d seconds", async (overlapSeconds, seconds) => {
    const here = await apiKeyWorld();
    const { id } = await here.key();
    await here.keys.rotate(here.principal(), id, { overlapSeconds });
    expect((await here.keys.get(here.principal(), id)).expiresAt).toEqual(later(here, seconds));
  });

  test("never lets a key live longer than it would have", async () => {
    const here = await apiKeyWorld();
    const expiresAt = later(here, 60);
    const { id } = await here.key({ expiresAt });
    const made = await here.keys.rotate(here.principal(), id);
    expect([made.expiresAt, (await here.keys.get(here.principal(), id)).expiresAt]).toEqual([
      expiresAt,
      expiresAt,
    ]);
  });

  test("gives the new key the expiry that is asked for", async () => {
    const here = await apiKeyWorld();
    const { id } = await here.key({ expiresAt: later(here, 60) });
    const { id: second, expiresAt } = await here.keys.rotate(here.principal(), id, {
      expiresAt: later(here, 99),
    });
    expect(expiresAt).toEqual(later(here, 99));
    const { expiresAt: none } = await here.keys.rotate(here.principal(), second, { expiresAt: null });
    expect(none).toBeNull();
    const past = here.keys.rotate(here.principal(), second, { expiresAt: here.clock.now() });
    await expect(past).rejects.toMatchObject({ code: expect.stringMatching(/conflict|invalid_input/) });
  });

  test("of a key that expired, or was rotated before, is refused", async () => {
    const here = await apiKeyWorld();
    const first = await here.key({ expiresAt: later(here, 10) });
    const second = await here.key();
    const third = await here.keys.rotate(here.principal(), second.id);
    here.clock.advance(10);
    for (const { id } of [first, second])
      await expect(here.keys.rotate(here.principal(), id)).rejects.toMatchObject({ code: "conflict" });
    // Once the new one is gone the old one, while it lives, may have another.
    await here.keys.revoke(here.principal(), third.id);
    expect(await here.keys.rotate(here.principal(), second.id)).toMatchObject({ rotatedFrom: second.id });
  });
});

test("deleting an account ends its keys at once, erasing it takes them away", async () => {
  const here = await apiKeyWorld();
  const browser = await here.registered("bea@example.com");
  const { body } = await browser.post("/api/v1/api-keys/", { name: "CI" });
  const used = async () =>
    (await here.browser().get("/api/v1/users/me", { headers: { "X-API-Key": String(body.key) } })).status;
  expect(await used()).toBe(200);
  expect((await browser.delete("/api/v1/users/me")).status).toBe(204);
  expect(await used()).toBe(401);
  await here.write({ kind: "user.erase", userId: browser.userId, requires: "any" });
  expect(await here.services.stores.directory.apiKey(String(body.id), here.call())).toBeNull();
});

test("a key outlives a change of its owner's password and a sign-out everywhere", async () => {
  const here = await apiKeyWorld();
  const { key } = await here.key();
  await here.auth.sessions.revokeAll(here.ana.id);
  const { status } = await here.browser().get("/api/v1/users/me", { headers: { "X-API-Key": key } });
  expect(status).toBe(200);
});
