import { closeSync, lstatSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** A folder that is this handle's alone. */
export interface Lock {
  /** Lets go of the folder. Idempotent. */
  release(): void;
}

/**
 * Takes a folder for this handle. The lock is the operating system's (SQLite takes it on every platform), so it ends with the
 * process, however that ends; a file with a pid in it could be left behind, and pids come back.
 *
 * @throws Error - another handle, of this process or another, has it; the lock is a link
 */
export function lockFolder(folder: string): Lock {
  const [lock, holder] = [join(folder, "lock"), join(folder, "lock.pid")];
  createPrivate(lock);
  const db = new DatabaseSync(lock);
  try {
    db.exec("PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE");
  } catch (error) {
    db.close();
    throw new Error(`${folder} is in use${holderOf(holder)}: sessions in files belong to one process`, {
      cause: error,
    });
  }
  try {
    // A new one each time: what is there may be a link, and what that leads to is not ours to write.
    rmSync(holder, { force: true });
    writeFileSync(holder, String(process.pid), { flag: "wx", mode: 0o600 });
  } catch (error) {
    db.close();
    throw error;
  }
  return {
    release() {
      if (db.isOpen) db.close();
    },
  };
}

// Never opened where it is there: to close it would end a lock that this process holds on it. @see fcntl(2), "record locks"
function createPrivate(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
    if (lstatSync(path).isSymbolicLink()) throw new Error(`${path} is a link: delete it`, { cause: error });
  }
}

function holderOf(path: string): string {
  try {
    return ` by process ${Number.parseInt(readFileSync(path, "utf8"), 10)}`;
  } catch {
    return "";
  }
}

/** Whether an error of the file system is of this kind. */
export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
