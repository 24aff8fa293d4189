import { noOrigin } from "../../domain/event.ts";
import type { PasswordServices } from "../../ports/services.ts";
import type { Refusal, Write } from "../../ports/store.ts";
import type { Dropped, ImportRights } from "./fitting.ts";
import { draftAccount, type ImportedIds } from "./import-account.ts";
import type { Obstacle } from "./import-claims.ts";
import type { Account, ImportItem, ImportNote, ImportReason } from "./import-record.ts";
import { admitAccount } from "./own-account.ts";

/** An account on its way in. */
export interface Wanted {
  readonly row: number;
  readonly sourceId: string | null;
  readonly account: Account;
  /** Ids under which it may be there already. */
  readonly knownAs: readonly string[];
  readonly dropped: readonly Dropped[];
}

/** What a row comes to by itself. */
export type Judged =
  | { readonly kind: "account"; readonly wanted: Wanted }
  | { readonly kind: "refused"; readonly note: ImportNote };

/** Reads a row: an account as it would be written, or why there is none. Asks the directory nothing. */
export function judge(
  services: PasswordServices,
  item: Exclude<ImportItem, { readonly tier: unknown }>,
  idsOf: ImportedIds,
  rights: ImportRights,
): Judged {
  const { row } = item;
  if ("unreadable" in item) return { kind: "refused", note: noteOf({ row }, "unreadable", item.unreadable) };
  const isOwn = "account" in item;
  const { sourceId, email } = isOwn ? { sourceId: null, email: item.account.user.email } : item.record;
  const drafted = isOwn
    ? admitAccount(services, item.account, rights)
    : draftAccount(services, idsOf, item.record, rights);
  return "refused" in drafted
    ? { kind: "refused", note: noteOf({ row, sourceId, email }, drafted.refused, drafted.detail) }
    : { kind: "account", wanted: { row, sourceId, ...drafted } };
}

/** What the directory has in the way of an account, or null. */
export async function obstacleOf(
  { stores, call }: PasswordServices,
  { account, knownAs }: Wanted,
  tiers: ReadonlySet<string>,
): Promise<Obstacle | null> {
  const { directory } = stores;
  for (const id of knownAs) if ((await directory.user(id, call())) !== null) return "present";
  const { emailKey, username, tier } = account.user;
  if ((await directory.userWithPassword({ kind: "email", key: emailKey }, call())) !== null)
    return "email_taken";
  if ((await directory.userWithPassword({ kind: "username", key: username }, call())) !== null)
    return "username_taken";
  for (const link of account.linkedAccounts)
    if ((await directory.linkedAccount(link, call())) !== null) return "linked_account_taken";
  return tier === null || tiers.has(tier) ? null : "tier_unknown";
}

/** Writes accounts with their events, all or none; why not, or null. */
export async function write(
  services: PasswordServices,
  accounts: readonly Account[],
): Promise<Refusal | null> {
  const result = await services.commit(accounts.flatMap((account) => writesOf(services, account)));
  return result.ok ? null : result.refused;
}

function writesOf({ events }: PasswordServices, account: Account): Write[] {
  const { user, password, linkedAccounts, apiKeys } = account;
  const event = {
    type: "user.registered" as const,
    userId: user.id,
    sessionId: null,
    payload: { by: "operator" as const, isSuperuser: user.isSuperuser },
  };
  return [
    ...(user.tier === null ? [] : [{ kind: "tier.require" as const, name: user.tier }]),
    { kind: "user.insert", user },
    ...(password === null ? [] : [{ kind: "password.insert" as const, credential: password }]),
    ...linkedAccounts.map((each) => ({ kind: "linked_account.insert" as const, account: each })),
    ...apiKeys.map((key) => ({ kind: "api_key.insert" as const, key })),
    { kind: "audit.insert", row: events.row(event, noOrigin) },
  ];
}

/** The note of an account that is not imported, or not whole. */
export function noteAbout(
  { row, sourceId, account }: Wanted,
  { reason, detail }: Dropped,
  isImported: boolean,
): ImportNote {
  return { ...noteOf({ row, sourceId, email: account.user.email }, reason, detail), isImported };
}

/** Why an account is not imported that a transaction refused. */
export function reasonOf(refused: Refusal): ImportReason {
  return refused === "email_taken" || refused === "username_taken" ? refused : "conflict";
}

function noteOf(
  about: Pick<ImportNote, "row"> & Partial<Pick<ImportNote, "sourceId" | "email">>,
  reason: ImportReason,
  detail: string | null,
): ImportNote {
  return { sourceId: null, email: null, ...about, isImported: false, reason, detail };
}
