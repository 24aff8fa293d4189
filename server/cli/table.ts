const longestCell = 60;

/** Lines of a table: a head and rows of equally many cells, each column as wide as its widest cell, at most 60 characters. */
export function tableLines(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cut = rows.map((row) => row.map(short));
  const widths = head.map((title, column) =>
    Math.max(lengthOf(title), ...cut.map((row) => lengthOf(row[column] ?? ""))),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - lengthOf(cell))))
      .join("  ")
      .trimEnd();
  return [head, ...cut].map(line);
}

function short(cell: string): string {
  const letters = [...cell];
  return letters.length <= longestCell ? cell : `${letters.slice(0, longestCell - 1).join("")}…`;
}

function lengthOf(cell: string): number {
  return [...cell].length;
}

/** An instant as tables show it: UTC, to the minute. */
export function minute(instant: Date): string {
  return `${instant.toISOString().slice(0, 16).replace("T", " ")}Z`;
}
