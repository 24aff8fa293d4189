import { noOrigin } from "../../domain/event.ts";
import type { LinkedAccount } from "../../domain/linked-account.ts";
import type { Sealed } from "../../oauth/sealed.ts";
import type { Services } from "../../ports/services.ts";
import { allUsers } from "../all-users.ts";

/** What {@link reencrypt} did, and what it found. */
export interface Reencrypted {
  /** Texts that lay under a former secret and now lie under the first. */
  readonly resealed: number;
  /** Texts that still lie under a former secret, which has to stay: somebody changed them at the same moment, each time. */
  readonly remaining: number;
  /** Texts that none of the secrets opens: they were lost with one that was dropped too soon. */
  readonly unreadable: number;
  /** Sessions that lie encrypted under a former secret. They end by themselves. */
  readonly sessions: number;
  /** When the last of those ends at the latest; null where there are none. */
  readonly sessionsEndAt: Date | null;
}

/** How {@link reencrypt} goes on. */
export interface ReencryptOptions {
  /** Told after each page of accounts how many were looked at. */
  readonly onProgress?: (accounts: number) => void;
}

/** A sign-in that changes the same row reseals it by itself, so that the second look finds nothing to do. */
const tries = 5;

/**
 * Seals what lies under a former secret anew, under the first: tokens of providers. It may be run at any time, beside running
 * servers, ended at any instant, and run again. With `remaining` and `sessions` 0 nothing that lasts needs a former secret; what does
 * not last (forms, access and refresh tokens, cookies of stateless sessions) needs it for as long as it lives.
 *
 * The event `secret.rotated` is written where something was sealed anew.
 *
 * @param sealed - of provider tokens
 * @throws AuthError `store_unavailable` - what was sealed until then stays so
 */
export async function reencrypt(
  services: Services,
  sealed: Sealed,
  { onProgress = () => {} }: ReencryptOptions = {},
): Promise<Reencrypted> {
  const counts = { resealed: 0, remaining: 0, unreadable: 0, sessions: 0 };
  let sessionsEndAt: Date | null = null;
  let looked = 0;
  try {
    for await (const users of allUsers(services)) {
      for (const { id } of users) {
        for (const outcome of await resealAccounts(services, sealed, id)) counts[outcome] += 1;
        for (const endsAt of await formerSessions(services, id)) {
          counts.sessions += 1;
          if (sessionsEndAt === null || endsAt > sessionsEndAt) sessionsEndAt = endsAt;
        }
      }
      looked += users.length;
      onProgress(looked);
    }
  } finally {
    if (counts.resealed > 0) await note(services);
  }
  return { ...counts, sessionsEndAt };
}

type Resealing = "resealed" | "remaining" | "unreadable";

async function resealAccounts(
  services: Services,
  sealed: Sealed,
  userId: string,
): Promise<readonly Resealing[]> {
  const { stores, call } = services;
  const outcomes = new Map<string, Resealing>();
  for (let attempt = 0; attempt < tries; attempt++) {
    const accounts = await stores.directory.linkedAccounts(userId, call());
    const due = accounts.filter(
      ({ id, sealedTokens }) =>
        sealedTokens !== null && sealed.keyOf(sealedTokens) !== 0 && outcomes.get(id) !== "unreadable",
    );
    // Whoever changed it at the same moment sealed it by themselves.
    for (const [id, outcome] of outcomes) {
      if (outcome === "remaining" && !due.some((account) => account.id === id)) outcomes.delete(id);
    }
    if (due.length === 0) break;
    for (const account of due) outcomes.set(account.id, await resealAccount(services, sealed, account));
  }
  return [...outcomes.values()];
}

async function resealAccount(
  services: Services,
  sealed: Sealed,
  { id, version, sealedTokens }: LinkedAccount,
): Promise<Resealing> {
  const value = await sealed.open(sealedTokens ?? "");
  if (value === null) return "unreadable";
  const changes = { sealedTokens: await sealed.seal(value) };
  const result = await services.commit([{ kind: "linked_account.update", accountId: id, version, changes }]);
  return result.ok ? "resealed" : "remaining";
}

/** When each session of somebody ends that lies under a former secret. */
async function formerSessions({ sessionsAtRest, call }: Services, userId: string): Promise<readonly Date[]> {
  return sessionsAtRest === null ? [] : await sessionsAtRest.underFormerKeys(userId, call());
}

async function note(services: Services): Promise<void> {
  const payload = { labels: ["provider-tokens"] };
  const event = { type: "secret.rotated" as const, userId: null, sessionId: null, payload };
  await services.commit([{ kind: "audit.insert", row: services.events.row(event, noOrigin) }]);
}
