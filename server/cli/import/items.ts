import type { ImportItem, Transfer } from "latchkey/transfer";
import { csvRecords } from "./csv.ts";
import { fieldsOf } from "./fields.ts";
import { type FileRecord, lineRecords, listRecords } from "./records.ts";
import type { Source, SourceContext } from "./source.ts";

/** How a file holds its records. */
export const fileFormats = ["ndjson", "csv", "json"] as const;

/** How a file holds its records: a line of JSON each, a table in text, or one JSON list. */
export type FileFormat = (typeof fileFormats)[number];

/** The format that a file's name says: `.csv`, `.json`, and lines of JSON for every other; `.gz` behind it says nothing. */
export function formatOf(path: string): FileFormat {
  const name = path.toLowerCase().replace(/\.gz$/, "");
  if (name.endsWith(".csv")) return "csv";
  return name.endsWith(".json") ? "json" : "ndjson";
}

/** The records of a file. */
export function recordsOf(
  chunks: AsyncIterable<string>,
  format: FileFormat,
  columns: readonly string[] | null,
): AsyncIterable<FileRecord> {
  if (format === "csv") return csvRecords(chunks, columns);
  return format === "json" ? listRecords(chunks) : lineRecords(chunks);
}

/** What another product's records say, ready for the import. */
export async function* foreignItems(
  records: AsyncIterable<FileRecord>,
  source: Source,
  context: SourceContext,
): AsyncGenerator<ImportItem> {
  for await (const each of records) {
    if ("unreadable" in each) {
      yield each;
      continue;
    }
    const { row } = each;
    const fields = fieldsOf(each.fields);
    const record = fields === null ? null : source.read(fields, context);
    if (fields === null) yield { row, unreadable: "no object" };
    else if (record !== null) yield { row, record };
  }
}

/**
 * What an export of Latchkey says.
 *
 * @param complain - told where the file has no end, or an end that counts other accounts than there were: it was cut short
 */
export async function* exportedItems(
  records: AsyncIterable<FileRecord>,
  read: Transfer["readExport"],
  complain: (line: string) => void,
): AsyncGenerator<ImportItem> {
  let accounts = 0;
  let counted: unknown = null;
  for await (const each of records) {
    const item = "unreadable" in each ? each : read(each.row, each.fields);
    if (item === null && "fields" in each) counted = fieldsOf(each.fields)?.accounts ?? null;
    if (item !== null && "account" in item) accounts += 1;
    if (item !== null) yield item;
  }
  if (counted !== accounts)
    complain("The file does not end as an export does: it was cut short, or changed.");
}
