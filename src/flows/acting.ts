import { mayChange } from "../domain/administration.ts";
import type { Actor, Doing, EventOrigin } from "../domain/event.ts";
import { noOrigin } from "../domain/event.ts";
import type { SignedIn } from "../domain/principal.ts";
import type { Holder } from "../domain/rights.ts";
import type { User } from "../domain/user.ts";
import { AuthError } from "../errors.ts";
import type { Services } from "../ports/services.ts";
import type { Write } from "../ports/store.ts";

/** Who acts on somebody's account, and from where. */
export interface Acting {
  readonly by: Actor;
  /** Null for an operator at the command line, and for the person themselves. */
  readonly administrator: User | null;
  /** What the administrator's proof is restricted to; absent or null: it is not. */
  readonly scopes?: SignedIn["scopes"];
  /** Session of who acts; null where there is none. */
  readonly sessionId: string | null;
  /** For rows about the account that is acted on: an administrator's address and browser are not in it. */
  readonly from: EventOrigin;
}

/** Whoever can run the program on the machine: may do everything. */
export const operator: Acting = { by: "operator", administrator: null, sessionId: null, from: noOrigin };

/**
 * An administrator with the rights of their account. Rows about the accounts of others name them by id and session alone: personal
 * fields go with the account that a row is about, so an address there would outlive its owner's erasure.
 */
export function administrator(
  { user, sessionId, scopes }: Pick<SignedIn, "user" | "sessionId" | "scopes">,
  { requestId }: Pick<EventOrigin, "requestId">,
): Acting {
  return { by: "administrator", administrator: user, scopes, sessionId, from: { ...noOrigin, requestId } };
}

/** Who it was, as payloads say it. */
export function doing({ by, administrator: user }: Acting): Doing {
  return user === null ? { by } : { by, administratorId: user.id };
}

/** For a transaction of an administrator: they have been neither barred nor signed out everywhere since their request was let on. */
export function stillActing({ administrator: user }: Acting): readonly Write[] {
  return user === null ? [] : [{ kind: "user.require", userId: user.id, generation: user.generation }];
}

/** Whose rights decide what is done, within the scopes of their proof; null where an operator may do everything. */
export function holderOf({ administrator: user, scopes = null }: Acting): Holder | null {
  return user === null ? null : { isAuthenticated: true, user, scopes };
}

/** Refuses who may not change an account as it stands now. @throws AuthError `forbidden` @see mayChange */
export function assertMayChange({ rights }: Pick<Services, "rights">, acting: Acting, target: User): void {
  const holder = holderOf(acting);
  if (holder === null || mayChange(rights, holder, target)) return;
  throw new AuthError("forbidden", { message: "This account may do more than yours." });
}
