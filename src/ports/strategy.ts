import type { SignedIn } from "../domain/principal.ts";
import type { Session } from "../domain/session.ts";
import type { AuthError } from "../errors.ts";
import type { SessionChange } from "./change.ts";
import type { AuthRequest, ClientInfo } from "./request.ts";
import type { Awaitable } from "./store.ts";

/** Is told, at most once, the HTTP status of an answer. Must not throw. */
export type Answered = (status: number) => void;

/** What a strategy says of a request. */
export type Outcome =
  /** None of my proof here: ask the next. `session` is a visitor's, for its data. */
  | {
      readonly kind: "absent";
      readonly reason?: "session_expired";
      readonly session?: Session;
      readonly change?: SessionChange;
    }
  /** My proof, and it is good. */
  | {
      readonly kind: "accepted";
      readonly principal: SignedIn;
      readonly session?: Session;
      readonly change?: SessionChange;
      /** Wants to be told how the request was answered: by the status of the answer or, where nobody knows it, of the verdict. */
      readonly answered?: Answered;
    }
  /** My proof, and it is bad: final, also on a public route. */
  | { readonly kind: "rejected"; readonly error: AuthError };

/** How much hangs on who it is. */
export interface Stakes {
  /** Whether something is to be changed: then nothing is answered from a cache of bounded age. @see StoreCall.readsThrough */
  readonly readsThrough: boolean;
}

/** Recognises one kind of proof on a request. */
export interface Strategy {
  /** Becomes `Principal.via`. */
  readonly name: string;
  /** Whether browsers send the proof by themselves (a cookie). Then unsafe methods need the CSRF stages, and explicit proofs are asked first. */
  readonly ambient: boolean;
  /** The scheme that a 401 names in `WWW-Authenticate` while this strategy is configured; empty for one that no client is to be told of. */
  readonly challenge: string;
  /**
   * Claims by shape. A throw says that a backend failed, never that the proof is bad.
   *
   * @param stakes - default: nothing is to be changed
   */
  authenticate(request: AuthRequest, client: ClientInfo, stakes?: Stakes): Awaitable<Outcome>;
}
