import { type Holder, type Rights, wholly } from "./rights.ts";
import type { Permission, User } from "./user.ts";

/** Permissions of Latchkey's own administration; a superuser has all of them. */
export const administrationPermissions = [
  "user:read",
  "user:write",
  "user:impersonate",
  "session:write",
  "tier:write",
  "audit:read",
  "invitation:write",
  "statistics:read",
] as const;

/** One of {@link administrationPermissions}. */
export type AdministrationPermission = (typeof administrationPermissions)[number];

/**
 * Whether an administrator may change an account, by the proof that they gave. Only a superuser changes a superuser, and with a proof
 * that is restricted to scopes nobody is one; and nobody changes an account that may do what they may not, of
 * {@link administrationPermissions}: who gives it another address holds it.
 */
export function mayChange(rights: Rights, administrator: Holder, target: User): boolean {
  if (rights.decide(administrator, { kind: "superuser" }).allow) return true;
  if (target.isSuperuser) return false;
  // As it would be if it were restored.
  const restored = wholly({ ...target, status: "active", mustChangePassword: false });
  return administrationPermissions.every((name) => {
    const permission = name as Permission;
    return !rights.holds(restored, permission) || rights.holds(administrator, permission);
  });
}
