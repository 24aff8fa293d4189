import type { Session } from "../../domain/session.ts";
import type { User } from "../../domain/user.ts";
import type { Services } from "../../ports/services.ts";
import type { Refusal, Write } from "../../ports/store.ts";
import { carry, draftSession, type NewSession, type SignIn, sessionWrites } from "./start-session.ts";

/** What a way of signing in writes in the same transaction as its session. */
export interface AlsoWritten {
  /** What has to hold for the session to start, and what makes it hold. */
  readonly before?: readonly Write[];
  /** What the new session brings along. */
  readonly after?: (session: Session) => readonly Write[];
}

/** A sign-in that stands, or why nothing of it was written. `stale`: the user's generation has moved on. */
export type CommittedSignIn =
  | { readonly ok: true; readonly signIn: SignIn }
  | { readonly ok: false; readonly refused: Refusal };

/**
 * Starts the session of a proven user, however they proved it: while they still have the generation that was read with
 * the proof, with the event `user.logged_in`, in one transaction.
 *
 * @throws AuthError `store_unavailable`
 */
export async function commitSignIn(
  services: Services,
  wanted: NewSession & { readonly user: User },
  { before = [], after = () => [] }: AlsoWritten = {},
): Promise<CommittedSignIn> {
  const { user, generation, amr, isRemembered, from } = wanted;
  const draft = draftSession(services, wanted);
  const { session } = draft;
  const event = {
    type: "user.logged_in" as const,
    userId: user.id,
    sessionId: session.id,
    payload: { amr, isRemembered },
  };
  const result = await services.commit([
    { kind: "user.require", userId: user.id, generation },
    ...before,
    ...sessionWrites(services, draft, wanted),
    { kind: "audit.insert", row: services.events.row(event, from) },
    ...after(session),
  ]);
  if (!result.ok) return result;
  return { ok: true, signIn: { user, session, change: carry(services, draft) } };
}
