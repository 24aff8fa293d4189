import { settingNames } from "./table.ts";

/**
 * Warnings about names in the environment that nothing reads and that look like a setting: a likely typo, or a setting
 * of Latchkey that this version does not have. A misspelt setting is otherwise silently its default.
 */
export function unreadNames(names: readonly string[]): readonly string[] {
  const known = settingNames();
  return names.flatMap((name) => {
    if (known.includes(name)) return [];
    if (later.includes(name)) return [`${name} is not supported by this version and has no effect.`];
    const meant = similarName(name, known);
    return meant === null ? [] : [`${name} is no setting and has no effect. Did you mean ${meant}?`];
  });
}

// Settings that other parts of the documentation of Latchkey promise; silence would let an operator believe them on.
const later: readonly string[] = ["SESSION_STORAGE"];

// Short names without a family ("PORT", "HOST") are a letter or two away from everything: those are not guessed at.
function similarName(name: string, known: readonly string[]): string | null {
  const upper = name.toUpperCase();
  const families = known.flatMap((candidate) =>
    candidate.includes("_") ? [`${candidate.split("_")[0]}_`] : [],
  );
  if (upper.length < 10 && !families.some((family) => upper.startsWith(family))) return null;
  const distances = known.map((candidate) => ({ candidate, distance: editDistance(upper, candidate) }));
  const [nearest] = distances.sort((a, b) => a.distance - b.distance);
  return nearest !== undefined && nearest.distance <= 2 ? nearest.candidate : null;
}

/** Fewest insertions, deletions and replacements between two names; more than 2 may be answered as 3. @see Wagner and Fischer, 1974 */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [row, letter] of [...a].entries()) {
    const current = [row + 1];
    for (const [column, other] of [...b].entries()) {
      const replaced = (above[column] ?? 0) + (letter === other ? 0 : 1);
      current.push(Math.min(replaced, (above[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1));
    }
    above = current;
  }
  return above.at(-1) ?? 3;
}
