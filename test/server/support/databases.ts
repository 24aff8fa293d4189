import { randomBytes } from "node:crypto";
import { createConnection } from "mysql2/promise";
import { Client } from "pg";
import { inject, onTestFinished } from "vitest";

/** Makes a PostgreSQL database for one test and answers its URL. */
export async function newPostgres(): Promise<string> {
  const server = inject("postgresUrl") ?? "";
  const name = newName();
  await onPostgres(server, `CREATE DATABASE ${name}`);
  onTestFinished(async () => void (await onPostgres(server, `DROP DATABASE ${name} WITH (FORCE)`)));
  return withDatabase(server, name);
}

/** Makes a MySQL database for one test and answers its URL. */
export async function newMysql(): Promise<string> {
  const server = inject("mysqlUrl") ?? "";
  const name = newName();
  await onMysql(server, `CREATE DATABASE ${name}`);
  onTestFinished(() => onMysql(server, `DROP DATABASE ${name}`));
  return withDatabase(server, name);
}

/** Runs one statement on a PostgreSQL, and answers its rows. */
export async function onPostgres(url: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

async function onMysql(url: string, sql: string): Promise<void> {
  const connection = await createConnection(url);
  await connection.query(sql).finally(() => connection.end());
}

function newName(): string {
  return `latchkey_${randomBytes(6).toString("hex")}`;
}

function withDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
