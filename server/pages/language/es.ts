import { explanations } from "./explanations-es.ts";
import { sentences } from "./sentences-es.ts";
import type { LanguageTable } from "./table.ts";
import { words } from "./words-es.ts";

/** Spanish. */
export const spanish: LanguageTable = { words, sentences, explanations };
