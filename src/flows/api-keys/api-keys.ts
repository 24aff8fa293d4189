import type { ApiKey, ApiKeyChanges, ApiKeyLimits } from "../../domain/api-key.ts";
import { formatApiKey, mintApiKey } from "../../domain/api-key-text.ts";
import type { EventOrigin } from "../../domain/event.ts";
import type { Principal, SignedIn } from "../../domain/principal.ts";
import { digestSecret } from "../../domain/session.ts";
import type { Permission, User } from "../../domain/user.ts";
import { AuthError } from "../../errors.ts";
import type { Draft, Services } from "../../ports/services.ts";
import type { Write } from "../../ports/store.ts";
import { assertCommitted } from "../refusals.ts";
import { plainApiKey, type WantedApiKey } from "./input.ts";
import { type ApiKeyInfo, type ApiKeyReads, apiKeyReads, infoOf, ownApiKey, unrestricted } from "./reads.ts";

/** A key that was just made, with its text: this once and never again. */
export interface CreatedApiKey extends ApiKeyInfo {
  /** `lk_<environment>_<id>_…`; only a digest of its secret is stored. */
  readonly key: string;
}

/** What a new key is to be. */
export interface NewApiKey {
  /** 1 to 100 characters, trimmed. */
  readonly name: string;
  /** At most those of its owner. Default none. */
  readonly permissions?: readonly Permission[];
  /** Uses allowed in a minute and in a day. Default no limit. */
  readonly limits?: Partial<ApiKeyLimits>;
  /** Addresses and networks (CIDR) it may be used from, at most 50. Default any. */
  readonly allowedIps?: readonly string[];
  /** In the future. Default null: it does not expire. */
  readonly expiresAt?: Date | null;
}

/** How a key is to be rotated. */
export interface RotateApiKey {
  /** How long the old key goes on beside the new one: 0 to 604,800 (7 days). Default 86,400 (24 h). */
  readonly overlapSeconds?: number;
  /** Expiry of the new key. Default that of the old one. */
  readonly expiresAt?: Date | null;
}

/** What is done with API keys: they are made, changed and read; for what each promises see `ApiKeys` in `api/api-keys.ts`. */
export interface ApiKeyFlows extends ApiKeyReads {
  create(principal: Principal, wanted: NewApiKey, from: EventOrigin): Promise<CreatedApiKey>;
  update(
    principal: Principal,
    keyId: string,
    wanted: Partial<NewApiKey>,
    from: EventOrigin,
  ): Promise<ApiKeyInfo>;
  revoke(principal: Principal, keyId: string, from: EventOrigin): Promise<void>;
  rotate(principal: Principal, keyId: string, how: RotateApiKey, from: EventOrigin): Promise<CreatedApiKey>;
}

/** Keys that a user may have. Expired ones make room, the one that expired first before the others. */
export const mostApiKeys = 100;

const longestOverlapSeconds = 7 * 86_400;
/** Tries of a transaction that somebody else's came before; each time one of them has got through. */
const mostTries = 10;

/** The API keys of a set-up. @param environment - word in the text of its keys */
export function apiKeyFlows(services: Services, environment: string): ApiKeyFlows {
  const { clock, rights } = services;
  const own = ({ user }: SignedIn, keyId: string): Promise<ApiKey> => ownApiKey(services, user.id, keyId);

  async function create(principal: Principal, wanted: NewApiKey, from: EventOrigin): Promise<CreatedApiKey> {
    const owner = unrestricted(principal);
    return adding(services, owner, ({ user, keys }) => {
      const plain = plainApiKey({ ...wanted, name: wanted.name ?? "" }, { user, now: clock.now(), rights });
      const made = drafted(user, { ...defaults, ...plain }, null);
      const event = { type: "api_key.created", payload: { keyId: made.key.id } } as const;
      return { made, writes: [...insert(made.key, keys), audit(owner, event, from)] };
    });
  }

  async function update(
    principal: Principal,
    keyId: string,
    wanted: Partial<NewApiKey>,
    from: EventOrigin,
  ): Promise<ApiKeyInfo> {
    const owner = unrestricted(principal);
    const key = await own(owner, keyId);
    const { user } = owner;
    const changes = differences(key, plainApiKey(wanted, { user, now: clock.now(), rights }));
    const fields = Object.keys(changes);
    if (fields.length === 0) return infoOf(key);
    const result = await services.commit([
      { kind: "user.require", userId: user.id, generation: user.generation },
      { kind: "api_key.update", keyId, userId: user.id, version: key.version, changes },
      audit(owner, { type: "api_key.updated", payload: { keyId, fields } }, from),
    ]);
    assertCommitted(result);
    return infoOf({ ...key, ...changes, version: key.version + 1, updatedAt: clock.now() });
  }

  async function revoke(principal: Principal, keyId: string, from: EventOrigin): Promise<void> {
    const owner = unrestricted(principal);
    const { id: userId, generation } = owner.user;
    await own(owner, keyId);
    const result = await services.commit([
      { kind: "user.require", userId, generation },
      { kind: "api_key.delete", keyId, userId },
      audit(owner, { type: "api_key.revoked", payload: { keyId } }, from),
    ]);
    // Somebody else deleted it since it was read.
    if (!result.ok && result.refused === "conflict") throw new AuthError("not_found");
    assertCommitted(result);
  }

  async function rotate(
    principal: Principal,
    keyId: string,
    how: RotateApiKey,
    from: EventOrigin,
  ): Promise<CreatedApiKey> {
    const owner = unrestricted(principal);
    const overlapSeconds = overlapOf(how);
    return adding(services, owner, ({ user, keys }) => {
      const old = keys.find(({ id }) => id === keyId);
      if (old === undefined) throw new AuthError("not_found");
      const now = clock.now();
      assertRotatable(old, keys, now);
      const { expiresAt = old.expiresAt } = plainApiKey(
        how.expiresAt === undefined ? {} : { expiresAt: how.expiresAt },
        { user, now, rights },
      );
      const made = drafted(user, { ...old, expiresAt }, old.id);
      const end = new Date(now.getTime() + overlapSeconds * 1000);
      const changes = { expiresAt: old.expiresAt !== null && old.expiresAt < end ? old.expiresAt : end };
      const payload = { keyId: made.key.id, rotatedFrom: old.id };
      return {
        made,
        writes: [
          { kind: "api_key.update", keyId, userId: user.id, version: old.version, changes },
          ...insert(made.key, keys),
          audit(owner, { type: "api_key.rotated", payload }, from),
        ],
      };
    });
  }

  function drafted(user: User, like: Required<ApiKeyChanges>, rotatedFrom: string | null): Made {
    const text = mintApiKey(environment, (length) => services.random.bytes(length));
    const now = clock.now();
    const { name, permissions, limits, allowedIps, expiresAt } = like;
    const key: ApiKey = {
      kind: "api-key",
      id: text.id,
      userId: user.id,
      name,
      secretDigest: digestSecret(text.secret),
      permissions,
      limits,
      allowedIps,
      expiresAt,
      lastUsedAt: null,
      rotatedFrom,
      version: 1,
      createdAt: now,
      updatedAt: now,
    };
    return { key, text: formatApiKey(text) };
  }

  function insert(key: ApiKey, keys: readonly ApiKey[]): readonly Write[] {
    const room = makeRoom(keys, clock.now());
    return [...room, { kind: "api_key.insert", key }];
  }

  function audit<T extends ApiKeyEvent>(
    { user, sessionId }: SignedIn,
    event: Pick<Draft<T>, "type" | "payload">,
    from: EventOrigin,
  ): Write {
    const draft: Draft<T> = { ...event, userId: user.id, sessionId };
    return { kind: "audit.insert", row: services.events.row(draft, from) };
  }

  return { ...apiKeyReads(services), create, update, revoke, rotate };
}

type ApiKeyEvent = "api_key.created" | "api_key.updated" | "api_key.rotated" | "api_key.revoked";

/** A key and its text. */
interface Made {
  readonly key: ApiKey;
  readonly text: string;
}

const defaults: Required<ApiKeyChanges> = {
  name: "",
  permissions: [],
  limits: { perMinute: null, perDay: null },
  allowedIps: [],
  expiresAt: null,
};

/**
 * Runs a transaction that adds a key. The user's row is written along with it, so that of two that were each about to add
 * the last allowed one the second finds the first: a count alone would let both through.
 */
async function adding(
  { stores, commit, call }: Services,
  { user: { id: userId, generation } }: SignedIn,
  plan: (found: { readonly user: User; readonly keys: readonly ApiKey[] }) => {
    readonly made: Made;
    readonly writes: readonly Write[];
  },
): Promise<CreatedApiKey> {
  for (let tries = 1; ; tries++) {
    // In this order: whoever adds a key after the user was read changes the version that the transaction relies on.
    const user = await stores.directory.user(userId, { ...call(), readsThrough: true });
    if (user === null) throw new AuthError("not_authenticated");
    const keys = await stores.directory.apiKeys(userId, call());
    const { made, writes } = plan({ user, keys });
    const result = await commit([
      { kind: "user.require", userId, generation },
      { kind: "user.update", userId, version: user.version, changes: {} },
      ...writes,
    ]);
    if (result.ok) return { ...infoOf(made.key), key: made.text };
    if (result.refused !== "conflict" || tries === mostTries) assertCommitted(result);
  }
}

// @throws AuthError `conflict` where none of the keys has expired
function makeRoom(keys: readonly ApiKey[], now: Date): readonly Write[] {
  const excess = keys.length + 1 - mostApiKeys;
  if (excess <= 0) return [];
  const ended = keys
    .filter(({ expiresAt }) => expiresAt !== null && expiresAt <= now)
    .sort((a, b) => Number(a.expiresAt) - Number(b.expiresAt))
    .slice(0, excess);
  if (ended.length < excess) {
    throw new AuthError("conflict", { message: `You have ${mostApiKeys} API keys. Revoke one first.` });
  }
  return ended.map(({ id, userId }) => ({ kind: "api_key.delete", keyId: id, userId }));
}

function assertRotatable(old: ApiKey, keys: readonly ApiKey[], now: Date): void {
  if (old.expiresAt !== null && old.expiresAt <= now)
    throw new AuthError("conflict", { message: "The API key has expired. Create a new one." });
  if (keys.some(({ rotatedFrom }) => rotatedFrom === old.id))
    throw new AuthError("conflict", { message: "The API key was rotated already." });
}

function overlapOf({ overlapSeconds = 86_400 }: RotateApiKey): number {
  if (Number.isInteger(overlapSeconds) && overlapSeconds >= 0 && overlapSeconds <= longestOverlapSeconds)
    return overlapSeconds;
  const message = `A whole number of seconds from 0 to ${longestOverlapSeconds}`;
  throw new AuthError("invalid_input", {
    fields: [{ field: "overlap_seconds", code: "out_of_range", message }],
  });
}

function differences(key: ApiKey, wanted: WantedApiKey): ApiKeyChanges {
  const isOther = ([field, value]: [string, unknown]): boolean =>
    JSON.stringify(value) !== JSON.stringify(key[field as keyof ApiKeyChanges]);
  return Object.fromEntries(Object.entries(wanted).filter(isOther)) as ApiKeyChanges;
}
