import { settingNames } from "./table.ts";

/**
 * Warnings about names in the environment that nothing reads and that look like a setting: a likely typo. A misspelt
 * setting is otherwise silently its default.
 */
export function unreadNames(names: readonly string[]): readonly string[] {
  const known = settingNames();
  const similarTo = similarAmong(known);
  return names.flatMap((name) => {
    if (known.includes(name)) return [];
    const meant = similarTo(name);
    return meant === null ? [] : [`${name} is no setting and has no effect. Did you mean ${meant}?`];
  });
}

/** Further away than this, a name is another name. */
const mostEdits = 2;

/** Finds the known name that another looks like; null for none. */
function similarAmong(known: readonly string[]): (name: string) => string | null {
  const everyName = known.join("\n");
  const families = new Set(known.map(familyOf));
  return (name) => {
    const upper = name.toUpperCase();
    const family = familyOf(upper);
    // Short names without a family ("PORT", "HOST") are a letter or two away from everything: those are not guessed at.
    if (upper.length < 10 && (family === "" || !families.has(family))) return null;
    const parts = partsOf(upper);
    // Edits are counted where they may be few: for every variable and every setting it would be the longest step of reading them.
    if (!parts.some((part) => everyName.includes(part))) return null;
    const isNear = (other: string): boolean =>
      Math.abs(upper.length - other.length) <= mostEdits && parts.some((part) => other.includes(part));
    return nearest(upper, known.filter(isNear));
  };
}

/** What a name begins with, up to its first underscore; empty where it has none. */
function familyOf(name: string): string {
  return name.slice(0, name.indexOf("_") + 1);
}

/** A name in one part more than there may be edits: each edit touches one, so that a name this near holds one of them whole. */
function partsOf(name: string): readonly string[] {
  const letters = [...name];
  const length = Math.ceil(letters.length / (mostEdits + 1));
  return Array.from({ length: mostEdits + 1 }, (_, part) =>
    letters.slice(part * length, (part + 1) * length).join(""),
  );
}

/** The first of the candidates that take the fewest edits; null where each takes more than there may be. */
function nearest(name: string, candidates: readonly string[]): string | null {
  const letters = [...name];
  const distances = candidates.map((candidate) => ({
    candidate,
    distance: editDistance(letters, [...candidate], mostEdits),
  }));
  const [first] = distances.sort((a, b) => a.distance - b.distance);
  return first !== undefined && first.distance <= mostEdits ? first.candidate : null;
}

/** Fewest insertions, deletions and replacements between two names; where it takes more than `most`, some number above it. */
function editDistance(a: readonly string[], b: readonly string[], most: number): number {
  let same = 0;
  // A letter that both begin with is never worth an edit.
  while (same < a.length && a[same] === b[same]) same++;
  const [left, right] = [a.slice(same), b.slice(same)];
  if (left.length === 0 || right.length === 0 || most === 0) return Math.max(left.length, right.length);
  const [shorterLeft, shorterRight] = [left.slice(1), right.slice(1)];
  const replaced = editDistance(shorterLeft, shorterRight, most - 1);
  const deleted = editDistance(shorterLeft, right, most - 1);
  const inserted = editDistance(left, shorterRight, most - 1);
  return 1 + Math.min(replaced, deleted, inserted);
}
