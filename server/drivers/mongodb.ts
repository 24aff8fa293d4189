import type { MongoClient } from "mongodb";
import type { MongodbAddress } from "../settings/session-urls.ts";
import { SettingsError } from "../settings/settings-error.ts";
import { clientName, connectTimeoutMs, type DriverOptions, poolSize } from "./driver-options.ts";
import { loadDriver } from "./load-driver.ts";
import { outages } from "./outages.ts";

/** A client of MongoDB; it connects when it is first used. @throws DriverMissing; SettingsError for an address that the driver refuses */
export async function mongoClient({ url }: MongodbAddress, options: DriverOptions): Promise<MongoClient> {
  const { MongoClient } = await loadDriver(options.asked, "mongodb", () => import("mongodb"));
  const limitMs = connectTimeoutMs(options);
  const client = constructed(
    () =>
      new MongoClient(url, {
        appName: clientName,
        maxPoolSize: poolSize,
        connectTimeoutMS: limitMs,
        serverSelectionTimeoutMS: limitMs,
        waitQueueTimeoutMS: limitMs,
      }),
  );
  const { failed, worked } = outages(options.log, "MongoDB");
  client.on("serverHeartbeatFailed", ({ failure }) => failed(failure));
  client.on("serverHeartbeatSucceeded", worked);
  return client;
}

// The driver's words may quote the address, and the password in it.
function constructed(create: () => MongoClient): MongoClient {
  try {
    return create();
  } catch (error) {
    const problem = `is refused by the driver (${error instanceof Error ? error.name : "unknown"})`;
    const fix = "Compare it with what the documentation of MongoDB says of connection strings.";
    throw new SettingsError([{ setting: "MONGODB_URL", found: "a value", problem, fix }]);
  }
}
