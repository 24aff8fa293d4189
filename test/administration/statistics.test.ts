import { describe, expect, test } from "vitest";
import { backends } from "../support/backends.ts";
import { password } from "../support/world.ts";
import { administered, holding, person, users } from "./staff.ts";

const stats = "/api/v1/stats";

describe.each(backends)("statistics, on $backend", ({ open }) => {
  test("count accounts, sessions, sign-ins and failures by reason", async () => {
    const here = administered({ stores: await open() });
    const boss = await holding(here, "boss", "statistics:read", "user:write");
    await person(here, "ana");
    await here.plant({ username: "bob", email: "bob@example.com" });
    await boss.post(`${users}/bob/disable`);
    await here.browser().post("/api/v1/auth/login", { username: "ana", password: "wrong" });
    await here.browser().post("/api/v1/auth/login", { username: "bob", password });
    const { status, body } = await boss.get(`${stats}/?days=7`);
    expect({ status, ...body }).toMatchObject({
      status: 200,
      users: { active: 2, disabled: 1, deleted: 0, anonymized: 0 },
      api_keys: 0,
      sessions: 2,
      sign_ins: 2,
      sign_in_failures: { credentials: 1, status: 1 },
      events: { "user.disabled": 1 },
      counted_at: here.clock.now().toISOString(),
    });
  });
});

describe("statistics", () => {
  test("are counted once in half a minute, however many ask", async () => {
    const here = administered();
    const boss = await holding(here, "boss", "statistics:read");
    const counts = () =>
      here.recorder.trace().filter((call) => call.startsWith("directory.statistics")).length;
    here.recorder.calls.length = 0;
    await Promise.all(Array.from({ length: 20 }, () => boss.copy().get(stats)));
    here.clock.advance(29.999);
    await boss.get(stats);
    expect(counts()).toBe(1);
    here.clock.advance(0.001);
    await boss.get(stats);
    expect(counts()).toBe(2);
    for (const wrong of ["0", "2", "31", "-1", "1e0", "x"])
      expect((await boss.get(`${stats}?days=${wrong}`)).body.code).toBe("invalid_input");
    expect(counts()).toBe(2);
  });

  test("that could not be counted are counted anew for the next who asks", async () => {
    const here = administered();
    const boss = await holding(here, "boss", "statistics:read");
    here.recorder.before = ({ name }) => {
      if (name === "directory.statistics") throw new Error("down");
      return null;
    };
    expect((await boss.get(stats)).status).toBe(503);
    here.recorder.before = () => null;
    expect((await boss.get(stats)).status).toBe(200);
  });
});
