/**
 * A copy of a string that shares no memory. V8 keeps a concatenated string as a tree of its parts, and a slice as a window
 * on its parent: a whole cookie header would live as long as the session id that was cut out of it.
 */
export function flat(text: string): string {
  return JSON.parse(JSON.stringify(text));
}
