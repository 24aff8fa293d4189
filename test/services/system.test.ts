import { describe, expect, test } from "vitest";
import { systemClock, systemRandom } from "../../src/services/system.ts";

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
