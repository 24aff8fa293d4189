import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { timersOf } from "../../src/services/timers.ts";
import { virtualClock } from "../../src/testing/testing.ts";

describe("a virtual clock", () => {
  const start = new Date("2026-01-01T00:00:00Z");
  const setUp = () => {
    const clock = virtualClock();
    const seconds = (): number => (clock.now().getTime() - start.getTime()) / 1000;
    return { clock, seconds };
  };

  test("stands until it is moved, and nothing is done before its time", async () => {
    const { clock, seconds } = setUp();
    const done: number[] = [];
    clock.after(2_000, () => done.push(seconds()));
    await clock.advance(1.999);
    expect(done).toEqual([]);
    await clock.advance(0.001);
    expect(done).toEqual([2]);
    await clock.advance(0);
    expect(seconds()).toBe(2);
  });

  test("does what falls due at its time and in order, also what was asked for on the way", async () => {
    const { clock, seconds } = setUp();
    const done: string[] = [];
    const note = (name: string) => () => done.push(`${name} ${seconds()}`);
    clock.after(3_000, note("late"));
    clock.after(1_000, note("first of two"));
    clock.after(1_000, note("second of two"));
    clock.after(1_500, () => clock.after(1_000, note("added")));
    await clock.advance(10);
    expect(done).toEqual(["first of two 1", "second of two 1", "added 2.5", "late 3"]);
    expect(seconds()).toBe(10);
  });

  test("repeats what is repeated, and not what was called off", async () => {
    const { clock, seconds } = setUp();
    const done: number[] = [];
    const end = timersOf(clock).every(1_000, () => {
      done.push(seconds());
      if (done.length === 3) end();
    });
    timersOf(clock).after(500, () => done.push(-1))();
    await clock.advance(60);
    expect(done).toEqual([1, 2, 3]);
  });

  test("is moved by who sleeps on it, each until their time", async () => {
    const { clock, seconds } = setUp();
    const woken: string[] = [];
    const sleeper = async (ms: number): Promise<void> => {
      await clock.sleep(ms);
      woken.push(`${ms} at ${seconds()}`);
    };
    await Promise.all([sleeper(3_000), sleeper(1_000), sleeper(0), sleeper(2_000)]);
    expect(woken).toEqual(["0 at 0", "1000 at 1", "2000 at 2", "3000 at 3"]);
  });

  test("a sleeper lets what is due before it be done first", async () => {
    const { clock, seconds } = setUp();
    const done: number[] = [];
    clock.after(400, () => done.push(seconds()));
    await clock.sleep(1_000);
    expect([done, seconds()]).toEqual([[0.4], 1]);
  });

  test("a sleeper who is woken moves it no further", async () => {
    const { clock, seconds } = setUp();
    const ending = new AbortController();
    clock.after(1_000, () => ending.abort(new Error("enough")));
    await expect(clock.sleep(60_000, ending.signal)).rejects.toThrow("enough");
    await expect(clock.sleep(60_000, AbortSignal.abort(new Error("before")))).rejects.toThrow("before");
    clock.after(5_000, () => {});
    for (let turn = 0; turn < 50; turn++) await setImmediate();
    expect(seconds()).toBe(1);
  });

  test("does not go back, and waits for what is to settle", async () => {
    await expect(virtualClock().advance(-1)).rejects.toThrow(TypeError);
    let settled = 0;
    const clock = virtualClock(start, async () => void settled++);
    await clock.advance(1);
    expect(settled).toBe(1);
  });
});
