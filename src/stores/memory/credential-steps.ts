import type { Refusal } from "../../ports/store.ts";
import { changedApiKey, changedLinkedAccount } from "../credential-changes.ts";
import type { Tables } from "./tables.ts";
import type { Steps } from "./transaction.ts";

/** The steps about API keys and linked accounts. */
export const credentialSteps: Pick<
  Steps,
  | "api_key.insert"
  | "api_key.update"
  | "api_key.delete"
  | "linked_account.insert"
  | "linked_account.update"
  | "linked_account.delete"
> = {
  "api_key.insert": ({ key }, { tables }) => {
    if (tables.apiKeys.get(key.id) !== null) return "conflict";
    tables.apiKeys.put(key);
    return null;
  },
  "api_key.update": ({ keyId, userId, version, changes }, { tables, now }) => {
    const key = tables.apiKeys.get(keyId);
    if (key?.userId !== userId || key.version !== version) return "conflict";
    tables.apiKeys.put(changedApiKey(key, changes, now));
    return null;
  },
  "api_key.delete": ({ keyId, userId }, { tables }) => {
    if (tables.apiKeys.get(keyId)?.userId !== userId) return "conflict";
    tables.apiKeys.delete(keyId);
    return null;
  },
  "linked_account.insert": ({ account }, { tables }) => {
    if (tables.linkedAccounts.byName(account) !== null) return "conflict";
    if (tables.linkedAccounts.get(account.id) !== null)
      throw new TypeError("there is a linked account of this id already");
    tables.linkedAccounts.put(account);
    return null;
  },
  "linked_account.update": ({ accountId, version, changes }, { tables, now }) => {
    const account = tables.linkedAccounts.get(accountId);
    if (account?.version !== version) return "conflict";
    tables.linkedAccounts.put(changedLinkedAccount(account, changes, now));
    return null;
  },
  "linked_account.delete": ({ accountId, userId }, { tables }) => {
    if (tables.linkedAccounts.get(accountId)?.userId !== userId) return "conflict";
    tables.linkedAccounts.delete(accountId);
    return withoutCredential(tables, userId);
  },
};

/** Deletes every credential of a user. */
export function deleteCredentials({ passwords, apiKeys, linkedAccounts }: Tables, userId: string): void {
  passwords.delete(userId);
  for (const { id } of apiKeys.ofUser(userId)) apiKeys.delete(id);
  for (const { id } of linkedAccounts.ofUser(userId)) linkedAccounts.delete(id);
}

function withoutCredential({ passwords, linkedAccounts }: Tables, userId: string): Refusal | null {
  const hasOne = passwords.get(userId) !== null || linkedAccounts.ofUser(userId).length > 0;
  return hasOne ? null : "last_credential";
}
