import { changedApiKey, changedLinkedAccount } from "../credential-changes.ts";
import { apiKeyOf, apiKeyRow, linkedAccountOf, linkedAccountRow } from "../credential-rows.ts";
import type { Handlers } from "./run.ts";

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
  "api_key.insert": async ({ key }, { steps }) =>
    (await steps.insertApiKey(apiKeyRow(key))) ? null : "conflict",

  "api_key.update": async ({ keyId, userId, version, changes }, { steps, now }) => {
    const row = await steps.lockApiKey(keyId);
    const key = row === null ? null : apiKeyOf(row);
    if (key?.userId !== userId || key.version !== version) return "conflict";
    await steps.updateApiKey(apiKeyRow(changedApiKey(key, changes, now)));
    return null;
  },

  "api_key.delete": async ({ keyId, userId }, { steps }) =>
    (await steps.deleteApiKey(keyId, userId)) ? null : "conflict",

  "linked_account.insert": async ({ account }, { steps }) =>
    (await steps.insertLinkedAccount(linkedAccountRow(account))) ? null : "conflict",

  "linked_account.update": async ({ accountId, version, changes }, { steps, now }) => {
    const row = await steps.lockLinkedAccount(accountId);
    const account = row === null ? null : linkedAccountOf(row);
    if (account?.version !== version) return "conflict";
    await steps.updateLinkedAccount(linkedAccountRow(changedLinkedAccount(account, changes, now)));
    return null;
  },

  "linked_account.delete": async ({ accountId, userId }, { steps }) => {
    if (!(await steps.deleteLinkedAccount(accountId, userId))) return "conflict";
    return (await steps.hasWayToSignIn(userId)) ? null : "last_credential";
  },
};
