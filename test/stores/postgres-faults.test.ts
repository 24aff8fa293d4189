import { onTestFinished } from "vitest";
import type { Life } from "../../src/stores/sql/connection.ts";
import { openFaultProxy } from "../support/fault-proxy.ts";
import { postgresDatabase, postgresUrl } from "./postgres-database.ts";
import { serverFaults } from "./server-faults.ts";

serverFaults("PostgreSQL", postgresUrl === null, async () => {
  const database = await postgresDatabase();
  const proxy = await openFaultProxy(postgresUrl ?? "");
  onTestFinished(() => proxy.end());
  const { clock, make } = database;
  const direct = database.open();
  const config = { connectionString: proxy.urlOf(postgresUrl ?? ""), connectionTimeoutMillis: 1_000 };
  const stores = database.open({ transactionTimeoutMs: 300 }, config);
  const connect = (life: Omit<Life, "ownsPool">) => database.connect(life, { ...config, max: 1 });
  return { proxy, stores, direct, connect, clock, make };
});
