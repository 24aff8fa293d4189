import type { MysqlConnection, MysqlPool, MysqlQuery } from "latchkey/mysql";
import type { PostgresClient, PostgresPool } from "latchkey/postgres";
import type { Pool, PoolConnection } from "mysql2/promise";

// Pools that send rows together which the stores insert one by one: statements and values are the stores' own, so what comes to
// lie in the tables is too. A statement that is refused is noticed at the next one that is sent, at the latest at COMMIT.

/** Rows in one statement. PostgreSQL takes at most 65,535 values in one, and the widest table has 19 columns. */
const rowsAtOnce = 1_000;

/** Rows of one table that are sent together. */
interface Batch {
  /** `INSERT INTO … (…) VALUES` */
  readonly head: string;
  readonly rows: readonly (readonly unknown[])[];
}

/** Rows that are yet to be sent. */
interface Gathered {
  /** Keeps the row of a statement that inserts one; false for every other statement. */
  keep(text: string, row: readonly unknown[]): boolean;
  /** What was kept, in the order of the tables' first rows; it is kept no longer. */
  release(): readonly Batch[];
}

const insertOfOne = /^\s*(INSERT INTO \w+ \([^()]*\) VALUES) \([^()]*\)\s*$/;

function gathered(): Gathered {
  const rowsByHead = new Map<string, (readonly unknown[])[]>();
  return {
    keep(text, row) {
      const head = insertOfOne.exec(text)?.[1];
      if (head === undefined) return false;
      const rows = rowsByHead.get(head) ?? [];
      rows.push(row);
      rowsByHead.set(head, rows);
      return true;
    },
    release() {
      const batches = [...rowsByHead].flatMap(([head, rows]) =>
        Array.from({ length: Math.ceil(rows.length / rowsAtOnce) }, (_, index) => ({
          head,
          rows: rows.slice(index * rowsAtOnce, (index + 1) * rowsAtOnce),
        })),
      );
      rowsByHead.clear();
      return batches;
    },
  };
}

/** A pool for `postgres` that gathers what is inserted. Ending it ends the one that it is made of. */
export function gatheringPostgres(pool: PostgresPool): PostgresPool {
  return {
    connect: async () => gatheringClient(await pool.connect()),
    end: () => pool.end(),
    on: (event, listener) => pool.on(event, listener),
  };
}

function gatheringClient(client: PostgresClient): PostgresClient {
  const { keep, release } = gathered();
  return {
    async query(query) {
      if (query.values !== undefined && keep(query.text, query.values)) return { rows: [], rowCount: 1 };
      const batches = release();
      if (query.text !== "ROLLBACK") {
        for (const { head, rows } of batches) {
          const { rowMode, types } = query;
          await client.query({ rowMode, types, text: `${head} ${numbered(rows)}`, values: rows.flat() });
        }
      }
      return client.query(query);
    },
    release: (destroy) => client.release(destroy),
    on: (event, listener) => client.on(event, listener),
    removeListener: (event, listener) => client.removeListener(event, listener),
  };
}

// `($1, $2), ($3, $4)`
function numbered(rows: Batch["rows"]): string {
  let next = 1;
  return rows.map((row) => `(${row.map(() => `$${next++}`).join(", ")})`).join(", ");
}

/** A pool for `mysql` that gathers what is inserted. Ending it ends the one that it is made of. */
export function gatheringMysql(pool: Pool): MysqlPool {
  return {
    getConnection: async () => gatheringConnection(await pool.getConnection()),
    end: () => pool.end(),
  };
}

function gatheringConnection(connection: PoolConnection): MysqlConnection {
  const { keep, release } = gathered();
  async function sendGathered({ sql }: MysqlQuery): Promise<void> {
    const batches = release();
    if (sql === "ROLLBACK") return;
    for (const { head, rows } of batches) await connection.query(`${head} ?`, [rows]);
  }
  const own: MysqlConnection = connection;
  return {
    async execute(query, values) {
      if (keep(query.sql, values)) return [{ affectedRows: 1 }, undefined];
      await sendGathered(query);
      return own.execute(query, values);
    },
    async query(query) {
      await sendGathered(query);
      return own.query(query);
    },
    release: () => connection.release(),
    destroy: () => connection.destroy(),
  };
}
