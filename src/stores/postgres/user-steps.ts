import type { Refusal } from "../../ports/store.ts";
import { passwordColumns, type UserRow, userColumns } from "../rows.ts";
import type { Queries } from "../sql/queries.ts";
import type { UserSteps } from "../sql/steps.ts";
import { isAnswer } from "./link.ts";
import { advisoryLocks } from "./locks.ts";
import { numbered, statement } from "./statement.ts";

const takeLock = statement("SELECT pg_advisory_xact_lock($1)");
// The rows come sorted to where they are locked.
const lockUsers = statement<UserRow>(
  `SELECT ${userColumns} FROM users WHERE id = ANY($1::text[]) ORDER BY id FOR NO KEY UPDATE`,
);
const insertUser = statement(`INSERT INTO users (${userColumns}) VALUES (${numbered(userColumns)})`);
const fields = userColumns.replace("id, ", "");
// Static SQL and a changing set of fields: the row was read and locked, is changed and written whole.
const updateUser = statement(`UPDATE users SET (${fields}) = ROW (${numbered(fields, 2)}) WHERE id = $1`);
const anyone = statement<readonly [number]>("SELECT 1 FROM users LIMIT 1");
const otherSuperuser = statement<readonly [number]>(`
  SELECT 1 FROM users WHERE is_superuser AND status = 'active' AND id <> $1 ORDER BY id LIMIT 1 FOR SHARE`);
const insertPassword = statement(`
  INSERT INTO passwords (${passwordColumns}) VALUES (${numbered(passwordColumns)}) ON CONFLICT (user_id) DO NOTHING`);
const replacePassword = statement(`
  UPDATE passwords SET encoded = $3, normalization = $4, version = $5, created_at = $6, updated_at = $7
  WHERE id = $1 AND user_id = $2 AND version = $5::bigint - 1`);
const deletePasswords = statement("DELETE FROM passwords WHERE user_id = $1");

/** The steps about users and their passwords. */
export function userSteps(queries: Queries): UserSteps {
  return {
    async lockDirectory(what) {
      await queries.all(takeLock, advisoryLocks[what]);
    },
    lockUsers: (ids) => queries.all(lockUsers, ids),
    insertUser: (row) => unlessTaken(queries.run(insertUser, ...row)),
    updateUser: (row) => unlessTaken(queries.run(updateUser, ...row)),
    hasAnyUser: async () => (await queries.all(anyone)).length > 0,
    hasOtherSuperuser: async (userId) => (await queries.all(otherSuperuser, userId)).length > 0,
    insertPassword: async (row) => (await queries.run(insertPassword, ...row)) === 1,
    replacePassword: async (row) => (await queries.run(replacePassword, ...row)) === 1,
    async deletePasswords(userId) {
      await queries.run(deletePasswords, userId);
    },
  };
}

const refusals: Readonly<Record<string, Refusal>> = {
  users_email_key: "email_taken",
  users_username: "username_taken",
};

// The index decides, so that no check of ours can be raced. The transaction is over then, whatever the answer.
async function unlessTaken(work: Promise<unknown>): Promise<Refusal | null> {
  try {
    await work;
    return null;
  } catch (error) {
    const refused = isAnswer(error) && error.code === "23505" ? refusals[error.constraint ?? ""] : undefined;
    if (refused === undefined) throw error;
    return refused;
  }
}
