import type { Principal, SignedIn } from "../domain/principal.ts";
import type { Rights } from "../domain/rights.ts";
import type { Left } from "./ephemeral-store.ts";
import type { AuthRequest } from "./request.ts";
import type { Awaitable } from "./store.ts";

/** Codes that a guard may refuse with. */
export type DenialCode =
  | "not_authenticated"
  | "forbidden"
  | "not_found"
  | "rate_limited"
  | "fresh_auth_required"
  | "password_change_required";

/** What a guard decides, and why; `because` is for log and audit, `message` for the person. */
export type Decision =
  | { readonly allow: true; readonly because: string }
  | {
      readonly allow: false;
      readonly code: DenialCode;
      readonly because: string;
      readonly message?: string;
      /** Whole seconds until another try makes sense. */
      readonly retryAfterSeconds?: number;
      /** Where a page request is sent instead of an error: a path of this origin. */
      readonly redirect?: string;
    };

/** A number of requests in a window, taken from one at a time. */
export interface RequestLimit {
  /** For the counter's key, events and the `RateLimit` header: 1 to 64 of `A-Z a-z 0-9 . _ -`. */
  readonly name: string;
  /** What is counted, where the name alone does not say it. */
  readonly counter?: string;
  readonly limit: number;
  readonly windowSeconds: number;
}

/** Says which limit a request of somebody is counted against, by its path; null where none. */
export type LimitFor = (principal: SignedIn, pathname: string) => Awaitable<RequestLimit | null>;

/** What became of a request's turn at a limit. */
export type Turn =
  | { readonly ok: true; readonly left: Left }
  | { readonly ok: false; readonly retryAfterSeconds: number };

/** What a guard may look at besides the principal. */
export interface GuardContext {
  readonly request: AuthRequest;
  readonly now: Date;
  /** Decides questions about permissions, roles and plans. */
  readonly rights: Rights;
  /**
   * When the person proved who they are, in the session that this request carries; null where another proof was
   * accepted, or somebody acts in their place. @see Principal.authTime, which other proofs have as well
   */
  readonly provenAt: Date | null;
  /** As configured: how old `provenAt` may be where a guard names no time of its own. */
  readonly freshSeconds: number;
  /**
   * Takes one of a limit's requests for the user or, where nobody is signed in, for the address; what is left goes into the
   * answer's `RateLimit` header. A refusal is an event.
   */
  takeTurn(limit: RequestLimit): Promise<Turn>;
}

/** Decides whether a principal may go on. A plain value; guards combine with `all` and `any`. */
export interface Guard {
  readonly name: string;
  /** Whether it wants to be asked about somebody who is not signed in. False: they get `not_authenticated` before it is asked. */
  readonly asksAnonymous: boolean;
  /** Whether it says nothing about who it is, so that it opens no route to strangers by itself. Default false. */
  readonly isNeutral?: boolean;
  /** Whether who it is has to come from the database itself, also on a read. Default false. @see StoreCall.readsThrough */
  readonly readsThrough?: boolean;
  /** Whether who has to choose another password first may go on nevertheless. Default false. */
  readonly whilePasswordChange?: boolean;
  /** Whether what it guards starts a session: then of CSRF protection the origin alone is asked, since there is no token yet. Default false. */
  readonly startsSession?: boolean;
  decide(principal: Principal, context: GuardContext): Awaitable<Decision>;
}

/** A guard that lets somebody on who is not signed in, so that the handler's principal may be anonymous. */
export interface Open extends Guard {
  readonly asksAnonymous: true;
  readonly isNeutral?: false;
}

/** A guard that counts requests, whoever they are from: beside an {@link Open} one the route stays open, alone it is closed. */
export interface Limiting extends Guard {
  readonly asksAnonymous: true;
  readonly isNeutral: true;
}

/**
 * Refuses what is no guard where it is written, and not at the first request.
 *
 * @param where - the function that was given the guards
 * @throws TypeError with the fix
 */
export function assertGuards(where: string, guards: readonly unknown[]): void {
  for (const each of guards) {
    // `anyone` for `anyone()`.
    if (typeof each === "function")
      throw new TypeError(`${where}: a function is no guard; call it: ${each.name}(…)`);
    if (typeof Reflect.get(Object(each), "decide") === "function") continue;
    throw new TypeError(`${where}: what is given as a guard is none, such as signedIn()`);
  }
}

/** The same for a handler and its guards. @throws TypeError with the fix */
export function assertProtectable(handler: unknown, guards: readonly unknown[]): void {
  if (typeof handler !== "function")
    throw new TypeError("protect: the handler is a function, and stands before the guards");
  assertGuards("protect", guards);
}
