import { hash, timingSafeEqual } from "node:crypto";
import type { EncodedPassword } from "../../domain/credential.ts";
import type { EventOrigin } from "../../domain/event.ts";
import { emailKey, usernameKey } from "../../domain/identifier.ts";
import { oneTimeTokenTtlSeconds } from "../../domain/one-time-token.ts";
import { randomBase62 } from "../../domain/random.ts";
import type { Session } from "../../domain/session.ts";
import type { User } from "../../domain/user.ts";
import { AuthError } from "../../errors.ts";
import type { ClientInfo } from "../../ports/request.ts";
import type { PasswordServices, Services } from "../../ports/services.ts";
import { limitKey, reserveAttempt } from "../attempts.ts";
import { takeMail } from "../mail/limits.ts";
import { mailRow } from "../mail/outbox.ts";
import { readOneTimeToken, takeOneTimeToken } from "../one-time-tokens.ts";
import { assertAdmitted } from "../policies.ts";
import { refusalError } from "../refusals.ts";
import { loginIpLimit } from "../sign-in/failures.ts";
import { commitAccount, firstSession } from "./commit-account.ts";
import { assertAcceptable, newUser, type Registered, type Registration, usernameErrors } from "./register.ts";
import { passwordWrite } from "./reset-password.ts";

/** A registration that waits for its mail to be answered; nothing of it is in the directory. */
interface RegistrationAttempt {
  readonly email: string;
  readonly username: string | null;
  readonly name: string | null;
  readonly locale: string | null;
  readonly encoded: EncodedPassword;
  readonly isRemembered: boolean;
  /** Base64url SHA-256 of the nonce of the browser that registered. */
  readonly browser: string;
}

/** Who registers. */
export interface AttemptContext {
  readonly client: ClientInfo;
  readonly from: EventOrigin;
  readonly limitIp: string;
  readonly isRemembered: boolean;
  /** Nonce of the browser's form cookie. */
  readonly nonce: string;
}

/**
 * Begins a registration that a mailed link completes. What is done and answered is the same for an address that has an account:
 * nobody looks, until the sender of the mail does.
 *
 * @throws AuthError `invalid_input` or `password_rejected` with every failing field, `username_taken` (usernames are public),
 * `forbidden` by a policy, `rate_limited`, `overloaded`; nothing was kept
 */
export async function beginRegistration(
  services: PasswordServices,
  registration: Registration,
  { client, from, limitIp, isRemembered, nonce }: AttemptContext,
): Promise<void> {
  await assertAcceptable(services, registration);
  const address = registration.email.trim().normalize("NFC");
  await takeMail(services, { purpose: "registration", to: emailKey(address), limitIp }, from);
  await assertFree(services, registration.username ?? "");
  const user = newUser(services, registration, { emailVerified: true });
  await assertAdmitted(services, { kind: "register", user, client });
  const attempt: RegistrationAttempt = {
    email: address,
    username: registration.username ?? null,
    name: registration.name ?? null,
    locale: registration.locale ?? null,
    encoded: await services.hashing.hash(registration.password),
    isRemembered,
    browser: digest(nonce),
  };
  const id = randomBase62(22, (length) => services.random.bytes(length));
  const { stores, call } = services;
  const ttlSeconds = oneTimeTokenTtlSeconds.registration;
  await stores.ephemeral.put(keyOf(id), JSON.stringify(attempt), ttlSeconds, call());
  const detail = JSON.stringify({ attemptId: id });
  await services.commit([
    mailRow(services, { purpose: "registration", userId: null, locale: attempt.locale, detail }),
  ]);
}

/** Address and language of an attempt, for the mail about it; null where it is gone. */
export async function readAttempt(
  services: Services,
  attemptId: string,
): Promise<RegistrationAttempt | null> {
  const stored = await services.stores.ephemeral.read(keyOf(attemptId), services.call());
  return stored === null ? null : (JSON.parse(stored) as RegistrationAttempt);
}

/** How a registration is completed. */
export interface Completion {
  /** Of the mailed link. */
  readonly token: string;
  /** The password that was chosen when registering; needed in another browser than that one. */
  readonly password?: string | undefined;
  /** In place of the one that was wished for, which somebody may have taken since. */
  readonly username?: string | undefined;
}

/** Who completes a registration. */
export interface CompletionContext {
  readonly client: ClientInfo;
  readonly from: EventOrigin;
  readonly limitIp: string;
  /** Nonce of the browser's form cookie; null where it has none. */
  readonly nonce: string | null;
  readonly replaces: Session | null;
  readonly startsSession: boolean;
}

/**
 * Creates the account that a mailed link is for, with a verified address.
 *
 * In another browser than the one that registered the password is asked for. Who registers with somebody else's address could
 * else let its owner confirm an account to which they themselves know the password.
 *
 * @throws AuthError `token_invalid` - unknown, used or expired, or the address has an account by now; `registration_closed` - since
 * it began; `fresh_auth_required` - the password is needed; `invalid_credentials` - it is wrong; `rate_limited`; `username_taken`;
 * `forbidden` by a policy
 * @see Sudhodanan and Paverd, "Pre-hijacked accounts", USENIX Security 2022
 */
export async function completeRegistration(
  services: PasswordServices,
  { token, password, username }: Completion,
  context: CompletionContext,
): Promise<Registered> {
  const { id, attempt } = await openRegistration(services, token);
  if (!isSameBrowser(attempt, context.nonce))
    await assertPassword(services, { id, attempt, password }, context);
  const errors = usernameErrors(username ?? null);
  if (errors.length > 0) throw new AuthError("invalid_input", { fields: errors });
  const wished = username ?? attempt.username;
  const user = newUser(services, { ...attempt, username: wished }, { emailVerified: true });
  await assertAdmitted(services, { kind: "register", user, client: context.client });
  const registered = await create(services, user, attempt, context);
  // The address has its account now, so neither could do anything more.
  const { stores, call } = services;
  await takeOneTimeToken(services, "registration", token).catch(() => undefined);
  await Promise.resolve(stores.ephemeral.remove([keyOf(id)], call())).catch(() => undefined);
  return registered;
}

/**
 * Looks at the registration that a link is for; spends nothing.
 *
 * @throws AuthError `token_invalid`; `registration_closed` - since it began; the link works again where it is opened again in time
 */
export async function openRegistration(
  services: Services,
  token: string,
): Promise<{ readonly id: string; readonly attempt: RegistrationAttempt }> {
  const { detail } = await readOneTimeToken(services, "registration", token);
  const attempt = await readAttempt(services, detail ?? "");
  if (attempt === null) throw new AuthError("token_invalid");
  const mode = services.config.registration;
  if (mode === "closed" || mode === "invite") throw new AuthError("registration_closed");
  return { id: detail ?? "", attempt };
}

/** Whether a browser is the one that registered. */
export function isSameBrowser({ browser }: RegistrationAttempt, nonce: string | null): boolean {
  return nonce !== null && timingSafeEqual(Buffer.from(digest(nonce)), Buffer.from(browser));
}

async function assertPassword(
  services: PasswordServices,
  {
    id,
    attempt,
    password,
  }: { readonly id: string; readonly attempt: RegistrationAttempt; readonly password: string | undefined },
  { from, limitIp }: CompletionContext,
): Promise<void> {
  if (password === undefined || password === "") {
    const message = "Enter the password that you chose when registering";
    throw new AuthError("fresh_auth_required", {
      message,
      fields: [{ field: "password", code: "required", message }],
    });
  }
  const { maxAttempts: limit, windowSeconds } = services.config.login;
  const tries = await reserveAttempt(
    services,
    [
      { name: "registration", key: limitKey("registration", id), limit, windowSeconds },
      loginIpLimit(services, limitIp),
    ],
    from,
  );
  const { ok, owedMs } = await tries.during(services.hashing.verify(password, attempt.encoded));
  if (ok) return tries.clear();
  await services.clock.sleep(owedMs);
  const message = "This is not the password that was chosen when registering";
  throw new AuthError("invalid_credentials", {
    message,
    fields: [{ field: "password", code: "incorrect", message }],
  });
}

async function create(
  services: PasswordServices,
  user: User,
  { encoded, isRemembered }: RegistrationAttempt,
  { from, replaces, startsSession }: CompletionContext,
): Promise<Registered> {
  const verified = { type: "email.verified", userId: user.id, sessionId: null, payload: {} } as const;
  const session = firstSession(services, user, { amr: ["pwd", "email"], isRemembered, from, replaces });
  const committed = await commitAccount(services, {
    user,
    wayIn: passwordWrite(services, { user, password: null }, encoded),
    by: "self",
    from,
    also: () => [{ kind: "audit.insert", row: services.events.row(verified, from) }],
    session: startsSession ? session : null,
  });
  if (committed.ok) return { user, signIn: committed.signIn };
  // By a second link to this address, or by an operator.
  if (committed.refused === "email_taken") throw new AuthError("token_invalid");
  throw refusalError(committed.refused);
}

async function assertFree({ stores, call }: Services, username: string): Promise<void> {
  const key = usernameKey(username);
  if (key === null) return;
  const owner = await stores.directory.userWithPassword({ kind: "username", key }, call());
  if (owner !== null) throw refusalError("username_taken");
}

function keyOf(id: string): string {
  return `registration:${id}`;
}

function digest(nonce: string): string {
  return hash("sha256", nonce, "base64url");
}
