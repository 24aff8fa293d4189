import type { Sessions } from "../api/sessions.ts";
import type { Users } from "../api/users.ts";
import type { Guard } from "../ports/guard.ts";

/** What the routes of this folder work with. */
export interface EndpointServices {
  readonly users: Users;
  readonly sessions: Sessions;
  readonly guards: { readonly anyone: Guard; readonly signedIn: Guard };
}
