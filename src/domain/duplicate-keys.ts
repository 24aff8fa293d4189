/**
 * Whether some object of a JSON text has a key twice. `JSON.parse` lets the last of two equal keys win, other parsers the
 * first: what is read must not mean two things to two programs on its way.
 *
 * @param text - has been parsed, so its grammar is sound
 */
export function hasDuplicateKeys(text: string): boolean {
  const open: (Set<string> | null)[] = [];
  let key: string | null = null;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"') {
      const end = endOfString(text, at);
      key = text.slice(at, end + 1);
      at = end;
    } else if (char === ":" && key !== null) {
      const keys = open.at(-1);
      // Two spellings of one key are one key.
      const name = key.includes("\\") ? (JSON.parse(key) as string) : key.slice(1, -1);
      if (keys?.has(name)) return true;
      keys?.add(name);
    } else if (char === "{") open.push(new Set());
    else if (char === "[") open.push(null);
    else if (char === "}" || char === "]") open.pop();
  }
  return false;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}
