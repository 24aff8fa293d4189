import { noOrigin } from "../domain/event.ts";
import type { Identifier } from "../domain/identifier.ts";
import type { Tier } from "../domain/tier.ts";
import type { User } from "../domain/user.ts";
import type { FieldError } from "../errors.ts";
import { changePassword, passwordErrors, reauthenticate } from "../flows/account/change-password.ts";
import type { AccountExport } from "../flows/account/export-account.ts";
import { namedAccount } from "../flows/account/named-account.ts";
import { type ProfileChanged, type ProfileChanges, updateProfile } from "../flows/account/profile.ts";
import {
  type Registered,
  type Registration,
  register,
  registrationErrors,
} from "../flows/account/register.ts";
import { issueResetToken, openResetToken, resetPassword } from "../flows/account/reset-password.ts";
import { issueSetupToken, setUp } from "../flows/account/setup.ts";
import { deleteAccount } from "../flows/administration/life-cycle.ts";
import { type Login, login } from "../flows/sign-in/login.ts";
import type { SignIn, TokenSession } from "../flows/sign-in/start-session.ts";
import { eventOrigin, withRequestId } from "../http/event-origin.ts";
import type { Pipeline } from "../pipeline/check.ts";
import type { SessionChange } from "../ports/change.ts";
import type { PasswordServices } from "../ports/services.ts";
import type { Awaitable } from "../ports/store.ts";
import { formNonce, newFormNonce } from "./forms.ts";
import { arriving, assertCarrier, inSession, present, type Visit } from "./visit.ts";

/** A registration that a mailed link completes. */
export interface PendingRegistration {
  readonly user: null;
  readonly signIn: null;
  /** To be sealed into the answer: in this browser the link asks for no password. */
  readonly change: SessionChange;
}

/** Accounts: what an application, a route and the command line do with them. */
export interface Users {
  /**
   * Creates an account on a person's behalf and signs them in (`signInAfterRegistration`); with `registration: "confirm"` a mailed
   * link does, and whether the address has an account shows in nothing.
   */
  register(
    registration: Registration & { readonly isRemembered?: boolean },
    visit: Visit,
  ): Promise<Registered | PendingRegistration>;
  /**
   * Signs in with a password; see the flow `login` for what is refused and how.
   *
   * @param options - `tokenSession`: the session is to be carried by tokens; that of the browser stays beside it
   */
  login(input: Login, visit: Visit, options?: { readonly tokenSession?: TokenSession }): Promise<SignIn>;
  /** Replaces the caller's password; every other session of theirs ends. */
  changePassword(
    passwords: { readonly current: string; readonly next: string },
    visit: Visit,
  ): Promise<SignIn>;
  /** Proves within a session that the person is still there. */
  reauthenticate(password: string, visit: Visit): Promise<SignIn>;
  /**
   * What is wrong with a registration by itself, every field at once; empty where nothing is. For forms that have fields of
   * their own to check besides. Whether address and username are free shows only in registering.
   *
   * @param options - `isOperators`: it is for `create` or `setUp`, where names that speak for the service may be given. Default false
   */
  registrationErrors(
    registration: Registration,
    options?: { readonly isOperators?: boolean },
  ): Promise<readonly FieldError[]>;
  /**
   * Why a password cannot be chosen, as errors of the field `new_password`; empty where it can.
   *
   * @param about - whose it is to be, since it must not be their name or address; null where that is not known
   */
  passwordErrors(
    password: string,
    about: Pick<User, "email" | "username" | "name"> | null,
  ): Promise<readonly FieldError[]>;
  /** Changes the caller's profile. */
  update(changes: ProfileChanges, visit: Visit): Promise<ProfileChanged>;
  /** Deletes the caller's account; with `erase` it is anonymised at once instead of after 30 days. */
  delete(options: { readonly erase: boolean }, visit: Visit): Promise<void>;
  /** Takes out what is held about the caller; see the flow `exportAccount`. @param before - `next` of the part before; null for the first */
  export(before: string | null, visit: Visit): Promise<AccountExport>;

  /** Creates an account as an operator: no session, also while registration is closed. */
  create(registration: Registration, options?: { readonly isSuperuser?: boolean }): Promise<User>;
  /** The user, whatever their status; null where there is none. */
  find(userId: string): Promise<User | null>;
  /**
   * The user with this e-mail address or username, whatever their status; null where there is none. An address that cannot be
   * registered beside theirs but is another mailbox is not theirs: `boss@gmaıl.com`, `boss@gmail.com`.
   */
  findByIdentifier(typed: string): Promise<User | null>;
  /** The tier that a user is in, by its id and name; null for none. At once for none, or while a copy (at most 5 s old) has it. */
  tierOf(user: Pick<User, "tier">): Awaitable<Pick<Tier, "id" | "name"> | null>;
  /** Whether the user has a password: who signs in with a provider alone has none. False where there is no such user. */
  hasPassword(userId: string): Promise<boolean>;
  /** Whether this is the user's password. Counts no attempt: for applications that keep count themselves. */
  verifyPassword(userId: string, password: string): Promise<boolean>;
  /** A token for choosing a password at `/reset`, valid for 15 minutes. Whoever holds it owns the account. */
  issueResetToken(userId: string): Promise<string>;
  /** Whose password a reset token chooses, for the form that asks for it; spends nothing. @throws AuthError `token_invalid` */
  openResetToken(token: string): Promise<User>;
  /** Redeems a reset token; see the flow `resetPassword`. */
  resetPassword(input: { readonly token: string; readonly password: string }, visit: Visit): Promise<User>;
  /** A token for creating the first administrator at `/setup`, valid for an hour; null once there is a user. */
  issueSetupToken(): Promise<string | null>;
  /** Redeems a setup token; see the flow `setUp`. */
  setUp(token: string, registration: Registration, visit: Visit): Promise<Registered>;
  /**
   * The application wrote this user by its own SQL: once it resolves, what any process remembers of them is dropped.
   *
   * @throws AuthError `store_unavailable` - call again
   */
  changed(userId: string): Promise<void>;
}

/**
 * The users of a pipeline.
 *
 * @param passwords - gives the services of the feature `passwords`, or throws a TypeError that says to list it
 */
export function bindUsers(pipeline: Pipeline, passwords: () => PasswordServices): Users {
  const { services } = pipeline;
  const { stores, config, call } = services;
  const lookUp = async (by: Identifier | { kind: "id"; key: string }) =>
    stores.directory.userWithPassword(by, call());
  return {
    async register(registration, visit) {
      const { client, from, limitIp, current } = await arriving(pipeline, visit);
      const startsSession = config.signInAfterRegistration;
      const { isRemembered = false } = registration;
      if (config.registration === "confirm") {
        const nonce = formNonce(config, visit) ?? newFormNonce(services);
        const context = { client, from, limitIp, isRemembered, nonce };
        const { beginRegistration } = await import("../flows/account/registration-attempts.ts");
        await beginRegistration(passwords(), registration, context);
        return { user: null, signIn: null, change: { form: nonce } };
      }
      return register(passwords(), registration, {
        client,
        from,
        startsSession,
        isRemembered,
        replaces: current,
      });
    },
    async login(input, visit, { tokenSession } = {}) {
      const { client, from, current, devices } = await arriving(pipeline, visit);
      const started = tokenSession === undefined ? { replaces: current } : { replaces: null, tokenSession };
      return login(passwords(), input, { client, from, devices, ...started });
    },
    async changePassword(input, visit) {
      const { principal, current, from } = await inSession(pipeline, visit, { whilePasswordChange: true });
      return changePassword(passwords(), input, { user: principal.user, current, from });
    },
    async reauthenticate(password, visit) {
      const { principal, current, from } = await inSession(pipeline, visit, { whilePasswordChange: true });
      return reauthenticate(passwords(), password, { user: principal.user, current, from });
    },
    registrationErrors: (registration, options) => registrationErrors(passwords(), registration, options),
    passwordErrors: (password, about) => passwordErrors(passwords(), password, about, "new_password"),
    async update(changes, visit) {
      const { principal, current, isFresh, from } = await present(pipeline, visit);
      if (changes.email !== undefined && current !== null) assertCarrier(principal);
      return updateProfile(services, changes, {
        user: principal.user,
        current,
        isFresh,
        from,
      });
    },
    async delete(options, visit) {
      const { principal, isFresh, from } = await present(pipeline, visit);
      const acting = { by: "self", administrator: null, sessionId: principal.sessionId, from } as const;
      return deleteAccount(services, options, { user: principal.user, isFresh, acting });
    },
    async export(before, visit) {
      const { principal, isFresh, from } = await present(pipeline, visit);
      const { user, sessionId } = principal;
      const { exportAccount } = await import("../flows/account/export-account.ts");
      return exportAccount(services, { user, sessionId, isFresh, from, before });
    },
    async create(registration, options = {}) {
      const context = { client: { ip: null }, from: noOrigin, by: "operator", startsSession: false } as const;
      return (await register(passwords(), registration, { ...context, ...options })).user;
    },
    find: async (userId) => stores.directory.user(userId, call()),
    findByIdentifier: (typed) => namedAccount(services, typed),
    tierOf({ tier: name }) {
      if (name === null) return null;
      // In a tier that is no more, as applications with tables of their own can say: the name is all that is known.
      const known = (tier: Tier | null) => ({ id: tier?.id ?? name, name });
      const tier = services.tiers.named(name);
      return tier instanceof Promise ? tier.then(known) : known(tier);
    },
    hasPassword: async (userId) => (await lookUp({ kind: "id", key: userId }))?.password != null,
    async verifyPassword(userId, password) {
      const found = await lookUp({ kind: "id", key: userId });
      if (found?.password == null) return false;
      return (await passwords().hashing.verify(password, found.password)).ok;
    },
    issueResetToken: (userId) => issueResetToken(services, userId),
    openResetToken: (token) => openResetToken(services, token),
    resetPassword: (input, { request, client }) =>
      resetPassword(passwords(), input, eventOrigin(request, withRequestId(client, services.random))),
    issueSetupToken: () => issueSetupToken(services),
    async setUp(token, registration, visit) {
      const { client, from, current } = await arriving(pipeline, visit);
      return setUp(passwords(), token, registration, { client, from, replaces: current });
    },
    changed: async (userId) => stores.directory.forget(userId, call()),
  };
}
