import { once } from "node:events";
import { connect } from "node:net";
import { DatabaseSync } from "node:sqlite";
import { createConnection } from "mysql2/promise";
import pg from "pg";
import { createClient } from "redis";
import { eventually } from "../../servers/eventually.ts";
import { databaseOf, type Place, type RedisPlace } from "./engines.ts";

/**
 * Resolves once nothing of a killed process works on the place any more: a server still finishes what had reached it.
 *
 * @throws Error - the database is damaged
 */
export async function settle(place: Place): Promise<void> {
  switch (place.engine) {
    case "postgres":
      return settlePostgres(place.url);
    case "postgres+redis":
      await settleRedis(place.redis);
      return settlePostgres(place.url);
    case "mysql":
      return settleMysql(place.url);
    case "sqlite+memcached":
      await settleMemcached(place.address);
      return checkSqlite(place.folder);
    default:
      return checkSqlite(place.folder);
  }
}

function checkSqlite(folder: string): void {
  const db = new DatabaseSync(databaseOf(folder));
  try {
    const { integrity_check: verdict } = db.prepare("PRAGMA integrity_check").get() ?? {};
    if (verdict !== "ok") throw new Error(`integrity_check: ${verdict}`);
  } finally {
    db.close();
  }
}

async function settlePostgres(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  const others = `SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`;
  try {
    await eventually(async () => (await client.query(others)).rows.length === 0);
  } finally {
    await client.end();
  }
}

async function settleMysql(url: string): Promise<void> {
  const connection = await createConnection(url);
  const others =
    "SELECT 1 FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()";
  try {
    await eventually(async () => {
      const [rows] = await connection.query(others);
      return Array.isArray(rows) && rows.length === 0;
    });
  } finally {
    await connection.end();
  }
}

async function settleRedis({ url, prefix }: RedisPlace): Promise<void> {
  const client = createClient({ url });
  await client.connect();
  try {
    await eventually(async () => !(await client.clientList()).some(({ name }) => name === prefix));
  } finally {
    client.destroy();
  }
}

async function settleMemcached(address: string): Promise<void> {
  const [host, port] = address.split(":");
  const socket = connect(Number(port), host);
  try {
    await eventually(async () => {
      socket.write("stats conns\r\n");
      let told = "";
      while (!told.endsWith("END\r\n")) told += (await once(socket, "data"))[0];
      // One that listens is no client, and this one is the only other.
      return [...told.matchAll(/:state (?!conn_listening)/g)].length === 1;
    });
  } finally {
    socket.destroy();
  }
}
