import type { EventOrigin } from "../domain/event.ts";
import type { User } from "../domain/user.ts";
import { AuthError } from "../errors.ts";
import type { PasswordServices, Services } from "../ports/services.ts";
import type { Write } from "../ports/store.ts";
import { assertChoosable, endOthers } from "./change-password.ts";
import { issueOneTimeToken, readOneTimeToken, takeOneTimeToken } from "./one-time-tokens.ts";
import { noOrigin } from "./sessions.ts";

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
 * @throws AuthError `password_rejected` - by policy; the token is still usable
 * @see NIST SP 800-63B-4, section 3.1.1.2
 */
export async function resetPassword(
  services: PasswordServices,
  { token, password }: { readonly token: string; readonly password: string },
  from: EventOrigin,
): Promise<User> {
  const { userId, generation } = await readOneTimeToken(services, "reset", token);
  const found =
    userId === null
      ? null
      : await services.stores.directory.userWithPassword({ kind: "id", key: userId }, services.call());
  if (found === null || found.user.status !== "active" || found.user.generation !== generation) {
    throw new AuthError("token_invalid");
  }
  const { user } = found;
  await assertChoosable(services, password, user, "new_password");
  const encoded = await services.hashing.hash(password);
  const now = services.clock.now();
  const replaced: Write =
    found.password === null
      ? {
          kind: "password.insert",
          credential: {
            kind: "password",
            ...encoded,
            id: user.id,
            userId: user.id,
            version: 1,
            createdAt: now,
            updatedAt: now,
          },
        }
      : {
          kind: "password.replace",
          credential: { ...found.password, ...encoded, version: found.password.version + 1, updatedAt: now },
        };
  const event = { type: "password.reset" as const, userId: user.id, sessionId: null, payload: {} };
  const result = await services.commit([
    { kind: "user.advance", userId: user.id, from: generation },
    replaced,
    endOthers(services, user.id, null, from),
    { kind: "audit.insert", row: services.events.row(event, from) },
  ]);
  if (!result.ok)
    throw new AuthError("token_invalid", { diagnosis: `transaction refused: ${result.refused}` });
  // The generation has moved, so the token can do nothing more. It goes last: a failing commit must not burn the link.
  await takeOneTimeToken(services, "reset", token).catch(() => undefined);
  return { ...user, generation: generation + 1 };
}
