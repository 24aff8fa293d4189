import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { foundBy, sqliteFile } from "./sqlite-file.ts";
import { type OtherProcess, type Role, rowsPerCommit, startProcess } from "./sqlite-process.ts";

function start(role: Role, path: string, argument?: string): OtherProcess {
  const other = startProcess(role, path, argument);
  onTestFinished(() => {
    other.child.kill("SIGKILL");
  });
  return other;
}

describe("a killed process", () => {
  it("leaves whole transactions only, and every acknowledged one", { timeout: 60_000 }, async () => {
    const { path, open, raw } = sqliteFile();
    await open().directory.close();
    let next = 0;
    for (let round = 0; round < 8; round++) {
      const { child, lines, line, ended } = start("commit", path, String(next));
      await line();
      let acknowledged = next;
      lines.on("line", (text) => {
        acknowledged = Number(text);
      });
      // The child is somewhere in its next transactions by then; where is up to the machine.
      for (let seen = 0; seen < round * 3; seen++) await line();
      child.kill("SIGKILL");
      expect(await ended).toBeNull();
      const db = raw();
      const whole = db.prepare(`
        SELECT count(*) AS users, sum((SELECT count(*) FROM sessions s WHERE s.user_id = u.id)) AS sessions,
        sum((SELECT count(*) FROM audit_events e WHERE e.user_id = u.id)) AS rows,
        sum((SELECT count(*) FROM audit_personal p JOIN audit_events e ON e.id = p.event_id WHERE e.user_id = u.id)) AS fields
        FROM users u`);
      const { users, ...counts } = whole.get() as Record<"users" | "sessions" | "rows" | "fields", number>;
      expect(counts).toEqual({
        sessions: users,
        rows: users * rowsPerCommit,
        fields: users * rowsPerCommit * 2,
      });
      expect(users).toBeGreaterThanOrEqual(acknowledged + 1);
      expect(db.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
      db.close();
      next = users;
    }
    expect(next).toBeGreaterThan(8);
  });
});

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
    expect(await answers).toEqual(["applied", "applied", "applied"]);
    expect(await Promise.all(others.map(({ ended }) => ended))).toEqual([0, 0, 0]);
  });

  it("may have the file locked while it is opened for the first time", async () => {
    const { path, open } = sqliteFile();
    mkdirSync(dirname(path));
    const other = start("hold-rollback-journal", path);
    expect(await other.line()).toBe("held");
    const statuses = await open().migrations.status();
    expect(statuses.map(({ state }) => state)).toEqual(["applied"]);
    expect(await other.ended).toBe(0);
  });
});
