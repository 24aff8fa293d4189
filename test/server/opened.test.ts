import { expect, test } from "vitest";
import { nothingOpened } from "../../server/opened.ts";

function three(failing: readonly string[] = []) {
  const [opened, closed] = [nothingOpened(), [] as string[]];
  for (const name of ["front", "stores", "auth"])
    opened.add(async () => {
      await new Promise(setImmediate);
      closed.push(name);
      if (failing.includes(name)) throw new Error(`${name} failed`);
    });
  return { opened, closed };
}

test("what was opened last is closed first, one after the other", async () => {
  const { opened, closed } = three();
  await opened.close();
  expect(closed).toEqual(["auth", "stores", "front"]);
});

test("each is closed once, however often it is asked for", async () => {
  const { opened, closed } = three();
  await Promise.all([opened.close(), opened.close()]);
  await opened.close();
  expect(closed).toHaveLength(3);
});

test("one that fails keeps none of the others open, and the first failure is told", async () => {
  const { opened, closed } = three(["auth", "front"]);
  await expect(opened.close()).rejects.toThrow("auth failed");
  expect(closed).toEqual(["auth", "stores", "front"]);
});

test("nothing is closed where nothing was opened", async () => {
  await expect(nothingOpened().close()).resolves.toBeUndefined();
});
