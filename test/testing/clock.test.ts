import { describe, expect, it } from "vitest";
import { fixtures, testClock, testRandom } from "../../src/testing/testing.ts";

describe("the test clock", () => {
  it("stands still until it is moved", () => {
    const clock = testClock(new Date(1_000));
    expect(clock.now()).toEqual(new Date(1_000));
    clock.advance(1.5);
    expect(clock.now()).toEqual(new Date(2_500));
  });

  it("hands out dates of their own", () => {
    const clock = testClock(new Date(1_000));
    clock.now().setTime(0);
    expect(clock.now()).toEqual(new Date(1_000));
  });

  it("sleeps in no time, notes it and stays where it is", async () => {
    const clock = testClock(new Date(1_000));
    await clock.sleep(60_000);
    await clock.sleep(5);
    expect(clock.sleeps).toEqual([60_000, 5]);
    expect(clock.now()).toEqual(new Date(1_000));
  });
});

describe("test randomness", () => {
  it("is the same in every run, and another for another seed", () => {
    const drawn = (seed?: string): readonly string[] => {
      const random = testRandom(seed);
      return [3, 32, 33].map((length) => Buffer.from(random.bytes(length)).toString("hex"));
    };
    expect(drawn()).toEqual(drawn());
    expect(drawn()).not.toEqual(drawn("other"));
    expect(drawn().map((hex) => hex.length)).toEqual([6, 64, 66]);
    expect(new Set(drawn().map((hex) => hex.slice(0, 6))).size).toBe(3);
  });
});

describe("fixtures", () => {
  it("are alike in every run and differ from each other", () => {
    const made = () => {
      const make = fixtures(testClock());
      const user = make.user();
      return [
        user,
        make.user(),
        make.session(user),
        make.session(null),
        make.password(user),
        make.auditRow(),
      ];
    };
    expect(made()).toEqual(made());
    expect(new Set(made().map(({ id }) => id)).size).toBe(6);
  });

  it("follow what is overridden", () => {
    const make = fixtures(testClock());
    const user = make.user({ email: "Ana@Example.com", generation: 4 });
    expect(user.emailKey).toBe("ana@example.com");
    expect(make.session(user)).toMatchObject({ userId: user.id, generation: 4, amr: ["pwd"] });
    expect(make.session(user).id.startsWith(user.slotTag)).toBe(true);
    expect(make.session(null)).toMatchObject({ userId: null, generation: 0, authTime: null });
  });
});
