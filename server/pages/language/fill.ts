import { type Html, html } from "../html.ts";
import type { Plural } from "./words-en.ts";

const slot = /\{(\w+)\}/;

/** What may stand in a slot of a text that becomes markup: texts are escaped. */
export type Filling = Html | string | number;

/** A text with its slots filled, as markup. A slot without a value stays as it is written. */
export function fill(text: string, values: Readonly<Record<string, Filling>>): Html {
  const parts = text
    .split(slot)
    .map((part, index) => (index % 2 === 1 ? (values[part] ?? `{${part}}`) : part));
  return html`${parts.map((part) => html`${part}`)}`;
}

/** A text with its slots filled, as text: to be escaped where it becomes markup. */
export function fillText(text: string, values: Readonly<Record<string, string | number>>): string {
  return text
    .split(slot)
    .map((part, index) => (index % 2 === 1 ? (values[part] ?? `{${part}}`) : part))
    .join("");
}

/** The text for a number, in the grammar of a language. @param locale - BCP 47 */
export function plural(forms: Plural, count: number, locale: string): string {
  const category = new Intl.PluralRules(locale).select(count);
  return fillText(forms[category] ?? forms.other, { count: new Intl.NumberFormat(locale).format(count) });
}

/** Names of the slots of a text, sorted, each once. */
export function slotsOf(text: string): readonly string[] {
  return [...new Set([...text.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name))].sort();
}
