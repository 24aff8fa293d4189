import { raw } from "hono/html";
import { type Html, html } from "../html.ts";
import { slotsOf } from "../language/fill.ts";
import { english, type Words } from "../language/words-en.ts";

/** What may stand in a template: texts are written `{{name}}`, markup that the server makes `{{{name}}}`. */
export interface Slots {
  readonly texts: readonly string[];
  readonly markup: readonly string[];
  /** Without these the page would not do its work, or hide what its reader has to know. */
  readonly needed: readonly string[];
}

/** Puts a page together. @param words - for slots such as `{{words.login.title}}` */
export type Template = (values: Readonly<Record<string, Html | string | undefined>>, words: Words) => Html;

const slot = /(\{\{\{[^{}]*\}\}\}|\{\{[^{}]*\}\})/;

/**
 * Reads a template. Texts are escaped where they are put in, so they may stand between tags and in quoted attributes.
 *
 * @param told - gets a sentence for everything that is wrong with it
 */
export function readTemplate(source: string, slots: Slots, told: (problem: string) => void): Template {
  const parts = source.split(slot).map((part, index) => (index % 2 === 0 ? part : slotIn(part)));
  const found = parts.filter((part) => typeof part !== "string");
  for (const { name, isMarkup } of found) {
    const problem = slotProblem(name, isMarkup, slots);
    if (problem !== null) told(problem);
  }
  for (const name of slots.needed) {
    if (!found.some((each) => each.name === name)) told(`has no ${written(name, slots)}, which it needs`);
  }
  // Refused by the Content-Security-Policy, which would look like a fault of the page.
  if (/<(?:script|style)\b|\sstyle\s*=/i.test(source))
    told("holds a script or a style, which no browser would heed here: put styles into style.css");
  return (values, words) =>
    html`${parts.map((part) => (typeof part === "string" ? raw(part) : html`${filling(part.name, values, words)}`))}`;
}

interface Slot {
  readonly name: string;
  readonly isMarkup: boolean;
}

function slotIn(part: string): Slot {
  const isMarkup = part.startsWith("{{{");
  return { name: part.slice(isMarkup ? 3 : 2, isMarkup ? -3 : -2).trim(), isMarkup };
}

function slotProblem(name: string, isMarkup: boolean, { texts, markup }: Slots): string | null {
  if (texts.includes(name) || (name.startsWith("words.") && wordsOf(name, english) !== null))
    return isMarkup ? `{{{${name}}}} is a text: write {{${name}}}` : null;
  if (markup.includes(name)) return isMarkup ? null : `{{${name}}} is markup: write {{{${name}}}}`;
  const known = [...texts, ...markup].join(", ");
  return `knows no ${JSON.stringify(name.slice(0, 60))}: there are ${known}, and words.<group>.<text> without slots of its own`;
}

function written(name: string, { markup }: Slots): string {
  return markup.includes(name) ? `{{{${name}}}}` : `{{${name}}}`;
}

function filling(
  name: string,
  values: Readonly<Record<string, Html | string | undefined>>,
  words: Words,
): Html | string {
  return name.startsWith("words.") ? (wordsOf(name, words) ?? "") : (values[name] ?? "");
}

/** A text of the tables that needs no values, by `words.<group>.<text>`. */
function wordsOf(name: string, words: Words): string | null {
  const [, group = "", key = "", more] = name.split(".");
  if (more !== undefined || !Object.hasOwn(words, group)) return null;
  const texts: Readonly<Record<string, unknown>> = words[group as keyof Words];
  const text = texts[key];
  return typeof text === "string" && slotsOf(text).length === 0 ? text : null;
}
