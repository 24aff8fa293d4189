import { describe, expect, test } from "vitest";
import { faulty } from "../../src/testing/faulty.ts";
import { world } from "../support/world.ts";

describe("/healthz", () => {
  test("asks no store, whatever proof is sent along", async () => {
    const here = world();
    const ana = await here.registered();
    await here.settle();
    here.recorder.calls.length = 0;
    expect((await ana.get("/healthz")).status).toBe(200);
    const headers = { Authorization: "Bearer nonsense", "X-API-Key": "nonsense" };
    expect((await ana.get("/healthz", { headers })).status).toBe(200);
    expect(here.recorder.trace()).toEqual([]);
  });

  test("answers while every store hangs", async () => {
    const before = world();
    const ana = await before.registered();
    const here = before.again({ wrap: (inner) => faulty(inner, () => "hang"), storeTimeoutMs: 50 });
    const browser = here.browser();
    for (const [name, value] of ana.jar) browser.jar.set(name, value);
    expect((await browser.get("/api/v1/users/me")).status).toBe(503);
    expect((await browser.get("/healthz")).status).toBe(200);
  });
});

describe("/readyz", () => {
  test("answers 503 in bounded time where a store hangs", async () => {
    const here = world({ wrap: (inner) => faulty(inner, () => "hang"), storeTimeoutMs: 50 });
    const startedAt = performance.now();
    const answer = await here.browser().get("/readyz");
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  test("any number of requests at once asks each store once", async () => {
    const here = world();
    here.recorder.calls.length = 0;
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    here.recorder.before = () => gate;
    const all = Array.from({ length: 200 }, () => here.browser().get("/readyz"));
    setImmediate(open);
    expect(new Set((await Promise.all(all)).map(({ status }) => status))).toEqual(new Set([200]));
    expect(here.recorder.trace().toSorted()).toEqual(["directory.ping", "ephemeral.ping", "sessions.ping"]);
    // The next one looks again.
    await here.browser().get("/readyz");
    expect(here.recorder.trace()).toHaveLength(6);
  });
});
