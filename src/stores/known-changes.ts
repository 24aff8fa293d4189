/**
 * The fields of `changes` that are named in `changeable` and have a value: a field that no flow may change does not get in
 * through a cast, and one given as undefined is left as it is.
 */
export function knownChanges<T extends object>(
  changes: T,
  changeable: Readonly<Record<keyof T, true>>,
): Partial<T> {
  const isKnown = ([field, value]: [string, unknown]): boolean =>
    Object.hasOwn(changeable, field) && value !== undefined;
  return Object.fromEntries(Object.entries(changes).filter(isKnown)) as Partial<T>;
}
