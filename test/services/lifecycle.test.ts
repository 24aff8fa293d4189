import { expect, onTestFinished, test } from "vitest";
import { createBackground } from "../../src/services/background.ts";
import { sweepRegularly } from "../../src/services/lifecycle.ts";
import { timersOf } from "../../src/services/timers.ts";
import { gate } from "../support/gate.ts";
import { until } from "../support/until.ts";

function sweeping(sweep: () => Promise<unknown>, sweepIntervalSeconds = 0.002) {
  const log = { error: () => {}, warn: () => {} };
  const background = createBackground({ log, writeTouches: async () => {} });
  const config = { session: { sweepIntervalSeconds } };
  const stop = sweepRegularly({ config, background, timers: timersOf() }, sweep);
  onTestFinished(() => stop?.());
  return stop;
}

test("a sweep that takes longer than the interval is not joined by another", async () => {
  const held = gate();
  let [begun, turns] = [0, 0];
  sweeping(() => {
    begun++;
    return held.pass();
  });
  await held.reached;
  const ticks = setInterval(() => turns++, 2);
  onTestFinished(() => clearInterval(ticks));
  await until(() => turns >= 20);
  expect(begun).toBe(1);
  held.open();
  await until(() => begun > 1);
});

test("a sweep that fails is not the last", async () => {
  for (const fail of [
    () => Promise.reject(new Error("down")),
    () => {
      throw new Error("down");
    },
  ]) {
    let times = 0;
    sweeping(() => {
      times++;
      return fail();
    });
    await until(() => times >= 2);
  }
});

test("at an interval of 0 nothing sweeps by itself", () => {
  expect(sweeping(async () => {}, 0)).toBeNull();
});
