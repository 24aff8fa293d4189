import { explanations } from "../explanations.ts";
import type { LanguageTable } from "./table.ts";
import { type Tell, teller } from "./tell.ts";
import { english, type Words } from "./words-en.ts";

/** A language as pages speak it. */
export interface Language {
  /** BCP 47 tag. */
  readonly locale: string;
  readonly words: Words;
  /** A public sentence of a refusal in this language. */
  readonly tell: Tell;
  readonly explanations: LanguageTable["explanations"];
}

/** Languages that the pages are written in; mails are written in the same. */
export const standardLocales = ["en", "de", "es", "ja"] as const;

const englishTable: LanguageTable = { words: english, sentences: {}, explanations };

// Most servers speak one or two: the others' tables are not read.
const standardTables: Readonly<Record<(typeof standardLocales)[number], () => Promise<LanguageTable>>> = {
  en: async () => englishTable,
  de: async () => (await import("./de.ts")).german,
  es: async () => (await import("./es.ts")).spanish,
  ja: async () => (await import("./ja.ts")).japanese,
};

/** English, as it comes. */
export const englishLanguage: Language = languageOf("en", englishTable);

/** Texts that replace the usual ones, and languages besides the usual ones: what an operator wrote. */
export type ChangedTables = ReadonlyMap<string, (usual: LanguageTable) => LanguageTable>;

/** The languages that a server speaks. */
export interface Languages {
  /** Tags, the usual ones first. */
  readonly locales: readonly string[];
  /** For who asks for none of them. */
  readonly fallback: string;
  /** One of `locales`, loaded when it is first asked for, again where that failed; the fallback for any other tag. */
  of(locale: string): Promise<Language>;
}

/**
 * The usual languages, with what an operator changed.
 *
 * @param options - `fallback`: default `en`; `changed`: texts by tag, default none. A tag that is none of the usual ones is a language
 * of its own, English where it has no words
 */
export function languages({
  fallback = "en",
  changed = new Map(),
}: {
  readonly fallback?: string;
  readonly changed?: ChangedTables;
} = {}): Languages {
  const locales = [...new Set<string>([...standardLocales, ...changed.keys()])];
  const known = new Map<string, Promise<Language>>();
  return { locales, fallback, of };

  function of(asked: string): Promise<Language> {
    const locale = locales.includes(asked) ? asked : fallback;
    const found = known.get(locale);
    if (found !== undefined) return found;
    const loaded = load(locale);
    known.set(locale, loaded);
    // A file that could not be opened this once must not leave everybody without the language.
    loaded.catch(() => known.delete(locale));
    return loaded;
  }

  async function load(locale: string): Promise<Language> {
    const usual = await (standardTables[locale as keyof typeof standardTables] ?? standardTables.en)();
    return languageOf(locale, changed.get(locale)?.(usual) ?? usual);
  }
}

function languageOf(locale: string, { words, sentences, explanations }: LanguageTable): Language {
  return { locale, words, tell: teller(sentences), explanations };
}
