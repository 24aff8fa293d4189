import { type Rights, wholly } from "./rights.ts";
import type { Session } from "./session.ts";
import type { Permission, User } from "./user.ts";

/** Longest time that somebody acts in another's place, in seconds. */
export const impersonationSeconds = 3_600;

const needed = "user:impersonate" as Permission;

/** Whether somebody else acts in this session in the place of its user. */
export function isImpersonation({ amr }: Pick<Session, "amr">): boolean {
  return amr.includes("imp");
}

/**
 * Whether somebody may act in another's place: with the permission `user:impersonate`, never as themselves, and never as a
 * superuser, not even a superuser.
 */
export function mayImpersonate(rights: Rights, impersonator: User, target: User): boolean {
  if (impersonator.id === target.id || target.isSuperuser) return false;
  return rights.holds(wholly(impersonator), needed);
}
