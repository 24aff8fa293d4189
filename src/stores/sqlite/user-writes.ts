import type { User } from "../../domain/user.ts";
import type { Refusal } from "../../ports/store.ts";
import { passwordColumns, passwordRow, placeholders, userColumns, userOf, userRow } from "../rows.ts";
import { changedUser, erasedUser } from "../user-changes.ts";
import { deleteCredentials } from "./credential-writes.ts";
import type { Prepare } from "./statement.ts";
import type { Handlers, UserStatements, WriteRun } from "./write-run.ts";

const fields = userColumns.replace("id, ", "");

/** Prepares {@link UserStatements}. */
export function userStatements(prepare: Prepare): UserStatements {
  return {
    byId: prepare(`SELECT ${userColumns} FROM users WHERE id = ?`),
    insert: prepare(`INSERT INTO users (${userColumns}) VALUES (${placeholders(userColumns)})`),
    // Static SQL and a changing set of fields: the row is read, changed and written whole, within one transaction.
    update: prepare(`UPDATE users SET (${fields}) = (${placeholders(fields)}) WHERE id = ?`),
    otherByEmail: prepare("SELECT 1 FROM users WHERE email_key = ? AND id <> ?"),
    anyone: prepare("SELECT 1 FROM users LIMIT 1"),
    otherSuperuser: prepare(
      "SELECT 1 FROM users WHERE is_superuser = 1 AND status = 'active' AND id <> ? LIMIT 1",
    ),
    insertPassword: prepare(`
      INSERT INTO passwords (${passwordColumns}) VALUES (${placeholders(passwordColumns)}) ON CONFLICT (user_id) DO NOTHING`),
    replacePassword: prepare(`
      UPDATE passwords SET encoded = ?, normalization = ?, version = ?, created_at = ?, updated_at = ?
      WHERE id = ? AND user_id = ? AND version = ?`),
    deletePasswords: prepare("DELETE FROM passwords WHERE user_id = ?"),
  };
}

/** The writes about users and their passwords; what each promises stands at `Write`. */
export const userHandlers: Pick<
  Handlers,
  | "user.require"
  | "user.insert"
  | "user.update"
  | "user.advance"
  | "user.erase"
  | "directory.require_empty"
  | "directory.require_other_superuser"
  | "password.insert"
  | "password.replace"
> = {
  "user.require": ({ userId, generation }, run) => {
    const user = read(run, userId);
    return user?.status === "active" && user.generation === generation ? null : "stale";
  },

  "user.insert": ({ user }, run) =>
    unlessTaken(run, user, () => run.statements.users.insert.run(...userRow(user))),

  "user.update": ({ userId, version, changes }, run) => {
    const user = read(run, userId);
    return user?.version === version ? write(run, changedUser(user, changes, run.now)) : "conflict";
  },

  "user.advance": ({ userId, from }, run) => {
    const user = read(run, userId);
    return user?.generation === from
      ? write(run, { ...changedUser(user, {}, run.now), generation: from + 1 })
      : "stale";
  },

  "user.erase": ({ userId, requires }, run) => {
    const user = read(run, userId);
    if (requires === "deleted" && user?.status !== "deleted") return "conflict";
    if (user === null) return null;
    run.statements.users.deletePasswords.run(userId);
    deleteCredentials(run, userId);
    run.statements.people.deleteMailTo.run(userId);
    run.statements.audit.deletePersonal.run(userId);
    return write(run, erasedUser(user, run.now));
  },

  "directory.require_empty": (_, { statements }) =>
    statements.users.anyone.get() === undefined ? null : "first_user_exists",

  "directory.require_other_superuser": ({ userId }, run) => {
    const user = read(run, userId);
    if (!user?.isSuperuser || user.status !== "active") return null;
    return run.statements.users.otherSuperuser.get(userId) === undefined ? "last_superuser" : null;
  },

  "password.insert": ({ credential }, { statements }) =>
    statements.users.insertPassword.run(...passwordRow(credential)).changes === 1 ? null : "conflict",

  "password.replace": ({ credential }, { statements }) => {
    const [id, userId, ...values] = passwordRow(credential);
    const { changes } = statements.users.replacePassword.run(...values, id, userId, credential.version - 1);
    return changes === 1 ? null : "conflict";
  },
};

function read({ statements }: WriteRun, userId: string): User | null {
  const row = statements.users.byId.get(userId);
  return row === undefined ? null : userOf(row);
}

function write(run: WriteRun, user: User): Refusal | null {
  run.cache?.dropUser(user.id);
  const [id, ...values] = userRow(user);
  return unlessTaken(run, user, () => run.statements.users.update.run(...values, id));
}

// The index decides, so that no check of ours can be raced; afterwards it is asked which of the two it was.
function unlessTaken({ statements }: WriteRun, user: User, work: () => void): Refusal | null {
  try {
    work();
    return null;
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    const { emailKey, id } = user;
    return statements.users.otherByEmail.get(emailKey, id) === undefined ? "username_taken" : "email_taken";
  }
}

/** @see https://sqlite.org/rescode.html#constraint_unique */
function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === 2067;
}
