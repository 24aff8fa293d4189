import * as z from "zod/mini";
import type { SessionInfo } from "../api/sessions.ts";
import { isImpersonation } from "../domain/impersonation.ts";
import type { User } from "../domain/user.ts";

/** RFC 3339. */
const time = z.iso.datetime();

/** A user on the wire. */
export const userShape: z.ZodMiniObject = z.object({
  id: z.uuid(),
  username: z.string(),
  email: z.string(),
  name: z.nullable(z.string()),
  email_verified: z.boolean(),
  roles: z.array(z.string()),
  permissions: z.array(z.string()),
  tier: z.nullable(z.object({ id: z.string(), name: z.string() })),
  is_superuser: z.boolean(),
  must_change_password: z.boolean(),
  locale: z.nullable(z.string()),
  created_at: time,
  updated_at: time,
});

/** A tier by its id and name. */
export type WireTier = { readonly id: string; readonly name: string };

/** A user as the wire spells them; routes ask `EndpointServices.showUser`, which knows their tier. */
export function wireUser(user: User, tier: WireTier | null): Readonly<Record<string, unknown>> {
  return {
    id: user.id,
    username: user.username,
    email: user.email,
    name: user.name,
    email_verified: user.emailVerified,
    roles: user.roles,
    permissions: user.permissions,
    tier,
    is_superuser: user.isSuperuser,
    must_change_password: user.mustChangePassword,
    locale: user.locale,
    created_at: user.createdAt.toISOString(),
    updated_at: user.updatedAt.toISOString(),
  };
}

/** A session on the wire. */
export const sessionShape: z.ZodMiniObject = z.object({
  id: z.string(),
  created_at: time,
  last_used_at: time,
  expires_at: time,
  idle_expires_at: time,
  ip: z.nullable(z.string()),
  user_agent: z.nullable(z.string()),
  current: z.boolean(),
  /** Whether an administrator acts in the user's place there. */
  impersonated: z.boolean(),
});

/** A session as the wire spells it. */
export function wireSession(
  session: SessionInfo,
  currentId: string | null,
): Readonly<Record<string, unknown>> {
  return {
    id: session.id,
    created_at: session.createdAt.toISOString(),
    last_used_at: session.lastUsedAt.toISOString(),
    expires_at: session.expiresAt.toISOString(),
    idle_expires_at: session.idleExpiresAt.toISOString(),
    // Where an administrator sat who acted in the user's place is no business of theirs.
    ip: isImpersonation(session) ? null : session.ip,
    user_agent: isImpersonation(session) ? null : session.userAgent,
    current: session.id === currentId,
    impersonated: isImpersonation(session),
  };
}

/** What every route that starts or rotates a session answers; whoever came with an access token gets fresh tokens along. */
export const signInShape: z.ZodMiniObject = z.object({
  csrf_token: z.nullable(z.string()),
  user: userShape,
  expires_at: time,
  access_token: z.optional(z.string()),
  token_type: z.optional(z.literal("Bearer")),
  expires_in: z.optional(z.int()),
  refresh_token: z.optional(z.string()),
});
