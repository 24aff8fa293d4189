import { DatabaseSync } from "node:sqlite";

// Another process that writes to the same file: any write to any table empties the coherent cache.
const database = new DatabaseSync(process.argv[2] ?? "");
database.exec("PRAGMA busy_timeout = 1000");
const write = database.prepare(
  "INSERT OR REPLACE INTO ephemeral (key, value, expires_at) VALUES ('bench', '1', ?)",
);
const perSecond = Number(process.argv[3]);
setInterval(() => write.run(Date.now()), 1000 / perSecond);
process.send?.({ ready: 1 });
process.on("SIGTERM", () => process.exit(0));
