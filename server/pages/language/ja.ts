import { explanations } from "./explanations-ja.ts";
import { sentences } from "./sentences-ja.ts";
import type { LanguageTable } from "./table.ts";
import { words } from "./words-ja.ts";

/** Japanese. */
export const japanese: LanguageTable = { words, sentences, explanations };
