import type { EventOrigin } from "../../domain/event.ts";
import { emailKey } from "../../domain/identifier.ts";
import type { OneTimeToken } from "../../domain/one-time-token.ts";
import type { Session } from "../../domain/session.ts";
import type { User } from "../../domain/user.ts";
import { AuthError } from "../../errors.ts";
import type { Services } from "../../ports/services.ts";
import type { Committed, Write } from "../../ports/store.ts";
import { ownerOf, wasSentTo } from "../mail/mailed-tokens.ts";
import { mailTo } from "../mail/outbox.ts";
import { openSealed, readOneTimeToken, takeOneTimeToken } from "../one-time-tokens.ts";
import { refusalError } from "../refusals.ts";
import { rotation } from "../sessions/rotate-session.ts";
import { carry } from "../sign-in/start-session.ts";
import type { ProfileChanged } from "./profile.ts";

/** What a link for confirming an address is about. */
export interface Verification {
  readonly user: User;
  /** The address that is confirmed. */
  readonly email: string;
  /** Whether it takes the place of the one that the account has. */
  readonly isChange: boolean;
}

/** Who confirms. */
export interface VerifyingContext {
  readonly user: User;
  /** The session that the browser carries; null where the proof has none. */
  readonly current: Session | null;
  readonly from: EventOrigin;
}

/** What the mail about a changed address says, to the former one. */
export interface EmailChangedDetail {
  /** The former address. */
  readonly to: string;
  /** The user's version since the change: which of several it was. */
  readonly version: number;
}

/**
 * Looks at a link for confirming an address; spends nothing.
 *
 * @throws AuthError `token_invalid` - unknown, used or expired, or the account, its address or its proofs changed since
 */
export async function openVerification(services: Services, text: string): Promise<Verification> {
  const token = await readOneTimeToken(services, "verify", text);
  const user = await ownerOf(services, token);
  if (wasSentTo(services, token, user)) return { user, email: user.email, isChange: false };
  return { user, email: newAddress(text, token), isChange: true };
}

// An address that the account had is no address that it is to have: such a token opens as nothing.
function newAddress(text: string, token: OneTimeToken): string {
  const { email } = JSON.parse(openSealed(text, token)) as { readonly email: string };
  return email;
}

/**
 * Confirms an address, or puts the new one in the place of the old, which is told and can undo it for seven days.
 *
 * Only who is signed in to the account confirms for it. Somebody could else register with another person's address, or change
 * theirs to it, and let its owner vouch for an account that is not theirs.
 *
 * @throws AuthError `token_invalid`; `forbidden` - the link is for another account
 */
export async function verifyEmail(
  services: Services,
  text: string,
  { user: caller, current, from }: VerifyingContext,
): Promise<ProfileChanged> {
  const { user, email, isChange } = await openVerification(services, text);
  if (user.id !== caller.id) {
    throw new AuthError("forbidden", {
      message: "This link is for another account. Sign in to that one first.",
    });
  }
  const done = isChange
    ? await changeEmail(services, email, { user, current, from })
    : await confirmOwn(services, { user, current, from });
  // It could do nothing more: the account has the address that it is about, or is of another version.
  await takeOneTimeToken(services, "verify", text).catch(() => undefined);
  return done;
}

async function confirmOwn(
  services: Services,
  { user, current, from }: VerifyingContext,
): Promise<ProfileChanged> {
  const updated = { ...user, emailVerified: true, version: user.version + 1 };
  const changes = { emailVerified: true };
  const result = await services.commit([
    { kind: "user.require", userId: user.id, generation: user.generation },
    { kind: "user.update", userId: user.id, version: user.version, changes },
    verifiedRow(services, { user, current, from }),
  ]);
  assertDone(result);
  return { user: updated, change: null, session: null };
}

async function changeEmail(
  services: Services,
  email: string,
  { user, current, from }: VerifyingContext,
): Promise<ProfileChanged> {
  const { events, clock } = services;
  const changes = { email, emailKey: emailKey(email), emailVerified: true };
  const changed = {
    type: "email.changed" as const,
    userId: user.id,
    sessionId: current?.id ?? null,
    payload: { by: "self" as const },
  };
  const detail: EmailChangedDetail = { to: user.email, version: user.version + 1 };
  const { generation } = user;
  const rotated =
    current === null
      ? null
      : rotation(services, { user, current, generation, authTime: current.authTime, from });
  const result = await services.commit([
    { kind: "user.require", userId: user.id, generation },
    { kind: "user.update", userId: user.id, version: user.version, changes },
    { kind: "audit.insert", row: events.row(changed, from) },
    verifiedRow(services, { user, current, from }),
    ...(rotated?.writes ?? []),
    // Whoever has an address that nobody ever confirmed may be a stranger: they are given no way into the account.
    ...(user.emailVerified ? mailTo(services, user, "email_changed", detail) : []),
  ]);
  assertDone(result);
  const updated = { ...user, ...changes, version: user.version + 1, updatedAt: clock.now() };
  if (rotated === null) return { user: updated, change: null, session: null };
  return { user: updated, change: carry(services, rotated.draft), session: rotated.draft.session };
}

function verifiedRow({ events }: Services, { user, current, from }: VerifyingContext): Write {
  const about = { userId: user.id, sessionId: current?.id ?? null };
  return { kind: "audit.insert", row: events.row({ type: "email.verified", ...about, payload: {} }, from) };
}

function assertDone(result: Committed): void {
  if (result.ok) return;
  // Somebody else has the address by now: as for any link that opens nothing, it is not said why.
  if (result.refused === "email_taken" || result.refused === "stale") throw new AuthError("token_invalid");
  throw refusalError(result.refused);
}
