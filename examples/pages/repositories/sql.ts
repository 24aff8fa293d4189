import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import type { RepositoryUser, SessionRepository } from "latchkey/repositories";
import type { Role, Users } from "./users.ts";

/** Opens the application's own database. Latchkey knows nothing of its tables. */
export function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec(`
    CREATE TABLE IF NOT EXISTS users (
      id TEXT PRIMARY KEY, email TEXT NOT NULL COLLATE NOCASE UNIQUE, password_hash TEXT, role TEXT NOT NULL DEFAULT 'user');
    CREATE TABLE IF NOT EXISTS sessions (
      sid_hash TEXT PRIMARY KEY, user_id TEXT NOT NULL, expires_at INTEGER NOT NULL, remember INTEGER NOT NULL,
      ip TEXT, user_agent TEXT, rotated_from TEXT);`);
  return database;
}

/** Sessions in a table. */
export function sqlSessions(database: DatabaseSync): SessionRepository {
  const insert = database.prepare("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?)");
  const remove = database.prepare("DELETE FROM sessions WHERE sid_hash = ?");
  const find = database.prepare("SELECT user_id FROM sessions WHERE sid_hash = ? AND expires_at > ?");
  return {
    insert({ sid, userId, expiresAt, remember, ip, userAgent, rotatedFromSid }) {
      const rotatedFrom = rotatedFromSid === null ? null : hashOf(rotatedFromSid);
      insert.run(hashOf(sid), userId, expiresAt.getTime(), Number(remember), ip, userAgent, rotatedFrom);
    },
    revoke: (sid) => remove.run(hashOf(sid)).changes === 1,
    getUserId: (sid) => (find.get(hashOf(sid), Date.now())?.user_id as string | undefined) ?? null,
  };
}

function hashOf(sid: string): string {
  return createHash("sha256").update(sid).digest("hex");
}

/** Users in a table, whose unique index decides when two register with one address at once. */
export function sqlUsers(database: DatabaseSync): Users {
  const columns = "id, email, password_hash AS passwordHash, role";
  const byId = database.prepare(`SELECT ${columns} FROM users WHERE id = ?`);
  const byEmail = database.prepare(`SELECT ${columns} FROM users WHERE email = ?`);
  const insert = database.prepare("INSERT INTO users (id, email, password_hash) VALUES (?, ?, ?)");
  const setHash = database.prepare("UPDATE users SET password_hash = ? WHERE id = ?");
  const setRole = database.prepare("UPDATE users SET role = ? WHERE id = ?");
  return {
    getUserById: (id) => (byId.get(id) as Row | undefined) ?? null,
    getUserByEmail: (email) => (byEmail.get(email) as Row | undefined) ?? null,
    createUser(user) {
      insert.run(user.id, user.email, user.passwordHash);
      return user;
    },
    updatePasswordHash: (id, passwordHash) => setHash.run(passwordHash, id),
    setRole: (id, role) => void setRole.run(role, id),
  };
}

type Row = RepositoryUser & { readonly role: Role };
