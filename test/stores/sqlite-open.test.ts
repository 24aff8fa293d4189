import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, relative } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { endStart, openDatabase } from "../../src/stores/sqlite/open.ts";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";
import { sqliteFile } from "./sqlite-file.ts";

const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe("the database file", () => {
  it("is readable by its owner alone, side files and directory included", async () => {
    const { path, open } = sqliteFile();
    open();
    expect([path, `${path}-wal`, `${path}-shm`].map(mode)).toEqual(["600", "600", "600"]);
    expect(mode(dirname(path))).toBe("700");
  });

  it("keeps the mode it has where it is there already", async () => {
    const { path, open } = sqliteFile();
    mkdirSync(dirname(path));
    execFileSync("touch", [path]);
    execFileSync("chmod", ["640", path]);
    open();
    expect(mode(path)).toBe("640");
  });

  it("is not named by a URI, whatever its name looks like", async () => {
    const { path } = sqliteFile();
    mkdirSync(dirname(path));
    const before = process.cwd();
    process.chdir(dirname(path));
    onTestFinished(() => process.chdir(before));
    await sqlite({ path: "file:app.db?mode=memory" }).directory.close();
    expect(statSync(`${dirname(path)}/file:app.db?mode=memory`).size).toBeGreaterThan(0);
  });

  it("does not keep what was erased", async () => {
    const { path, open, make, call } = sqliteFile();
    const stores = open();
    const user = make.user({ email: "unforgettable@example.com", name: "Unforgettable Name" });
    const row = make.auditRow({ userId: user.id, userAgent: "UnforgettableBrowser" });
    await stores.directory.commit(
      [
        { kind: "user.insert", user },
        { kind: "audit.insert", row },
      ],
      call(),
    );
    await stores.directory.commit([{ kind: "user.erase", userId: user.id, requires: "any" }], call());
    await stores.directory.close();
    expect(readFileSync(path).toString("latin1").toLowerCase()).not.toContain("unforgettable");
  });
});

describe("a file that cannot be opened", () => {
  /** What opening a file says. */
  const failure = (path: string): Error & { readonly code?: string } => {
    try {
      sqlite({ path });
    } catch (error) {
      return error as Error & { readonly code?: string };
    }
    throw new Error("it was opened");
  };

  it("is named, with the reason and what Node says of it", () => {
    const { path } = sqliteFile();
    mkdirSync(path, { recursive: true });
    const error = failure(relative(process.cwd(), path));
    expect(error.message).toMatch(`sqlite: ${path} cannot be opened: `);
    expect([error.code, (error.cause as { code?: string }).code]).toEqual(["EISDIR", "EISDIR"]);
  });

  it("is named where it is no database", () => {
    const { path } = sqliteFile();
    mkdirSync(dirname(path));
    writeFileSync(path, "this is no database, and longer than the header of one: 100 bytes. ".repeat(3));
    expect(failure(path)).toMatchObject({
      message: `sqlite: ${path} cannot be opened: file is not a database`,
      code: "ERR_SQLITE_ERROR",
      errcode: 26,
    });
  });
});

describe("the connection", () => {
  const pragma = (name: string, synchronous: "normal" | "full" = "normal"): unknown => {
    const { path } = sqliteFile();
    const db = openDatabase({ path, synchronous });
    endStart(db);
    const value = Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    db.close();
    return value;
  };

  it("writes ahead, so that readers and the writer do not wait for each other", () => {
    expect(pragma("journal_mode")).toBe("wal");
  });

  it("waits for the disk at each commit only where it is asked to", () => {
    expect([pragma("synchronous"), pragma("synchronous", "full")]).toEqual([1, 2]);
  });

  it("never holds up the event loop for more than 20 ms", () => {
    expect(pragma("busy_timeout")).toBeLessThanOrEqual(20);
  });

  it("keeps references whole and lets the file run no code", () => {
    expect([pragma("foreign_keys"), pragma("trusted_schema")]).toEqual([1, 0]);
  });
});

describe("sqlite()", () => {
  it.each([
    ["path", { path: "" }],
    ["synchronous", { path: ":memory:", synchronous: "off" }],
    ["cacheSessions", { path: ":memory:", cacheSessions: -1 }],
    ["cacheSessions", { path: ":memory:", cacheSessions: 1.5 }],
    ["lockTimeoutMs", { path: ":memory:", lockTimeoutMs: Number.NaN }],
  ])("refuses an option that cannot be used, by its name: %s", (name, options) => {
    expect(() => sqlite(options as never)).toThrow(new RegExp(`^sqlite: ${name} `));
    expect(() => sqlite(options as never)).toThrow(TypeError);
  });

  it("loads SQLite when a database is opened, not before", () => {
    const file = new URL("../../src/stores/sqlite/sqlite.ts", import.meta.url);
    const program = `
      const { sqlite } = await import(${JSON.stringify(file.href)});
      const isLoaded = () => process.moduleLoadList.some((name) => /\\bsqlite$/.test(name));
      const before = isLoaded();
      sqlite({ path: ":memory:" });
      console.log(before, isLoaded());`;
    const options = ["--disable-warning=ExperimentalWarning", "--input-type=module", "--eval", program];
    expect(execFileSync(process.execPath, options, { encoding: "utf8" }).trim()).toBe("false true");
  });

  it("answers no more once one of its ports was closed, and closes twice without complaint", async () => {
    const { open, call } = sqliteFile();
    const stores = open();
    await stores.directory.ping(call());
    await stores.sessions.close();
    await stores.directory.close();
    await expect(stores.directory.ping(call())).rejects.toThrow();
    await expect(stores.ephemeral.take("key", call())).rejects.toThrow();
  });
});
