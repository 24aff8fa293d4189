import type { Anonymous, SignedIn } from "./principal.ts";
import type { Permission, Role, User } from "./user.ts";

/** Permissions by the name of the role that grants them. */
export type Roles = Readonly<Record<Role, readonly Permission[]>>;

/** Whom a question is about: somebody's account, and what their proof is restricted to (null: it is not). */
export type Holder =
  | (Pick<SignedIn, "isAuthenticated" | "user" | "scopes"> & Partial<Pick<SignedIn, "impersonator">>)
  | Anonymous;

/** A question about somebody's rights; of several names one is enough. */
export type Ask =
  | { readonly kind: "permission"; readonly anyOf: readonly Permission[] }
  | { readonly kind: "role"; readonly anyOf: readonly Role[] }
  | { readonly kind: "tier"; readonly anyOf: readonly string[] }
  | { readonly kind: "superuser" }
  /** `ownerId`: whose it is that the request is about. */
  | { readonly kind: "owner"; readonly ownerId: string };

/** What decided a question. */
export type Rule =
  /** Nobody is signed in. */
  | "anonymous"
  /** The account is not active. */
  | "status"
  /** Another password has to be chosen first. */
  | "password"
  /** The proof is restricted, and the account would be allowed. */
  | "scope"
  | "superuser"
  | "permission"
  | "role"
  | "tier"
  | "owner";

/** The answer to a question, the rule that gave it, and why in words for an operator. */
export type Finding =
  | { readonly allow: true; readonly rule: Rule; readonly because: string }
  | {
      readonly allow: false;
      readonly code: "not_authenticated" | "forbidden" | "password_change_required";
      readonly rule: Rule;
      readonly because: string;
    };

/**
 * Decides every question about permissions, roles, plans, the superuser flag and ownership: guards, API keys, `hasPermission`
 * and `explain` ask here and nowhere else.
 */
export interface Rights {
  decide(holder: Holder, ask: Ask): Finding;
  /** Whether `decide` allows this one permission. */
  holds(holder: Holder, permission: Permission): boolean;
  /** What a role grants; null where it is not configured, and grants nothing. */
  grantsOf(role: Role): readonly Permission[] | null;
  /** Whether a user may be given the role: it is configured, or no roles are and their names are mere labels. */
  isKnownRole(role: Role): boolean;
}

/** A role in the form that a check reads. */
interface Granting {
  readonly permissions: ReadonlySet<string>;
  readonly finding: Finding;
}

/**
 * The rights that configured roles give; with null no roles are configured.
 *
 * @throws TypeError naming every role and permission that cannot be used
 */
export function rights(roles: Roles | null): Rights {
  assertUsable(roles ?? {});
  const granting = new Map(Object.entries<readonly string[]>(roles ?? {}).map(compiled));

  // Nothing is made on the way to "yes": this runs at every check of a guarded route.
  function permissionFinding(
    user: User,
    anyOf: readonly string[],
    scopes: SignedIn["scopes"],
  ): Finding | null {
    for (const permission of anyOf) {
      if (scopes !== null && !(scopes as readonly string[]).includes(permission)) continue;
      if (user.isSuperuser) return asSuperuser;
      if ((user.permissions as readonly string[]).includes(permission)) return ownPermission;
      for (const role of user.roles) {
        const grants = granting.get(role);
        if (grants?.permissions.has(permission)) return grants.finding;
      }
    }
    return null;
  }

  function byPermission({ user, scopes }: Known, anyOf: readonly string[]): Finding {
    const found = permissionFinding(user, anyOf, scopes);
    if (found !== null) return found;
    const wanted = anyOf.join(" or ");
    if (scopes !== null && permissionFinding(user, anyOf, null) !== null)
      return refused("scope", `the proof is not good for ${wanted}`);
    const given = user.roles.map((role) => (granting.has(role) ? role : `${role} (not configured)`));
    const from = given.length === 0 ? "no role" : `the roles ${given.join(", ")}`;
    return refused("permission", `${wanted} is not among the user's own permissions, nor given by ${from}`);
  }

  function decide(holder: Holder, ask: Ask): Finding {
    if (!holder.isAuthenticated) return notSignedIn;
    const { user, scopes } = holder;
    if (user.status !== "active") return refused("status", `the account is ${user.status}`);
    if (isPasswordFirst(holder)) return passwordFirst;
    switch (ask.kind) {
      case "permission":
        return byPermission(holder, ask.anyOf);
      case "role":
        return unrestricted(scopes, byRole(user, ask.anyOf));
      case "tier":
        return byTier(user, ask.anyOf);
      case "superuser":
        return unrestricted(scopes, user.isSuperuser ? asSuperuser : refused("superuser", "no superuser"));
      case "owner":
        return byOwner(holder, ask.ownerId);
    }
  }

  return {
    decide,
    holds: (holder, permission) => decide(holder, { kind: "permission", anyOf: [permission] }).allow,
    grantsOf: (role) => {
      const grants = granting.get(role);
      return grants === undefined ? null : ([...grants.permissions] as Permission[]);
    },
    isKnownRole: (role) => roles === null || granting.has(role),
  };
}

/** Whether somebody has to choose another password before anything else. Who acts in their place cannot, and goes on. */
export function isPasswordFirst(holder: Holder): boolean {
  return holder.isAuthenticated && holder.user.mustChangePassword && holder.impersonator == null;
}

/** An account by itself, as it would be with a proof that carries the whole of its rights. */
export function wholly(user: User): Holder {
  return { isAuthenticated: true, user, scopes: null };
}

/** Whether a text can be a permission: 1 to 128 characters, none of them blank, a comma or a control character. */
export function isPermission(text: string): boolean {
  return text.length <= 128 && /^[^\s,\p{Cc}\p{Cs}]+$/u.test(text);
}

/** Whether a text can be the name of a role: 1 to 64 of `A-Z a-z 0-9 _ . -`. */
export function isRoleName(text: string): boolean {
  return /^[A-Za-z0-9_.-]{1,64}$/.test(text);
}

type Known = Extract<Holder, { isAuthenticated: true }>;

const notSignedIn: Finding = {
  allow: false,
  code: "not_authenticated",
  rule: "anonymous",
  because: "not signed in",
};
const passwordFirst: Finding = {
  allow: false,
  code: "password_change_required",
  rule: "password",
  because: "another password has to be chosen first",
};
const asSuperuser: Finding = { allow: true, rule: "superuser", because: "superuser" };
const ownPermission: Finding = {
  allow: true,
  rule: "permission",
  because: "among the user's own permissions",
};
const ownThing: Finding = { allow: true, rule: "owner", because: "it is theirs" };
const inTier: Finding = { allow: true, rule: "tier", because: "in the tier" };
const hasRole: Finding = { allow: true, rule: "role", because: "has the role" };

function assertUsable(roles: Readonly<Record<string, unknown>>): void {
  const problems = Object.entries(roles).flatMap(([role, permissions]) => {
    if (!isRoleName(role)) return [`${JSON.stringify(role)}: a name is 1 to 64 of A-Z a-z 0-9 _ . -`];
    if (!Array.isArray(permissions)) return [`${role}: a list of permissions`];
    return permissions
      .filter((permission) => typeof permission !== "string" || !isPermission(permission))
      .map((permission) => `${role}: ${JSON.stringify(permission)} is no permission, such as invoice:read`);
  });
  if (problems.length > 0) throw new TypeError(`roles cannot be used:\n- ${problems.join("\n- ")}`);
}

function compiled([role, permissions]: [string, readonly string[]]): [string, Granting] {
  const finding: Finding = { allow: true, rule: "role", because: `given by the role ${role}` };
  return [role, { permissions: new Set(permissions), finding }];
}

function byRole(user: User, anyOf: readonly string[]): Finding {
  if (user.isSuperuser) return asSuperuser;
  for (const role of user.roles) if (anyOf.includes(role)) return hasRole;
  return refused("role", `has not the role ${anyOf.join(" or ")}`);
}

// A plan says what was paid for, not what somebody may do: a superuser is in the one that they are in, and a key in its owner's.
function byTier(user: User, anyOf: readonly string[]): Finding {
  if (user.tier !== null && anyOf.includes(user.tier)) return inTier;
  return refused(
    "tier",
    `in ${user.tier === null ? "no tier" : `the tier ${user.tier}`}, not ${anyOf.join(" or ")}`,
  );
}

function byOwner({ user, scopes }: Known, ownerId: string): Finding {
  if (user.id === ownerId) return ownThing;
  return unrestricted(scopes, user.isSuperuser ? asSuperuser : refused("owner", "it is somebody else's"));
}

// A role or the superuser flag stands for more than any list of scopes says.
function unrestricted(scopes: SignedIn["scopes"], finding: Finding): Finding {
  if (scopes === null || !finding.allow) return finding;
  return refused("scope", "the proof is restricted to scopes");
}

function refused(rule: Rule, because: string): Finding {
  return { allow: false, code: "forbidden", rule, because };
}
