import type { ApiKeyUses } from "../../ports/directory-store.ts";
import type { Refusal } from "../../ports/store.ts";
import { summedUses } from "../api-key-uses.ts";
import { changedApiKey, changedLinkedAccount } from "../credential-changes.ts";
import {
  apiKeyColumns,
  apiKeyOf,
  apiKeyRow,
  apiKeyUsageColumns,
  apiKeyUsageRow,
  linkedAccountColumns,
  linkedAccountOf,
  linkedAccountRow,
} from "../credential-rows.ts";
import { placeholders } from "../rows.ts";
import type { Prepare } from "./statement.ts";
import type { CredentialStatements, Handlers, WriteRun } from "./write-run.ts";

const keyFields = apiKeyColumns.replace("id, ", "");
const accountFields = linkedAccountColumns.replace("id, ", "");

/** Prepares {@link CredentialStatements}. */
export function credentialStatements(prepare: Prepare): CredentialStatements {
  return {
    key: prepare(`SELECT ${apiKeyColumns} FROM api_keys WHERE id = ?`),
    insertKey: prepare(`
      INSERT INTO api_keys (${apiKeyColumns}) VALUES (${placeholders(apiKeyColumns)}) ON CONFLICT (id) DO NOTHING`),
    updateKey: prepare(`UPDATE api_keys SET (${keyFields}) = (${placeholders(keyFields)}) WHERE id = ?`),
    deleteKey: prepare("DELETE FROM api_keys WHERE id = ? AND user_id = ?"),
    deleteKeys: prepare("DELETE FROM api_keys WHERE user_id = ?"),
    useKey: prepare("UPDATE api_keys SET last_used_at = max(ifnull(last_used_at, ?), ?) WHERE id = ?"),
    addUsage: prepare(`
      INSERT INTO api_key_usage (${apiKeyUsageColumns}) VALUES (${placeholders(apiKeyUsageColumns)})
      ON CONFLICT (key_id, hour, status_class, path) DO UPDATE SET count = count + excluded.count`),
    account: prepare(`SELECT ${linkedAccountColumns} FROM linked_accounts WHERE id = ?`),
    insertAccount: prepare(`
      INSERT INTO linked_accounts (${linkedAccountColumns}) VALUES (${placeholders(linkedAccountColumns)})
      ON CONFLICT (issuer, subject) DO NOTHING`),
    updateAccount: prepare(`
      UPDATE linked_accounts SET (${accountFields}) = (${placeholders(accountFields)}) WHERE id = ?`),
    deleteAccount: prepare("DELETE FROM linked_accounts WHERE id = ? AND user_id = ?"),
    deleteAccounts: prepare("DELETE FROM linked_accounts WHERE user_id = ?"),
    anyWayToSignIn: prepare(`
      SELECT 1 FROM passwords WHERE user_id = ? UNION ALL SELECT 1 FROM linked_accounts WHERE user_id = ? LIMIT 1`),
  };
}

/** The writes about API keys and linked accounts; what each promises stands at `Write`. */
export const credentialHandlers: Pick<
  Handlers,
  | "api_key.insert"
  | "api_key.update"
  | "api_key.delete"
  | "linked_account.insert"
  | "linked_account.update"
  | "linked_account.delete"
> = {
  "api_key.insert": ({ key }, { statements }) =>
    unless(statements.credentials.insertKey.run(...apiKeyRow(key)).changes === 0),

  "api_key.update": ({ keyId, userId, version, changes }, { statements, now }) => {
    const row = statements.credentials.key.get(keyId);
    const key = row === undefined ? null : apiKeyOf(row);
    if (key?.userId !== userId || key.version !== version) return "conflict";
    const [id, ...values] = apiKeyRow(changedApiKey(key, changes, now));
    statements.credentials.updateKey.run(...values, id);
    return null;
  },

  // What it was used for goes with it.
  "api_key.delete": ({ keyId, userId }, { statements }) =>
    unless(statements.credentials.deleteKey.run(keyId, userId).changes === 0),

  "linked_account.insert": ({ account }, { statements }) =>
    unless(statements.credentials.insertAccount.run(...linkedAccountRow(account)).changes === 0),

  "linked_account.update": ({ accountId, version, changes }, { statements, now }) => {
    const row = statements.credentials.account.get(accountId);
    const account = row === undefined ? null : linkedAccountOf(row);
    if (account?.version !== version) return "conflict";
    const [id, ...values] = linkedAccountRow(changedLinkedAccount(account, changes, now));
    statements.credentials.updateAccount.run(...values, id);
    return null;
  },

  "linked_account.delete": ({ accountId, userId }, { statements }) => {
    const { deleteAccount, anyWayToSignIn } = statements.credentials;
    if (deleteAccount.run(accountId, userId).changes === 0) return "conflict";
    return anyWayToSignIn.get(userId, userId) === undefined ? "last_credential" : null;
  },
};

function unless(isConflict: boolean): Refusal | null {
  return isConflict ? "conflict" : null;
}

/** Deletes a user's API keys, what they were used for, and their linked accounts. */
export function deleteCredentials({ statements }: WriteRun, userId: string): void {
  statements.credentials.deleteKeys.run(userId);
  statements.credentials.deleteAccounts.run(userId);
}

/** Adds uses of the API keys that are there. */
export function recordUses({ statements }: WriteRun, uses: readonly ApiKeyUses[]): void {
  const { useKey, addUsage } = statements.credentials;
  for (const { keyId, lastUsedAt, usage } of summedUses(uses)) {
    const usedAt = lastUsedAt.getTime();
    if (useKey.run(usedAt, usedAt, keyId).changes === 0) continue;
    for (const each of usage) addUsage.run(...apiKeyUsageRow({ keyId, ...each }));
  }
}
