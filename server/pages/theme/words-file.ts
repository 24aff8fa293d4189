import { errorTable } from "latchkey";
import { slotsOf } from "../language/fill.ts";
import type { LanguageTable } from "../language/table.ts";
import { english } from "../language/words-en.ts";

/** Changes a table of texts as a file of an operator's says. */
export type TableChange = (usual: LanguageTable) => LanguageTable;

/** Texts by group and name, as a file gives them. */
type Given = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const longestText = 2_000;
const pluralForms = ["zero", "one", "two", "few", "many", "other"];

/**
 * Reads `words-<locale>.json`: texts of the pages by group and name, `sentences` by the English sentence, `explanations` by error code.
 * What is left out stays as it is.
 *
 * @param told - gets a sentence for everything that is wrong with it
 */
export function readWordsFile(source: string, told: (problem: string) => void): TableChange {
  const given = parsed(source, told);
  for (const [group, texts] of Object.entries(given)) {
    for (const [key, text] of Object.entries(texts)) {
      const problem = textProblem(group, key, text);
      if (problem !== null) told(`${group}.${key}: ${problem}`);
    }
  }
  const { sentences = {}, explanations = {}, ...words } = given;
  return (usual) => ({
    words: merged(usual.words, words) as LanguageTable["words"],
    sentences: { ...usual.sentences, ...sentences } as LanguageTable["sentences"],
    explanations: { ...usual.explanations, ...explanations } as LanguageTable["explanations"],
  });
}

function parsed(source: string, told: (problem: string) => void): Given {
  try {
    const value: unknown = JSON.parse(source);
    if (!isRecord(value)) throw new TypeError("no object");
    const wrong = Object.keys(value).filter((group) => !isRecord(value[group]));
    for (const group of wrong) told(`${group}: is no object of texts`);
    return Object.fromEntries(Object.entries(value).filter(([group]) => !wrong.includes(group))) as Given;
  } catch {
    told("is no JSON object");
    return {};
  }
}

function textProblem(group: string, key: string, text: unknown): string | null {
  if (group === "sentences") return nameProblem(slotsOf(key)) ?? plainProblem(text, slotsOf(key));
  if (group === "explanations") {
    const isCode = errorTable().some(({ code }) => code === key);
    return isCode ? plainProblem(text, []) : "there is no such error code";
  }
  if (!Object.hasOwn(english, group)) return "there is no such group";
  const texts: Readonly<Record<string, unknown>> = english[group as keyof typeof english];
  const usual = Object.hasOwn(texts, key) ? texts[key] : undefined;
  if (usual === undefined) return "there is no such text";
  return typeof usual === "string"
    ? plainProblem(text, slotsOf(usual))
    : pluralProblem(text, slotsOf((usual as { readonly other: string }).other));
}

// Values are found by the names of groups in a pattern, which cannot begin so.
function nameProblem(slots: readonly string[]): string | null {
  const name = slots.find((each) => /^\d/.test(each));
  return name === undefined ? null : `{${name}} begins with a digit; a slot begins with a letter`;
}

function pluralProblem(forms: unknown, slots: readonly string[]): string | null {
  if (!isRecord(forms) || !Object.hasOwn(forms, "other")) return 'is no object of forms with "other"';
  for (const [form, text] of Object.entries(forms)) {
    if (!pluralForms.includes(form)) return `there is no form ${form}`;
    // One may do without its number.
    const problem = plainProblem(text, typeof text === "string" && slotsOf(text).length === 0 ? [] : slots);
    if (problem !== null) return problem;
  }
  return null;
}

function plainProblem(text: unknown, slots: readonly string[]): string | null {
  if (typeof text !== "string") return "is no text";
  if (text.trim() === "" || text.length > longestText)
    return `is empty or longer than ${longestText} characters`;
  if (/\p{Cc}/u.test(text)) return "holds control characters";
  const own = slotsOf(text);
  if (own.join() === slots.join()) return null;
  const wanted = slots.length === 0 ? "no slots" : slots.map((name) => `{${name}}`).join(" and ");
  return `needs ${wanted}, each by that name`;
}

function merged(usual: LanguageTable["words"], given: Given): Given {
  const groups = Object.entries(usual).map(([group, texts]) => [group, { ...texts, ...given[group] }]);
  return Object.fromEntries(groups);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
