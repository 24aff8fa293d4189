import { onTestFinished } from "vitest";
import type { Life } from "../../src/stores/sql/connection.ts";
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
  const connect = (life: Omit<Life, "ownsPool">) => database.connect(life, { ...config, connectionLimit: 1 });
  return { proxy, stores, direct, connect, clock, make };
});
