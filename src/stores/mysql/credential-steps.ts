import {
  type ApiKeyRow,
  apiKeyColumns,
  apiKeyUsageColumns,
  type LinkedAccountRow,
  linkedAccountColumns,
} from "../credential-rows.ts";
import { placeholders } from "../rows.ts";
import type { Queries } from "../sql/queries.ts";
import type { CredentialSteps } from "../sql/steps.ts";
import { inserted } from "./inserted.ts";
import { idsGiven, statement } from "./statement.ts";
import { jsonRows } from "./values.ts";

const insertKey = statement(
  `INSERT INTO api_keys (${apiKeyColumns}) VALUES (${placeholders(apiKeyColumns)})`,
);
const lockKey = statement<ApiKeyRow>(`SELECT ${apiKeyColumns} FROM api_keys WHERE id = ? FOR UPDATE`);
const updateKey = statement(`UPDATE api_keys SET ${assigned(apiKeyColumns)} WHERE id = ?`);
const deleteKey = statement("DELETE FROM api_keys WHERE id = ? AND user_id = ?");
// Locked in the order of their ids, as every statement here locks more than one; and by the user's index, since the server would
// rather read all of a small table, and lock other users' rows on its way.
const lockKeysOfUser = statement<readonly [id: string]>(`
  SELECT id FROM api_keys FORCE INDEX (api_keys_user_id) WHERE user_id = ? ORDER BY id FOR UPDATE`);
const deleteKeys = statement("DELETE k FROM api_keys k FORCE INDEX (api_keys_user_id) WHERE k.user_id = ?");
const dropUsage = statement("DELETE FROM api_key_usage WHERE hour < ? ORDER BY hour LIMIT ?");
const lockKeys = statement<readonly [id: string]>(`
  SELECT k.id FROM ${idsGiven} STRAIGHT_JOIN api_keys k ON k.id = UNHEX(given.id) FOR UPDATE`);
const useKeys = statement(`
  UPDATE JSON_TABLE(?, '$[*]' COLUMNS (id VARCHAR(255) PATH '$[0]', used_at BIGINT PATH '$[1]')) AS used
  STRAIGHT_JOIN api_keys k ON k.id = UNHEX(used.id)
  SET k.last_used_at = GREATEST(IFNULL(k.last_used_at, used.used_at), used.used_at)`);
const addUsage = statement(`
  INSERT INTO api_key_usage (${apiKeyUsageColumns})
  SELECT UNHEX(used.key_id), used.hour, used.status_class, UNHEX(used.path), used.count
  FROM JSON_TABLE(?, '$[*]' COLUMNS (
    key_id VARCHAR(255) PATH '$[0]', hour BIGINT PATH '$[1]', status_class INT PATH '$[2]',
    path VARCHAR(1600) PATH '$[3]' ERROR ON ERROR, count BIGINT PATH '$[4]'
  )) AS used
  ON DUPLICATE KEY UPDATE count = api_key_usage.count + used.count`);
const insertAccount = statement(`
  INSERT INTO linked_accounts (${linkedAccountColumns}) VALUES (${placeholders(linkedAccountColumns)})`);
const lockAccount = statement<LinkedAccountRow>(`
  SELECT ${linkedAccountColumns} FROM linked_accounts WHERE id = ? FOR UPDATE`);
const updateAccount = statement(`UPDATE linked_accounts SET ${assigned(linkedAccountColumns)} WHERE id = ?`);
const deleteAccount = statement("DELETE FROM linked_accounts WHERE id = ? AND user_id = ?");
const deleteAccounts = statement(
  "DELETE l FROM linked_accounts l FORCE INDEX (linked_accounts_user_id) WHERE l.user_id = ?",
);
const wayToSignIn = statement<readonly [number]>(`
  SELECT 1 FROM passwords WHERE user_id = ? UNION ALL SELECT 1 FROM linked_accounts WHERE user_id = ? LIMIT 1`);

function assigned(columns: string): string {
  return columns.replace("id, ", "").replaceAll(/\w+/g, (column) => `${column} = ?`);
}

/** The steps about API keys and linked accounts. */
export function credentialSteps(queries: Queries): CredentialSteps {
  return {
    insertApiKey: (row) => inserted(queries, insertKey, row),
    lockApiKey: async (id) => (await queries.all(lockKey, id))[0] ?? null,
    async updateApiKey([id, ...values]) {
      await queries.run(updateKey, ...values, id);
    },
    deleteApiKey: async (id, userId) => (await queries.run(deleteKey, id, userId)) === 1,
    async addApiKeyUses(uses) {
      const locked = await queries.all(lockKeys, jsonRows(uses.map(({ keyId }) => [keyId])));
      const there = new Set(locked.map(([id]) => id));
      const known = uses.filter(({ keyId }) => there.has(keyId));
      if (known.length === 0) return;
      const times = known.map(({ keyId, lastUsedAt }) => [keyId, lastUsedAt.getTime()]);
      await queries.run(useKeys, jsonRows(times));
      const usage = known.flatMap(({ keyId, usage: rows }) =>
        rows.map(({ hour, statusClass, path, count }) => [keyId, hour.getTime(), statusClass, path, count]),
      );
      if (usage.length > 0) await queries.run(addUsage, jsonRows(usage));
    },
    insertLinkedAccount: (row) => inserted(queries, insertAccount, row),
    lockLinkedAccount: async (id) => (await queries.all(lockAccount, id))[0] ?? null,
    async updateLinkedAccount([id, ...values]) {
      await queries.run(updateAccount, ...values, id);
    },
    deleteLinkedAccount: async (id, userId) => (await queries.run(deleteAccount, id, userId)) === 1,
    hasWayToSignIn: async (userId) => (await queries.all(wayToSignIn, userId, userId)).length > 0,
    async deleteCredentials(userId) {
      if ((await queries.all(lockKeysOfUser, userId)).length > 0) await queries.run(deleteKeys, userId);
      await queries.run(deleteAccounts, userId);
    },
    dropApiKeyUsage: (beforeMs, limit) => queries.run(dropUsage, beforeMs, `${limit}`),
  };
}
