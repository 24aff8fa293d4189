import { type Rights, wholly } from "./rights.ts";
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
 * Whether an administrator may change an account. Only a superuser changes a superuser; and nobody changes one that may do what
 * they may not, of {@link administrationPermissions}: who gives it another address holds it.
 */
export function mayChange(rights: Rights, administrator: User, target: User): boolean {
  if (administrator.isSuperuser) return true;
  if (target.isSuperuser) return false;
  // As it would be if it were restored.
  const restored = wholly({ ...target, status: "active", mustChangePassword: false });
  const own = wholly(administrator);
  return administrationPermissions.every((name) => {
    const permission = name as Permission;
    return !rights.holds(restored, permission) || rights.holds(own, permission);
  });
}
