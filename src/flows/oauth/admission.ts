import type { User } from "../../domain/user.ts";
import { AuthError } from "../../errors.ts";
import type { Refusal, Write } from "../../ports/store.ts";
import { refusalError } from "../refusals.ts";
import { carriedData, type NewSession, type SignIn } from "../sign-in/start-session.ts";
import type { OAuthContext, OAuthServices, ProvenAccount } from "./services.ts";

/** Somebody who was let in. */
export type Admitted =
  | { readonly kind: "signed-in"; readonly signIn: SignIn }
  /** An account was made, and where registering does not sign in, nothing else. */
  | { readonly kind: "registered"; readonly user: User };

/** What is known of somebody at the door. */
export interface Arrival extends OAuthContext {
  readonly isRemembered: boolean;
  /** Whether the provider was to ask the person again. */
  readonly isFresh: boolean;
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
  services: OAuthServices,
  proven: ProvenAccount,
  user: User,
  arrival: Arrival,
): NewSession {
  const { current: replaces, from, isRemembered } = arrival;
  return {
    user,
    generation: user.generation,
    amr: ["fed"],
    authTime: provenAt(services, proven, arrival),
    isRemembered,
    from,
    replaces,
    data: carriedData(replaces, user),
  };
}

/**
 * When the person proved who they are. A provider signs in without asking whom it knows still, so that its answer alone says
 * nothing of that: then it was at no time, and nothing takes the session for fresh.
 */
function provenAt(
  { clock, freshWithoutAuthTime }: OAuthServices,
  { client, redeemed }: ProvenAccount,
  { isFresh }: Arrival,
): Date {
  const now = clock.now();
  const { authTime } = redeemed;
  if (authTime !== null && authTime > noTime) return authTime < now ? authTime : now;
  return isFresh && authTime === null && freshWithoutAuthTime.has(client.provider.name) ? now : noTime;
}

const noTime = new Date(0);

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
