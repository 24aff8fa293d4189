import type { Book } from "./book.ts";
import { navigation } from "./navigation.ts";

/** `llms.txt`: what there is to read, for programs that read. @see https://llmstxt.org */
export function llmsIndex(book: Book): string {
  const about = book.get("README.md")?.description ?? "";
  const sections = navigation.map(({ title, pages }) => {
    const lines = pages.map(({ path }) => {
      const page = book.get(path);
      const description = page === undefined || page.description === "" ? "" : `: ${page.description}`;
      return `- [${page?.title ?? path}](${path})${description}`;
    });
    return `## ${title}\n\n${lines.join("\n")}\n`;
  });
  return [
    "# Latchkey\n",
    `> ${about}\n`,
    "Everything in one file: [llms-full.txt](llms-full.txt)\n",
    ...sections,
  ].join("\n");
}

/** `llms-full.txt`: every page, one after the other, each under its path. */
export function llmsFull(book: Book): string {
  return [...book.values()]
    .map(({ path, markdown }) => `<!-- ${path} -->\n\n${markdown.trim()}\n`)
    .join("\n");
}
