import { isSameMailbox, type UsernameOptions } from "../../domain/identifier.ts";
import type { User, UserChanges } from "../../domain/user.ts";
import { AuthError } from "../../errors.ts";
import type { UserPage, UserQuery } from "../../ports/directory-store.ts";
import type { PasswordServices, Services } from "../../ports/services.ts";
import { readLocale } from "../account/language-tag.ts";
import { namedAccount } from "../account/named-account.ts";
import { assertReadable, differences, type ProfileChanges } from "../account/profile.ts";
import { type Registration, register } from "../account/register.ts";
import { type Acting, doing } from "../acting.ts";
import { audit, changing, ending } from "./life-cycle.ts";

/** An account that an administrator creates. */
export interface NewAccount extends Registration {
  /** BCP 47 language tag. Default null. */
  readonly locale?: string | null;
  /** Whether the address is known to be theirs. Default false. */
  readonly emailVerified?: boolean;
  /** Whether they have to choose another password before anything else. Default false. */
  readonly mustChangePassword?: boolean;
}

/** What an administrator may change about an account besides its rights. Absent fields stay. */
export interface AccountChanges extends ProfileChanges {
  readonly emailVerified?: boolean;
  readonly mustChangePassword?: boolean;
}

/** Which accounts are asked for; what is absent may be anything. */
export type AccountSearch = Partial<UserQuery>;

/** Most accounts of one page. */
export const mostAccounts = 200;

/**
 * A page of the accounts, the newest first; with `search` those whose username or address begins so.
 *
 * @param search - `limit` 1 to {@link mostAccounts}, default 50
 */
export async function searchAccounts(
  { stores, call }: Pick<Services, "stores" | "call">,
  search: AccountSearch = {},
): Promise<UserPage> {
  const limit = Math.max(1, Math.min(search.limit ?? 50, mostAccounts));
  return stores.directory.users({ ...everybody, ...search, limit }, call());
}

/** The account of this id, username or e-mail address, whatever its status; null where there is none. */
export async function findAccount(services: Services, named: string): Promise<User | null> {
  const { stores, call } = services;
  return idShape.test(named)
    ? stores.directory.user(named.toLowerCase(), call())
    : namedAccount(services, named);
}

/**
 * Creates an account on somebody's behalf, in every mode of registration. Nobody is signed in.
 *
 * @throws AuthError as `register`
 */
export async function createAccount(
  services: PasswordServices,
  { locale = null, emailVerified = false, mustChangePassword = false, ...registration }: NewAccount,
  acting: Acting,
): Promise<User> {
  const { by, administratorId } = doing(acting);
  const { user } = await register(services, registration, {
    by,
    ...(administratorId !== undefined && { administratorId }),
    client: { ip: null },
    from: acting.from,
    startsSession: false,
    given: { locale: readLocale(locale), emailVerified, mustChangePassword },
  });
  return user;
}

/**
 * Changes an account. Another address ends every session of it and every link that was mailed to the old one; it is unverified unless
 * said otherwise. A name that speaks for the service, `support` say, is given by operators alone, as where an account is created.
 *
 * @throws AuthError `not_found`; `forbidden`; `invalid_input` with every failing field; `email_taken`, `username_taken`;
 * `conflict` - anonymised, or there is no password to change
 */
export async function changeAccount(
  services: Services,
  userId: string,
  wanted: AccountChanges,
  acting: Acting,
): Promise<User> {
  if (wanted.mustChangePassword) await assertHasPassword(services, userId);
  const naming: UsernameOptions = { isOperators: acting.by === "operator" };
  return changing(services, userId, acting, (user) => {
    assertReadable(wanted, user, naming);
    if (user.status === "anonymized")
      throw new AuthError("conflict", { message: "The account is anonymized." });
    const changes = wantedChanges(user, wanted, naming);
    const fields = Object.keys(changes).filter((field) => field !== "emailKey");
    if (fields.length === 0) return null;
    const updated = { type: "user.updated" as const, userId, payload: { ...doing(acting), fields } };
    const row = audit(services, acting, updated);
    const isOtherMailbox = changes.email !== undefined && !isSameMailbox(changes.email, user.email);
    if (!isOtherMailbox) return [{ kind: "user.update", userId, version: user.version, changes }, row];
    const moved = { type: "email.changed" as const, userId, payload: doing(acting) };
    return [...ending(services, user, acting, changes), row, audit(services, acting, moved)];
  });
}

function wantedChanges(user: User, wanted: AccountChanges, naming: UsernameOptions): UserChanges {
  const { emailVerified, mustChangePassword } = wanted;
  const given = {
    ...differences(user, wanted, naming),
    ...(emailVerified !== undefined && { emailVerified }),
  };
  const others: UserChanges = {
    ...(mustChangePassword !== undefined && { mustChangePassword }),
  };
  const isOther = ([field, value]: [string, unknown]): boolean => value !== user[field as keyof User];
  return Object.fromEntries(Object.entries({ ...given, ...others }).filter(isOther)) as UserChanges;
}

// Who signs in by other means could never do what is asked of them.
async function assertHasPassword({ stores, call }: Services, userId: string): Promise<void> {
  const found = await stores.directory.userWithPassword({ kind: "id", key: userId }, call());
  if (found !== null && found.password === null)
    throw new AuthError("conflict", { message: "The account has no password that could be changed." });
}

const idShape = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const everybody: UserQuery = {
  search: null,
  status: null,
  role: null,
  tier: null,
  isSuperuser: null,
  after: null,
  limit: 50,
};
