import type { ErrorCode } from "latchkey";
import type { Words } from "./words-en.ts";

/** Everything that is said in one language, as it stands in its files. */
export interface LanguageTable {
  readonly words: Words;
  /** Refusals, by the English sentence. */
  readonly sentences: Readonly<Record<string, string>>;
  /** What the error codes mean, for `/problems`. */
  readonly explanations: Readonly<Record<ErrorCode, string>>;
}
