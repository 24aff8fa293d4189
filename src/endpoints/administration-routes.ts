import type { Route } from "../ports/route.ts";
import { type AdministrationParts, accountRoutes } from "./administration.ts";
import { impersonationRoutes } from "./impersonation.ts";
import { invitationRoutes } from "./invitations.ts";
import { recordRoutes } from "./records.ts";
import { tierRoutes } from "./tiers.ts";

/** Every route of administration. @param origin - links begin with it */
export function administrationRoutes(parts: AdministrationParts, origin: string): readonly Route[] {
  return [
    ...accountRoutes(parts),
    ...impersonationRoutes(parts),
    ...invitationRoutes(parts, origin),
    ...recordRoutes(parts),
    ...tierRoutes(parts),
  ];
}
