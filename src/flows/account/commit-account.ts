import type { Actor, EventOrigin } from "../../domain/event.ts";
import type { AuthenticationMethod, Session } from "../../domain/session.ts";
import type { User } from "../../domain/user.ts";
import type { Services } from "../../ports/services.ts";
import type { Refusal, Write } from "../../ports/store.ts";
import { withDevice } from "../sign-in/devices.ts";
import {
  carriedData,
  carry,
  draftSession,
  type NewSession,
  type SignIn,
  sessionWrites,
} from "../sign-in/start-session.ts";

/** An account that is to be, and how it comes to be. */
export interface DraftAccount {
  readonly user: User;
  /** The write of its first way to sign in. */
  readonly wayIn: Write;
  readonly by: Actor;
  /** Whose account it is done with, where an administrator does it. */
  readonly administratorId?: string | undefined;
  readonly from: EventOrigin;
  /** What else the directory must satisfy. */
  readonly requires?: readonly Write[];
  /** What is written after it. Asked when its own row is made, so that no row of the account is older than that. */
  readonly also?: () => readonly Write[];
  /** The session that it begins with; null for none. */
  readonly session: NewSession | null;
}

/** An account that stands, with its sign-in where it begins with a session; or why nothing of it was written. */
export type CommittedAccount =
  | { readonly ok: true; readonly user: User; readonly signIn: SignIn | null }
  | { readonly ok: false; readonly refused: Refusal };

/**
 * Creates an account with its way to sign in, the event `user.registered` and its first session: all in one transaction.
 *
 * @throws AuthError `store_unavailable`
 */
export async function commitAccount(services: Services, draft: DraftAccount): Promise<CommittedAccount> {
  const { user, session: wanted } = draft;
  const writes = accountWrites(services, draft);
  if (wanted === null) {
    const result = await services.commit(writes);
    return result.ok ? { ok: true, user, signIn: null } : result;
  }
  const drafted = draftSession(services, wanted);
  const result = await services.commit([...writes, ...sessionWrites(services, drafted, wanted)]);
  if (!result.ok) return result;
  const signIn = { user, session: drafted.session, change: carry(services, drafted) };
  return { ok: true, user, signIn: await withDevice(services, signIn) };
}

function accountWrites(
  { events }: Services,
  { user, wayIn, by, administratorId, from, requires = [], also = () => [] }: DraftAccount,
): readonly Write[] {
  const event = {
    type: "user.registered" as const,
    userId: user.id,
    sessionId: null,
    payload: { by, ...(administratorId !== undefined && { administratorId }), isSuperuser: user.isSuperuser },
  };
  return [
    ...requires,
    { kind: "user.insert", user },
    wayIn,
    { kind: "audit.insert", row: events.row(event, from) },
    ...also(),
  ];
}

/** What the first session of an account is to be, for somebody who has just proved who they are. */
export function firstSession(
  { clock }: Services,
  user: User,
  {
    amr,
    isRemembered = false,
    from,
    replaces = null,
  }: {
    readonly amr: readonly AuthenticationMethod[];
    readonly isRemembered?: boolean;
    readonly from: EventOrigin;
    readonly replaces?: Session | null;
  },
): NewSession {
  const authTime = clock.now();
  const data = carriedData(replaces, user);
  return { user, generation: user.generation, amr, authTime, isRemembered, from, replaces, data };
}
