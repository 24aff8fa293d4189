import { describe, expect, it } from "vitest";
import type { UserQuery } from "../../src/ports/directory-store.ts";
import { userQuery } from "../../src/testing/queries.ts";
import { type SqliteFile, sqliteFile } from "./sqlite-file.ts";

const crowd = 25_000;

/** A database with many accounts, of whom the oldest is an editor. */
async function crowded(): Promise<SqliteFile & ReturnType<SqliteFile["open"]>> {
  const file = sqliteFile();
  const stores = file.open();
  const oldest = file.make.user({ username: "zoe", email: "zoe@example.com", roles: ["editor"] });
  expect((await stores.directory.commit([{ kind: "user.insert", user: oldest }], file.call())).ok).toBe(true);
  const db = file.raw();
  db.exec(`
    INSERT INTO users (id, username, email, email_key, email_verified, status, roles, permissions, is_superuser, generation,
      slot_tag, data, version, created_at, updated_at)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${crowd})
    SELECT 'id' || i, 'ana' || i, 'ana' || i || '@example.com', 'ana' || i || '@example.com', 0, 'active', '[]', '[]', 0, 1,
      'slotslot', '{}', 1, ${file.clock.now().getTime()} + i, 0 FROM n`);
  db.close();
  return { ...file, ...stores };
}

describe("accounts on SQLite", () => {
  it("are looked at 10,000 a page, however few of them are wanted", async () => {
    const { directory, call } = await crowded();
    const sizes = async (asked: Partial<UserQuery>): Promise<readonly number[]> => {
      const found: number[] = [];
      for (let after: string | null = null; ; ) {
        const page = await directory.users(userQuery({ ...asked, after }), call());
        found.push(page.users.length);
        if (page.next === null) return found;
        after = page.next;
      }
    };
    expect(await sizes({ role: "editor" })).toEqual([0, 0, 1]);
    expect(await sizes({ role: "nobody's" })).toEqual([0, 0, 0]);
    // Of a search each order has its half; where one ends on a page, the other begins on it.
    expect(await sizes({ search: "ana", role: "editor" })).toEqual(Array(9).fill(0));
    expect(await sizes({ search: "zoe", role: "editor" })).toEqual([1]);
  });

  it("are given once, wherever the pieces end in which they are looked at", async () => {
    const { directory, call, raw } = await crowded();
    const db = raw();
    db.exec(
      `UPDATE users SET roles = '["editor"]' WHERE id LIKE 'id%' AND CAST(substr(id, 3) AS INTEGER) % 3 > 0`,
    );
    const { n } = db.prepare(`SELECT count(*) AS n FROM users WHERE roles <> '[]'`).get() as { n: number };
    db.close();
    for (const search of [null, "ana"]) {
      const ids: string[] = [];
      for (let after: string | null = null; ; ) {
        const page = await directory.users(userQuery({ role: "editor", search, limit: 200, after }), call());
        ids.push(...page.users.map(({ id }) => id));
        if (page.next === null) break;
        after = page.next;
      }
      expect([ids.length, new Set(ids).size]).toEqual([
        n - Number(search !== null),
        n - Number(search !== null),
      ]);
    }
  });

  it("let other work come in between while many of them are looked at", async () => {
    const { directory, call } = await crowded();
    let turns = 0;
    let isOver = false;
    const working = (async () => {
      while (!isOver) {
        await new Promise((resolve) => setImmediate(resolve));
        turns++;
      }
    })();
    await directory.users(userQuery({ role: "nobody's" }), call());
    isOver = true;
    await working;
    expect(turns).toBeGreaterThan(20);
  });

  it("are counted, and sessions and events too, while other work goes on", async () => {
    const { directory, call, raw, clock } = await crowded();
    const db = raw();
    const now = clock.now().getTime();
    db.exec(`
      INSERT INTO audit_events (id, type, created_at, payload, digests)
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${crowd})
      SELECT 'row' || i, iif(i % 2, 'user.logged_in', 'user.login_failed'), ${now} + i % 3,
        iif(i % 4, '{}', '{"reason":"status"}'), '{}' FROM n`);
    db.close();
    const counts = await directory.statistics(clock.now(), call());
    expect(counts.users).toEqual({ active: crowd + 1, disabled: 0, deleted: 0, anonymized: 0 });
    const events = counts.events.toSorted((a, b) => a.count - b.count || (a.reason === null ? 1 : -1));
    expect(events).toEqual([
      { type: "user.login_failed", reason: "status", count: crowd / 4 },
      { type: "user.login_failed", reason: null, count: crowd / 4 },
      { type: "user.logged_in", reason: null, count: crowd / 2 },
    ]);
  });

  it("have their sessions counted, expired ones left out, at any number", async () => {
    const { sessions, call, raw, clock } = await crowded();
    const db = raw();
    const now = clock.now().getTime();
    db.exec(`
      INSERT INTO sessions (id, secret_digest, user_id, generation, amr, is_remembered, created_at, last_used_at,
        idle_expires_at, expires_at, data, data_version)
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
      SELECT 'session' || i, zeroblob(32), iif(i % 10, 'id' || (i % 100), NULL), 1, '[]', 0, 0, 0,
        ${now} + (i % 4 - 2) * (i % 2 + 1), ${now} + 5, '{}', 0 FROM n`);
    const all = db.prepare(
      "SELECT count(*) AS n FROM sessions WHERE user_id IS NOT NULL AND min(idle_expires_at, expires_at) > ?",
    );
    for (const ms of [-5, -1, 0, 1, 9]) {
      const { n } = all.get(now + ms) as { n: number };
      expect(await sessions.count({ ...call(), now: new Date(now + ms) })).toBe(n);
    }
    db.close();
  });
});
