import { explanations } from "./explanations-de.ts";
import { sentences } from "./sentences-de.ts";
import type { LanguageTable } from "./table.ts";
import { words } from "./words-de.ts";

/** German. */
export const german: LanguageTable = { words, sentences, explanations };
