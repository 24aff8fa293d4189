import type { AdministrationPermission } from "../domain/administration.ts";
import type { Permission, User } from "../domain/user.ts";
import { AuthError } from "../errors.ts";
import type { Registered } from "../flows/account/register.ts";
import { type Acting, administrator, operator } from "../flows/acting.ts";
import {
  apiKeysOf,
  endSession,
  endSessions,
  revokeKeyOf,
} from "../flows/administration/administer-access.ts";
import {
  type AccountChanges,
  type AccountSearch,
  changeAccount,
  createAccount,
  findAccount,
  type NewAccount,
  searchAccounts,
} from "../flows/administration/administer-accounts.ts";
import { changeRights, type RightsChange } from "../flows/administration/change-rights.ts";
import { impersonate, stopImpersonating } from "../flows/administration/impersonation.ts";
import {
  type Invitation,
  type Invited,
  type InvitedRegistration,
  invite,
  type NewInvitation,
  openInvitation,
  redeemInvitation,
  withdrawInvitation,
} from "../flows/administration/invitations.ts";
import {
  anonymizeAccount,
  disableAccount,
  restoreAccount,
  softDeleteAccount,
} from "../flows/administration/life-cycle.ts";
import { type Statistics, type StatisticsDays, statistics } from "../flows/administration/statistics.ts";
import { unlock } from "../flows/administration/unlock.ts";
import type { ApiKeyInfo } from "../flows/api-keys/reads.ts";
import { type AuditPage, type AuditSearch, searchAudit } from "../flows/audit/search-audit.ts";
import type { SignIn } from "../flows/sign-in/start-session.ts";
import type { UserPage } from "../ports/directory-store.ts";
import type { Services } from "../ports/services.ts";
import type { Visit, Visits } from "../ports/visit.ts";
import type { SessionInfo } from "./sessions.ts";
import { type TierCalls, tierCalls } from "./tiers.ts";

/**
 * What administrators do. `named`: an id, a username or an e-mail address.
 *
 * Every call @throws AuthError `not_found` for an account that is not there; and for an administrator `not_authenticated`,
 * `forbidden` - the permission in brackets is not theirs, or the account may do more than theirs; `fresh_auth_required` where it says *fresh*.
 */
export interface AdministrationCalls {
  /** A page of the accounts (`user:read`). */
  users(search?: AccountSearch): Promise<UserPage>;
  /** One account, whatever its status (`user:read`). */
  user(named: string): Promise<User>;
  /** Creates an account, in every mode of registration (`user:write`). @throws AuthError as the flow `register` */
  create(account: NewAccount): Promise<User>;
  /** Changes an account besides its rights (`user:write`; fresh for another address). @throws AuthError as the flow `changeAccount` */
  change(named: string, changes: AccountChanges): Promise<User>;
  /** Changes roles, permissions, tier or the superuser flag (`user:write`, fresh). @throws AuthError as the flow `changeRights` */
  changeRights(named: string, wanted: RightsChange | ((user: User) => RightsChange)): Promise<User>;
  /** Bars somebody until they are restored (`user:write`). @throws AuthError `conflict` */
  disable(named: string): Promise<User>;
  /** Gives a disabled or deleted account back (`user:write`). @throws AuthError `conflict` */
  restore(named: string): Promise<User>;
  /** Deletes an account; after 30 days it is anonymised (`user:write`, fresh). @throws AuthError `conflict` */
  delete(named: string): Promise<User>;
  /** Removes what is personal for good (superuser, fresh). @throws AuthError `conflict` */
  anonymize(named: string): Promise<User>;
  /** The live sessions of somebody, most recently used first (`user:read`). */
  sessions(named: string): Promise<readonly SessionInfo[]>;
  /** Ends every session of somebody (`session:write`); returns how many ended. */
  endSessions(named: string): Promise<number>;
  /** Ends one session of somebody (`session:write`); false where they have none of this id. */
  endSession(named: string, sessionId: string): Promise<boolean>;
  /** The API keys of somebody, newest first (`user:read`). */
  apiKeys(named: string): Promise<readonly ApiKeyInfo[]>;
  /** Ends an API key of somebody (`user:write`). @throws AuthError `not_found` */
  revokeApiKey(named: string, keyId: string): Promise<void>;
  readonly tiers: TierCalls;
  /** Invites somebody to register (`invitation:write`; fresh where it gives rights or a tier). @throws AuthError as the flow `invite` */
  invite(wanted: NewInvitation): Promise<Invited>;
  /** Takes an invitation back (`invitation:write`). @throws AuthError `not_found` */
  withdraw(invitationId: string): Promise<void>;
  /** Lets somebody sign in by password again whom failed sign-ins made wait (`user:write`); returns how many failures were forgotten. */
  unlock(named: string): Promise<number>;
  /** A page of the audit log, newest first (`audit:read`). */
  audit(search?: AuditSearch): Promise<AuditPage>;
  /** Counts of the last days, at most 30 s old (`statistics:read`). Default one day. */
  statistics(days?: StatisticsDays): Promise<Statistics>;
}

/** Administration: what applications, routes and the command line call. */
export interface Administration {
  /** For a program that an operator runs: may do everything. Never hand it a request's wishes unchecked. */
  readonly operator: AdministrationCalls;
  /** For the administrator whose request it is, within their rights. */
  as(visit: Visit): AdministrationCalls;
  /**
   * Starts a session in which the caller acts in somebody's place (`user:impersonate`, fresh), for an hour at most; see the flow
   * `impersonate`. Their own goes on without a cookie.
   *
   * @throws AuthError as the flow
   */
  impersonate(named: string, visit: Visit): Promise<SignIn>;
  /** Ends the impersonation that the request is made in; the caller's own session comes back, under a new id. @throws AuthError `forbidden`, `conflict` */
  stopImpersonating(visit: Visit): Promise<SignIn>;
  /** What an invitation's link is about; spends nothing. @throws AuthError `token_invalid` */
  openInvitation(token: string): Promise<Pick<Invitation, "email" | "name" | "locale">>;
  /** Registers somebody who was invited; see the flow `redeemInvitation`. */
  redeemInvitation(
    registration: InvitedRegistration & { readonly isRemembered?: boolean },
    visit: Visit,
  ): Promise<Registered>;
}

/** What a call of an administrator needs. */
interface Needs {
  readonly permission: AdministrationPermission;
  readonly isFresh?: boolean;
}

/** Checks what a call needs, and says who it is. */
type Enter = (needs: Needs) => Promise<Acting>;

/** Administration, bound to requests. */
export function bindAdministration(services: Services, visits: Visits): Administration {
  const count = statistics(services);
  return {
    operator: calls(services, count, async () => operator),
    as: (visit) => calls(services, count, (needs) => enter(visits, visit, needs)),
    async impersonate(named, visit) {
      const { principal, current, from } = await visits.inSession(visit);
      await enter(visits, visit, { permission: "user:impersonate", isFresh: true });
      const target = await found(services, named);
      return impersonate(services, target.id, { user: principal.user, current, from });
    },
    async stopImpersonating(visit) {
      const { current, from } = await visits.leaving(visit);
      if (current === null) throw new AuthError("not_authenticated");
      return stopImpersonating(services, current, from);
    },
    async openInvitation(token) {
      const { email, name, locale } = await openInvitation(services, token);
      return { email, name, locale };
    },
    async redeemInvitation({ isRemembered, ...registration }, visit) {
      const { client, from, current } = await visits.arriving(visit);
      const context = {
        client,
        from,
        replaces: current,
        ...(isRemembered !== undefined && { isRemembered }),
      };
      return redeemInvitation(services.passwords(), registration, context);
    },
  };
}

function calls(
  services: Services,
  count: (days?: StatisticsDays) => Promise<Statistics>,
  enter: Enter,
): AdministrationCalls {
  const { stores, call } = services;
  const reading: Needs = { permission: "user:read" };
  const writing: Needs = { permission: "user:write" };
  const writingFresh: Needs = { ...writing, isFresh: true };

  async function onAccount<T>(
    needs: Needs,
    named: string,
    work: (user: User, acting: Acting) => Promise<T>,
  ): Promise<T> {
    const acting = await enter(needs);
    return work(await found(services, named), acting);
  }

  return {
    async users(search) {
      await enter(reading);
      return searchAccounts(services, search);
    },
    user: (named) => onAccount(reading, named, async (user) => user),
    create: async (account) => createAccount(services.passwords(), account, await enter(writing)),
    change: (named, changes) =>
      onAccount(changes.email === undefined ? writing : writingFresh, named, ({ id }, acting) =>
        changeAccount(services, id, changes, acting),
      ),
    changeRights: (named, wanted) =>
      onAccount(writingFresh, named, ({ id }, acting) => changeRights(services, id, wanted, acting)),
    disable: (named) => onAccount(writing, named, ({ id }, acting) => disableAccount(services, id, acting)),
    restore: (named) => onAccount(writing, named, ({ id }, acting) => restoreAccount(services, id, acting)),
    delete: (named) =>
      onAccount(writingFresh, named, ({ id }, acting) => softDeleteAccount(services, id, acting)),
    anonymize: (named) =>
      onAccount(writingFresh, named, ({ id }, acting) => {
        assertSuperuser(acting);
        return anonymizeAccount(services, id, acting);
      }),
    sessions: (named) =>
      onAccount(reading, named, async ({ id }) => {
        const list = await stores.sessions.list(id, call());
        return list.map(({ secretDigest: _, refresh: __, ...info }) => info);
      }),
    endSessions: (named) =>
      onAccount({ permission: "session:write" }, named, (user, acting) =>
        endSessions(services, user, acting),
      ),
    endSession: (named, sessionId) =>
      onAccount({ permission: "session:write" }, named, (user, acting) =>
        endSession(services, { user, sessionId }, acting),
      ),
    apiKeys: (named) => onAccount(reading, named, (user) => apiKeysOf(services, user)),
    revokeApiKey: (named, keyId) =>
      onAccount(writing, named, (user, acting) => revokeKeyOf(services, { user, keyId }, acting)),
    tiers: tierCalls(services, enter),
    async invite(wanted) {
      const { roles = [], permissions = [], tier = null } = wanted;
      const isFresh = roles.length + permissions.length > 0 || tier !== null;
      const acting = await enter({ permission: "invitation:write", isFresh });
      return invite(services, wanted, acting);
    },
    async withdraw(invitationId) {
      await withdrawInvitation(services, invitationId, await enter({ permission: "invitation:write" }));
    },
    unlock: (named) => onAccount(writing, named, ({ id }, acting) => unlock(services, id, acting)),
    async audit(search) {
      await enter({ permission: "audit:read" });
      return searchAudit(services, search);
    },
    async statistics(days) {
      await enter({ permission: "statistics:read" });
      return count(days);
    },
  };
}

async function enter(visits: Visits, visit: Visit, { permission, isFresh = false }: Needs): Promise<Acting> {
  const context = await visits.holding(visit, permission as Permission);
  if (isFresh && !context.isFresh) throw new AuthError("fresh_auth_required");
  return administrator(context.principal, context.from);
}

async function found(services: Services, named: string): Promise<User> {
  const user = await findAccount(services, named);
  if (user === null) throw new AuthError("not_found");
  return user;
}

// Nobody can take it back, so it is for who may do everything. A proof that is restricted to scopes never is a superuser's.
function assertSuperuser({ administrator: user, scopes = null }: Acting): void {
  if (user === null || (user.isSuperuser && scopes === null)) return;
  throw new AuthError("forbidden", { message: "Only a superuser may do this." });
}
