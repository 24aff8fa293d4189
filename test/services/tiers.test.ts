import { expect, test } from "vitest";
import type { Tier } from "../../src/domain/tier.ts";
import { tierBook } from "../../src/services/tiers.ts";
import { testClock } from "../../src/testing/clock.ts";

const tier = (name: string, limit = 1): Tier => {
  const now = new Date(0);
  const limits = [{ path: "*", limit, windowSeconds: 60 }];
  return { id: name, name, limits, version: 1, createdAt: now, updatedAt: now };
};

/** A directory that answers when it is told to, with what it had when it was asked. */
function slow(first: readonly Tier[]) {
  const waiting: ((outcome: "answer" | "fail") => void)[] = [];
  const self = {
    rows: first,
    reads: 0,
    read: (): Promise<readonly Tier[]> => {
      const rows = self.rows;
      self.reads++;
      return new Promise((resolve, reject) =>
        waiting.push((outcome) => (outcome === "answer" ? resolve(rows) : reject(new Error("down")))),
      );
    },
    next: (outcome: "answer" | "fail" = "answer") => waiting.shift()?.(outcome),
    newest: () => waiting.pop()?.("answer"),
  };
  return self;
}

test("many who look at once share one reading, and the copy serves them for 5 s", async () => {
  const clock = testClock();
  const directory = slow([tier("pro")]);
  const book = tierBook(clock, directory.read);
  const looks = [book.named("pro"), book.named("pro"), book.named("none")];
  directory.next();
  expect(await Promise.all(looks)).toEqual([tier("pro"), tier("pro"), null]);
  clock.advance(4.999);
  expect([book.named("pro"), book.named("none")]).toEqual([tier("pro"), null]);
  expect(directory.reads).toBe(1);
  clock.advance(0.001);
  const again = book.named("pro");
  expect(directory.reads).toBe(2);
  directory.next();
  await again;
});

test("a reading that began before a change of our own is not kept after it", async () => {
  const directory = slow([tier("pro", 1)]);
  const book = tierBook(testClock(), directory.read);
  const before = book.named("pro");
  directory.rows = [tier("pro", 9)];
  book.changed();
  const after = book.named("pro");
  directory.newest();
  expect(await after).toEqual(tier("pro", 9));
  directory.next();
  await before;
  expect(book.named("pro")).toEqual(tier("pro", 9));
});

test("a reading that failed is tried again, and nobody is told that there is no tier", async () => {
  const directory = slow([tier("pro")]);
  const book = tierBook(testClock(), directory.read);
  const failed = book.named("pro");
  directory.next("fail");
  await expect(failed).rejects.toThrow("down");
  const again = book.named("pro");
  directory.next();
  expect(await again).toEqual(tier("pro"));
});

test("a name that the copy does not have is looked for once", async () => {
  const directory = slow([]);
  const book = tierBook(testClock(), directory.read);
  const first = book.named("pro");
  directory.next();
  expect(await first).toBeNull();
  directory.rows = [tier("free")];
  expect(book.named("pro")).toBeNull();
  const other = book.named("free");
  directory.next();
  expect(await other).toEqual(tier("free"));
  expect(directory.reads).toBe(2);
});

test("a clock that is set back makes no copy last longer", async () => {
  const clock = testClock();
  let reads = 0;
  const book = tierBook(clock, () => {
    reads++;
    return [tier("pro")];
  });
  book.named("pro");
  clock.advance(-3_600);
  book.named("pro");
  expect(reads).toBe(2);
});
