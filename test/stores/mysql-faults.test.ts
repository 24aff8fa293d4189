import { onTestFinished } from "vitest";
import { openFaultProxy } from "../support/fault-proxy.ts";
import { mysqlDatabase, mysqlUrl } from "./mysql-database.ts";
import { serverFaults } from "./server-faults.ts";

serverFaults("MySQL", mysqlUrl === null, async () => {
  const database = await mysqlDatabase();
  const proxy = await openFaultProxy(mysqlUrl ?? "");
  onTestFinished(() => proxy.end());
  const { clock, make } = database;
  const direct = database.open();
  const config = { uri: proxy.urlOf(database.url), connectTimeout: 1_000 };
  const stores = database.open({ transactionTimeoutSeconds: 1 }, config);
  return { proxy, stores, direct, clock, make };
});
