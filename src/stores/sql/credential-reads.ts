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
import { type JoinedRow, ownedApiKeyOf, ownedLinkedAccountOf } from "./joined.ts";
import type { Rows, Statement } from "./queries.ts";
import type { SqlValue } from "./steps.ts";

/** The statements that read API keys and linked accounts, in the order in which their values are given. */
export interface CredentialStatements {
  /** Of an id. */
  readonly apiKey: Statement<JoinedRow>;
  /** Of a user's id. */
  readonly apiKeys: Statement<ApiKeyRow>;
  /** Of a key's id, an instant and a limit. */
  readonly apiKeyUsage: Statement<ApiKeyUsageRow>;
  /** Of issuer and subject. */
  readonly linkedAccount: Statement<JoinedRow>;
  /** Of a user's id. */
  readonly linkedAccounts: Statement<LinkedAccountRow>;
}

/** Writes the statements; `at` is the placeholder of the first, second, … value. */
export function credentialStatements(
  statement: <Row extends readonly SqlValue[]>(text: string) => Statement<Row>,
  at: (place: number) => string,
): CredentialStatements {
  const user = qualified("u", userColumns);
  return {
    apiKey: statement(`
      SELECT ${qualified("k", apiKeyColumns)}, ${user} FROM api_keys k JOIN users u ON u.id = k.user_id
      WHERE k.id = ${at(1)}`),
    apiKeys: statement(`
      SELECT ${apiKeyColumns} FROM api_keys WHERE user_id = ${at(1)} ORDER BY created_at DESC, id DESC`),
    apiKeyUsage: statement(`
      SELECT ${apiKeyUsageColumns} FROM api_key_usage WHERE key_id = ${at(1)} AND hour >= ${at(2)}
      ORDER BY hour, status_class, path LIMIT ${at(3)}`),
    linkedAccount: statement(`
      SELECT ${qualified("a", linkedAccountColumns)}, ${user} FROM linked_accounts a JOIN users u ON u.id = a.user_id
      WHERE a.issuer = ${at(1)} AND a.subject = ${at(2)}`),
    linkedAccounts: statement(`
      SELECT ${linkedAccountColumns} FROM linked_accounts WHERE user_id = ${at(1)} ORDER BY created_at, id`),
  };
}

/** Reads API keys and linked accounts in a database on a server. */
export function credentialReads(
  rows: Rows,
  statements: CredentialStatements,
): Pick<DirectoryStore, "apiKey" | "apiKeys" | "apiKeyUsage" | "linkedAccount" | "linkedAccounts"> {
  return {
    async apiKey(keyId, call) {
      const [row] = await rows(call, statements.apiKey, keyId);
      return row === undefined ? null : ownedApiKeyOf(row);
    },
    apiKeys: async (userId, call) => (await rows(call, statements.apiKeys, userId)).map(apiKeyOf),
    // A limit is given as text: as a number it would be a fraction to some servers.
    apiKeyUsage: async ({ keyId, from, limit }, call) =>
      (await rows(call, statements.apiKeyUsage, keyId, from.getTime(), `${limit}`)).map(apiKeyUsageOf),
    async linkedAccount({ issuer, subject }, call) {
      const [row] = await rows(call, statements.linkedAccount, issuer, subject);
      return row === undefined ? null : ownedLinkedAccountOf(row);
    },
    linkedAccounts: async (userId, call) =>
      (await rows(call, statements.linkedAccounts, userId)).map(linkedAccountOf),
  };
}
