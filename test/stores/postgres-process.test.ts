import { postgres } from "../../src/stores/postgres/postgres.ts";
import { newSchema, postgresUrl } from "./postgres-database.ts";
import { serverRaces } from "./server-races.ts";

serverRaces("PostgreSQL", postgresUrl === null, async () => {
  const schema = await newSchema();
  const pool = schema.pool();
  return {
    stores: postgres({ pool }),
    address: { engine: "postgres", url: postgresUrl ?? "", options: `-c search_path=${schema.name}` },
    empty: () => schema.empty(),
    async end() {
      await pool.end();
      await schema.drop();
    },
  };
});
