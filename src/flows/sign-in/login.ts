import type { EventOrigin } from "../../domain/event.ts";
import { emailMaxLength, identifier } from "../../domain/identifier.ts";
import type { Session } from "../../domain/session.ts";
import { AuthError } from "../../errors.ts";
import { requireUsablePassword } from "../../password/password-text.ts";
import type { UserWithPassword } from "../../ports/directory-store.ts";
import type { ClientInfo } from "../../ports/request.ts";
import type { PasswordServices } from "../../ports/services.ts";
import type { Write } from "../../ports/store.ts";
import { assertAdmitted } from "../policies.ts";
import { refusalError } from "../refusals.ts";
import { commitSignIn } from "./commit-sign-in.ts";
import { knownDevice, rememberDevice } from "./devices.ts";
import { type LoginAttempt, reserveLogin } from "./failures.ts";
import { isNewDevice, newDeviceMail } from "./new-device.ts";
import { type RefusedSignIn, recordFailure } from "./record-failure.ts";
import { carriedData, type SignIn, type TokenSession } from "./start-session.ts";
import { tryPassword } from "./verify-password.ts";

/** What somebody signs in with. */
export interface Login {
  /** E-mail address or username. */
  readonly identifier: string;
  readonly password: string;
  readonly isRemembered?: boolean;
}

/** Where a sign-in comes from. */
export interface LoginContext {
  readonly client: ClientInfo;
  readonly from: EventOrigin;
  /** Device cookies that the browser sent. */
  readonly devices?: readonly string[];
  /** The session that the browser carries now; it is replaced. */
  readonly replaces?: Session | null;
  /** The session is to be carried by tokens. */
  readonly tokenSession?: TokenSession;
}

/** A generation that moves this often while one sign-in runs is being attacked; the sign-in gives up. */
const mostTries = 3;

/**
 * Signs in with a password and starts a session.
 *
 * Generation and password hash are read at one instant, and the session is inserted only while the user still has that
 * generation: a sign-in that races a password change with the old password never leaves a session behind.
 *
 * @throws AuthError `invalid_credentials` - unknown identifier, wrong password or unusable account, not told apart by
 * text, status or time; `password_rejected` - longer than any can be; `rate_limited`; `forbidden` by a policy; `overloaded`; `store_unavailable`
 * @see OWASP Authentication Cheat Sheet, "Authentication and Error Messages"
 */
export async function login(
  services: PasswordServices,
  input: Login,
  context: LoginContext,
): Promise<SignIn> {
  requireUsablePassword(input.password);
  const typed = identifier(input.identifier.slice(0, emailMaxLength + 1));
  const find = async () => services.stores.directory.userWithPassword(typed, services.call());
  let found = await find();
  const device = await knownDevice(services, found?.user ?? null, context.devices ?? []);
  const guesser = { user: found?.user ?? null, typedKey: typed.key, device, ip: context.from.ip };
  const attempt = await reserveLogin(services, guesser, context.from);
  for (let tries = 0; tries < mostTries; tries++) {
    if (tries > 0) found = await attempt.during(find());
    const { ok, owedMs } = await attempt.during(tryPassword(services, found, input.password, context.from));
    if (found === null || !ok || found.user.status !== "active") {
      // A right password of an unusable account was perhaps re-encoded; that is told only to who knows the password.
      await services.clock.sleep(owedMs);
      const reason = ok ? "status" : "credentials";
      const refused = refusal({ found, typedKey: typed.key }, reason, context);
      await recordFailure(services, refused, await attempt.failed());
      throw new AuthError("invalid_credentials");
    }
    const admitted = { found, typedKey: typed.key, attempt, isRemembered: input.isRemembered ?? false };
    const signIn = await attempt.during(admit(services, admitted, context));
    if (signIn === null) continue;
    // The session stands: that old failures could not be forgotten is no reason to withhold it.
    await attempt.clear().catch((cause) => services.log.error("failed attempts were not cleared", {}, cause));
    if (context.tokenSession !== undefined) return signIn;
    const remembered = await rememberDevice(services, signIn.user, attempt.device);
    return { ...signIn, change: { ...signIn.change, ...remembered } };
  }
  throw new AuthError("invalid_credentials", {
    diagnosis: "the user's generation kept changing during the sign-in",
  });
}

/** Somebody whose password was right. */
interface Admitted {
  readonly found: UserWithPassword;
  readonly typedKey: string;
  readonly attempt: LoginAttempt;
  readonly isRemembered: boolean;
}

/** Asks the policies and starts the session; null where the generation moved since the password was read. */
async function admit(
  services: PasswordServices,
  admitted: Admitted,
  context: LoginContext,
): Promise<SignIn | null> {
  const { found } = admitted;
  await assertAdmitted(services, { kind: "login", user: found.user, client: context.client }, () =>
    recordFailure(services, refusal(admitted, "policy", context), null),
  );
  return startSession(services, admitted, context);
}

function refusal(
  { found, typedKey }: { readonly found: UserWithPassword | null; readonly typedKey: string },
  reason: RefusedSignIn["reason"],
  { from }: LoginContext,
): RefusedSignIn {
  return { userId: found?.user.id ?? null, sessionId: null, typedKey, reason, from };
}

async function startSession(
  services: PasswordServices,
  { found: { user }, attempt, isRemembered }: Admitted,
  { from, replaces = null, tokenSession }: LoginContext,
): Promise<SignIn | null> {
  const wanted = {
    user,
    generation: user.generation,
    amr: ["pwd"] as const,
    authTime: services.clock.now(),
    isRemembered,
    from,
    replaces,
    data: carriedData(replaces, user),
    ...(tokenSession !== undefined && { tokenSession }),
  };
  // What has no cookies is told by the name that it gives itself.
  const isNew =
    tokenSession === undefined ? attempt.device === null : await isNewDevice(services, user, from);
  const result = await commitSignIn(services, wanted, {
    after: (session) => [
      ...unlocked(services, user.id, attempt, from),
      ...(isNew ? newDeviceMail(services, user, session, from) : []),
    ],
  });
  if (result.ok) return result.signIn;
  if (result.refused === "stale") return null;
  throw refusalError(result.refused);
}

// Whose failures made others wait, and who then knew the password.
function unlocked(
  { events }: PasswordServices,
  userId: string,
  { failuresBefore, device }: LoginAttempt,
  from: EventOrigin,
): readonly Write[] {
  if (failuresBefore === 0 || device !== null) return [];
  const event = { type: "user.unlocked", userId, sessionId: null, payload: { by: "self" } } as const;
  return [{ kind: "audit.insert", row: events.row(event, from) }];
}
