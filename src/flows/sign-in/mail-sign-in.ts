import type { EventOrigin } from "../../domain/event.ts";
import type { Session } from "../../domain/session.ts";
import type { User } from "../../domain/user.ts";
import { AuthError } from "../../errors.ts";
import type { ClientInfo } from "../../ports/request.ts";
import type { Services } from "../../ports/services.ts";
import { openMailedToken } from "../mail/mailed-tokens.ts";
import { takeOneTimeToken } from "../one-time-tokens.ts";
import { assertAdmitted } from "../policies.ts";
import { refusalError } from "../refusals.ts";
import { commitSignIn } from "./commit-sign-in.ts";
import { knownDevice, rememberDevice } from "./devices.ts";
import { forgiveByMail } from "./failures.ts";
import { recordFailure } from "./record-failure.ts";
import { carriedData, type SignIn } from "./start-session.ts";

/** Where a sign-in by mail comes from. */
export interface MailSignInContext {
  readonly client: ClientInfo;
  readonly from: EventOrigin;
  readonly isRemembered: boolean;
  /** Device cookies that the browser sent. */
  readonly devices: readonly string[];
  /** The session that the browser carries now; it is replaced. */
  readonly replaces: Session | null;
}

/**
 * Signs in by a mailed link. Of any number of concurrent calls with one link one signs in.
 *
 * @throws AuthError `token_invalid` - unknown, used or expired, or the account, its address or its proofs changed since;
 * `forbidden` by a policy, then the link still works
 */
export async function redeemMagicLink(
  services: Services,
  text: string,
  context: MailSignInContext,
): Promise<SignIn> {
  const { user } = await openMailedToken(services, "magic_link", text);
  await assertAdmissible(services, user, context);
  // Before the session and not after: with the link still there, each of several at once would get one.
  await takeOneTimeToken(services, "magic_link", text);
  return startMailSession(services, user, context);
}

/** Asks the policies; a refusal is on record. @throws AuthError `forbidden` */
export async function assertAdmissible(
  services: Services,
  user: User,
  { client, from }: MailSignInContext,
): Promise<void> {
  const refused = {
    userId: user.id,
    sessionId: null,
    typedKey: user.emailKey,
    reason: "policy",
    from,
  } as const;
  await assertAdmitted(services, { kind: "login", user, client }, () =>
    recordFailure(services, refused, null),
  );
}

/** Starts the session of somebody who has shown that the account's mailbox is theirs. @throws AuthError `token_invalid` */
export async function startMailSession(
  services: Services,
  user: User,
  { from, isRemembered, replaces, devices }: MailSignInContext,
): Promise<SignIn> {
  const result = await commitSignIn(services, {
    user,
    generation: user.generation,
    amr: ["email"],
    authTime: services.clock.now(),
    isRemembered,
    from,
    replaces,
    data: carriedData(replaces, user),
  });
  if (result.ok) {
    // The session stands, whatever becomes of what makes the next sign-in easier.
    await forgiveByMail(services, user.id, from).catch((cause) =>
      services.log.error("failed attempts were not cleared", {}, cause),
    );
    const device = await knownDevice(services, user, devices).catch(() => null);
    const remembered = await rememberDevice(services, user, device);
    return { ...result.signIn, change: { ...result.signIn.change, ...remembered } };
  }
  if (result.refused === "stale") throw new AuthError("token_invalid");
  throw refusalError(result.refused);
}
