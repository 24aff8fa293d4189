import { describe, expect, it } from "vitest";
import type { Stores } from "../../src/ports/stores.ts";
import { cached } from "../../src/stores/cached.ts";
import { memory } from "../../src/stores/memory.ts";
import { bareRequest } from "../support/browser.ts";
import { password, world } from "../support/world.ts";
import { bus } from "./cached-bus.ts";

/** A house over cached stores, and what another process does on the same database without telling. */
async function setUp() {
  const base = memory();
  let readings = 0;
  const counted: Stores = {
    ...base,
    sessions: {
      ...base.sessions,
      find(ids, call) {
        readings++;
        return base.sessions.find(ids, call);
      },
    },
  };
  const here = world({ stores: cached(counted, { channel: bus().channel() }) });
  const ana = await here.registered();
  const during = async (work: () => Promise<unknown>): Promise<number> => {
    const before = readings;
    await work();
    return readings - before;
  };
  return { here, base, ana, during };
}

describe("over cached stores", () => {
  it("a request that reads is answered from memory, and one that changes something never is", async () => {
    const { ana, during } = await setUp();
    await ana.get("/api/v1/users/me");
    expect(await during(() => ana.get("/api/v1/users/me"))).toBe(0);
    expect(await during(() => ana.patch("/api/v1/users/me", { name: "Ana" }))).toBeGreaterThan(0);
    expect(await during(() => ana.post("/api/v1/auth/reauthenticate", { password }))).toBeGreaterThan(0);
  });

  it("a session that another process ended changes nothing any more, told or not", async () => {
    const { ana, base, here } = await setUp();
    await ana.get("/api/v1/users/me");
    const user = await here.user(ana.userId);
    await base.directory.commit([{ kind: "user.advance", userId: user.id, from: 1 }], here.call());
    expect((await ana.copy().get("/api/v1/users/me")).status).toBe(200);
    expect((await ana.copy().patch("/api/v1/users/me", { name: "Thief" })).status).toBe(401);
    // What a write has found out, a reading knows as well.
    expect((await ana.copy().get("/api/v1/users/me")).status).toBe(401);
  });

  it("an application's own checks read past the cache for the same methods", async () => {
    const { ana, here, during } = await setUp();
    const cookie = [...ana.jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const request = (method: string) => bareRequest({ method, headers: { cookie } });
    const client = { ip: null };
    for (const ask of [here.auth.check, here.auth.authenticate]) {
      await ask(request("GET"), client);
      for (const method of ["GET", "HEAD"])
        expect(await during(() => ask(request(method), client)), method).toBe(0);
      for (const method of ["POST", "DELETE", "PROPFIND"])
        expect(await during(() => ask(request(method), client)), method).toBe(1);
    }
  });

  it("a flow that an application calls in a GET reads past it as well", async () => {
    const { ana, here, during } = await setUp();
    const cookie = [...ana.jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const visit = { request: bareRequest({ headers: { cookie } }), client: { ip: null } };
    await here.auth.check(visit.request, visit.client);
    expect(await during(() => here.auth.sessions.csrfToken(visit))).toBe(1);
  });
});
