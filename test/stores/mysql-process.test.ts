import { mysqlDatabase, mysqlUrl } from "./mysql-database.ts";
import { serverRaces } from "./server-races.ts";

serverRaces("MySQL", mysqlUrl === null, async () => {
  const { open, url } = await mysqlDatabase();
  return { stores: open(), address: { engine: "mysql", url } };
});
