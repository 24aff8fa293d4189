import type { SignedIn } from "../domain/principal.ts";
import type { Ask } from "../domain/rights.ts";
import type { Permission, Role } from "../domain/user.ts";
import type { Decision, Guard, GuardContext } from "../ports/guard.ts";
import type { Awaitable } from "../ports/store.ts";

/**
 * Who holds this permission, or one of these: by themselves, by a role, or as a superuser; always within the scopes of
 * the proof.
 *
 * @throws TypeError where none is named
 */
export function permission(...anyOf: readonly [Permission, ...Permission[]]): Guard {
  return asking("permission", { kind: "permission", anyOf });
}

/**
 * Who has this role, or one of these; a superuser passes. A proof that is restricted to scopes never does, since a role
 * stands for more than any list of scopes: ask for a permission where API keys are to get in.
 *
 * @throws TypeError where none is named
 */
export function role(...anyOf: readonly [Role, ...Role[]]): Guard {
  return asking("role", { kind: "role", anyOf });
}

/**
 * Who is in this tier, or in one of these. A superuser is in the one that they are in, and an API key in its owner's.
 *
 * @throws TypeError where none is named
 */
export function tier(...anyOf: readonly [string, ...string[]]): Guard {
  return asking("tier", { kind: "tier", anyOf }, `Requires ${anyOf.join(" or ")} tier`);
}

/** Superusers. A proof that is restricted to scopes never is one. */
export function superuser(): Guard {
  const ask: Ask = { kind: "superuser" };
  return { name: "superuser", asksAnonymous: false, decide: (who, { rights }) => rights.decide(who, ask) };
}

/** How a request is refused that is about somebody else's. */
export interface OwnerOptions {
  /** What the request does, for the public sentence `Cannot {action} for another user`. Default `do this`. */
  readonly action?: string;
  /**
   * Whether it is addressed by an id that nobody can guess: then somebody else's is 404, as what is not there. What is named in
   * public is 403. Default false.
   */
  readonly isHidden?: boolean;
}

/**
 * Whose it is that the request is about; a superuser passes. What is not there is `not_found`, for everybody.
 *
 * @param load - the id of the owner of what the request is about, or null where there is no such thing
 */
export function owner(
  load: (context: GuardContext, principal: SignedIn) => Awaitable<string | null>,
  { action = "do this", isHidden = false }: OwnerOptions = {},
): Guard {
  const judge = (principal: SignedIn, { rights }: GuardContext, ownerId: string | null): Decision => {
    if (ownerId == null) return { allow: false, code: "not_found", because: "there is no such thing" };
    const finding = rights.decide(principal, { kind: "owner", ownerId });
    if (finding.allow || finding.code !== "forbidden") return finding;
    return isHidden
      ? { ...finding, code: "not_found" }
      : { ...finding, message: `Cannot ${action} for another user` };
  };
  return {
    name: "owner",
    asksAnonymous: false,
    decide(principal, context) {
      // The pipeline asks about nobody else; this tells the compiler.
      if (!principal.isAuthenticated) return notSignedIn;
      const ownerId = load(context, principal);
      if (ownerId === null || typeof ownerId === "string") return judge(principal, context, ownerId);
      return Promise.resolve(ownerId).then((loaded) => judge(principal, context, loaded));
    },
  };
}

const notSignedIn: Decision = { allow: false, code: "not_authenticated", because: "not signed in" };

function asking(
  kind: "permission" | "role" | "tier",
  ask: Extract<Ask, { anyOf: readonly string[] }>,
  message?: string,
): Guard {
  if (ask.anyOf.length === 0) throw new TypeError(`${kind}: name at least one`);
  return {
    name: `${kind}(${ask.anyOf.join(", ")})`,
    asksAnonymous: false,
    decide(principal, { rights }) {
      const finding = rights.decide(principal, ask);
      if (finding.allow || message === undefined || finding.code !== "forbidden") return finding;
      return { ...finding, message };
    },
  };
}
