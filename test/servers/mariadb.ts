import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import { findProgram } from "./found.ts";
import type { ServerGroup, ServerNode } from "./server-group.ts";

/** For creating the system tables and for running: small, and without waiting for the disk. */
const SMALL = [
  "--no-defaults",
  "--skip-name-resolve",
  "--innodb-log-file-size=8M",
  "--loose-innodb-flush-method=nosync",
];

/** A MariaDB, and how a user with all rights reaches it. */
export interface MariadbNode {
  readonly node: ServerNode;
  readonly url: string;
}

/** Creates and starts a MariaDB; `binary` is the path of `mariadbd`. `args` are more of its own. */
export async function addMariadb(
  group: ServerGroup,
  binary: string,
  args: readonly string[] = [],
): Promise<MariadbNode> {
  const password = randomBytes(12).toString("hex");
  const data = join(group.directory, `mariadb-${randomBytes(4).toString("hex")}`);
  await group.run(installer(binary), [
    ...SMALL,
    `--datadir=${data}`,
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
  ]);
  const node = await group.add({
    file: binary,
    folder: data,
    files: () => ({ "init.sql": createUser(password) }),
    args: ({ port, folder }) => [
      ...SMALL,
      `--datadir=${folder}`,
      `--init-file=${folder}/init.sql`,
      "--bind-address=127.0.0.1",
      `--port=${port}`,
      `--socket=${folder}/mariadb.sock`,
      `--pid-file=${folder}/mariadb.pid`,
      "--skip-log-bin",
      // Each commit goes to the system, so that a killed server keeps it; the disk comes later.
      "--innodb-flush-log-at-trx-commit=2",
      "--innodb-buffer-pool-size=32M",
      "--max-connections=200",
      ...args,
    ],
    isReady: (log) => log.includes("ready for connections"),
  });
  return { node, url: `mysql://latchkey:${password}@127.0.0.1:${node.port}/mysql` };
}

/** Read at each start. Nobody gets in over the network without the password, root included. */
function createUser(password: string): string {
  return [
    "DELETE FROM mysql.global_priv WHERE Host <> 'localhost' OR User = '';",
    "FLUSH PRIVILEGES;",
    `CREATE OR REPLACE USER 'latchkey'@'127.0.0.1' IDENTIFIED BY '${password}';`,
    "GRANT ALL ON *.* TO 'latchkey'@'127.0.0.1' WITH GRANT OPTION;",
    "",
  ].join("\n");
}

function installer(binary: string): string {
  const near = { PATH: [dirname(binary), join(dirname(dirname(binary)), "bin"), process.env.PATH].join(":") };
  const found = findProgram(["mariadb-install-db"], near);
  if (found === null) throw new Error(`there is no mariadb-install-db for ${binary}`);
  return found;
}
