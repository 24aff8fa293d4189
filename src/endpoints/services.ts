import type { Sessions } from "../api/sessions.ts";
import type { Users } from "../api/users.ts";
import type { User } from "../domain/user.ts";
import type { SignIn } from "../flows/sign-in/start-session.ts";
import type { Guard } from "../ports/guard.ts";
import type { RouteCall } from "../ports/route.ts";

/** The request that is answered. */
type FreshCall = Pick<RouteCall<unknown>, "principal" | "request" | "client">;

/** Spells a user for the wire, with their tier. */
export type ShowUser = (user: User) => Promise<Readonly<Record<string, unknown>>>;

/** What the routes of this folder work with. */
export interface EndpointServices {
  readonly users: Users;
  readonly sessions: Sessions;
  readonly guards: {
    readonly anyone: Guard;
    readonly signedIn: Guard;
    /** Also for who has to choose another password first: the rows by which they do that, or leave. */
    readonly signedInAnyhow: Guard;
  };
  /** A user as the wire spells them. */
  readonly showUser: ShowUser;
  /**
   * Fields for the answer to who came with an access token, and whose session has just gone on under a new id: the tokens of the
   * new one, since the old ones died with the old id. Empty for everybody else.
   */
  readonly freshTokens: (rotated: Pick<SignIn, "session" | "user">, call: FreshCall) => Promise<object>;
}
