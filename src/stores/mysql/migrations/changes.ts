// Each statement of a migration may be run twice, and only MariaDB knows `ADD COLUMN IF NOT EXISTS`: whether what it adds is
// there is asked before.

/** Columns of a table that is there already. All of them come, and go, together. */
export interface NewColumns {
  readonly table: string;
  /** One of the columns. */
  readonly column: string;
  readonly add: string;
  readonly drop: string;
}

/** Adds columns, or drops them. */
export function change({ table, column, add, drop }: NewColumns, isAdded: boolean): string {
  return unlessDone({
    isAdded,
    add: `ALTER TABLE ${table} ${add}`,
    drop: `ALTER TABLE ${table} ${drop}`,
    kind: "columns",
    where: `table_schema = DATABASE() AND table_name = '${table}' AND column_name = '${column}'`,
  });
}

/** An index of a table that is there already. */
export interface NewIndex {
  readonly table: string;
  readonly index: string;
  readonly columns: string;
}

/** Adds an index, or drops it. */
export function changeIndex({ table, index, columns }: NewIndex, isAdded: boolean): string {
  return unlessDone({
    isAdded,
    add: `CREATE INDEX ${index} ON ${table} (${columns})`,
    drop: `DROP INDEX ${index} ON ${table}`,
    kind: "statistics",
    where: `table_schema = DATABASE() AND table_name = '${table}' AND index_name = '${index}'`,
  });
}

interface Change {
  readonly isAdded: boolean;
  readonly add: string;
  readonly drop: string;
  /** The table of `information_schema` that says whether it is there, and by which rows. */
  readonly kind: "columns" | "statistics";
  readonly where: string;
}

function unlessDone({ isAdded, add, drop, kind, where }: Change): string {
  const [whenThere, whenNot] = isAdded ? ["DO 0", add] : [drop, "DO 0"];
  return `
SET @latchkey_change = (SELECT IF(COUNT(*) > 0, '${whenThere}', '${whenNot}') FROM information_schema.${kind}
  WHERE ${where});
PREPARE latchkey_change FROM @latchkey_change;
EXECUTE latchkey_change;
DEALLOCATE PREPARE latchkey_change;`;
}
