import { type Administration, bindAdministration } from "../api/administration.ts";
import type { AdministrationPermission } from "../domain/administration.ts";
import type { Permission } from "../domain/user.ts";
import { permission } from "../guards/rights.ts";
import type { Feature } from "./feature.ts";

export type { Administration, AdministrationCalls } from "../api/administration.ts";
export type { TierCalls } from "../api/tiers.ts";
export { type AdministrationPermission, administrationPermissions } from "../domain/administration.ts";
export { wireKey as apiKeyJson, wireTier as tierJson } from "../endpoints/wire-owned.ts";
export type {
  AccountChanges,
  AccountSearch,
  NewAccount,
} from "../flows/administration/administer-accounts.ts";
export type { RightsChange } from "../flows/administration/change-rights.ts";
export type {
  Invitation,
  Invited,
  InvitedRegistration,
  NewInvitation,
} from "../flows/administration/invitations.ts";
export type { Statistics, StatisticsDays } from "../flows/administration/statistics.ts";
export type { NewTier } from "../flows/administration/tiers.ts";
export type { AuditPage, AuditSearch } from "../flows/audit/search-audit.ts";
export type { UserPage, UserQuery } from "../ports/directory-store.ts";

/**
 * Administration: accounts of others, invitations, impersonation, the audit log and statistics, for who holds the permissions in
 * {@link administrationPermissions} (a superuser holds all) and for the programs of an operator.
 */
export function administration(): Feature<Administration> {
  return {
    name: "administration",
    install(services, visits) {
      const api = bindAdministration(services, visits);
      return {
        api,
        async routes({ guards, showUser }) {
          const { administrationRoutes } = await import("../endpoints/administration-routes.ts");
          const requires = (name: AdministrationPermission) => permission(name as Permission);
          return administrationRoutes(
            { administration: api, guards, showUser, requires },
            services.config.origin,
          );
        },
      };
    },
  };
}
