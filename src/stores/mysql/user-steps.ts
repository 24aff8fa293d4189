import type { Refusal } from "../../ports/store.ts";
import { passwordColumns, placeholders, type UserRow, userColumns } from "../rows.ts";
import type { Queries } from "../sql/queries.ts";
import type { UserSteps } from "../sql/steps.ts";
import { isDuplicate } from "./link.ts";
import { statement } from "./statement.ts";

const takeLock = statement<readonly [name: string]>(
  "SELECT name FROM latchkey_locks WHERE name = ? FOR UPDATE",
);
const lockUser = statement<UserRow>(`SELECT ${userColumns} FROM users WHERE id = ? FOR UPDATE`);
const insertUser = statement(`INSERT INTO users (${userColumns}) VALUES (${placeholders(userColumns)})`);
const fields = userColumns.replace("id, ", "").replaceAll(/\w+/g, (column) => `${column} = ?`);
// Static SQL and a changing set of fields: the row was read and locked, is changed and written whole.
const updateUser = statement(`UPDATE users SET ${fields} WHERE id = ?`);
const taken = statement<readonly [isEmail: number, isUsername: number]>(`
  SELECT email_key = ?, username = ? FROM users WHERE id <> ? AND (email_key = ? OR username = ?)`);
const anyone = statement<readonly [number]>("SELECT 1 FROM users LIMIT 1");
const otherSuperuser = statement<readonly [number]>(`
  SELECT 1 FROM users WHERE is_superuser = 1 AND status = 'active' AND id <> ? ORDER BY id LIMIT 1 LOCK IN SHARE MODE`);
const insertPassword = statement(
  `INSERT INTO passwords (${passwordColumns}) VALUES (${placeholders(passwordColumns)})`,
);
const passwordOfUser = statement<readonly [number]>("SELECT 1 FROM passwords WHERE user_id = ?");
const replacePassword = statement(`
  UPDATE passwords SET encoded = ?, normalization = ?, version = ?, created_at = ?, updated_at = ?
  WHERE id = ? AND user_id = ? AND version = ?`);
const deletePasswords = statement("DELETE FROM passwords WHERE user_id = ?");

/** The steps about users and their passwords. */
export function userSteps(queries: Queries): UserSteps {
  // The index decides, so that no check of ours can be raced; afterwards it is asked which of the two it was.
  async function unlessTaken(row: UserRow, work: () => Promise<unknown>): Promise<Refusal | null> {
    try {
      await work();
      return null;
    } catch (error) {
      if (!isDuplicate(error)) throw error;
      const [id, username, , emailKey] = row;
      const others = await queries.all(taken, emailKey, username, id, emailKey, username);
      if (others.length === 0) throw error;
      return others.some(([isEmail]) => isEmail === 1) ? "email_taken" : "username_taken";
    }
  }

  return {
    async lockDirectory(what) {
      // Without its row nothing is locked.
      if ((await queries.all(takeLock, what)).length === 0)
        throw new Error(`latchkey_locks has no row '${what}'`);
    },
    async lockUsers(ids) {
      const rows: UserRow[] = [];
      for (const id of ids) rows.push(...(await queries.all(lockUser, id)));
      return rows;
    },
    insertUser: (row) => unlessTaken(row, () => queries.run(insertUser, ...row)),
    updateUser: (row) => {
      const [id, ...values] = row;
      return unlessTaken(row, () => queries.run(updateUser, ...values, id));
    },
    hasAnyUser: async () => (await queries.all(anyone)).length > 0,
    hasOtherSuperuser: async (userId) => (await queries.all(otherSuperuser, userId)).length > 0,
    async insertPassword(row) {
      try {
        await queries.run(insertPassword, ...row);
        return true;
      } catch (error) {
        // An id that is taken is no conflict of this user's.
        if (!isDuplicate(error) || (await queries.all(passwordOfUser, row[1])).length === 0) throw error;
        return false;
      }
    },
    async replacePassword([id, userId, ...values]) {
      const version = values[2];
      return (await queries.run(replacePassword, ...values, id, userId, version - 1)) === 1;
    },
    async deletePasswords(userId) {
      await queries.run(deletePasswords, userId);
    },
  };
}
