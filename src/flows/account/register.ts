import type { Actor, EventOrigin } from "../../domain/event.ts";
import { emailKey, isEmail, type UsernameOptions, usernameKey } from "../../domain/identifier.ts";
import { randomBase62, randomSlotTag, uuidv7 } from "../../domain/random.ts";
import type { Session } from "../../domain/session.ts";
import type { User } from "../../domain/user.ts";
import { AuthError, type FieldError } from "../../errors.ts";
import { contextWords } from "../../password/context-words.ts";
import type { ClientInfo } from "../../ports/request.ts";
import type { PasswordServices, Services } from "../../ports/services.ts";
import type { Write } from "../../ports/store.ts";
import { mailTo } from "../mail/outbox.ts";
import { assertAdmitted } from "../policies.ts";
import { refusalError } from "../refusals.ts";
import type { SignIn } from "../sign-in/start-session.ts";
import { commitAccount, firstSession } from "./commit-account.ts";
import { passwordWrite } from "./reset-password.ts";

/** What somebody registers with. */
export interface Registration {
  readonly email: string;
  /** Default `u` and 8 random characters. */
  readonly username?: string | null;
  readonly password: string;
  readonly name?: string | null;
  /** BCP 47 tag of the language that they are written to in; null where it is not known. */
  readonly locale?: string | null;
}

/** Longest display name, in UTF-16 units. */
const nameMaxLength = 200;

/** Where a registration comes from, and what it may do. */
export interface RegistrationContext {
  readonly client: ClientInfo;
  readonly from: EventOrigin;
  /** Default `self`, who may register where registration is open, or where `isInvited`; everybody else always may. */
  readonly by?: Actor;
  /** Whose account it is done with, where an administrator does it. */
  readonly administratorId?: string;
  /** Whether somebody was asked to register: then they may in every mode. Default false. */
  readonly isInvited?: boolean;
  readonly isSuperuser?: boolean;
  /** What else the account begins with; whether the caller may give it was checked before. */
  readonly given?: Partial<
    Pick<User, "emailVerified" | "mustChangePassword" | "locale" | "roles" | "permissions" | "tier">
  >;
  /** What else the directory must satisfy in the same transaction. */
  readonly requires?: readonly Write[];
  /** Whether the caller's browser is signed in at once. */
  readonly startsSession: boolean;
  readonly isRemembered?: boolean;
  /** The session that the browser carries now. */
  readonly replaces?: Session | null;
}

/** What registering gives. */
export type Registered = { readonly user: User; readonly signIn: SignIn | null };

/**
 * Creates an account with a password, and signs in where the context says so: all in one transaction.
 *
 * @throws AuthError `registration_closed`, `invalid_input` or `password_rejected` with every failing field, `email_taken`,
 * `username_taken`, `forbidden` by a policy, `overloaded`; nothing was written
 */
export async function register(
  services: PasswordServices,
  registration: Registration,
  context: RegistrationContext,
): Promise<Registered> {
  const by = context.by ?? "self";
  if (by === "self" && !context.isInvited && services.config.registration !== "open")
    throw new AuthError("registration_closed");
  const naming: UsernameOptions = { isOperators: by === "operator" };
  await assertAcceptable(services, registration, naming);
  const { isSuperuser = false, administratorId, given } = context;
  const user = { ...newUser(services, registration, { isSuperuser }, naming), ...given };
  await assertAdmitted(services, { kind: "register", user, client: context.client });
  const encoded = await services.hashing.hash(registration.password);
  const { from, requires = [] } = context;
  const committed = await commitAccount(services, {
    user,
    wayIn: passwordWrite(services, { user, password: null }, encoded),
    by,
    administratorId,
    from,
    requires,
    also: () => (by === "self" && !user.emailVerified ? mailTo(services, user, "verify") : []),
    session: context.startsSession ? firstSession(services, user, { ...context, amr: ["pwd"] }) : null,
  });
  if (!committed.ok) throw refusalError(committed.refused);
  return { user, signIn: committed.signIn };
}

/** Refuses what cannot be registered by itself. @throws AuthError `invalid_input` or `password_rejected` with every failing field */
export async function assertAcceptable(
  services: PasswordServices,
  registration: Registration,
  naming: UsernameOptions = {},
): Promise<void> {
  const fields = await registrationErrors(services, registration, naming);
  if (fields.length === 0) return;
  const isPasswordAlone = fields.every(({ field }) => field === "password");
  throw new AuthError(isPasswordAlone ? "password_rejected" : "invalid_input", { fields });
}

/** Everything that is wrong with a registration by itself; whether address and username are free is for the directory. */
export async function registrationErrors(
  { policy, config }: PasswordServices,
  { email, username = null, password, name = null }: Registration,
  naming: UsernameOptions = {},
): Promise<readonly FieldError[]> {
  const words = contextWords({ email, username, name, host: new URL(config.origin).hostname });
  return [
    ...emailErrors(email),
    ...usernameErrors(username, naming),
    ...nameErrors(name),
    ...(await policy.check(password, { words })),
  ];
}

/** What is wrong with an address. */
export function emailErrors(email: string): FieldError[] {
  if (email.trim() === "") return [{ field: "email", code: "required", message: "Email is required" }];
  return isEmail(email.trim())
    ? []
    : [{ field: "email", code: "invalid", message: "This is not an email address" }];
}

/** What is wrong with a username that was given; null for none given. */
export function usernameErrors(username: string | null, naming: UsernameOptions = {}): FieldError[] {
  if (username === null || username.trim() === "" || usernameKey(username, naming) !== null) return [];
  const message = "3 to 32 letters, digits, dots, dashes or underscores; some names are reserved";
  return [{ field: "username", code: "invalid", message }];
}

/** What is wrong with a display name. */
export function nameErrors(name: string | null): FieldError[] {
  if (name === null) return [];
  if (name.length > nameMaxLength) {
    return [{ field: "name", code: "too_long", message: `At most ${nameMaxLength} characters` }];
  }
  if (!/\p{Cc}/u.test(name)) return [];
  return [{ field: "name", code: "invalid_characters", message: "Control characters cannot be used" }];
}

/** The record of a new account. What it is made of was checked before. */
export function newUser(
  services: Services,
  { email, username, name, locale = null }: Omit<Registration, "password">,
  { isSuperuser = false, emailVerified = false }: Partial<Pick<User, "isSuperuser" | "emailVerified">>,
  naming: UsernameOptions = {},
): User {
  const { clock, random } = services;
  const now = clock.now();
  const bytes = (length: number): Uint8Array => random.bytes(length);
  const address = email.trim().normalize("NFC");
  return {
    id: uuidv7(now, bytes),
    username: usernameKey(username ?? "", naming) ?? `u${randomBase62(8, bytes)}`.toLowerCase(),
    email: address,
    emailKey: emailKey(address),
    emailVerified,
    name: name?.trim() ? name.trim() : null,
    status: "active",
    roles: [],
    permissions: [],
    tier: null,
    isSuperuser,
    mustChangePassword: false,
    locale,
    generation: 1,
    slotTag: randomSlotTag(bytes),
    data: {},
    revokedTokens: [],
    version: 1,
    createdAt: now,
    updatedAt: now,
    deletedAt: null,
  };
}
