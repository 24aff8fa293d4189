import type { EventOrigin } from "../../domain/event.ts";
import { emailKey, isSameMailbox, type UsernameOptions, usernameKey } from "../../domain/identifier.ts";
import type { Session } from "../../domain/session.ts";
import type { User, UserChanges } from "../../domain/user.ts";
import { AuthError, type FieldError } from "../../errors.ts";
import type { SessionChange } from "../../ports/change.ts";
import type { Services } from "../../ports/services.ts";
import type { Write } from "../../ports/store.ts";
import { limitKey, takeLimit } from "../attempts.ts";
import { takeMail } from "../mail/limits.ts";
import { mailTo } from "../mail/outbox.ts";
import { assertCommitted } from "../refusals.ts";
import { rotation } from "../sessions/rotate-session.ts";
import { carry } from "../sign-in/start-session.ts";
import { languageTag, localeErrors } from "./language-tag.ts";
import { emailErrors, nameErrors, usernameErrors } from "./register.ts";

/** What a person may change about their own account. Absent fields stay; nothing else is ever assigned. */
export interface ProfileChanges {
  readonly email?: string;
  readonly username?: string;
  /** Null or blank removes it. */
  readonly name?: string | null;
  /** BCP 47 language tag, kept in its usual spelling: of pages and mails. Null or blank removes it. */
  readonly locale?: string | null;
}

/** Whose profile, and in which session: null where the proof has none. */
export interface ProfileContext {
  readonly user: User;
  readonly current: Session | null;
  /** Whether identity was proven recently enough for changing the address. */
  readonly isFresh: boolean;
  readonly from: EventOrigin;
}

/** The account after a change, and what the browser has to know. */
export interface ProfileChanged {
  readonly user: User;
  readonly change: SessionChange | null;
  /** The caller's session where it goes on under a new id; else null. */
  readonly session: Session | null;
}

/**
 * Changes a profile. A new e-mail address needs a fresh proof of identity, since whoever holds the mailbox can take the
 * account over; it is unverified, and the session goes on under a new id. Where a feature sends mail, the account keeps its address
 * until the new one was confirmed by a link, whoever has it.
 *
 * @throws AuthError `invalid_input` with every failing field, `email_taken`, `username_taken`, `fresh_auth_required`,
 * `rate_limited` - too many new names in an hour, `conflict` - changed by somebody else in the meantime
 */
export async function updateProfile(
  services: Services,
  wanted: ProfileChanges,
  context: ProfileContext,
): Promise<ProfileChanged> {
  assertReadable(wanted, context.user);
  const user = await services.stores.directory.user(context.user.id, services.call());
  if (user === null || user.generation !== context.user.generation) throw new AuthError("session_expired");
  const { changes, requested } = untilConfirmed(services, user, differences(user, wanted));
  const fields = Object.keys(changes).filter((field) => field in wanted);
  if (fields.length === 0 && requested === null) return { user, change: null, session: null };
  const isNewAddress = changes.email !== undefined && !isSameMailbox(changes.email, user.email);
  if ((isNewAddress || requested !== null) && !context.isFresh) throw new AuthError("fresh_auth_required");
  if (isNewAddress || requested !== null || changes.username !== undefined)
    await takeNameAttempt(services, user.id, context.from);
  const { events } = services;
  const requesting = requested === null ? [] : await requestChange(services, user, requested, context);
  if (fields.length === 0) {
    assertCommitted(await services.commit(requesting));
    return { user, change: null, session: null };
  }
  const writes: Write[] = [
    { kind: "user.update", userId: user.id, version: user.version, changes },
    row(events, "user.updated", user.id, { fields }),
    ...requesting,
  ];
  if (isNewAddress) writes.push(row(events, "email.changed", user.id, { by: "self" }));
  const updated = { ...user, ...changes, version: user.version + 1, updatedAt: services.clock.now() };
  if (!isNewAddress || context.current === null) {
    assertCommitted(await services.commit(writes));
    return { user: updated, change: null, session: null };
  }
  const { current } = context;
  const rotated = rotation(services, {
    ...context,
    user,
    current,
    generation: user.generation,
    authTime: current.authTime,
  });
  assertCommitted(await services.commit([...writes, ...rotated.writes]));
  return { user: updated, change: carry(services, rotated.draft), session: rotated.draft.session };

  function row<T extends "user.updated" | "email.changed">(
    { row: make }: Services["events"],
    type: T,
    userId: string,
    payload: Parameters<typeof make<T>>[0]["payload"],
  ): Write {
    const draft = { type, userId, sessionId: context.current?.id ?? null, payload };
    return { kind: "audit.insert", row: make(draft, context.from) };
  }
}

/** Where mail is sent, a new mailbox is confirmed first: until then the account keeps its address. */
function untilConfirmed(
  { mails }: Services,
  user: User,
  { email, emailKey: key, emailVerified, ...rest }: UserChanges,
): { readonly changes: UserChanges; readonly requested: string | null } {
  if (email !== undefined && mails() !== null && !isSameMailbox(email, user.email))
    return { changes: rest, requested: email };
  const changes = {
    ...rest,
    ...(email !== undefined && { email }),
    ...(key !== undefined && { emailKey: key }),
    ...(emailVerified !== undefined && { emailVerified }),
  };
  return { changes, requested: null };
}

// Whether somebody has the address is looked up by the sender of the mail: the answer is the same either way.
async function requestChange(
  services: Services,
  user: User,
  to: string,
  { current, from }: ProfileContext,
): Promise<Write[]> {
  await takeMail(services, { purpose: "email_change", to: emailKey(to), limitIp: null }, from);
  const about = { userId: user.id, sessionId: current?.id ?? null };
  const row = services.events.row({ type: "email.change_requested", ...about, payload: {} }, from);
  return [{ kind: "audit.insert", row }, ...mailTo(services, user, "email_change", { to })];
}

/** New addresses and usernames that one account may try in an hour: each answer tells whether somebody has that name. */
const nameChangesPerHour = 20;

async function takeNameAttempt(services: Services, userId: string, from: EventOrigin): Promise<void> {
  const key = limitKey("names", userId);
  const limit = { name: "names", key, limit: nameChangesPerHour, windowSeconds: 3_600 };
  await takeLimit(services, [limit], from, { userId });
}

/**
 * Refuses values that no account can have. The name that it has already is one, also where operators alone give it: forms send the
 * whole profile.
 *
 * @throws AuthError `invalid_input` with every failing field
 */
export function assertReadable(
  { email, username, name, locale }: ProfileChanges,
  { username: own }: Pick<User, "username">,
  naming: UsernameOptions = {},
): void {
  const fields: FieldError[] = [...nameErrors(name ?? null), ...localeErrors(locale ?? null)];
  if (email !== undefined) fields.push(...emailErrors(email));
  if (username !== undefined) {
    if (usernameKey(username, { isOperators: true }) !== own)
      fields.push(...usernameErrors(username, naming));
    if (username.trim() === "")
      fields.push({ field: "username", code: "required", message: "Username is required" });
  }
  if (fields.length > 0) throw new AuthError("invalid_input", { fields });
}

/** What a change would really change. A new mailbox is unverified. */
export function differences(
  user: User,
  { email, username, name, locale }: ProfileChanges,
  naming: UsernameOptions = {},
): UserChanges {
  const changes: { -readonly [K in keyof UserChanges]: UserChanges[K] } = {};
  const address = email?.trim().normalize("NFC");
  if (address !== undefined && address !== user.email) {
    changes.email = address;
    changes.emailKey = emailKey(address);
    if (!isSameMailbox(address, user.email)) changes.emailVerified = false;
  }
  const publicName = username === undefined ? null : usernameKey(username, naming);
  if (publicName !== null && publicName !== user.username) changes.username = publicName;
  const shown = name === undefined ? user.name : name?.trim() || null;
  if (shown !== user.name) changes.name = shown;
  const tag = locale === undefined ? user.locale : languageTag(locale);
  if (tag !== user.locale) changes.locale = tag;
  return changes;
}
