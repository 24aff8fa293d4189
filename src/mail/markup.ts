/** HTML whose texts were escaped where they were put in: what {@link html} gives, and nothing else. */
export interface Markup {
  readonly markup: string;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as it may stand in HTML, between tags and in a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? "");
}

/** A template whose values are escaped, but for those that it made itself. Lists are joined; null and false are nothing. */
export function html(
  strings: TemplateStringsArray,
  ...values: readonly (Markup | readonly Markup[] | string | number | null | false)[]
): Markup {
  let markup = strings[0] ?? "";
  for (const [index, value] of values.entries()) markup += written(value) + (strings[index + 1] ?? "");
  return { markup };
}

function written(value: Markup | readonly Markup[] | string | number | null | false): string {
  if (value === null || value === false) return "";
  if (typeof value === "string") return escapeHtml(value);
  if (typeof value === "number") return String(value);
  return "markup" in value ? value.markup : value.map(({ markup }) => markup).join("");
}
