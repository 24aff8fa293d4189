import type { ApiKeyChanges, ApiKeyLimits } from "../../domain/api-key.ts";
import { plainNetwork } from "../../domain/ip.ts";
import { isPermission, type Rights, wholly } from "../../domain/rights.ts";
import type { Permission, User } from "../../domain/user.ts";
import { AuthError, type FieldError } from "../../errors.ts";

/** What somebody wants of a key, before it was looked at. */
export interface WantedApiKeyInput extends Omit<ApiKeyChanges, "limits"> {
  readonly limits?: Partial<ApiKeyLimits>;
}

/** The fields that were given, each as it is stored. */
export type WantedApiKey = ApiKeyChanges;

const longestName = 100;
const mostPermissions = 200;
const mostNetworks = 50;
const mostUses = 1_000_000_000;
// The last year of four digits, as RFC 3339 writes dates.
const latest = Date.UTC(9999, 11, 31);

/** Whose key it is to be, and when. */
export interface ForWhom {
  readonly user: User;
  readonly now: Date;
  readonly rights: Rights;
}

/**
 * The given fields of a key as they are stored: the name trimmed, permissions once each, addresses in one spelling. A
 * field given as undefined is left out.
 *
 * @throws AuthError `invalid_input` with every failing field, by its wire name
 */
export function plainApiKey(wanted: WantedApiKeyInput, { user, now, rights }: ForWhom): WantedApiKey {
  const fields: FieldError[] = [];
  const add = (field: string, code: string, message: string): void => {
    if (!fields.some((known) => known.field === field)) fields.push({ field, code, message });
  };
  const name = wanted.name?.trim();
  if (name !== undefined) checkName(name, add);
  const permissions = wanted.permissions && [...new Set(wanted.permissions)];
  if (permissions !== undefined) checkPermissions(permissions, { user, rights }, add);
  const limits = wanted.limits && { perMinute: null, perDay: null, ...defined(wanted.limits) };
  if (limits !== undefined) checkLimits(limits, add);
  const allowedIps = wanted.allowedIps && plainNetworks(wanted.allowedIps, add);
  const { expiresAt } = wanted;
  if (expiresAt) checkExpiry(expiresAt, now, add);
  if (fields.length > 0) throw new AuthError("invalid_input", { fields });
  return defined({ name, permissions, limits, allowedIps, expiresAt });
}

type AddError = (field: string, code: string, message: string) => void;

function checkName(name: string, add: AddError): void {
  if (name === "") add("name", "required", "Name is required");
  if ([...name].length > longestName) add("name", "too_long", `At most ${longestName} characters`);
  if (/[\p{Cc}\p{Cs}]/u.test(name)) add("name", "invalid_characters", "Control characters cannot be used");
}

function checkPermissions(
  permissions: readonly Permission[],
  { user, rights }: Pick<ForWhom, "user" | "rights">,
  add: AddError,
): void {
  const field = "permissions";
  if (permissions.length > mostPermissions) add(field, "too_many", `At most ${mostPermissions}`);
  for (const permission of permissions) {
    if (!isPermission(permission)) add(field, "invalid", "A permission is written resource:action");
    // What the owner does not hold would do nothing today, and something on the day that they are given it.
    else if (!rights.holds(wholly(user), permission))
      add(field, "not_held", `You do not have the permission ${permission}`);
  }
}

function checkLimits(limits: ApiKeyLimits, add: AddError): void {
  for (const uses of [limits.perMinute, limits.perDay]) {
    if (uses !== null && !(Number.isInteger(uses) && uses >= 1 && uses <= mostUses))
      add("usage_limits", "out_of_range", `Whole numbers from 1 to ${mostUses}`);
  }
}

function plainNetworks(networks: readonly string[], add: AddError): readonly string[] {
  if (networks.length > mostNetworks) add("ip_allow", "too_many", `At most ${mostNetworks}`);
  const plain = new Set<string>();
  for (const text of networks.slice(0, mostNetworks)) {
    const network = plainNetwork(text);
    if (network === null) add("ip_allow", "invalid", "Addresses, or networks such as 192.0.2.0/24");
    else plain.add(network);
  }
  return [...plain];
}

function checkExpiry(expiresAt: Date, now: Date, add: AddError): void {
  const at = expiresAt.getTime();
  // Written so that what is no date fails, too.
  if (!(at > now.getTime() && at < latest))
    add("expires_at", "out_of_range", "A time in the future, before the year 9999 ends");
}

function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
