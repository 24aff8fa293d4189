import MiniSearch from "minisearch";
import { addressOf, type Book } from "./book.ts";
import type { Part } from "./markdown.ts";
import { searchOptions } from "./search-options.ts";

/** What is found: a part of a page. */
export interface SearchEntry {
  readonly id: string;
  /** Of the page. */
  readonly page: string;
  /** Of the part; the page's own for its beginning. */
  readonly title: string;
  readonly text: string;
}

/**
 * The index for the search, as JSON, and beside it what is shown of each entry: the index itself keeps no texts.
 *
 * @param parts - of each page, by its path in the repository
 */
export function searchIndex(book: Book, parts: ReadonlyMap<string, readonly Part[]>): string {
  const index = new MiniSearch<SearchEntry>(searchOptions);
  for (const { path, title } of book.values()) {
    index.addAll(
      (parts.get(path) ?? []).map((part) => ({
        id: `${addressOf(path)}${part.level === 1 ? "" : `#${part.anchor}`}`,
        page: title,
        title: part.level === 1 ? title : part.title,
        text: part.text,
      })),
    );
  }
  return JSON.stringify(index);
}
