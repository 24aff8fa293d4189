import {
  type ApiKeyRow,
  apiKeyColumns,
  apiKeyUsageColumns,
  type LinkedAccountRow,
  linkedAccountColumns,
} from "../credential-rows.ts";
import type { Queries } from "../sql/queries.ts";
import type { CredentialSteps } from "../sql/steps.ts";
import { numbered, statement } from "./statement.ts";

const keyFields = apiKeyColumns.replace("id, ", "");
const accountFields = linkedAccountColumns.replace("id, ", "");

const insertKey = statement(`
  INSERT INTO api_keys (${apiKeyColumns}) VALUES (${numbered(apiKeyColumns)}) ON CONFLICT (id) DO NOTHING`);
const lockKey = statement<ApiKeyRow>(`SELECT ${apiKeyColumns} FROM api_keys WHERE id = $1 FOR NO KEY UPDATE`);
const updateKey = statement(
  `UPDATE api_keys SET (${keyFields}) = ROW (${numbered(keyFields, 2)}) WHERE id = $1`,
);
const deleteKey = statement("DELETE FROM api_keys WHERE id = $1 AND user_id = $2");
// Locked in the order of their ids, as every statement here locks more than one.
const deleteKeys = statement(`
  WITH locked AS MATERIALIZED (SELECT k.id FROM api_keys k WHERE k.user_id = $1 ORDER BY k.id FOR UPDATE)
  DELETE FROM api_keys k USING locked WHERE k.id = locked.id`);
const addUses = statement(`
  WITH locked AS MATERIALIZED (
    SELECT k.id FROM api_keys k WHERE k.id = ANY($1::text[]) ORDER BY k.id FOR NO KEY UPDATE
  ), used AS (
    UPDATE api_keys k SET last_used_at = GREATEST(k.last_used_at, u.used_at)
    FROM locked JOIN unnest($1::text[], $2::bigint[]) AS u (id, used_at) ON u.id = locked.id WHERE k.id = locked.id
  )
  INSERT INTO api_key_usage AS before (${apiKeyUsageColumns})
  SELECT e.key_id, e.hour, e.status_class, e.path, e.count
  FROM unnest($3::text[], $4::bigint[], $5::smallint[], $6::text[], $7::bigint[]) AS e (${apiKeyUsageColumns})
  JOIN locked ON locked.id = e.key_id
  ON CONFLICT (key_id, hour, status_class, path) DO UPDATE SET count = before.count + excluded.count`);
// What somebody is counting at the moment is left for another time.
const dropUsage = statement(`
  WITH old AS MATERIALIZED (
    SELECT u.key_id, u.hour, u.status_class, u.path FROM api_key_usage u WHERE u.hour < $1
    ORDER BY u.hour LIMIT $2 FOR UPDATE SKIP LOCKED
  )
  DELETE FROM api_key_usage u USING old o
  WHERE u.key_id = o.key_id AND u.hour = o.hour AND u.status_class = o.status_class AND u.path = o.path`);
const insertAccount = statement(`
  INSERT INTO linked_accounts (${linkedAccountColumns}) VALUES (${numbered(linkedAccountColumns)})
  ON CONFLICT (issuer, subject) DO NOTHING`);
const lockAccount = statement<LinkedAccountRow>(`
  SELECT ${linkedAccountColumns} FROM linked_accounts WHERE id = $1 FOR NO KEY UPDATE`);
const updateAccount = statement(`
  UPDATE linked_accounts SET (${accountFields}) = ROW (${numbered(accountFields, 2)}) WHERE id = $1`);
const deleteAccount = statement("DELETE FROM linked_accounts WHERE id = $1 AND user_id = $2");
const deleteAccounts = statement("DELETE FROM linked_accounts WHERE user_id = $1");
const wayToSignIn = statement<readonly [number]>(`
  SELECT 1 FROM passwords WHERE user_id = $1 UNION ALL SELECT 1 FROM linked_accounts WHERE user_id = $1 LIMIT 1`);

/** The steps about API keys and linked accounts. */
export function credentialSteps(queries: Queries): CredentialSteps {
  return {
    insertApiKey: async (row) => (await queries.run(insertKey, ...row)) === 1,
    lockApiKey: async (id) => (await queries.all(lockKey, id))[0] ?? null,
    async updateApiKey(row) {
      await queries.run(updateKey, ...row);
    },
    deleteApiKey: async (id, userId) => (await queries.run(deleteKey, id, userId)) === 1,
    async addApiKeyUses(uses) {
      const keys = [uses.map(({ keyId }) => keyId), uses.map(({ lastUsedAt }) => lastUsedAt.getTime())];
      const usage = uses.flatMap((each) => each.usage.map((row) => ({ keyId: each.keyId, ...row })));
      const columns = [
        usage.map(({ keyId }) => keyId),
        usage.map(({ hour }) => hour.getTime()),
        usage.map(({ statusClass }) => statusClass),
        usage.map(({ path }) => path),
        usage.map(({ count }) => count),
      ];
      await queries.run(addUses, ...keys, ...columns);
    },
    insertLinkedAccount: async (row) => (await queries.run(insertAccount, ...row)) === 1,
    lockLinkedAccount: async (id) => (await queries.all(lockAccount, id))[0] ?? null,
    async updateLinkedAccount(row) {
      await queries.run(updateAccount, ...row);
    },
    deleteLinkedAccount: async (id, userId) => (await queries.run(deleteAccount, id, userId)) === 1,
    hasWayToSignIn: async (userId) => (await queries.all(wayToSignIn, userId)).length > 0,
    async deleteCredentials(userId) {
      await queries.run(deleteKeys, userId);
      await queries.run(deleteAccounts, userId);
    },
    dropApiKeyUsage: (beforeMs, limit) => queries.run(dropUsage, beforeMs, limit),
  };
}
