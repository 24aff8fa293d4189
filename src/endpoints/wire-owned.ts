// Apart from the routes' shapes: commands write the same, and should not wait for a library of shapes.
import type { Tier } from "../domain/tier.ts";
import type { ApiKeyInfo } from "../flows/api-keys/reads.ts";

/** An API key as the wire spells it. */
export function wireKey(key: ApiKeyInfo): Readonly<Record<string, unknown>> {
  return {
    id: key.id,
    name: key.name,
    permissions: key.permissions,
    usage_limits: { per_minute: key.limits.perMinute, per_day: key.limits.perDay },
    ip_allow: key.allowedIps,
    expires_at: key.expiresAt?.toISOString() ?? null,
    last_used_at: key.lastUsedAt?.toISOString() ?? null,
    rotated_from: key.rotatedFrom,
    created_at: key.createdAt.toISOString(),
    updated_at: key.updatedAt.toISOString(),
  };
}

/** A tier as the wire spells it. */
export function wireTier(tier: Tier): Readonly<Record<string, unknown>> {
  return {
    id: tier.id,
    name: tier.name,
    limits: tier.limits.map(({ path, limit, windowSeconds }) => ({
      path,
      limit,
      window_seconds: windowSeconds,
    })),
    version: tier.version,
    created_at: tier.createdAt.toISOString(),
    updated_at: tier.updatedAt.toISOString(),
  };
}
