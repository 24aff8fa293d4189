import type { EventOrigin } from "../../domain/event.ts";
import type { Session } from "../../domain/session.ts";
import type { User } from "../../domain/user.ts";
import { AuthError, type FieldError } from "../../errors.ts";
import { contextWords } from "../../password/context-words.ts";
import { requireUsablePassword } from "../../password/password-text.ts";
import type { UserWithPassword } from "../../ports/directory-store.ts";
import type { PasswordServices } from "../../ports/services.ts";
import type { Write } from "../../ports/store.ts";
import { mailTo } from "../mail/outbox.ts";
import { assertCommitted } from "../refusals.ts";
import { rotation } from "../sessions/rotate-session.ts";
import { reservePrompt } from "../sign-in/failures.ts";
import { recordFailure } from "../sign-in/record-failure.ts";
import { carry, revokedReport, type SignIn } from "../sign-in/start-session.ts";
import { tryPassword } from "../sign-in/verify-password.ts";

/** Whose password prompt it is, and in which session. */
export interface PasswordPrompt {
  readonly user: User;
  /** The session that asks; it gets a new id. */
  readonly current: Session;
  readonly from: EventOrigin;
}

/**
 * Replaces the password. Every other session of the user ends; this one goes on under a new id.
 *
 * @throws AuthError `invalid_credentials` - the current password is wrong; `password_rejected` - by policy, or the one that
 * they have and were told to change: the old one stays; `rate_limited`; `conflict` - somebody else changed it in the meantime
 * @see NIST SP 800-63B-4, section 3.1.1.2
 */
export async function changePassword(
  services: PasswordServices,
  passwords: { readonly current: string; readonly next: string },
  prompt: PasswordPrompt,
): Promise<SignIn> {
  const found = await confirmPassword(services, passwords.current, prompt, "current_password");
  await assertChoosable(services, passwords.next, found, "new_password");
  const encoded = await services.hashing.hash(passwords.next);
  const { user } = found;
  const generation = user.generation + 1;
  const { draft, writes } = rotation(services, {
    ...prompt,
    user,
    generation,
    authTime: services.clock.now(),
  });
  const now = services.clock.now();
  const event = {
    type: "password.changed" as const,
    userId: user.id,
    sessionId: draft.session.id,
    payload: { by: "self" as const },
  };
  const result = await services.commit([
    { kind: "user.advance", userId: user.id, from: user.generation },
    {
      kind: "password.replace",
      credential: { ...found.password, ...encoded, version: found.password.version + 1, updatedAt: now },
    },
    ...chosen(user, user.version + 1),
    ...writes,
    endOthers(services, user.id, draft.session.id, prompt.from),
    { kind: "audit.insert", row: services.events.row(event, prompt.from) },
    ...mailTo(services, user, "password_changed"),
  ]);
  assertCommitted(result);
  const changed = { ...user, generation, mustChangePassword: false };
  return { user: changed, session: draft.session, change: carry(services, draft) };
}

/** For the transaction that stores a password which its owner has chosen: from here on they need not choose another. */
export function chosen(
  { id: userId, mustChangePassword }: User,
  version: number,
): readonly Extract<Write, { kind: "user.update" }>[] {
  if (!mustChangePassword) return [];
  return [{ kind: "user.update", userId, version, changes: { mustChangePassword: false } }];
}

// They were told to choose another one.
function sameAgain(field: string): AuthError {
  const message = "Choose another password than the one you have";
  return new AuthError("password_rejected", { fields: [{ field, code: "unchanged", message }] });
}

/**
 * Proves again, within a session, who is there: the session gets a new id and a fresh `authTime`.
 *
 * @throws AuthError `invalid_credentials`, `rate_limited`, `conflict` - the session ended in the meantime
 */
export async function reauthenticate(
  services: PasswordServices,
  password: string,
  prompt: PasswordPrompt,
): Promise<SignIn> {
  const { user } = await confirmPassword(services, password, prompt, "password");
  const { draft, writes } = rotation(services, {
    ...prompt,
    user,
    generation: user.generation,
    authTime: services.clock.now(),
  });
  const event = {
    type: "user.reauthenticated" as const,
    userId: user.id,
    sessionId: draft.session.id,
    payload: { amr: ["pwd" as const] },
  };
  const result = await services.commit([
    { kind: "user.require", userId: user.id, generation: user.generation },
    ...writes,
    { kind: "audit.insert", row: services.events.row(event, prompt.from) },
  ]);
  assertCommitted(result);
  return { user, session: draft.session, change: carry(services, draft) };
}

/**
 * Checks the password of somebody who is signed in, counted like a sign-in in a browser that is known.
 *
 * @param field - wire name of the field that held it
 * @throws AuthError `invalid_credentials`, `rate_limited`, `session_expired` - the account changed under the session
 */
export async function confirmPassword(
  services: PasswordServices,
  password: string,
  { user, current, from }: PasswordPrompt,
  field: string,
): Promise<UserWithPassword & { readonly password: NonNullable<UserWithPassword["password"]> }> {
  requireUsablePassword(password, field);
  const attempt = await reservePrompt(services, { user, current }, from);
  const { found, ok, credential } = await attempt.during(findAndTry());
  if (found === null || credential === null || !ok) {
    const refused = { userId: user.id, sessionId: current.id, typedKey: user.emailKey, from };
    await recordFailure(services, { ...refused, reason: "credentials" }, await attempt.failed());
    const message = "Current password is incorrect";
    throw new AuthError("invalid_credentials", { message, fields: [{ field, code: "incorrect", message }] });
  }
  // A session of another generation is on its way out: what it asks must not ride on the new generation.
  if (found.user.generation !== user.generation || found.user.status !== "active")
    throw new AuthError("session_expired");
  await attempt.clear();
  return { user: found.user, password: credential };

  async function findAndTry() {
    const by = { kind: "id", key: user.id } as const;
    const found = await services.stores.directory.userWithPassword(by, services.call());
    return { found, ...(await tryPassword(services, found, password, from)) };
  }
}

/**
 * Refuses a password that policy does not allow, and the one that somebody has who was told to choose another.
 *
 * @throws AuthError `password_rejected`; `overloaded`
 */
export async function assertChoosable(
  services: PasswordServices,
  password: string,
  { user, password: credential }: UserWithPassword,
  field: string,
): Promise<void> {
  const fields = await passwordErrors(services, password, user, field);
  if (fields.length > 0) throw new AuthError("password_rejected", { fields });
  if (!user.mustChangePassword || credential === null) return;
  // By what is stored: of one password there are several spellings.
  if ((await services.hashing.verify(password, credential)).ok) throw sameAgain(field);
}

/** Why a password cannot be chosen. `about`: whose it is to be, null where that is not known. */
export async function passwordErrors(
  { policy, config }: PasswordServices,
  password: string,
  about: Pick<User, "email" | "username" | "name"> | null,
  field: string,
): Promise<readonly FieldError[]> {
  const { email, username, name } = about ?? { email: null, username: null, name: null };
  const words = contextWords({ email, username, name, host: new URL(config.origin).hostname });
  return policy.check(password, { words, field });
}

/** Ends every session of a user but one. */
export function endOthers(
  services: PasswordServices,
  userId: string,
  except: string | null,
  from: EventOrigin,
): Write {
  return { kind: "session.delete_all", userId, except, ended: revokedReport(services, from) };
}
