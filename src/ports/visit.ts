import type { EventOrigin } from "../domain/event.ts";
import type { SignedIn } from "../domain/principal.ts";
import type { Session } from "../domain/session.ts";
import type { Permission } from "../domain/user.ts";
import type { AuthRequest, ClientInfo } from "./request.ts";

/** The request on whose behalf something is done. */
export interface Visit {
  readonly request: AuthRequest;
  readonly client: ClientInfo;
}

/** What flows want to know of a request. */
export interface VisitContext {
  readonly client: ClientInfo;
  readonly from: EventOrigin;
  readonly limitIp: string;
  /** The session that the browser carries now, a visitor's included. */
  readonly current: Session | null;
  /** Device cookies that the browser sent; whose they are is for the sign-in to see. */
  readonly devices: readonly string[];
}

/** A context together with who it is. */
export interface SignedInContext extends VisitContext {
  readonly principal: SignedIn;
  /** Whether they proved recently enough, in this session, who they are. */
  readonly isFresh: boolean;
}

/** A context in a session of their own. */
export interface InSessionContext extends SignedInContext {
  readonly current: Session;
}

/** Reads visits: what a feature binds its flows to requests with. Works once `createAuth` has returned. */
export interface Visits {
  /** The context of a flow that starts a session. @throws AuthError `origin_rejected` */
  arriving(visit: Visit): Promise<VisitContext>;
  /** The context of a flow that ends a session, if there is one, or that is bound to its browser by other means. */
  leaving(visit: Visit): Promise<VisitContext>;
  /** The context of a flow for somebody who is signed in, with the whole of their rights. @throws AuthError `not_authenticated`, `session_expired`, `forbidden` */
  present(visit: Visit): Promise<SignedInContext>;
  /** The same, in a session of their own. @throws AuthError `forbidden` where the proof is no session */
  inSession(visit: Visit): Promise<InSessionContext>;
  /**
   * The context of a flow of administration, for who holds the permission within the scopes of their proof.
   *
   * @throws AuthError `not_authenticated`, `session_expired`; `forbidden`, also where somebody else acts in their place; `password_change_required`
   */
  holding(visit: Visit, permission: Permission): Promise<SignedInContext>;
  /** Takes an attempt of the client's address. @throws AuthError `rate_limited` */
  takeFromLimit(
    limit: { readonly name: string; readonly limit: number; readonly windowSeconds: number },
    visit: Visit,
  ): Promise<void>;
}
