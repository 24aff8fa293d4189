import { type Journal, table } from "./journal.ts";

/** Rows that belong to users, found by their id and by their owner. */
export interface OwnedTable<Row> {
  count(): number;
  get(id: string): Row | null;
  /** In the order of their insertion. */
  ofUser(userId: string): readonly Row[];
  /** Writes a row, new or changed; a row keeps its owner. */
  put(row: Row): void;
  delete(id: string): void;
}

/** How a row is kept as text, so that what a caller holds is never part of the store. */
export interface RowText<Row> {
  readonly write: (row: Row) => string;
  readonly read: (text: string) => Row;
}

/** An empty table of rows that belong to users. */
export function ownedTable<Row extends { readonly id: string; readonly userId: string }>(
  log: Journal,
  { write, read }: RowText<Row>,
): OwnedTable<Row> {
  const texts = table<string>(log);
  const idsByUser = table<readonly string[]>(log);

  function get(id: string): Row | null {
    const text = texts.get(id);
    return text === undefined ? null : read(text);
  }

  const idsOf = (userId: string): readonly string[] => idsByUser.get(userId) ?? [];

  return {
    count: () => texts.size,
    get,
    ofUser: (userId) =>
      idsOf(userId)
        .map(get)
        .filter((row) => row !== null),
    put(row) {
      const { id, userId } = row;
      if (!texts.has(id)) idsByUser.set(userId, [...idsOf(userId), id]);
      texts.set(id, write(row));
    },
    delete(id) {
      const row = get(id);
      if (row === null) return;
      const left = idsOf(row.userId).filter((other) => other !== id);
      if (left.length === 0) idsByUser.delete(row.userId);
      else idsByUser.set(row.userId, left);
      texts.delete(id);
    },
  };
}
