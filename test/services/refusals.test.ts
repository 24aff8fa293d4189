import { describe, expect, test } from "vitest";
import type { AuditRow } from "../../src/domain/audit.ts";
import type { AuthEvent, RefusalType } from "../../src/domain/event.ts";
import { createBackground } from "../../src/services/background.ts";
import { createEvents, type EventsDependencies } from "../../src/services/events.ts";
import { refusalBudget } from "../../src/services/refusal-budget.ts";
import { testClock } from "../../src/testing/clock.ts";
import { testRandom } from "../../src/testing/random.ts";
import { bareRequest } from "../support/browser.ts";
import { gate } from "../support/gate.ts";
import { until } from "../support/until.ts";
import { world } from "../support/world.ts";

const ip = "198.51.100.7";

/** What a client gets for `count` refusals: the rows' words on those before them, null for no row. */
function spend(
  budget: ReturnType<typeof refusalBudget>,
  count: number,
  client = ip,
  type: RefusalType = "csrf.refused",
) {
  return Array.from({ length: count }, () => budget.take(type, client));
}

describe("the budget of refusals", () => {
  test("is 20 rows a minute, and the next row says how many went without", () => {
    const clock = testClock();
    const budget = refusalBudget(clock);
    expect(spend(budget, 25)).toEqual([...Array(20).fill(0), ...Array(5).fill(null)]);
    clock.advance(59.9);
    expect(spend(budget, 1)).toEqual([null]);
    clock.advance(0.1);
    expect(spend(budget, 2)).toEqual([6, 0]);
  });

  test("is each client's own, and each type's", () => {
    const budget = refusalBudget(testClock());
    spend(budget, 30);
    expect(spend(budget, 1)).toEqual([null]);
    expect(spend(budget, 1, "203.0.113.9")).toEqual([0]);
    expect(spend(budget, 1, ip, "rate_limit.hit")).toEqual([0]);
  });

  test("begins anew where the clock was set back", () => {
    const clock = testClock();
    const budget = refusalBudget(clock);
    spend(budget, 21);
    clock.advance(-86_400);
    expect(spend(budget, 1)).toEqual([1]);
  });

  test("remembers 10,000 clients, and forgets the one that began longest ago", () => {
    const clock = testClock();
    const budget = refusalBudget(clock);
    spend(budget, 30, "first");
    spend(budget, 30, "second");
    clock.advance(60);
    spend(budget, 30, "first");
    for (let i = 0; i < 9_999; i++) budget.take("csrf.refused", `other ${i}`);
    expect(budget.take("csrf.refused", "first")).toBeNull();
    expect(budget.take("csrf.refused", "second")).toBe(0);
  });
});

describe("refusals of one client", () => {
  test("are all heard, and written up to the budget; the next row carries what was suppressed", async () => {
    const here = world();
    const refused = (address: string) => {
      const headers = { origin: "https://evil.example" };
      return here.auth.handle(bareRequest({ method: "POST", url: "/api/v1/auth/login", headers }), {
        ip: address,
      });
    };
    for (let i = 0; i < 50; i++) await refused(ip);
    expect(here.heard("csrf.refused")).toHaveLength(50);
    expect(await here.audit("csrf.refused")).toHaveLength(20);
    await refused("203.0.113.9");
    here.clock.advance(60);
    await refused(ip);
    const rows = (await here.audit("csrf.refused")).map(({ payload }) => JSON.parse(payload).suppressed);
    expect(rows).toEqual([...Array(21).fill(0), 30]);
    expect(here.heard("csrf.refused").at(-1)?.payload).toMatchObject({ stage: "origin", suppressed: 30 });
  });

  test("are those of a /64, and of an IPv4 address in every spelling", async () => {
    const here = world();
    for (let i = 0; i < 15; i++) {
      for (const address of [`2001:db8:1:2::${i}`, "192.0.2.7", "::ffff:c000:207"]) {
        const headers = { origin: "https://evil.example" };
        await here.auth.handle(bareRequest({ method: "POST", url: "/api/v1/auth/login", headers }), {
          ip: address,
        });
      }
    }
    const rows = await here.audit("csrf.refused");
    expect(rows).toHaveLength(15 + 20);
  });
});

describe("rows of refusals on their way to a directory", () => {
  function reporting(write: EventsDependencies["write"]) {
    const heard: AuthEvent[] = [];
    const lines: string[] = [];
    const log = {
      error: (message: string) => void lines.push(message),
      warn: (message: string, fields = {}) => void lines.push(`${message} ${JSON.stringify(fields)}`),
    };
    const background = createBackground({ log, writeTouches: async () => {} });
    const clock = testClock();
    const events = createEvents({
      clock,
      random: testRandom(),
      log,
      listeners: () => [(event) => heard.push(event)],
      inBackground: (task) => background.run("write", task),
      write,
    });
    let clients = 0;
    const another = () => {
      clients++;
      return `10.0.${clients >> 8}.${clients & 255}`;
    };
    const report = (client = another()) => {
      const from = { ip: client, userAgent: null, requestId: null };
      const payload = { limit: "register", retryAfterSeconds: 1 };
      events.report({ type: "rate_limit.hit", userId: null, sessionId: null, payload }, from);
    };
    return { report, heard, lines, background, clock };
  }

  test("that hangs are handed over one batch at a time, and held up to a thousand", async () => {
    const held = gate();
    const batches: (readonly AuditRow[])[] = [];
    let [underWay, most] = [0, 0];
    const { report, heard, lines, background } = reporting(async (rows) => {
      batches.push(rows);
      most = Math.max(most, ++underWay);
      await held.pass();
      underWay--;
    });
    report();
    await held.reached;
    for (let i = 0; i < 1_500; i++) {
      report();
      // A turn each, as requests have it: a flush at the end of every turn would hand all of them over.
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect([batches.length, heard.length]).toEqual([1, 1_501]);
    held.open();
    await background.drain();
    expect(batches.map((rows) => rows.length)).toEqual([1, 1_000]);
    expect([most, lines]).toEqual([1, ['audit rows of refusals were dropped {"dropped":500}']]);
  });

  test("that fails are lost, and those after them are not", async () => {
    const written: number[] = [];
    const held = gate();
    const { report, lines, background } = reporting(async (rows) => {
      written.push(rows.length);
      if (written.length > 1) return;
      await held.pass();
      throw new Error("down");
    });
    report();
    await held.reached;
    report();
    report();
    held.open();
    await background.drain();
    expect(written).toEqual([1, 2]);
    expect(lines).toEqual(["background work failed"]);
    report();
    await until(() => written.length === 3);
  });

  test("that find no room cost the client nothing: what was suppressed before is told by the next that does", async () => {
    const held = gate();
    const told: number[] = [];
    const { report, background, clock } = reporting(async (rows) => {
      await held.pass();
      told.push(...rows.map(({ payload }) => JSON.parse(payload).suppressed));
    });
    report();
    await held.reached;
    for (let i = 0; i < 25; i++) report(ip);
    for (let i = 0; i < 980; i++) report();
    clock.advance(60);
    report(ip);
    held.open();
    await background.drain();
    expect(told).toEqual(Array(1_001).fill(0));
    report(ip);
    await background.drain();
    expect(told.at(-1)).toBe(5);
  });
});
