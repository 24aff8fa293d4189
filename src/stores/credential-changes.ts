import type { ApiKey, ApiKeyChanges } from "../domain/api-key.ts";
import type { LinkedAccount, LinkedAccountChanges } from "../domain/linked-account.ts";
import { knownChanges } from "./known-changes.ts";

const ofApiKey: Readonly<Record<keyof ApiKeyChanges, true>> = {
  name: true,
  permissions: true,
  limits: true,
  allowedIps: true,
  expiresAt: true,
};
const ofLinkedAccount: Readonly<Record<keyof LinkedAccountChanges, true>> = {
  email: true,
  sealedTokens: true,
  lastUsedAt: true,
};

/** The key with some fields changed, as one more change of its row. A field given as undefined is left as it is. */
export function changedApiKey(key: ApiKey, changes: ApiKeyChanges, now: Date): ApiKey {
  return { ...key, ...knownChanges(changes, ofApiKey), version: key.version + 1, updatedAt: now };
}

/** The linked account with some fields changed, as one more write of its row. A field given as undefined is left as it is. */
export function changedLinkedAccount(
  account: LinkedAccount,
  changes: LinkedAccountChanges,
  now: Date,
): LinkedAccount {
  const known = knownChanges(changes, ofLinkedAccount);
  return { ...account, ...known, version: account.version + 1, updatedAt: now };
}
