import { describe, expect, test } from "vitest";
import { apiKeys } from "../../src/features/api-keys.ts";
import { exportedEvents } from "../../src/flows/account/export-account.ts";
import { backends } from "../support/backends.ts";
import { password, world } from "../support/world.ts";

const path = "/api/v1/users/me/export";

describe.each(backends)("the export of one's own data, on $backend", ({ open }) => {
  test("has the account, what belongs to it and what happened, and no secret", async () => {
    const here = world({ stores: await open(), features: [apiKeys()] });
    const ana = await here.registered();
    const other = await here.registered("other@example.com");
    await ana.patch("/api/v1/users/me", { name: "Ana" });
    const made = await ana.post("/api/v1/api-keys", { name: "of hers" });
    const { status, body, text, headers } = await ana.get(path);
    expect({ status, cache: headers.get("cache-control") }).toEqual({ status: 200, cache: "no-store" });
    expect(body).toMatchObject({
      format: "latchkey.account.v1",
      exported_at: here.clock.now().toISOString(),
      account: {
        ...{ id: ana.userId, email: "ana@example.com", name: "Ana", status: "active", data: {} },
        password_changed_at: here.clock.now().toISOString(),
      },
      sessions: [{ current: true, ip: "192.0.2.10", user_agent: "ExampleBrowser/1.0" }],
      api_keys: [{ name: "of hers" }],
      linked_accounts: [],
      next_cursor: null,
    });
    const events = body.events as { type: string; user_id: string }[];
    expect(events.map(({ type }) => type)).toEqual([
      "api_key.created",
      "user.updated",
      "session.started",
      "user.registered",
    ]);
    const { encoded } = await here.credential(ana.userId);
    for (const secret of [encoded, String(made.body.key), String(made.body.key).slice(-49), other.userId])
      expect(text).not.toContain(secret);
    expect(text.toLowerCase()).not.toMatch(/digest|salt/);
    const visit = { request: ana.request("GET", path), client: { ip: null } };
    const { events: _, ...exported } = await here.auth.users.export(null, visit);
    expect(JSON.stringify(exported)).not.toMatch(/secretDigest|refresh|sealedTokens/);
    expect(here.heard("user.exported")[0]).toMatchObject({ userId: ana.userId });
    const again = (await ana.get(path)).body.events as { type: string }[];
    expect(again[0]?.type).toBe("user.exported");
  });

  test("comes in parts where much happened", async () => {
    const here = world({ stores: await open() });
    const ana = await here.registered();
    const draft = {
      type: "token.issued",
      userId: ana.userId,
      sessionId: null,
      payload: { tokenId: "x" },
    } as const;
    const from = { ip: null, userAgent: null, requestId: null };
    const rows = Array.from({ length: exportedEvents + 20 }, () => ({
      kind: "audit.insert" as const,
      row: here.services.events.row(draft, from),
    }));
    await here.write(...rows);
    const first = (await ana.get(path)).body;
    const second = (await ana.get(`${path}?cursor=${first.next_cursor}`)).body;
    const ids = [first, second].flatMap(({ events }) => (events as { id: string }[]).map(({ id }) => id));
    expect((first.events as unknown[]).length).toBe(exportedEvents);
    expect(new Set(ids).size).toBe(exportedEvents + 22);
    expect(second.next_cursor).toBeNull();
  });
});

describe("the export of one's own data", () => {
  test("needs a fresh sign-in, and is no business of an API key", async () => {
    const here = world({ features: [apiKeys()] });
    const ana = await here.registered();
    const made = await ana.post("/api/v1/api-keys", { name: "of hers" });
    const key = { headers: { "x-api-key": String(made.body.key) } };
    expect((await here.browser().get(path, key)).body.code).toBe("forbidden");
    expect((await here.browser().get(path)).status).toBe(401);
    here.clock.advance(600);
    expect((await ana.get(path)).body.code).toBe("fresh_auth_required");
    expect(here.heard("user.exported")).toEqual([]);
    await ana.post("/api/v1/auth/reauthenticate", { password });
    expect((await ana.get(path)).status).toBe(200);
  });

  test("is had thirty times an hour, and no more", async () => {
    const here = world();
    const ana = await here.registered();
    for (let times = 0; times < 30; times++) expect((await ana.get(path)).status).toBe(200);
    const { body, headers } = await ana.get(path);
    expect(body.code).toBe("rate_limited");
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
  });

  test("is not for a session whose account changed meanwhile", async () => {
    const here = world();
    const ana = await here.registered();
    here.recorder.before = ({ name }) => {
      if (name !== "directory.userWithPassword") return null;
      here.recorder.before = () => null;
      return here.write({ kind: "user.advance", userId: ana.userId, from: 1 });
    };
    expect((await ana.get(path)).body.code).toBe("session_expired");
  });

  test("is described in the OpenAPI document", async () => {
    const { body } = await world().browser().get("/api/v1/openapi.json");
    const schema = JSON.stringify((body.paths as Record<string, unknown>)[path]);
    for (const part of ["latchkey.account.v1", "linked_accounts", "next_cursor"])
      expect(schema).toContain(part);
  });
});
