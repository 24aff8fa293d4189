import { describe, expect, test } from "vitest";
import type { AuditRow } from "../../src/domain/audit.ts";
import { createBackground } from "../../src/services/background.ts";
import { createEvents, type EventsDependencies } from "../../src/services/events.ts";
import { testClock } from "../../src/testing/clock.ts";
import { testRandom } from "../../src/testing/random.ts";
import { logLines } from "../support/log-lines.ts";
import { until } from "../support/until.ts";

describe("reported events", () => {
  function events(write: EventsDependencies["write"]) {
    const heard: string[] = [];
    const log = logLines();
    const background = createBackground({ log, writeTouches: async () => {} });
    const made = createEvents({
      clock: testClock(),
      random: testRandom(),
      log,
      listeners: () => [({ type }) => heard.push(type)],
      inBackground: (task) => background.run("write", task),
      write,
    });
    const report = (ip: string | null = null) =>
      made.report(
        {
          type: "csrf.refused",
          userId: null,
          sessionId: null,
          payload: { method: "POST", path: "/", stage: "origin" },
        },
        { ip, userAgent: null, requestId: null },
      );
    return { report, heard, log };
  }

  test("are heard at once and written in one batch when the turn ends", async () => {
    const batches: (readonly AuditRow[])[] = [];
    const { report, heard } = events(async (rows) => batches.push(rows));
    report();
    report();
    expect([heard.length, batches.length]).toEqual([2, 0]);
    await until(() => batches.length > 0);
    expect(batches.map((rows) => rows.length)).toEqual([2]);
    report();
    await until(() => batches.length > 1);
    expect(new Set(batches.flat().map(({ id }) => id)).size).toBe(3);
  });

  test("are kept up to a thousand: a flood reaches the listeners, and the log says what was dropped", async () => {
    const batches: (readonly AuditRow[])[] = [];
    const { report, heard, log } = events(async (rows) => batches.push(rows));
    for (let i = 0; i < 1_003; i++) report(`198.51.${i >> 8}.${i & 255}`);
    await until(() => batches.length > 0);
    expect([heard.length, batches[0]?.length]).toEqual([1_003, 1_000]);
    expect(log.lines).toEqual(['audit rows of refusals were dropped {"dropped":3}']);
    report();
    await until(() => batches.length > 1);
    expect(log.lines).toHaveLength(1);
  });
});
