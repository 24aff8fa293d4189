import { isPermission, isRoleName } from "../../domain/rights.ts";
import type { Permission, Role, User } from "../../domain/user.ts";
import { AuthError, type FieldError } from "../../errors.ts";
import type { Services } from "../../ports/services.ts";
import type { Write } from "../../ports/store.ts";
import { type Acting, doing, holderOf } from "../acting.ts";
import { revokedReport } from "../sign-in/start-session.ts";
import { audit, changing } from "./life-cycle.ts";

/** What somebody's rights are to be. Absent fields stay; lists are whole lists. */
export interface RightsChange {
  /** At most {@link mostRoles}. */
  readonly roles?: readonly Role[];
  /** Held beside those of roles; at most {@link mostPermissions}. */
  readonly permissions?: readonly Permission[];
  readonly isSuperuser?: boolean;
  /** Name of the tier, or null for none. */
  readonly tier?: string | null;
}

/** Roles of one user. */
export const mostRoles = 100;
/** Permissions of one user, beside those of roles. */
export const mostPermissions = 200;

/**
 * Changes roles, permissions, tier and the superuser flag of a user.
 *
 * A loss takes effect on the next request, since every check reads the user. Whoever gains something is signed out everywhere
 * (`generation + 1`): what they hold from before was started with less. A tier is what was paid for and signs nobody out.
 *
 * Nobody gives what they do not hold, nor changes who may do more than they.
 *
 * @param wanted - or what is made of the user as they are, asked again where somebody else's change came first
 * @throws AuthError `not_found`; `forbidden`; `invalid_input` - a role that is not configured, no permission, no such tier;
 * `conflict` - the last superuser, an anonymised account, or others were faster
 */
export async function changeRights(
  services: Services,
  userId: string,
  wanted: RightsChange | ((user: User) => RightsChange),
  acting: Acting,
): Promise<User> {
  const tiers = await services.stores.directory.tiers(services.call());
  const names = new Set(tiers.map(({ name }) => name));
  return changing(services, userId, acting, (user) => {
    if (user.status === "anonymized")
      throw new AuthError("conflict", { message: "The account is anonymized." });
    const change = plain(typeof wanted === "function" ? wanted(user) : wanted);
    assertKnown(services, user, change, names);
    const difference = differenceOf(user, change);
    if (!difference.isAny) return null;
    assertMayGive(services, acting, difference.given);
    return writes(services, user, difference, acting);
  });
}

/**
 * Refuses who would give what they do not hold themselves: roles, permissions within the scopes of their proof, the superuser flag.
 *
 * @throws AuthError `forbidden`
 */
export function assertMayGive(
  { rights }: Pick<Services, "rights">,
  acting: Acting,
  { roles, permissions, isSuperuser }: Required<Pick<RightsChange, "roles" | "permissions" | "isSuperuser">>,
): void {
  const holder = holderOf(acting);
  if (holder === null) return;
  const missing = [
    ...permissions.filter((permission) => !rights.holds(holder, permission)),
    ...roles.filter((role) => !rights.decide(holder, { kind: "role", anyOf: [role] }).allow),
    ...(isSuperuser && !rights.decide(holder, { kind: "superuser" }).allow ? ["superuser"] : []),
  ];
  if (missing.length === 0) return;
  throw new AuthError("forbidden", {
    message: `You cannot give what you do not hold: ${missing.join(", ")}`,
  });
}

/** Refuses what nobody can be given. @throws AuthError `invalid_input` with every failing field */
export async function assertGivable(services: Services, change: RightsChange): Promise<void> {
  const tiers = await services.stores.directory.tiers(services.call());
  assertKnown(services, { roles: [], tier: null }, change, new Set(tiers.map(({ name }) => name)));
}

/** What is other than before. */
interface Difference {
  readonly isAny: boolean;
  readonly changes: RightsChange;
  readonly given: {
    readonly roles: readonly Role[];
    readonly permissions: readonly Permission[];
    readonly isSuperuser: boolean;
  };
  readonly taken: Difference["given"];
}

function plain({ roles, permissions, isSuperuser, tier }: RightsChange): RightsChange {
  return {
    ...(roles !== undefined && { roles: [...new Set(roles)] }),
    ...(permissions !== undefined && { permissions: [...new Set(permissions)] }),
    ...(isSuperuser !== undefined && { isSuperuser }),
    ...(tier !== undefined && { tier }),
  };
}

// What the user has already may stay, known or not: a role that left the configuration must not be in the way of every other change.
function assertKnown(
  { rights }: Services,
  user: Pick<User, "roles" | "tier">,
  { roles = [], permissions = [], tier = null }: RightsChange,
  tiers: ReadonlySet<string>,
): void {
  const fields: FieldError[] = [];
  const unknown = roles.find(
    (role) => !user.roles.includes(role) && !(isRoleName(role) && rights.isKnownRole(role)),
  );
  if (unknown !== undefined)
    fields.push({ field: "roles", code: "unknown", message: `There is no role ${shown(unknown)}` });
  else if (roles.length > mostRoles)
    fields.push({ field: "roles", code: "too_many", message: `At most ${mostRoles}` });
  if (permissions.length > mostPermissions)
    fields.push({ field: "permissions", code: "too_many", message: `At most ${mostPermissions}` });
  else if (!permissions.every(isPermission))
    fields.push({
      field: "permissions",
      code: "invalid",
      message: "A permission is written resource:action",
    });
  if (tier !== null && tier !== user.tier && !tiers.has(tier))
    fields.push({ field: "tier", code: "unknown", message: `There is no tier ${shown(tier)}` });
  if (fields.length > 0) throw new AuthError("invalid_input", { fields });
}

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 64));
}

function differenceOf(user: User, change: RightsChange): Difference {
  const { roles = user.roles, permissions = user.permissions, tier = user.tier } = change;
  const { isSuperuser = user.isSuperuser } = change;
  const given = {
    roles: without(roles, user.roles),
    permissions: without(permissions, user.permissions),
    isSuperuser: isSuperuser && !user.isSuperuser,
  };
  const taken = {
    roles: without(user.roles, roles),
    permissions: without(user.permissions, permissions),
    isSuperuser: !isSuperuser && user.isSuperuser,
  };
  const isAny = [given, taken].some(isSomething) || tier !== user.tier;
  return { isAny, changes: { roles, permissions, tier, isSuperuser }, given, taken };
}

function without<T>(some: readonly T[], others: readonly T[]): readonly T[] {
  return some.filter((one) => !others.includes(one));
}

function isSomething({ roles, permissions, isSuperuser }: Difference["given"]): boolean {
  return roles.length > 0 || permissions.length > 0 || isSuperuser;
}

function writes(services: Services, user: User, difference: Difference, acting: Acting): readonly Write[] {
  const { changes, given, taken } = difference;
  const { id: userId, version } = user;
  const tier = changes.tier ?? null;
  const list: Write[] = [];
  if (tier !== null && tier !== user.tier) list.push({ kind: "tier.require", name: tier });
  if (taken.isSuperuser) list.push({ kind: "directory.require_other_superuser", userId });
  if (isSomething(given)) {
    const ended = revokedReport(services, acting.from, doing(acting));
    list.push(
      { kind: "user.advance", userId, from: user.generation },
      { kind: "user.update", userId, version: version + 1, changes },
      { kind: "session.delete_all", userId, except: null, ended },
    );
  } else list.push({ kind: "user.update", userId, version, changes });
  return [...list, ...auditRows(services, user, difference, acting)];
}

function auditRows(
  services: Services,
  { id: userId, tier: from }: User,
  { changes, given, taken }: Difference,
  acting: Acting,
): readonly Write[] {
  const rows: Write[] = [];
  if (isSomething(given) || isSomething(taken)) {
    const payload = {
      ...doing(acting),
      added: given.roles,
      removed: taken.roles,
      permissionsAdded: given.permissions,
      permissionsRemoved: taken.permissions,
      superuser: given.isSuperuser ? "given" : taken.isSuperuser ? "taken" : null,
    } as const;
    rows.push(audit(services, acting, { type: "role.changed", userId, payload }));
  }
  const to = changes.tier ?? null;
  if (to !== from) {
    const payload = { ...doing(acting), from, to };
    rows.push(audit(services, acting, { type: "tier.changed", userId, payload }));
  }
  return rows;
}
