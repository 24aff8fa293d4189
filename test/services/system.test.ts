import { describe, expect, test } from "vitest";
import { systemClock, systemRandom } from "../../src/services/system.ts";
import { timersOf } from "../../src/services/timers.ts";
import { until } from "../support/until.ts";

describe("the machine's clock and randomness", () => {
  test("are real", async () => {
    const clock = systemClock();
    expect(Math.abs(clock.now().getTime() - Date.now())).toBeLessThan(1_000);
    await clock.sleep(1);
    const [one, two] = [systemRandom().bytes(32), systemRandom().bytes(32)];
    expect(one).toHaveLength(32);
    expect(one).not.toEqual(two);
  });
});

describe("the machine's timers", () => {
  const open = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;

  test("hold the process open where it is asked for, and not otherwise", () => {
    const timers = timersOf();
    const before = open();
    const ends = [timers.after(60_000, () => {}), timers.every(60_000, () => {})];
    expect(open()).toBe(before);
    ends.push(timers.after(60_000, () => {}, { holdsProcess: true }));
    expect(open()).toBe(before + 1);
    for (const end of ends) end();
    expect(open()).toBe(before);
  });

  test("do it once, or again and again, until they are called off", async () => {
    const timers = timersOf();
    const done: string[] = [];
    timers.after(1, () => done.push("once"));
    timers.after(1, () => done.push("never"))();
    const end = timers.every(1, () => done.push("again"));
    await until(() => done.filter((word) => word === "again").length >= 3);
    end();
    const count = done.length;
    await systemClock().sleep(5);
    expect(done).toHaveLength(count);
    expect(done.filter((word) => word === "once")).toHaveLength(1);
    expect(done).not.toContain("never");
  });
});
