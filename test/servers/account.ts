import { readFileSync } from "node:fs";

/** A user of the system. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

const SERVICE_ACCOUNTS = ["postgres", "mysql", "nobody"];

/**
 * Who runs servers that refuse to run as root: null where the tests are not root and can run them themselves.
 *
 * Any account that is not root will do; PostgreSQL wants one that has a name.
 */
export function unprivilegedAccount(
  ownUid: number | undefined = process.getuid?.(),
  passwd: () => string = () => readFileSync("/etc/passwd", "utf8"),
): Account | null {
  if (ownUid !== 0) return null;
  const accounts = new Map<string, Account>();
  for (const line of passwd().split("\n")) {
    const [name = "", , uid, gid] = line.split(":");
    if (Number(uid) > 0 && Number(gid) > 0) accounts.set(name, { uid: Number(uid), gid: Number(gid) });
  }
  const known = SERVICE_ACCOUNTS.find((name) => accounts.has(name)) ?? [...accounts.keys()][0] ?? "";
  const account = accounts.get(known);
  if (account === undefined) throw new Error("/etc/passwd names no user but root to run servers as");
  return account;
}
