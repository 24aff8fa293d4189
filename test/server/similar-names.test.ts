import fc from "fast-check";
import { expect, test } from "vitest";
import { unreadNames } from "../../server/settings/similar-names.ts";
import { settingNames } from "../../server/settings/table.ts";

const known = settingNames();

/** What is suggested for a name; null for nothing. */
function suggested(name: string): string | null {
  const [warning] = unreadNames([name]);
  return warning?.slice(name.length).match(/Did you mean (\w+)\?$/)?.[1] ?? null;
}

/** The same, the long way: every edit against every setting is counted. */
function counted(name: string): string | null {
  const upper = name.toUpperCase();
  const families = known.filter((each) => each.includes("_")).map((each) => `${each.split("_")[0]}_`);
  if (known.includes(name)) return null;
  if (upper.length < 10 && !families.some((family) => upper.startsWith(family))) return null;
  const near = known.filter(({ length }) => Math.abs(length - upper.length) <= 2);
  const distances = near.map((each) => ({ each, distance: distanceOf([...upper], [...each]) }));
  const least = Math.min(2, ...distances.map(({ distance }) => distance));
  return distances.find(({ distance }) => distance === least)?.each ?? null;
}

/** Row by row over the whole table. @see Wagner and Fischer, 1974 */
function distanceOf(a: readonly string[], b: readonly string[]): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [row, letter] of a.entries()) {
    const current = [row + 1];
    for (const [column, other] of b.entries()) {
      const replaced = (above[column] ?? 0) + (letter === other ? 0 : 1);
      current.push(Math.min(replaced, (above[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    above = current;
  }
  return above.at(-1) ?? 0;
}

const letter = fc.oneof(
  fc.constantFrom(..."ABCEIKLMNORSTU_019aeß"),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
);
const edit = fc.record({ at: fc.nat(30), kind: fc.constantFrom("put", "take", "change", "swap"), letter });

/** A setting's name after some edits. */
const misspelt = fc
  .tuple(fc.constantFrom(...known), fc.array(edit, { maxLength: 4 }), fc.boolean())
  .map(([name, edits, isLower]) => {
    const letters = [...(isLower ? name.toLowerCase() : name)];
    for (const { at, kind, letter: put } of edits) {
      const place = at % (letters.length + 1);
      if (kind === "put") letters.splice(place, 0, put);
      else if (kind === "take") letters.splice(place, 1);
      else if (kind === "change") letters.splice(place, 1, put);
      else letters.splice(place, 2, ...letters.slice(place, place + 2).reverse());
    }
    return letters.join("");
  });
const strange = fc.oneof(
  fc.string({ unit: letter, maxLength: 24 }),
  fc.tuple(fc.constantFrom(...known), fc.constantFrom(...known)).map(([one, other]) => {
    const end = other.slice(Math.ceil(other.length / 2));
    return one.slice(0, Math.ceil(one.length / 2)) + end;
  }),
);

test("a name is told from a misspelt setting as by counting every edit", () => {
  const seen = { nothing: 0, something: 0 };
  fc.assert(
    fc.property(fc.oneof({ weight: 4, arbitrary: misspelt }, strange), (name) => {
      const expected = counted(name);
      seen[expected === null ? "nothing" : "something"]++;
      expect([name, suggested(name)]).toEqual([name, expected]);
    }),
    { numRuns: 1_500 },
  );
  expect(Math.min(seen.nothing, seen.something)).toBeGreaterThan(200);
});

// The least of several times: whatever else the machine does only adds to it.
test("looking at an environment is little work beside that", () => {
  const names = Array.from(
    { length: 100 },
    (_, index) => `${known[index % known.length]}_OF_ANOTHER_${index}`,
  );
  const leastMs = (work: () => unknown): number => {
    const times = Array.from({ length: 9 }, () => {
      const startedAt = performance.now();
      work();
      return performance.now() - startedAt;
    });
    return Math.min(...times);
  };
  const short = leastMs(() => unreadNames(names));
  const long = leastMs(() => names.map(counted));
  expect(short).toBeLessThan(long / 4);
});
