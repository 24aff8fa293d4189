import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

const IMPORT = /\bfrom\s*"(\.[^"]+)"|\bimport\s*\(?\s*"(\.[^"]+)"/g;

/**
 * Which of some words each file, or a file that it imports, holds as a string: the keys of what it injects.
 *
 * A text search, and so it may find too much. Of too little a test says so itself: what nobody provides is undefined.
 */
export function wordsIn(
  files: readonly string[],
  words: readonly string[],
  read: (file: string) => string = (file) => readFileSync(file, "utf8"),
): ReadonlyMap<string, ReadonlySet<string>> {
  const texts = new Map<string, { readonly words: readonly string[]; readonly imports: readonly string[] }>();
  const look = (file: string) => {
    const text = textOr(read, file);
    const found = {
      words: words.filter((word) => text.includes(`"${word}"`)),
      imports: [...text.matchAll(IMPORT)].map(([, from, bare]) => resolve(dirname(file), from ?? bare ?? "")),
    };
    texts.set(file, found);
    return found;
  };
  return new Map(files.map((file) => [file, reached(file, (each) => texts.get(each) ?? look(each))]));
}

function reached(
  file: string,
  look: (file: string) => { readonly words: readonly string[]; readonly imports: readonly string[] },
): ReadonlySet<string> {
  const words = new Set<string>();
  const seen = new Set([file]);
  // A set hands out what is added while it is walked.
  for (const each of seen) {
    const { words: own, imports } = look(each);
    for (const word of own) words.add(word);
    for (const next of imports) seen.add(next);
  }
  return words;
}

/** A file that is not there is the concern of the test that imports it. */
function textOr(read: (file: string) => string, file: string): string {
  try {
    return read(file);
  } catch {
    return "";
  }
}
