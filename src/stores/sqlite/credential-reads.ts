import type { DirectoryStore } from "../../ports/directory-store.ts";
import {
  type ApiKeyRow,
  type ApiKeyUsageRow,
  apiKeyColumns,
  apiKeyOf,
  apiKeyUsageColumns,
  apiKeyUsageOf,
  type LinkedAccountRow,
  linkedAccountColumns,
  linkedAccountOf,
} from "../credential-rows.ts";
import { qualified, userColumns } from "../rows.ts";
import { ownedApiKeyOf, ownedLinkedAccountOf } from "../sql/joined.ts";
import type { Connection } from "./connection.ts";
import type { Prepare, Statement } from "./statement.ts";

interface CredentialReading {
  readonly ownedKey: Statement;
  readonly keys: Statement<ApiKeyRow>;
  readonly usage: Statement<ApiKeyUsageRow>;
  readonly ownedAccount: Statement;
  readonly accounts: Statement<LinkedAccountRow>;
}

function credentialReading(prepare: Prepare): CredentialReading {
  const user = qualified("u", userColumns);
  return {
    ownedKey: prepare(`
      SELECT ${qualified("k", apiKeyColumns)}, ${user} FROM api_keys k JOIN users u ON u.id = k.user_id WHERE k.id = ?`),
    keys: prepare(`
      SELECT ${apiKeyColumns} FROM api_keys WHERE user_id = ? ORDER BY created_at DESC, id DESC`),
    usage: prepare(`
      SELECT ${apiKeyUsageColumns} FROM api_key_usage WHERE key_id = ? AND hour >= ?
      ORDER BY hour, status_class, path LIMIT ?`),
    ownedAccount: prepare(`
      SELECT ${qualified("a", linkedAccountColumns)}, ${user} FROM linked_accounts a JOIN users u ON u.id = a.user_id
      WHERE a.issuer = ? AND a.subject = ?`),
    accounts: prepare(`
      SELECT ${linkedAccountColumns} FROM linked_accounts WHERE user_id = ? ORDER BY created_at, id`),
  };
}

/** Reads API keys and linked accounts on SQLite. */
export function credentialReads(
  connection: Connection,
): Pick<DirectoryStore, "apiKey" | "apiKeys" | "apiKeyUsage" | "linkedAccount" | "linkedAccounts"> {
  const reading = connection.prepared(credentialReading);
  return {
    apiKey: (keyId, call) =>
      connection.read(() => {
        const row = reading().ownedKey.get(keyId);
        return row === undefined ? null : ownedApiKeyOf(row);
      }, call),
    apiKeys: (userId, call) => connection.read(() => reading().keys.all(userId).map(apiKeyOf), call),
    apiKeyUsage: ({ keyId, from, limit }, call) =>
      connection.read(() => reading().usage.all(keyId, from.getTime(), limit).map(apiKeyUsageOf), call),
    linkedAccount: ({ issuer, subject }, call) =>
      connection.read(() => {
        const row = reading().ownedAccount.get(issuer, subject);
        return row === undefined ? null : ownedLinkedAccountOf(row);
      }, call),
    linkedAccounts: (userId, call) =>
      connection.read(() => reading().accounts.all(userId).map(linkedAccountOf), call),
  };
}
