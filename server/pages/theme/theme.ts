import { arrange } from "../arrange.ts";
import { type Look, usualLook } from "../assets.ts";
import type { Html } from "../html.ts";
import type { ChangedTables, Language } from "../language/language.ts";
import { type FrameParts, layout } from "../layout.ts";
import type { DocumentReply } from "../page.ts";

/** What a template may say besides the parts of its page. */
export interface Surroundings {
  readonly language: Language;
  readonly appPath: string;
  readonly loginPath: string;
}

/** What stands in place of the usual pages. */
export interface Theme {
  readonly look: Look;
  /** Texts and languages. */
  readonly changed: ChangedTables;
  /** Puts the parts of a page together. */
  arrange(page: DocumentReply, surroundings: Surroundings): Html;
  /** Puts a whole document together. */
  frame(parts: FrameParts, surroundings: Surroundings): Html;
}

/** The pages as they come. */
export const usualTheme: Theme = { look: usualLook, changed: new Map(), arrange, frame: layout };
