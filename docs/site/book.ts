import { readFileSync } from "node:fs";
import { join } from "node:path";
import { navigation, type Section } from "./navigation.ts";

/** A page with what stands around it. */
export interface Page {
  /** In the repository, from its root; on the site it lies in the same place. */
  readonly path: string;
  readonly title: string;
  /** The first paragraph, as plain text; empty where the page begins with something else. */
  readonly description: string;
  readonly markdown: string;
  readonly section: Section;
  readonly previous: Page | null;
  readonly next: Page | null;
}

/** All pages, in the order of the navigation. */
export type Book = ReadonlyMap<string, Page>;

/**
 * Reads the pages that the navigation names.
 *
 * @throws Error - a page is not there, is named twice, or has no heading
 */
export function readBook(root: string): Book {
  const entries = navigation.flatMap((section) => section.pages.map((entry) => ({ entry, section })));
  const pages: { -readonly [K in keyof Page]: Page[K] }[] = entries.map(({ entry, section }) => {
    const markdown = readFileSync(join(root, entry.path), "utf8");
    const heading = /^# (.+)$/m.exec(markdown)?.[1];
    if (heading === undefined) throw new Error(`${entry.path} has no heading`);
    const title = entry.title ?? plain(heading);
    const description = descriptionOf(markdown);
    return { path: entry.path, title, description, markdown, section, previous: null, next: null };
  });
  for (const [at, page] of pages.entries()) {
    page.previous = pages[at - 1] ?? null;
    page.next = pages[at + 1] ?? null;
  }
  const book = new Map(pages.map((page) => [page.path, page]));
  if (book.size !== pages.length) throw new Error("The navigation names a page twice");
  return book;
}

/** Where a page of the repository is on the site, from the site's root. */
export function addressOf(path: string): string {
  return path.endsWith(".md") ? path.replace(/\.md$/, ".html") : `${path}.html`;
}

function descriptionOf(markdown: string): string {
  const body = markdown.slice(markdown.indexOf("\n", markdown.search(/^# /m))).replace(/<!--.*?-->/gs, "");
  const [first = ""] = body.trim().split(/\n\s*\n/);
  return /^([`#|>*-]\s|```|\|)/.test(first) ? "" : plain(first);
}

/** Text without the marks of Markdown, for where none can be. */
function plain(text: string): string {
  return text
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/(\*\*|`)/g, "")
    .replace(/\s+/g, " ")
    .trim();
}
