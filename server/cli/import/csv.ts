import { type FileRecord, longestRecord } from "./records.ts";

/** A row of a table in text: fields in order, null where a field is empty without quotation marks, or `\N`. */
export type CsvRow = { readonly row: number } & (
  | { readonly cells: readonly (string | null)[] }
  | { readonly unreadable: string }
);

/**
 * Rows of comma-separated values: fields in quotation marks may hold commas, line breaks and doubled quotation marks. A row that
 * is not written so is unreadable, and reading goes on with the next line.
 *
 * @see RFC 4180
 */
export async function* csvRows(chunks: AsyncIterable<string>): AsyncGenerator<CsvRow> {
  const state = scanner();
  for await (const chunk of chunks)
    for (const letter of chunk) {
      const row = state.take(letter);
      if (row !== null) yield row;
    }
  const last = state.end();
  if (last !== null) yield last;
}

/**
 * Records of a table in text.
 *
 * @param columns - names of its columns where it has no head; default: its first row
 */
export async function* csvRecords(
  chunks: AsyncIterable<string>,
  columns: readonly string[] | null,
): AsyncGenerator<FileRecord> {
  let names = columns;
  for await (const each of csvRows(chunks)) {
    if ("unreadable" in each) yield each;
    else if (names === null) names = each.cells.map((cell) => cell ?? "");
    else yield recordOf(each.row, each.cells, names, columns !== null);
  }
}

function recordOf(
  row: number,
  cells: readonly (string | null)[],
  names: readonly string[],
  mayDiffer: boolean,
): FileRecord {
  if (cells.length !== names.length && !mayDiffer)
    return { row, unreadable: `${cells.length} fields where the head has ${names.length}` };
  if (cells.some((cell) => cell?.includes("\uFFFD"))) return { row, unreadable: "not UTF-8" };
  return { row, fields: Object.fromEntries(names.map((name, index) => [name, cells[index] ?? null])) };
}

/** Where in a field the next letter stands. */
type Place = "start" | "plain" | "quoted" | "after-quote" | "lost";

function scanner() {
  let [line, row, length] = [1, 1, 0];
  let place: Place = "start";
  let cells: (string | null)[] = [];
  let cell = "";
  let wasQuoted = false;
  let problem: string | null = null;

  const endCell = (): void => {
    cells.push(!wasQuoted && (cell === "" || cell === "\\N") ? null : cell);
    [cell, wasQuoted, place] = ["", false, "start"];
  };
  const endRow = (): CsvRow | null => {
    if (!wasQuoted && cell.endsWith("\r")) cell = cell.slice(0, -1);
    endCell();
    const [found, at, why] = [cells, row, problem];
    [cells, row, length, problem] = [[], line, 0, null];
    if (why !== null) return { row: at, unreadable: why };
    const isBlank = found.length === 1 && found[0] === null;
    return isBlank ? null : { row: at, cells: found };
  };
  const lose = (why: string): void => {
    [problem, place, cell] = [why, "lost", ""];
  };

  return {
    take(letter: string): CsvRow | null {
      if (letter === "\n") line += 1;
      length += 1;
      if (length > longestRecord && place !== "lost") lose(`longer than ${longestRecord} characters`);
      switch (place) {
        case "lost":
          return letter === "\n" ? endRow() : null;
        case "quoted":
          if (letter === '"') place = "after-quote";
          else cell += letter;
          return null;
        case "after-quote":
          if (letter === '"') [cell, place] = [`${cell}"`, "quoted"];
          else if (letter === ",") endCell();
          else if (letter === "\n") return endRow();
          else if (letter !== "\r") lose("a quotation mark within a field");
          return null;
        default:
          if (letter === ",") endCell();
          else if (letter === "\n") return endRow();
          else if (letter === '"' && place === "start") [wasQuoted, place] = [true, "quoted"];
          else if (letter !== "\uFEFF" || line > 1) [cell, place] = [cell + letter, "plain"];
          return null;
      }
    },
    end(): CsvRow | null {
      if (place === "quoted") problem = "the file ends within a field";
      return length === 0 ? null : endRow();
    },
  };
}
