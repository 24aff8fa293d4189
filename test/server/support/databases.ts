import { randomBytes } from "node:crypto";
import { createConnection } from "mysql2/promise";
import { Client } from "pg";
import { inject, onTestFinished } from "vitest";
import type { Cleanup } from "../../servers/own.ts";

/** Makes a PostgreSQL database for one test and answers its URL. @param cleanup - by default it ends with the test */
export async function newPostgres(cleanup: Cleanup = (end) => onTestFinished(end)): Promise<string> {
  const server = inject("postgresUrl") ?? "";
  const name = newName();
  await onPostgres(server, `CREATE DATABASE ${name}`);
  cleanup(async () => void (await onPostgres(server, `DROP DATABASE ${name} WITH (FORCE)`)));
  return withDatabase(server, name);
}

/** Makes a MySQL database for one test and answers its URL. @param cleanup - by default it ends with the test */
export async function newMysql(cleanup: Cleanup = (end) => onTestFinished(end)): Promise<string> {
  const server = inject("mysqlUrl") ?? "";
  const name = newName();
  await onMysql(server, `CREATE DATABASE ${name}`);
  cleanup(() => onMysql(server, `DROP DATABASE ${name}`));
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
