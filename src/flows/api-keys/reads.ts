import type { ApiKey, ApiKeyUsage } from "../../domain/api-key.ts";
import type { Principal, SignedIn } from "../../domain/principal.ts";
import { AuthError } from "../../errors.ts";
import type { Services } from "../../ports/services.ts";

/** A key as its owner may see it: without the digest of its secret. */
export type ApiKeyInfo = Omit<ApiKey, "kind" | "secretDigest">;

/** A stretch of a key's uses. */
export interface UsageQuery {
  /** Default 7 days ago. */
  readonly from?: Date;
}

/** Uses of a key, by the hour. */
export interface UsagePage {
  readonly usage: readonly ApiKeyUsage[];
  /** `from` of the next page; null at the end. */
  readonly next: Date | null;
}

/** What is read of API keys; for what each promises see `ApiKeys` in `api/api-keys.ts`. */
export interface ApiKeyReads {
  list(principal: Principal): Promise<readonly ApiKeyInfo[]>;
  get(principal: Principal, keyId: string): Promise<ApiKeyInfo>;
  usage(principal: Principal, keyId: string, query: UsageQuery): Promise<UsagePage>;
}

const usageRows = 5_000;
const hourMs = 3_600_000;

/** Reads the API keys of a set-up. */
export function apiKeyReads(services: Services): ApiKeyReads {
  const { stores, clock, call } = services;

  async function usage(
    principal: Principal,
    keyId: string,
    { from = new Date(clock.now().getTime() - 7 * 24 * hourMs) }: UsageQuery,
  ): Promise<UsagePage> {
    await ownApiKey(services, unrestricted(principal).user.id, keyId);
    const rows = await stores.directory.apiKeyUsage({ keyId, from, limit: usageRows }, call());
    const last = rows.at(-1)?.hour;
    if (last === undefined || rows.length < usageRows) return { usage: rows, next: null };
    // The last hour may have been cut: it begins the next page, unless it is all that there is on this one.
    const whole = rows.filter(({ hour }) => hour < last);
    return whole.length > 0
      ? { usage: whole, next: last }
      : { usage: rows, next: new Date(last.getTime() + hourMs) };
  }

  return {
    async list(principal) {
      const { id } = unrestricted(principal).user;
      return (await stores.directory.apiKeys(id, call())).map(infoOf);
    },
    async get(principal, keyId) {
      return infoOf(await ownApiKey(services, unrestricted(principal).user.id, keyId));
    },
    usage,
  };
}

/**
 * A key of a user. Addressed by an id that nobody can guess: another user's reads as absent.
 *
 * @throws AuthError `not_found`
 */
export async function ownApiKey(
  { stores, call }: Pick<Services, "stores" | "call">,
  userId: string,
  keyId: string,
): Promise<ApiKey> {
  const found = await stores.directory.apiKey(keyId, call());
  if (found === null || found.key.userId !== userId) throw new AuthError("not_found");
  return found.key;
}

/** A key without what only the store may know. */
export function infoOf({ kind: _, secretDigest: __, ...info }: ApiKey): ApiKeyInfo {
  return info;
}

/**
 * Somebody with the whole of their rights: a key, which is restricted, neither makes keys nor changes any.
 *
 * @throws AuthError `not_authenticated`, `forbidden`
 */
export function unrestricted(principal: Principal): SignedIn {
  if (!principal.isAuthenticated) throw new AuthError("not_authenticated");
  if (principal.scopes !== null)
    throw new AuthError("forbidden", { message: "A restricted proof cannot manage API keys." });
  if (principal.impersonator != null)
    throw new AuthError("forbidden", { message: "This cannot be done in somebody else's place." });
  // A key outlives what made it: a proof that was made elsewhere, or for one request, must not leave one behind.
  const { via, sessionId } = principal;
  if (via === "ticket" || (via !== "session" && sessionId === null))
    throw new AuthError("forbidden", { message: "This needs a session." });
  return principal;
}
