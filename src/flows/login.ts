import type { EventOrigin, EventPayloads } from "../domain/event.ts";
import { emailMaxLength, identifier } from "../domain/identifier.ts";
import type { Session } from "../domain/session.ts";
import type { User } from "../domain/user.ts";
import { AuthError } from "../errors.ts";
import { requireUsablePassword } from "../password/password-text.ts";
import type { UserWithPassword } from "../ports/directory-store.ts";
import type { ClientInfo } from "../ports/request.ts";
import type { PasswordServices } from "../ports/services.ts";
import { refusalError } from "./refusals.ts";
import {
  carriedData,
  carry,
  draftSession,
  type NewSession,
  type SignIn,
  sessionWrites,
  type TokenSession,
} from "./start-session.ts";
import { identifierHmac, limitKey, type NamedLimit, reserveAttempt, tryPassword } from "./verify-password.ts";

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
  /** The address that limits count by. */
  readonly limitIp: string;
  /** The session that the browser carries now; it is replaced. */
  readonly replaces?: Session | null;
  /** The session is to be carried by tokens. */
  readonly tokenSession?: TokenSession;
}

/** How many accounts' worth of failures one address may make in a window: an office behind one address mistypes, too. */
const accountsPerAddress = 20;

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
  const limits = loginLimits(services, context.limitIp, found?.user.id ?? typed.key);
  const attempt = await reserveAttempt(services, limits, context.from);
  for (let tries = 0; tries < mostTries; tries++) {
    if (tries > 0) found = await attempt.during(find());
    const { ok, owedMs } = await attempt.during(tryPassword(services, found, input.password, context.from));
    if (found === null || !ok || found.user.status !== "active") {
      // A right password of an unusable account was perhaps re-encoded; that is told only to who knows the password.
      await services.clock.sleep(owedMs);
      await report(services, typed.key, found, ok ? "status" : "credentials", context.from);
      throw new AuthError("invalid_credentials");
    }
    const signIn = await attempt.during(admit(services, typed.key, found, input, context));
    if (signIn === null) continue;
    // The session stands: that old failures could not be forgotten is no reason to withhold it.
    await attempt.clear().catch((cause) => services.log.error("failed attempts were not cleared", {}, cause));
    return signIn;
  }
  throw new AuthError("invalid_credentials", {
    diagnosis: "the user's generation kept changing during the sign-in",
  });
}

// By account and not by what was typed, so that address and username of one account are not two sets of guesses. And by
// address alone: one password tried on a hundred accounts is an attack as well.
function loginLimits({ config }: PasswordServices, ip: string, account: string): [NamedLimit, NamedLimit] {
  const { maxAttempts, windowSeconds } = config.login;
  return [
    { name: "login", key: limitKey("login", ip, account), limit: maxAttempts, windowSeconds },
    {
      name: "login_ip",
      key: limitKey("login_ip", ip),
      limit: maxAttempts * accountsPerAddress,
      windowSeconds,
    },
  ];
}

async function startSession(
  services: PasswordServices,
  user: User,
  isRemembered: boolean,
  { from, replaces = null, tokenSession }: LoginContext,
): Promise<SignIn | null> {
  const wanted: NewSession = {
    user,
    generation: user.generation,
    amr: ["pwd"],
    authTime: services.clock.now(),
    isRemembered,
    from,
    replaces,
    data: carriedData(replaces, user),
    ...(tokenSession !== undefined && { tokenSession }),
  };
  const draft = draftSession(services, wanted);
  const event = {
    type: "user.logged_in" as const,
    userId: user.id,
    sessionId: draft.session.id,
    payload: { amr: wanted.amr, isRemembered },
  };
  const result = await services.commit([
    { kind: "user.require", userId: user.id, generation: user.generation },
    ...sessionWrites(services, draft, wanted),
    { kind: "audit.insert", row: services.events.row(event, from) },
  ]);
  if (result.ok) return { user, session: draft.session, change: carry(services, draft) };
  if (result.refused === "stale") return null;
  throw refusalError(result.refused);
}

/** Asks the policies and starts the session; null where the generation moved since the password was read. */
async function admit(
  services: PasswordServices,
  typedKey: string,
  found: UserWithPassword,
  { isRemembered = false }: Login,
  context: LoginContext,
): Promise<SignIn | null> {
  for (const policy of services.policies) {
    const veto = await policy({ kind: "login", user: found.user, client: context.client });
    if (veto === null) continue;
    await report(services, typedKey, found, "policy", context.from);
    throw new AuthError("forbidden", { message: veto });
  }
  return startSession(services, found.user, isRemembered, context);
}

async function report(
  services: PasswordServices,
  typedKey: string,
  found: UserWithPassword | null,
  reason: EventPayloads["user.login_failed"]["reason"],
  from: EventOrigin,
): Promise<void> {
  const payload = { identifierHmac: identifierHmac(services, typedKey), reason };
  const userId = found?.user.id ?? null;
  const row = services.events.row({ type: "user.login_failed", userId, sessionId: null, payload }, from);
  await services.commit([{ kind: "audit.insert", row }]);
}
