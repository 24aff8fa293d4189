import { emailKey, usernameKey } from "../../domain/identifier.ts";
import { randomBase62 } from "../../domain/random.ts";
import { isPermission, isRoleName } from "../../domain/rights.ts";
import type { User } from "../../domain/user.ts";
import type { PasswordServices } from "../../ports/services.ts";
import { nameErrors } from "../account/register.ts";
import { mostPermissions, mostRoles } from "../administration/change-rights.ts";
import type { ImportReason, ImportRecord } from "./import-record.ts";

/** What may be taken from the file besides the accounts themselves. */
export interface ImportRights {
  /** Roles, permissions and plans, and names under which somebody speaks for the service (`admin`). Default false. */
  readonly allowsRoles?: boolean;
  /** The superuser flag. Default false. */
  readonly allowsSuperuser?: boolean;
}

/** What was left out of an account that is imported all the same. */
export interface Dropped {
  readonly reason: ImportReason;
  readonly detail: string | null;
}

/** What a file says of somebody and not everybody may be. */
export type Claimed = Pick<
  ImportRecord,
  "email" | "username" | "name" | "roles" | "permissions" | "isSuperuser"
> &
  Pick<User, "tier">;

/** What of it they are here. */
export type Fitting = Pick<User, "username" | "name" | "roles" | "permissions" | "tier" | "isSuperuser">;

/** What of somebody's names and rights can be so here, and may be brought. A name that cannot gets another in its place. */
export function fitting(
  { random }: Pick<PasswordServices, "random">,
  claimed: Claimed,
  { allowsRoles = false, allowsSuperuser = false }: ImportRights,
): { readonly changes: Fitting; readonly dropped: readonly Dropped[] } {
  const dropped: Dropped[] = [];
  const drop = (reason: ImportReason, detail: string | null = null): void =>
    void dropped.push({ reason, detail });
  // What such a name lets somebody say is as good as a role.
  const username = usernameKey(claimed.username ?? "", { isOperators: allowsRoles });
  // Many products hold the address as the username; here one signs in with it anyway.
  const isAddress = emailKey(claimed.username ?? "") === emailKey(claimed.email ?? "");
  if (claimed.username?.trim() && username === null && !isAddress)
    drop("username_replaced", claimed.username);
  const name = claimed.name?.trim() || null;
  const isName = nameErrors(name).length === 0;
  if (!isName) drop("name_dropped");
  const { lost, ...kept } = rightsOf(claimed, allowsRoles);
  if (lost.length > 0) drop("rights_dropped", lost.join(", ").slice(0, 500));
  const isSuperuser = claimed.isSuperuser && allowsSuperuser;
  if (claimed.isSuperuser && !isSuperuser) drop("superuser_dropped");
  const another = (): string => `u${randomBase62(12, (length) => random.bytes(length))}`.toLowerCase();
  const names = { username: username ?? another(), name: isName ? name : null };
  return { changes: { ...names, ...kept, isSuperuser }, dropped };
}

/** @returns `lost`: what is wanted and not given, some of it or all */
function rightsOf({ roles, permissions, tier }: Claimed, allowsRoles: boolean) {
  const wanted = [...roles, ...permissions, ...(tier === null ? [] : [tier])];
  if (!allowsRoles) return { roles: [], permissions: [], tier: null, lost: wanted };
  const kept = {
    roles: roles.filter(isRoleName).slice(0, mostRoles),
    permissions: permissions.filter(isPermission).slice(0, mostPermissions),
  };
  const isWhole = kept.roles.length === roles.length && kept.permissions.length === permissions.length;
  return { ...kept, tier, lost: isWhole ? [] : wanted };
}
