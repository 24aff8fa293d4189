import { expect, test } from "vitest";
import { kept } from "../../src/domain/kept.ts";
import type { Feature } from "../../src/features/feature.ts";
import { bareRequest } from "../support/browser.ts";
import { world } from "../support/world.ts";

test("work is done once, also for those who ask while it is under way", async () => {
  let times = 0;
  const load = kept(async () => ++times);
  expect(await Promise.all([load(), load()])).toEqual([1, 1]);
  expect(await load()).toBe(1);
});

test("a failure is told to everybody who waited for it, and not kept", async () => {
  let times = 0;
  const load = kept(async () => {
    times++;
    if (times === 1) throw new Error("busy");
    return times;
  });
  const both = await Promise.allSettled([load(), load()]);
  expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(await load()).toBe(2);
});

test("routes that could not be loaded once are there at the next request", async () => {
  let times = 0;
  const flaky: Feature<null> = {
    name: "flaky",
    install: () => ({
      api: null,
      async routes() {
        times++;
        if (times === 1) throw new Error("EMFILE: too many open files");
        return [];
      },
    }),
  };
  const { auth } = world({ features: [flaky] });
  const ask = () => auth.handle(bareRequest({ url: "/healthz" }), { ip: null });
  await expect(ask()).rejects.toThrow("EMFILE");
  expect((await ask())?.status).toBe(200);
  await auth.warmUp();
  expect(times).toBe(2);
});
