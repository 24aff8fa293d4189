import type { User } from "../domain/user.ts";
import { AuthError } from "../errors.ts";
import type { Refusal, Write } from "../ports/store.ts";
import type { OAuthContext, OAuthServices, ProvenAccount } from "./oauth-services.ts";
import { refusalError } from "./refusals.ts";
import { carriedData, type NewSession, type SignIn } from "./start-session.ts";

/** Somebody who was let in. */
export type Admitted =
  | { readonly kind: "signed-in"; readonly signIn: SignIn }
  /** An account was made, and where registering does not sign in, nothing else. */
  | { readonly kind: "registered"; readonly user: User };

/** What is known of somebody at the door. */
export interface Arrival extends OAuthContext {
  readonly isRemembered: boolean;
}

/** Null where link or user changed in the meantime and another try makes sense. @throws AuthError of any other refusal */
export function againOrThrow(refused: Refusal): null {
  if (refused === "conflict" || refused === "stale") return null;
  if (refused !== "email_taken") throw refusalError(refused);
  throw new AuthError("email_taken", {
    message: "Email already registered. Sign in as before, then link the account on your account page.",
  });
}

/** The session of somebody whom a provider has proven. */
export function sessionOf(
  { clock }: OAuthServices,
  { redeemed }: ProvenAccount,
  user: User,
  { current: replaces, from, isRemembered }: Arrival,
): NewSession {
  const now = clock.now();
  const { authTime } = redeemed;
  return {
    user,
    generation: user.generation,
    amr: ["fed"],
    // A provider that signs people in without asking them says so; who was not asked is not fresh.
    authTime: authTime !== null && authTime < now ? authTime : now,
    isRemembered,
    from,
    replaces,
    data: carriedData(replaces, user),
  };
}

/** The audit row of a link. */
export function linkedRow(
  { events }: OAuthServices,
  { client }: ProvenAccount,
  userId: string,
  { from }: Arrival,
): Write {
  const payload = { provider: client.provider.name };
  return {
    kind: "audit.insert",
    row: events.row({ type: "oauth.linked", userId, sessionId: null, payload }, from),
  };
}
