import { fillText } from "./fill.ts";

/** Says a sentence of the library in another language; as it is where there are no words for it. */
export type Tell = (sentence: string) => string;

/**
 * Tells the public sentences of refusals in another language. The library writes them in English, for programs and their logs; a page
 * is for people.
 *
 * @param sentences - by the English sentence, `{name}` where a value stands
 */
export function teller(sentences: Readonly<Record<string, string>>): Tell {
  const known = new Map(Object.entries(sentences));
  const patterns = Object.keys(sentences).filter((sentence) => sentence.includes("{"));
  const shapes = patterns.map((sentence) => ({ shape: shapeOf(sentence), told: sentences[sentence] ?? "" }));
  return (sentence) => {
    const found = known.get(sentence);
    if (found !== undefined) return found;
    for (const { shape, told } of shapes) {
      const values = shape.exec(sentence)?.groups;
      if (values !== undefined) return fillText(told, values);
    }
    return sentence;
  };
}

/** A sentence with the same words, and anything on its one line where a slot is; a slot that comes twice holds the same twice. */
function shapeOf(sentence: string): RegExp {
  const seen = new Set<string>();
  const parts = sentence.split(/\{(\w+)\}/).map((part, index) => {
    if (index % 2 === 0) return part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
    if (seen.has(part)) return `\\k<${part}>`;
    seen.add(part);
    return `(?<${part}>.{1,200}?)`;
  });
  return new RegExp(`^${parts.join("")}$`, "u");
}
