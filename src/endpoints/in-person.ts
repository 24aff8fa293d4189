import { assertThemselves } from "../api/visit.ts";
import type { Principal, SignedIn } from "../domain/principal.ts";
import { AuthError } from "../errors.ts";

/**
 * Whose request it is, for what is shown to its owner alone: where somebody is and with what is no business of a program that they
 * gave a key, nor of who acts in their place.
 *
 * @throws AuthError `not_authenticated`; `forbidden` - the proof is restricted to scopes, or somebody else acts in their place
 */
export function inPerson(principal: Principal): SignedIn {
  if (!principal.isAuthenticated) throw new AuthError("not_authenticated");
  if (principal.scopes !== null) throw new AuthError("forbidden");
  assertThemselves(principal);
  return principal;
}
