import { mysql } from "../../src/stores/mysql/mysql.ts";
import { mysqlUrl, newDatabase } from "./mysql-database.ts";
import { serverRaces } from "./server-races.ts";

serverRaces("MySQL", mysqlUrl === null, async () => {
  const database = await newDatabase();
  const pool = database.pool();
  return {
    stores: mysql({ pool }),
    address: { engine: "mysql", url: database.url },
    empty: () => database.empty(),
    async end() {
      await pool.end();
      await database.drop();
    },
  };
});
