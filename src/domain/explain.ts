import type { Principal } from "./principal.ts";
import { type Finding, type Holder, type Rights, wholly } from "./rights.ts";
import type { Permission, User } from "./user.ts";

/** What somebody wants to do something to, where it is somebody's. */
export interface OwnedResource {
  /** The part of the permission before the colon: `invoice`. */
  readonly name: string;
  /** Whose it is: they may do everything to it. */
  readonly ownerId: string;
}

/** Which rule decided, and about which permission. */
export type Explanation = Finding & { readonly permission: Permission };

/** Asks whether somebody may do something, first as its owner where it has one, then by permission; the first "yes" stands. */
export function explain(
  rights: Rights,
  who: Principal | User,
  action: string,
  resource: string | OwnedResource,
): Explanation {
  const holder: Holder = "isAuthenticated" in who ? who : wholly(who);
  const { name, ownerId } = typeof resource === "string" ? { name: resource, ownerId: null } : resource;
  const permission = `${name}:${action}` as Permission;
  const byPermission = (): Finding => rights.decide(holder, { kind: "permission", anyOf: [permission] });
  if (ownerId === null) return { ...byPermission(), permission };
  const asOwner = rights.decide(holder, { kind: "owner", ownerId });
  if (asOwner.allow) return { ...asOwner, permission };
  const held = byPermission();
  if (held.allow || held.code !== "forbidden") return { ...held, permission };
  return { ...held, because: `${asOwner.because}; ${held.because}`, permission };
}
