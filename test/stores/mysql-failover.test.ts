import { createPool, type Pool } from "mysql2/promise";
import { afterAll, beforeAll } from "vitest";
import { mysql } from "../../src/stores/mysql/mysql.ts";
import { startMariadb } from "../servers/start-mariadb.ts";
import { mysqlDatabase, mysqlUrl } from "./mysql-database.ts";
import { serverFailover } from "./server-failover.ts";

const places = 4;
let formerUrl: string;
let former: Pool;

beforeAll(async () => {
  if (mysqlUrl === null) return;
  formerUrl = (await startMariadb({ cleanup: afterAll })).url;
  former = createPool({ uri: formerUrl, multipleStatements: true });
});

afterAll(() => former?.end());

serverFailover("MySQL", mysqlUrl === null, async () => {
  const { pool: nextPool, url, clock, make, call } = await mysqlDatabase();
  const name = new URL(url).pathname.slice(1);
  // An account that may write past `read_only` would not notice.
  await former.query(`
    SET GLOBAL read_only = 0; CREATE DATABASE ${name};
    CREATE OR REPLACE USER app@'127.0.0.1' IDENTIFIED BY 'app'; GRANT ALL ON ${name}.* TO app@'127.0.0.1'`);
  const { port } = new URL(formerUrl);
  const target = { host: "127.0.0.1", port: Number(port), user: "app", password: "app", database: name };
  const pool = nextPool({ ...target, uri: undefined as never, connectionLimit: places });
  const stores = mysql({ pool });
  const session = make.session(null);
  const insert = { kind: "session.insert", session, cap: 0, evicted: () => [] } as const;
  await stores.directory.commit([insert], call());
  await mysql({ pool: nextPool() }).migrations.up();
  await former.query("SET GLOBAL read_only = 1");
  const reads = Array.from({ length: places }, () => stores.sessions.find([session.id], call()));
  await Promise.all(reads);
  return {
    stores,
    session,
    make,
    call: () => ({ now: clock.now(), signal: AbortSignal.timeout(5_000) }),
    move: () => Object.assign(configOf(pool), addressOf(url)),
    promote: async () => {
      await former.query("SET GLOBAL read_only = 0");
    },
  };
});

/** Where the pool's next connection leads. */
function configOf(pool: Pool): object {
  return (pool as unknown as { pool: { config: { connectionConfig: object } } }).pool.config.connectionConfig;
}

function addressOf(url: string): object {
  const { port, username, password } = new URL(url);
  return { port: Number(port), user: username, password };
}
