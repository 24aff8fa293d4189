import { setImmediate } from "node:timers/promises";
import type { EventOrigin } from "../domain/event.ts";
import { emailKey, isSameMailbox, usernameKey } from "../domain/identifier.ts";
import type { Session } from "../domain/session.ts";
import type { User, UserChanges } from "../domain/user.ts";
import { AuthError, type FieldError } from "../errors.ts";
import type { SessionChange } from "../ports/change.ts";
import type { Services } from "../ports/services.ts";
import type { Write } from "../ports/store.ts";
import { assertCommitted } from "./refusals.ts";
import { emailErrors, nameErrors, usernameErrors } from "./register.ts";
import { rotation } from "./rotate-session.ts";
import { noOrigin } from "./sessions.ts";
import { carry, revokedReport } from "./start-session.ts";

/** What a person may change about their own account. Absent fields stay; nothing else is ever assigned. */
export interface ProfileChanges {
  readonly email?: string;
  readonly username?: string;
  /** Null or blank removes it. */
  readonly name?: string | null;
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
 * account over; it is unverified, and the session goes on under a new id.
 *
 * @throws AuthError `invalid_input` with every failing field, `email_taken`, `username_taken`, `fresh_auth_required`,
 * `rate_limited` - too many new names in an hour, `conflict` - changed by somebody else in the meantime
 */
export async function updateProfile(
  services: Services,
  wanted: ProfileChanges,
  context: ProfileContext,
): Promise<ProfileChanged> {
  assertReadable(wanted);
  const user = await services.stores.directory.user(context.user.id, services.call());
  if (user === null || user.generation !== context.user.generation) throw new AuthError("session_expired");
  const changes = differences(user, wanted);
  const fields = Object.keys(changes).filter((field) => field in wanted);
  if (fields.length === 0) return { user, change: null, session: null };
  const isNewAddress = changes.email !== undefined && !isSameMailbox(changes.email, user.email);
  if (isNewAddress && !context.isFresh) throw new AuthError("fresh_auth_required");
  if (isNewAddress || changes.username !== undefined) await takeNameAttempt(services, user.id, context.from);
  const { events } = services;
  const writes: Write[] = [
    { kind: "user.update", userId: user.id, version: user.version, changes },
    row(events, "user.updated", user.id, { fields }),
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

/** New addresses and usernames that one account may try in an hour: each answer tells whether somebody has that name. */
const nameChangesPerHour = 20;

async function takeNameAttempt(
  { stores, events, call }: Services,
  userId: string,
  from: EventOrigin,
): Promise<void> {
  const limit = { key: `limit:names:${userId}`, limit: nameChangesPerHour, windowSeconds: 3_600 };
  const reserved = await stores.ephemeral.reserve([limit], call());
  if (reserved.ok) return;
  const { retryAfterSeconds } = reserved;
  const payload = { limit: "names", retryAfterSeconds };
  events.report({ type: "rate_limit.hit", userId, sessionId: null, payload }, from);
  throw new AuthError("rate_limited", { retryAfterSeconds });
}

/** Days between deleting an account and anonymising it; until then an operator can restore it. */
export const restorableDays = 30;

/**
 * Deletes an account: every session ends at once; after {@link restorableDays} it is anonymised. With `erase` at once.
 *
 * @throws AuthError `conflict` - the last superuser cannot go; `fresh_auth_required`
 */
export async function deleteAccount(
  services: Services,
  options: { readonly erase: boolean },
  { user, isFresh, from }: Pick<ProfileContext, "user" | "isFresh" | "from">,
): Promise<void> {
  if (!isFresh) throw new AuthError("fresh_auth_required");
  const now = services.clock.now();
  const { events } = services;
  const deleted = events.row(
    {
      type: "user.deleted",
      userId: user.id,
      sessionId: null,
      payload: {
        by: "self",
        anonymizedAfter: new Date(now.getTime() + restorableDays * 86_400_000).toISOString(),
      },
    },
    from,
  );
  const erasure: readonly Write[] = options.erase ? eraseWrites(services, user.id, "self", "any") : [];
  const result = await services.commit([
    ...(user.isSuperuser ? [{ kind: "directory.require_other_superuser", userId: user.id } as const] : []),
    { kind: "user.advance", userId: user.id, from: user.generation },
    {
      kind: "user.update",
      userId: user.id,
      version: user.version + 1,
      changes: { status: "deleted", deletedAt: now },
    },
    { kind: "session.delete_all", userId: user.id, except: null, ended: revokedReport(services, from) },
    { kind: "audit.insert", row: deleted },
    ...erasure,
  ]);
  assertCommitted(result);
}

/**
 * Anonymises the accounts that were deleted {@link restorableDays} ago.
 *
 * @returns how many
 */
export async function eraseDeletedAccounts(services: Services): Promise<number> {
  const before = new Date(services.clock.now().getTime() - restorableDays * 86_400_000);
  const ids = await services.stores.directory.deletedBefore(before, 100, services.call());
  let erased = 0;
  for (const id of ids) {
    // One account that cannot be anonymised must not keep the others.
    const result = await services.commit(eraseWrites(services, id, "operator", "deleted"));
    if (result.ok) erased++;
    // `conflict`: restored, or erased by another sweep, since the list was read.
    else if (result.refused !== "conflict") {
      services.log.error("a deleted account was not anonymised", { userId: id, refused: result.refused });
    }
    await setImmediate();
  }
  return erased;
}

function eraseWrites(
  { events }: Services,
  userId: string,
  by: "self" | "operator",
  requires: "deleted" | "any",
): readonly Write[] {
  // Without an origin: the row that says so must not hold what it removes.
  const row = events.row({ type: "user.anonymized", userId, sessionId: null, payload: { by } }, noOrigin);
  return [
    { kind: "user.erase", userId, requires },
    { kind: "audit.insert", row },
  ];
}

function assertReadable({ email, username, name }: ProfileChanges): void {
  const fields: FieldError[] = nameErrors(name ?? null);
  if (email !== undefined) fields.push(...emailErrors(email));
  if (username !== undefined) {
    fields.push(...usernameErrors(username));
    if (username.trim() === "")
      fields.push({ field: "username", code: "required", message: "Username is required" });
  }
  if (fields.length > 0) throw new AuthError("invalid_input", { fields });
}

function differences(user: User, { email, username, name }: ProfileChanges): UserChanges {
  const changes: { -readonly [K in keyof UserChanges]: UserChanges[K] } = {};
  const address = email?.trim().normalize("NFC");
  if (address !== undefined && address !== user.email) {
    changes.email = address;
    changes.emailKey = emailKey(address);
    if (!isSameMailbox(address, user.email)) changes.emailVerified = false;
  }
  const publicName = username === undefined ? null : usernameKey(username);
  if (publicName !== null && publicName !== user.username) changes.username = publicName;
  const shown = name === undefined ? user.name : name?.trim() || null;
  if (shown !== user.name) changes.name = shown;
  return changes;
}
