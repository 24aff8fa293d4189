import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { canRunTwo, twoServers } from "../server/support/two-servers.ts";
import { openChromium, person } from "./chromium.ts";
import { wholeJourney } from "./whole-journey.ts";

const chromiumPath = inject("chromiumPath");
const canRun = canRunTwo && chromiumPath !== null;

describe.skipIf(!canRun)("in a browser, before two servers that take turns", () => {
  let browser: Awaited<ReturnType<typeof openChromium>>;

  beforeAll(async () => {
    browser = await openChromium(chromiumPath);
  });
  afterAll(() => browser?.close());

  test("somebody registers, looks after the account and signs out", { timeout: 60_000 }, async () => {
    const { proxy } = await twoServers();
    await wholeJourney(proxy.origin, async () => {
      const someone = await person(browser, proxy);
      onTestFinished(() => someone.context.close());
      return someone;
    });
    // Neither has done it alone.
    for (const count of proxy.answered.values()) expect(count).toBeGreaterThan(10);
    expect(proxy.answered.size).toBe(2);
  });
});
