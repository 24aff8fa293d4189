import { settingNames } from "./table.ts";

/**
 * Warnings about names in the environment that nothing reads and that look like a setting: a likely typo. A misspelt
 * setting is otherwise silently its default.
 */
export function unreadNames(names: readonly string[]): readonly string[] {
  const known = settingNames();
  const similarTo = similarAmong(known);
  return names.flatMap((name) => {
    if (known.includes(name) || ofSystems.includes(name)) return [];
    const meant = similarTo(name);
    return meant === null ? [] : [`${name} is no setting and has no effect. Did you mean ${meant}?`];
  });
}

/** Names that a system has for something else, near as they are: on Windows, how somebody is signed in there. */
const ofSystems: readonly string[] = ["SESSIONNAME"];

/** Further away than this, a name is another name. */
const mostEdits = 2;

/** Finds the known name that another looks like; null for none. */
function similarAmong(known: readonly string[]): (name: string) => string | null {
  const nearestTo = nearestAmong(known);
  const begun = begunAmong(known);
  return (name) => {
    const upper = name.toUpperCase();
    // Settings of the cookie are called after what it carries.
    const ofSession = upper.replace(/^(?:SESSION_)?COOKIE_/, "SESSION_");
    return nearestTo(upper) ?? begun(upper) ?? (known.includes(ofSession) ? ofSession : null);
  };
}

/** Shorter than this, the beginning of a name is the beginning of too many. */
const shortestBeginning = 4;
/** Letters that tell one setting of a family from the others. */
const fewestOfOne = 3;
/** What a word may end in differently: `PROXY`, `PROXIES`. */
const endingLength = 2;

/** Finds the one known name that another leaves unfinished, whole words of it or an ending; null where there is none, or several. */
function begunAmong(known: readonly string[]): (name: string) => string | null {
  const onlyOne = (beginning: string): string | null => {
    const [first, ...others] = known.filter((each) => each.startsWith(beginning));
    return others.length === 0 ? (first ?? null) : null;
  };
  return (name) => {
    const whole = name.length < shortestBeginning ? null : onlyOne(`${name}_`);
    const stem = name.slice(0, -endingLength);
    const family = familyOf(name);
    return whole ?? (family !== "" && stem.length >= family.length + fewestOfOne ? onlyOne(stem) : null);
  };
}

/** Finds the known name that is a few edits away from another; null for none. */
function nearestAmong(known: readonly string[]): (upper: string) => string | null {
  const everyName = known.join("\n");
  const families = new Set(known.map(familyOf));
  return (upper) => {
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
