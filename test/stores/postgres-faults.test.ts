import { onTestFinished } from "vitest";
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
  return { proxy, stores, direct, clock, make };
});
