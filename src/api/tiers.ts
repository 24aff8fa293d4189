import type { AdministrationPermission } from "../domain/administration.ts";
import type { Tier, TierLimit } from "../domain/tier.ts";
import type { Acting } from "../flows/acting.ts";
import {
  createTier,
  deleteTier,
  listTiers,
  type NewTier,
  readTier,
  setTierLimits,
} from "../flows/administration/tiers.ts";
import type { Services } from "../ports/services.ts";

/** Plans and their limits; reading needs `user:read`, changing `tier:write`. */
export interface TierCalls {
  /** Every tier, by name. */
  list(): Promise<readonly Tier[]>;
  /** @throws AuthError `not_found` */
  get(name: string): Promise<Tier>;
  /** @throws AuthError `invalid_input`, `conflict` - there is one of this name */
  create(tier: NewTier): Promise<Tier>;
  /**
   * Replaces the limits; every process goes by them 5 s later at the latest.
   *
   * @param version - of the tier that the change is meant for. Default: whichever it is
   * @throws AuthError `invalid_input`, `not_found`, `conflict`
   */
  setLimits(name: string, limits: readonly TierLimit[], version?: number): Promise<Tier>;
  /** @throws AuthError `not_found`; `conflict` - there are users in it */
  delete(name: string): Promise<void>;
}

/** The flows, for who `enter` lets on. */
export function tierCalls(
  services: Services,
  enter: (needs: { readonly permission: AdministrationPermission }) => Promise<Acting>,
): TierCalls {
  const reading = { permission: "user:read" } as const;
  const writing = { permission: "tier:write" } as const;
  return {
    async list() {
      await enter(reading);
      return listTiers(services);
    },
    async get(name) {
      await enter(reading);
      return readTier(services, name);
    },
    create: async (tier) => createTier(services, tier, await enter(writing)),
    setLimits: async (name, limits, version) =>
      setTierLimits(services, name, { limits, version }, await enter(writing)),
    delete: async (name) => deleteTier(services, name, await enter(writing)),
  };
}
