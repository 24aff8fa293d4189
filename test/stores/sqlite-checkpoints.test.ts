import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { type CheckpointPace, type Checkpoints, checkpointsOf } from "../../src/stores/sqlite/checkpoints.ts";
import { until } from "../support/until.ts";
import { type SqliteFile, sqliteFile } from "./sqlite-file.ts";

const run = promisify(execFile);

/** A connection that writes, and the checkpoints of its file. */
function writer(
  file: SqliteFile,
  pace: CheckpointPace,
  path = file.path,
): { db: DatabaseSync; checkpoints: Checkpoints; write: () => void } {
  const db = file.raw();
  db.exec("CREATE TABLE IF NOT EXISTS notes (text TEXT)");
  const checkpoints = checkpointsOf(db, { path, synchronous: "normal" }, pace);
  onTestFinished(() => checkpoints.close());
  const insert = db.prepare("INSERT INTO notes VALUES (hex(randomblob(2000)))");
  const write = (): void => {
    insert.run();
    checkpoints.committed();
  };
  return { db, checkpoints, write };
}

/** Pages of the log that are not in the database file yet. */
function pending(db: DatabaseSync): number {
  const { log, checkpointed } = db.prepare("PRAGMA wal_checkpoint(NOOP)").get() as Record<string, number>;
  return (log ?? 0) - (checkpointed ?? 0);
}

function pagesAlone(db: DatabaseSync): unknown {
  return db.prepare("PRAGMA wal_autocheckpoint").get()?.wal_autocheckpoint;
}

async function opened(): Promise<SqliteFile> {
  const file = sqliteFile();
  await file.open().directory.ping(file.call());
  return file;
}

describe("checkpoints of a database", () => {
  it("are made beside the connection that writes, which makes none itself", async () => {
    const { db, write } = writer(await opened(), { everyCommits: 10 });
    for (let count = 0; count < 9; count++) write();
    expect(pagesAlone(db)).toBe(1_000);
    expect(pending(db)).toBeGreaterThan(9);
    write();
    expect(pagesAlone(db)).toBe(8_000);
    await until(() => pending(db) === 0);
    for (let count = 0; count < 10; count++) write();
    await until(() => pending(db) === 0);
  });

  it("are SQLite's own again where the thread cannot work", async () => {
    const file = await opened();
    const { db, write } = writer(file, { everyCommits: 1 }, `${file.path}/no-such-folder/app.db`);
    write();
    await until(() => pagesAlone(db) === 1_000);
    write();
    expect(pagesAlone(db)).toBe(1_000);
  });

  it("take no place in a database in memory", () => {
    const file = sqliteFile();
    const stores = file.open();
    expect(stores.directory.engine.name).toBe("sqlite");
    const db = file.raw();
    checkpointsOf(db, { path: ":memory:", synchronous: "normal" }, { everyCommits: 1 }).committed();
    expect(pagesAlone(db)).toBe(1_000);
  });

  it("leave what the stores remember of sessions as it is", async () => {
    const file = sqliteFile();
    const sent: string[] = [];
    const stores = file.open({ onStatement: (sql) => sent.push(sql) });
    const user = file.make.user();
    const session = file.make.session(user);
    const insert = { kind: "session.insert", session, cap: 0, evicted: () => [] } as const;
    await stores.directory.commit([{ kind: "user.insert", user }, insert], file.call());
    await stores.sessions.find([session.id], file.call());
    // Enough for a thread of the stores' own.
    for (let count = 0; count < 300; count++) await stores.ephemeral.put(`k${count}`, "v", 60, file.call());
    const db = file.raw();
    await until(() => pending(db) < 300);
    await stores.sessions.find([session.id], file.call());
    sent.length = 0;
    expect(await stores.sessions.find([session.id], file.call())).toMatchObject([{ expired: false }]);
    expect(sent.filter((sql) => sql.includes("FROM sessions"))).toEqual([]);
  });

  it("keep no process alive, and let none end before the stores are closed", async () => {
    const file = sqliteFile();
    const program = `
      import { sqlite } from ${JSON.stringify(new URL("../../src/stores/sqlite/sqlite.ts", import.meta.url))};
      const stores = sqlite({ path: ${JSON.stringify(file.path)} });
      const call = { now: new Date(), signal: new AbortController().signal };
      for (let count = 0; count < 300; count++) await stores.ephemeral.put("k" + count, "v", 60, call);
      if (process.argv[1] === "close") await stores.directory.close();
      console.log("done");`;
    for (const end of ["close", "leave"]) {
      const child = await run(process.execPath, ["--input-type=module", "--eval", program, end]);
      expect(child.stdout).toBe("done\n");
    }
  });

  it("are made in the file that was opened, also where the process has gone to another folder since", async () => {
    const file = sqliteFile();
    const elsewhere = mkdtempSync(join(tmpdir(), "latchkey-elsewhere-"));
    onTestFinished(() => rmSync(elsewhere, { recursive: true }));
    const program = `
      import { DatabaseSync } from "node:sqlite";
      import { readdirSync } from "node:fs";
      import { sqlite } from ${JSON.stringify(new URL("../../src/stores/sqlite/sqlite.ts", import.meta.url))};
      const stores = sqlite({ path: "app.db" });
      const application = new DatabaseSync("app.db");
      process.chdir(${JSON.stringify(elsewhere)});
      const call = { now: new Date(), signal: new AbortController().signal };
      for (let count = 0; count < 300; count++) await stores.ephemeral.put("k" + count, "v", 60, call);
      const state = application.prepare("PRAGMA wal_checkpoint(NOOP)");
      for (let tries = 0; tries < 200 && state.get().checkpointed < 250; tries++)
        await new Promise((resolve) => setTimeout(resolve, 10));
      console.log(JSON.stringify({ isDone: state.get().checkpointed >= 250, strays: readdirSync(".") }));
      application.close();
      await stores.directory.close();`;
    const cwd = dirname(file.path);
    mkdirSync(cwd);
    const child = await run(process.execPath, ["--input-type=module", "--eval", program], { cwd });
    expect(JSON.parse(child.stdout)).toEqual({ isDone: true, strays: [] });
  });

  it("end with the stores, and leave no log behind", async () => {
    const file = sqliteFile();
    const stores = file.open();
    for (let count = 0; count < 300; count++) await stores.ephemeral.put(`k${count}`, "v", 60, file.call());
    expect(existsSync(`${file.path}-wal`)).toBe(true);
    await stores.directory.close();
    expect(existsSync(`${file.path}-wal`)).toBe(false);
  });
});
