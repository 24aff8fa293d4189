import type { EncodedPassword } from "../../domain/credential.ts";
import type { EventOrigin } from "../../domain/event.ts";
import { noOrigin } from "../../domain/event.ts";
import type { User } from "../../domain/user.ts";
import { AuthError } from "../../errors.ts";
import type { UserWithPassword } from "../../ports/directory-store.ts";
import type { PasswordServices, Services } from "../../ports/services.ts";
import type { Write } from "../../ports/store.ts";
import { wasSentTo } from "../mail/mailed-tokens.ts";
import { mailTo } from "../mail/outbox.ts";
import { issueOneTimeToken, readOneTimeToken, takeOneTimeToken } from "../one-time-tokens.ts";
import { forgetDevices } from "../sign-in/devices.ts";
import { forgiveByMail } from "../sign-in/failures.ts";
import { assertChoosable, chosen, endOthers } from "./change-password.ts";

/**
 * Makes a token with which a user can choose a password; valid for 15 minutes.
 *
 * For operators: whoever holds the token owns the account.
 *
 * @throws AuthError `not_found` - no such user, or one who may not sign in
 */
export async function issueResetToken(services: Services, userId: string): Promise<string> {
  const user = await services.stores.directory.user(userId, services.call());
  if (user === null || user.status !== "active") throw new AuthError("not_found");
  const token = await issueOneTimeToken(services, "reset", { userId, generation: user.generation });
  const event = {
    type: "password.reset_requested" as const,
    userId,
    sessionId: null,
    payload: { by: "operator" as const },
  };
  await services.commit([{ kind: "audit.insert", row: services.events.row(event, noOrigin) }]);
  return token;
}

/**
 * Redeems a reset token and replaces the password.
 *
 * Every session of the user ends, the caller's included; nobody is signed in by this. Of two concurrent calls with one
 * token, exactly one succeeds: the token is of one generation of the user, and redeeming it is what ends that generation.
 *
 * @param token - as handed out, `id.secret`
 * @throws AuthError `token_invalid` - unknown, used or expired, or the account changed since, deliberately not told apart
 * @throws AuthError `password_rejected` - by policy, or the one that they have and were told to change; the token is still usable
 * @see NIST SP 800-63B-4, section 3.1.1.2
 */
export async function resetPassword(
  services: PasswordServices,
  { token, password }: { readonly token: string; readonly password: string },
  from: EventOrigin,
): Promise<User> {
  const { found, isMailed } = await openReset(services, token);
  const { user } = found;
  await assertChoosable(services, password, found, "new_password");
  const encoded = await services.hashing.hash(password);
  const isTakenOver = isMailed && !user.emailVerified;
  const event = { type: "password.reset" as const, userId: user.id, sessionId: null, payload: {} };
  const result = await services.commit([
    { kind: "user.advance", userId: user.id, from: user.generation },
    passwordWrite(services, found, encoded),
    ...(isTakenOver ? await takeOver(services, user, from) : chosen(user, user.version + 1)),
    endOthers(services, user.id, null, from),
    { kind: "audit.insert", row: services.events.row(event, from) },
    ...mailTo(services, user, "password_changed"),
  ]);
  if (!result.ok)
    throw new AuthError("token_invalid", { diagnosis: `transaction refused: ${result.refused}` });
  // The generation has moved, so the token can do nothing more. It goes last: a failing commit must not burn the link.
  await takeOneTimeToken(services, "reset", token).catch(() => undefined);
  if (isTakenOver) await endLateWaysIn(services, user, from);
  const advanced = { ...user, generation: user.generation + 1 };
  await startAfresh(services, advanced, from);
  return { ...advanced, mustChangePassword: false };
}

/**
 * Looks at a reset token without spending it.
 *
 * @returns the user whose password it chooses
 * @throws AuthError `token_invalid` - as {@link resetPassword} would
 */
export async function openResetToken(services: Services, token: string): Promise<User> {
  return (await openReset(services, token)).found.user;
}

/** Whose password a token chooses as things are, and whether it says that the account's mailbox is theirs. */
async function openReset(
  services: Services,
  token: string,
): Promise<{ readonly found: UserWithPassword; readonly isMailed: boolean }> {
  const opened = await readOneTimeToken(services, "reset", token);
  const { userId, generation } = opened;
  const found =
    userId === null
      ? null
      : await services.stores.directory.userWithPassword({ kind: "id", key: userId }, services.call());
  if (found === null || found.user.status !== "active" || found.user.generation !== generation) {
    throw new AuthError("token_invalid");
  }
  // What an operator hands out says nothing of a mailbox.
  const isMailed = opened.detail !== undefined;
  if (isMailed && !wasSentTo(services, opened, found.user)) throw new AuthError("token_invalid");
  return { found, isMailed };
}

/**
 * Somebody has shown by other means whose account it is: failed sign-ins of before make nobody wait, and no browser of before is
 * known. Fails for itself, with a line in the log: the password is changed.
 */
export async function startAfresh(services: Services, user: User, from: EventOrigin): Promise<void> {
  try {
    await forgiveByMail(services, user.id, from);
    await forgetDevices(services, user);
  } catch (cause) {
    services.log.error("failures and browsers of before were not forgotten", { userId: user.id }, cause);
  }
}

/** The write that gives a user another password, or their first. */
export function passwordWrite(
  { clock }: Services,
  { user: { id }, password }: UserWithPassword,
  encoded: EncodedPassword,
): Write {
  const now = clock.now();
  if (password === null) {
    const created = { id, userId: id, version: 1, createdAt: now, updatedAt: now };
    return { kind: "password.insert", credential: { kind: "password", ...encoded, ...created } };
  }
  const changed = { version: password.version + 1, updatedAt: now };
  return { kind: "password.replace", credential: { ...password, ...encoded, ...changed } };
}

/**
 * The mailbox of an account whose address was never verified has shown itself now: the account is its owner's, and whoever made it
 * with that address may be somebody else, with a key or an account at a provider as a way back in.
 *
 * @see Sudhodanan and Paverd, "Pre-hijacked accounts", USENIX Security 2022
 */
async function takeOver(services: Services, user: User, from: EventOrigin): Promise<Write[]> {
  const verified = { type: "email.verified" as const, userId: user.id, sessionId: null, payload: {} };
  return [
    {
      kind: "user.update",
      userId: user.id,
      version: user.version + 1,
      changes: { emailVerified: true, mustChangePassword: false },
    },
    { kind: "audit.insert", row: services.events.row(verified, from) },
    ...(await otherWaysIn(services, user, from)),
  ];
}

/** Removes what came in between the reading of {@link otherWaysIn} and its transaction; from there on no old proof adds anything. */
export async function endLateWaysIn(services: Services, user: User, from: EventOrigin): Promise<void> {
  const left = await otherWaysIn(services, user, from);
  if (left.length > 0) await services.commit(left);
}

/** Removes linked accounts and API keys, each with its row; the password has to be there already. */
export async function otherWaysIn(
  { stores, call, events }: Services,
  { id: userId }: User,
  from: EventOrigin,
): Promise<Write[]> {
  const through = { ...call(), readsThrough: true };
  const accounts = await stores.directory.linkedAccounts(userId, through);
  const keys = await stores.directory.apiKeys(userId, through);
  const about = { userId, sessionId: null };
  return [
    ...accounts.flatMap(({ id, provider }): Write[] => {
      const event = { type: "oauth.unlinked" as const, ...about, payload: { provider } };
      return [
        { kind: "linked_account.delete", accountId: id, userId },
        { kind: "audit.insert", row: events.row(event, from) },
      ];
    }),
    ...keys.flatMap(({ id: keyId }): Write[] => {
      const event = { type: "api_key.revoked" as const, ...about, payload: { keyId } };
      return [
        { kind: "api_key.delete", keyId, userId },
        { kind: "audit.insert", row: events.row(event, from) },
      ];
    }),
  ];
}
