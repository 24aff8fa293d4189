import type { Principal } from "../domain/principal.ts";
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
      /** Where a page request is sent instead of an error: a path of this origin. */
      readonly redirect?: string;
    };

/** What a guard may look at besides the principal. */
export interface GuardContext {
  readonly request: AuthRequest;
  readonly now: Date;
}

/** Decides whether a principal may go on. A plain value; guards combine with `all` and `any`. */
export interface Guard {
  readonly name: string;
  /** Whether it wants to be asked about somebody who is not signed in. False: they get `not_authenticated` before it is asked. */
  readonly asksAnonymous: boolean;
  decide(principal: Principal, context: GuardContext): Awaitable<Decision>;
}

/** A guard that lets somebody on who is not signed in, so that the handler's principal may be anonymous. */
export interface Open extends Guard {
  readonly asksAnonymous: true;
}
