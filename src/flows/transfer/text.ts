import type { Tier } from "../../domain/tier.ts";
import type { User } from "../../domain/user.ts";
import type { Account } from "./import-record.ts";

/** A line of an export: plain JSON. */
export type TransferLine = Readonly<Record<string, unknown>>;

/** Counts up whenever a reader of the former format would misunderstand the next. */
export const transferFormat = 1;

/** An account as a line of an export, with everything that it takes to make the same rows of it. */
export function accountLine({ user, password, linkedAccounts, apiKeys }: Account): TransferLine {
  return {
    kind: "account",
    user: userLine(user),
    password:
      password === null
        ? null
        : {
            id: password.id,
            encoded: password.encoded,
            normalization: password.normalization,
            ...timesLine(password),
          },
    linked_accounts: linkedAccounts.map((link) => ({
      ...{
        id: link.id,
        provider: link.provider,
        issuer: link.issuer,
        subject: link.subject,
        email: link.email,
      },
      sealed_tokens: link.sealedTokens,
      last_used_at: written(link.lastUsedAt),
      ...timesLine(link),
    })),
    api_keys: apiKeys.map((key) => ({
      ...{ id: key.id, name: key.name, permissions: key.permissions },
      secret_sha256: Buffer.from(key.secretDigest).toString("hex"),
      limits: { per_minute: key.limits.perMinute, per_day: key.limits.perDay },
      allowed_ips: key.allowedIps,
      expires_at: written(key.expiresAt),
      last_used_at: written(key.lastUsedAt),
      rotated_from: key.rotatedFrom,
      ...timesLine(key),
    })),
  };
}

/** A plan as a line of an export. */
export function tierLine(tier: Tier): TransferLine {
  const limits = tier.limits.map(({ path, limit, windowSeconds }) => ({
    ...{ path, limit },
    window_seconds: windowSeconds,
  }));
  return { kind: "tier", id: tier.id, name: tier.name, limits, ...timesLine(tier) };
}

function userLine(user: User): TransferLine {
  const {
    id: userId,
    username,
    email,
    name,
    status,
    roles,
    permissions,
    tier,
    locale,
    generation,
    data,
  } = user;
  return {
    ...{ id: userId, username, email, name, status, roles, permissions, tier, locale, generation, data },
    email_key: user.emailKey,
    email_verified: user.emailVerified,
    is_superuser: user.isSuperuser,
    must_change_password: user.mustChangePassword,
    slot_tag: user.slotTag,
    revoked_tokens: user.revokedTokens.map(({ tokenId, expiresAt }) => ({
      token_id: tokenId,
      expires_at: written(expiresAt),
    })),
    deleted_at: written(user.deletedAt),
    ...timesLine(user),
  };
}

interface Times {
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

function timesLine({ version, createdAt, updatedAt }: Times): TransferLine {
  return { version, created_at: written(createdAt), updated_at: written(updatedAt) };
}

function written(instantOf: Date | null): string | null {
  return instantOf?.toISOString() ?? null;
}
