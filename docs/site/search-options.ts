import type { Options } from "minisearch";

/** How texts are cut into words and weighed: the same where the index is made and where it is asked. */
export const searchOptions = {
  fields: ["title", "page", "text"],
  storeFields: ["page", "title"],
  searchOptions: { boost: { title: 4, page: 2 }, prefix: true, fuzzy: 0.15, combineWith: "AND" },
} as const satisfies Options;
