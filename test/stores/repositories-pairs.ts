import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import type { NewRepositorySession, RepositoryPair, RepositoryUser } from "../../src/stores/repositories.ts";

/** An application's pair, and what a test wants to do behind its back. */
export interface TestPair extends RepositoryPair {
  removeUser(id: string): void;
  /** The hash column. */
  hashOf(id: string): string | null;
  setHash(id: string, hash: string): void;
  setEmail(id: string, email: string): void;
  liveSessions(): number;
  /** Everything that the application stores, as text. */
  dump(): string;
}

const sidHash = (sid: string): string => createHash("sha256").update(sid).digest("hex");

/** Two maps. */
export function memoryPair(now: () => Date): TestPair {
  const users = new Map<string, RepositoryUser>();
  const sessions = new Map<string, NewRepositorySession>();
  const byEmail = (email: string): RepositoryUser | null =>
    [...users.values()].find((user) => user.email.toLowerCase() === email.toLowerCase()) ?? null;
  return {
    users: {
      getUserById: async (id) => users.get(id) ?? null,
      getUserByEmail: async (email) => byEmail(email),
      async createUser(user) {
        if (byEmail(user.email) !== null) throw new Error("unique constraint: email");
        users.set(user.id, user);
        return user;
      },
      async updatePasswordHash(id, passwordHash) {
        const user = users.get(id);
        if (user !== undefined) users.set(id, { ...user, passwordHash });
      },
    },
    sessions: {
      async insert(session) {
        sessions.set(sidHash(session.sid), { ...session, sid: "" });
      },
      revoke: async (sid) => sessions.delete(sidHash(sid)),
      async getUserId(sid) {
        const session = sessions.get(sidHash(sid));
        return session !== undefined && session.expiresAt > now() ? session.userId : null;
      },
    },
    removeUser: (id) => void users.delete(id),
    hashOf: (id) => users.get(id)?.passwordHash ?? null,
    setHash(id, passwordHash) {
      const user = users.get(id);
      if (user !== undefined) users.set(id, { ...user, passwordHash });
    },
    setEmail(id, email) {
      const user = users.get(id);
      if (user !== undefined) users.set(id, { ...user, email });
    },
    liveSessions: () => sessions.size,
    dump: () => JSON.stringify([[...users], [...sessions]]),
  };
}

/** Two tables of an application's own database. */
export function sqlPair(now: () => Date): TestPair {
  const database = new DatabaseSync(":memory:");
  database.exec(`
    CREATE TABLE people (id TEXT PRIMARY KEY, email TEXT NOT NULL COLLATE NOCASE UNIQUE, password_hash TEXT);
    CREATE TABLE logins (sid_hash TEXT PRIMARY KEY, user_id TEXT NOT NULL, expires_at INTEGER NOT NULL, remember INTEGER,
      ip TEXT, user_agent TEXT, rotated_from TEXT);`);
  const person = "SELECT id, email, password_hash AS passwordHash FROM people";
  const one = (sql: string, value: string): RepositoryUser | null =>
    (database.prepare(`${person} ${sql}`).get(value) as RepositoryUser | undefined) ?? null;
  return {
    users: {
      getUserById: (id) => one("WHERE id = ?", id),
      getUserByEmail: (email) => one("WHERE email = ?", email),
      createUser(user) {
        const { id, email, passwordHash } = user;
        database.prepare("INSERT INTO people VALUES (?, ?, ?)").run(id, email, passwordHash);
        return user;
      },
      updatePasswordHash: (id, hash) =>
        void database.prepare("UPDATE people SET password_hash = ? WHERE id = ?").run(hash, id),
    },
    sessions: {
      insert: ({ sid, userId, expiresAt, remember, ip, userAgent, rotatedFromSid }) =>
        void database
          .prepare("INSERT INTO logins VALUES (?, ?, ?, ?, ?, ?, ?)")
          .run(sidHash(sid), userId, expiresAt.getTime(), Number(remember), ip, userAgent, rotatedFromSid),
      revoke: (sid) =>
        database.prepare("DELETE FROM logins WHERE sid_hash = ?").run(sidHash(sid)).changes === 1,
      getUserId(sid) {
        const row = database
          .prepare("SELECT user_id AS id FROM logins WHERE sid_hash = ? AND expires_at > ?")
          .get(sidHash(sid), now().getTime());
        return row === undefined ? null : String(row.id);
      },
    },
    removeUser: (id) => void database.prepare("DELETE FROM people WHERE id = ?").run(id),
    hashOf: (id) => one("WHERE id = ?", id)?.passwordHash ?? null,
    setHash: (id, hash) =>
      void database.prepare("UPDATE people SET password_hash = ? WHERE id = ?").run(hash, id),
    setEmail: (id, email) => void database.prepare("UPDATE people SET email = ? WHERE id = ?").run(email, id),
    liveSessions: () => Number(database.prepare("SELECT count(*) AS n FROM logins").get()?.n),
    dump: () =>
      JSON.stringify([
        database.prepare("SELECT * FROM people").all(),
        database.prepare("SELECT * FROM logins").all(),
      ]),
  };
}
