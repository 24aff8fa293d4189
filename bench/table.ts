/** One line of a table: the same keys in each row of a section. */
export type Row = Readonly<Record<string, string | number>>;

/** Prints rows as a Markdown table, so that it can be pasted; each as it comes. */
export async function printTable(rows: Iterable<Row> | AsyncIterable<Row>): Promise<void> {
  let heads: readonly string[] | null = null;
  for await (const row of rows) {
    if (heads === null) {
      heads = Object.keys(row);
      console.log(`| ${heads.join(" | ")} |`);
      console.log(`|${heads.map(() => "---").join("|")}|`);
    }
    console.log(`| ${heads.map((head) => row[head] ?? "").join(" | ")} |`);
  }
}

/** The middle of some figures. */
export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** A figure with as many decimals as it deserves. */
export function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(3);
}
