import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { migrations } from "../../src/stores/sqlite/migrations/all.ts";
import { foundBy, sqliteFile } from "./sqlite-file.ts";
import { type OtherProcess, type Role, startProcess } from "./sqlite-process.ts";

function start(role: Role, path: string, argument?: string): OtherProcess {
  const other = startProcess(role, path, argument);
  onTestFinished(() => {
    other.child.kill("SIGKILL");
  });
  return other;
}

describe("another process", () => {
  it("ends a session, and the next check here knows", async () => {
    const { path, make, open, call } = sqliteFile();
    const stores = open();
    const user = make.user();
    const session = make.session(user);
    await stores.directory.commit(
      [
        { kind: "user.insert", user },
        { kind: "session.insert", session, cap: 0, evicted: () => [] },
      ],
      call(),
    );
    expect(await foundBy(stores, session.id, call())).toMatchObject({ expired: false });
    const other = start("end-session", path, session.id);
    expect(await other.line()).toBe("ended");
    expect(await foundBy(stores, session.id, call())).toBeNull();
    expect(await other.ended).toBe(0);
  });

  it("may migrate the same new file at the same moment", async () => {
    const { path } = sqliteFile();
    const others = [1, 2, 3].map(() => start("open", path));
    await Promise.all(others.map(({ line }) => line()));
    const answers = Promise.all(others.map(({ line }) => line()));
    for (const { child } of others) child.stdin?.write("go\n");
    expect(await answers).toEqual(Array(3).fill(migrations.map(() => "applied").join(" ")));
    expect(await Promise.all(others.map(({ ended }) => ended))).toEqual([0, 0, 0]);
  });

  it("may have the file locked while it is opened for the first time", async () => {
    const { path, open } = sqliteFile();
    mkdirSync(dirname(path));
    const other = start("hold-rollback-journal", path);
    expect(await other.line()).toBe("held");
    const statuses = await open().migrations.status();
    expect(statuses.map(({ state }) => state)).toEqual(migrations.map(() => "applied"));
    expect(await other.ended).toBe(0);
  });
});
