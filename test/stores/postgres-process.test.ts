import { postgresDatabase, postgresUrl } from "./postgres-database.ts";
import { serverRaces } from "./server-races.ts";

serverRaces("PostgreSQL", postgresUrl === null, async () => {
  const { open, name } = await postgresDatabase();
  const options = `-c search_path=${name}`;
  return { stores: open(), address: { engine: "postgres", url: postgresUrl ?? "", options } };
});
