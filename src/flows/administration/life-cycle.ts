import { setImmediate } from "node:timers/promises";
import type { EventType } from "../../domain/event.ts";
import type { User, UserChanges } from "../../domain/user.ts";
import { AuthError } from "../../errors.ts";
import type { Draft, Services } from "../../ports/services.ts";
import type { Write } from "../../ports/store.ts";
import { type Acting, assertMayChange, doing, operator, stillActing } from "../acting.ts";
import { assertCommitted } from "../refusals.ts";
import { revokedReport } from "../sign-in/start-session.ts";

/** Days between deleting an account and anonymising it; until then an operator can restore it. */
export const restorableDays = 30;

/** Tries of a transaction that somebody else's came before; each time one of them has got through. */
const mostTries = 5;

/**
 * Bars somebody from their account until it is restored: every session and token ends at once; their API keys are refused.
 *
 * Of one who is barred already nothing changes.
 *
 * @throws AuthError `not_found`; `forbidden`; `conflict` - deleted, or the last superuser
 */
export function disableAccount(services: Services, userId: string, acting: Acting): Promise<User> {
  return changing(services, userId, acting, (user) => {
    if (user.status === "disabled") return null;
    if (user.status !== "active") throw gone(user);
    const event = audit(services, acting, { type: "user.disabled", userId, payload: doing(acting) });
    return [...stays(user), ...ending(services, user, acting, { status: "disabled" }), event];
  });
}

/**
 * Gives a disabled or deleted account back as it was. Sessions and tokens stay ended; API keys work again.
 *
 * @throws AuthError `not_found`; `forbidden`; `conflict` - anonymised: there is nothing to give back
 */
export function restoreAccount(services: Services, userId: string, acting: Acting): Promise<User> {
  return changing(services, userId, acting, (user) => {
    if (user.status === "active") return null;
    if (user.status === "anonymized") throw gone(user);
    const changes = { status: "active", deletedAt: null } as const;
    return [
      { kind: "user.update", userId, version: user.version, changes },
      audit(services, acting, { type: "user.restored", userId, payload: doing(acting) }),
    ];
  });
}

/**
 * Deletes an account: every session ends at once; after {@link restorableDays} it is anonymised.
 *
 * Of one that is deleted already nothing changes, and its days go on.
 *
 * @throws AuthError `not_found`; `forbidden`; `conflict` - anonymised, or the last superuser
 */
export function softDeleteAccount(services: Services, userId: string, acting: Acting): Promise<User> {
  return changing(services, userId, acting, (user) => {
    if (user.status === "deleted") return null;
    if (user.status === "anonymized") throw gone(user);
    return deletion(services, user, acting);
  });
}

/**
 * Removes everything personal of an account, for good and in every store. Of one that is anonymised already nothing changes.
 *
 * @throws AuthError `not_found`; `forbidden`; `conflict` - the last superuser
 */
export function anonymizeAccount(services: Services, userId: string, acting: Acting): Promise<User> {
  return changing(services, userId, acting, (user) => {
    if (user.status === "anonymized") return null;
    return [
      ...stays(user),
      ...ending(services, user, acting, {}),
      ...erasure(services, userId, acting, "any"),
    ];
  });
}

/**
 * Deletes one's own account, as {@link softDeleteAccount}; with `erase` it is anonymised at once.
 *
 * @throws AuthError `fresh_auth_required`; `conflict` - the last superuser, or changed by somebody else since the request was let on
 */
export async function deleteAccount(
  services: Services,
  options: { readonly erase: boolean },
  { user, isFresh, acting }: { readonly user: User; readonly isFresh: boolean; readonly acting: Acting },
): Promise<void> {
  if (!isFresh) throw new AuthError("fresh_auth_required");
  const erased = options.erase ? erasure(services, user.id, acting, "any") : [];
  assertCommitted(await services.commit([...deletion(services, user, acting), ...erased]));
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
    const result = await services.commit(erasure(services, id, operator, "deleted"));
    if (result.ok) erased++;
    // `conflict`: restored, or erased by another sweep, since the list was read.
    else if (result.refused !== "conflict") {
      services.log.error("a deleted account was not anonymised", { userId: id, refused: result.refused });
    }
    await setImmediate();
  }
  return erased;
}

/**
 * Reads an account anew and writes what `plan` makes of it, again where somebody else's write came between.
 *
 * @param plan - null: it is so already
 * @returns the account as it is afterwards
 * @throws AuthError `not_found`; `forbidden`; `conflict`; what `plan` throws
 */
export async function changing(
  services: Services,
  userId: string,
  acting: Acting,
  plan: (user: User) => readonly Write[] | null,
): Promise<User> {
  const { stores, commit, call } = services;
  const read = async (): Promise<User> => {
    const user = await stores.directory.user(userId, { ...call(), readsThrough: true });
    if (user === null) throw new AuthError("not_found");
    return user;
  };
  for (let tries = 1; ; tries++) {
    const user = await read();
    assertMayChange(services, acting, user);
    const writes = plan(user);
    if (writes === null) return user;
    const result = await commit([...stillActing(acting), ...writes]);
    if (result.ok) return read();
    const isLate = result.refused === "conflict" || result.refused === "stale";
    if (!isLate || tries === mostTries) assertCommitted(result);
  }
}

/** Changes an account and ends every session of it, and every proof that is being made right now. */
export function ending(
  services: Services,
  user: User,
  acting: Acting,
  changes: UserChanges,
): readonly Write[] {
  const { id: userId, generation, version } = user;
  const ended = revokedReport(services, acting.from, doing(acting));
  return [
    { kind: "user.advance", userId, from: generation },
    { kind: "user.update", userId, version: version + 1, changes },
    { kind: "session.delete_all", userId, except: null, ended },
  ];
}

/** The audit row of what somebody does with an account. */
export function audit<T extends EventType>(
  { events }: Services,
  { sessionId, from }: Acting,
  event: Omit<Draft<T>, "sessionId">,
): Write {
  return { kind: "audit.insert", row: events.row<T>({ ...event, sessionId }, from) };
}

// The last superuser cannot go.
function stays({ id: userId, isSuperuser }: User): readonly Write[] {
  return isSuperuser ? [{ kind: "directory.require_other_superuser", userId }] : [];
}

function deletion(services: Services, user: User, acting: Acting): readonly Write[] {
  const now = services.clock.now();
  const anonymizedAfter = new Date(now.getTime() + restorableDays * 86_400_000).toISOString();
  const payload = { ...doing(acting), anonymizedAfter };
  return [
    ...stays(user),
    ...ending(services, user, acting, { status: "deleted", deletedAt: now }),
    audit(services, acting, { type: "user.deleted", userId: user.id, payload }),
  ];
}

function erasure(
  services: Services,
  userId: string,
  acting: Acting,
  requires: "deleted" | "any",
): readonly Write[] {
  // Without an origin and a session: the row that says so must not hold what it removes.
  const nameless = { ...acting, sessionId: null, from: operator.from };
  return [
    { kind: "user.erase", userId, requires },
    audit(services, nameless, { type: "user.anonymized", userId, payload: doing(acting) }),
  ];
}

function gone({ status }: User): AuthError {
  return new AuthError("conflict", { message: `The account is ${status}.` });
}
