import { expect, test } from "vitest";
import { failureFloor } from "../../src/password/failure-floor.ts";

function after(durations: readonly number[], format = "a"): ReturnType<typeof failureFloor> {
  const floor = failureFloor();
  for (const each of durations) floor.record(format, each);
  return floor;
}

test("before anything was measured the floor is what was configured", () => {
  expect(failureFloor().floorMs()).toBe(0);
  expect(failureFloor(250).floorMs()).toBe(250);
});

test("the slowest format sets the floor, and a configured one is its least", () => {
  const floor = failureFloor(50);
  floor.record("fast", 15);
  expect(floor.floorMs()).toBe(50);
  floor.record("slow", 300);
  floor.record("fast", 15);
  expect(floor.floorMs()).toBe(300);
});

test("one outlier is set aside, whenever it came", () => {
  expect(after([15, 16, 9000]).floorMs()).toBe(16);
  expect(after([9000, 15, 16]).floorMs()).toBe(16);
});

test("a fifteenth of slow ones is not set aside", () => {
  expect(after([...Array.from({ length: 58 }, () => 15), 90, 90, 90, 90, 90]).floorMs()).toBe(90);
});

test("only the last 64 count", () => {
  expect(
    after([...Array.from({ length: 10 }, () => 300), ...Array.from({ length: 64 }, () => 15)]).floorMs(),
  ).toBe(15);
  expect(
    after([...Array.from({ length: 10 }, () => 300), ...Array.from({ length: 54 }, () => 15)]).floorMs(),
  ).toBe(300);
});
