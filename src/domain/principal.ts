import type { AuthenticationMethod } from "./session.ts";
import type { Permission, User } from "./user.ts";

/** Somebody who proved who they are on this request. A plain value; handed on as an argument. */
export interface SignedIn {
  readonly isAuthenticated: true;
  readonly user: User;
  /** Name of the strategy that accepted the proof: `session`, or the application's own. */
  readonly via: string;
  readonly amr: readonly AuthenticationMethod[];
  /** When the person last proved who they are; the year 1970 where nothing says. */
  readonly authTime: Date;
  /** Public id of the session behind the proof, or null where there is none. */
  readonly sessionId: string | null;
  /** Restriction of the proof, or null where it carries the user's whole rights. */
  readonly scopes: readonly Permission[] | null;
  /** Who acts in this person's place; null where it is the person themselves. */
  readonly impersonator: User | null;
  readonly displayName: string;
}

/** Nobody in particular. */
export interface Anonymous {
  readonly isAuthenticated: false;
  readonly user: null;
  readonly via: "anonymous";
  readonly displayName: "Anonymous";
}

/** What `via` says of nobody and of proofs of ours that may do more than others: no other proof is called so. */
export const ownProofs: readonly string[] = ["anonymous", "api-key", "session", "ticket"];

/** Who a request acts as, and how we know. */
export type Principal = SignedIn | Anonymous;

/** The one anonymous principal. */
export const anonymous: Anonymous = Object.freeze({
  isAuthenticated: false,
  user: null,
  via: "anonymous",
  displayName: "Anonymous",
});

/** A principal for a user and the proof that was accepted. `impersonator`: default null. */
export function signedInAs(
  user: User,
  proof: Pick<SignedIn, "via" | "amr" | "authTime" | "sessionId" | "scopes"> &
    Partial<Pick<SignedIn, "impersonator">>,
): SignedIn {
  const { via, amr, authTime, sessionId, scopes, impersonator = null } = proof;
  return {
    isAuthenticated: true,
    user,
    via,
    amr,
    authTime,
    sessionId,
    scopes,
    impersonator,
    displayName: user.name ?? user.username,
  };
}
