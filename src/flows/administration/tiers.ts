import { uuidv7 } from "../../domain/random.ts";
import { isTierName, type Tier, type TierLimit } from "../../domain/tier.ts";
import { limitProblems } from "../../domain/tier-limits.ts";
import { AuthError, type FieldError } from "../../errors.ts";
import type { Services } from "../../ports/services.ts";
import type { Write } from "../../ports/store.ts";
import { type Acting, doing, stillActing } from "../acting.ts";
import { assertCommitted } from "../refusals.ts";
import { audit } from "./life-cycle.ts";

/** A tier that is to be made. */
export interface NewTier {
  /** Lower case, 1 to 32 of `a-z 0-9 _ -`; never changed afterwards. */
  readonly name: string;
  /** At most 50, one for each path. Default none: then being in it limits nobody. */
  readonly limits?: readonly TierLimit[];
}

/** Tries of a change that somebody else's came before. */
const mostTries = 5;

/** Every tier, by name. */
export async function listTiers({ stores, call }: Services): Promise<readonly Tier[]> {
  return stores.directory.tiers(call());
}

/** One tier, as the directory has it now. @throws AuthError `not_found` */
export async function readTier(services: Services, name: string): Promise<Tier> {
  const tier = (await listTiers(services)).find((each) => each.name === name);
  if (tier === undefined) throw new AuthError("not_found");
  return tier;
}

/** Makes a tier. @throws AuthError `invalid_input` with every failing field; `conflict` - there is one of this name */
export async function createTier(services: Services, wanted: NewTier, acting: Acting): Promise<Tier> {
  const { clock, random } = services;
  const { name, limits = [] } = wanted;
  assertUsable([...nameProblems(name), ...limitProblems(limits)]);
  const now = clock.now();
  const id = uuidv7(now, (length) => random.bytes(length));
  const tier: Tier = { id, name, limits: limits.map(plain), version: 1, createdAt: now, updatedAt: now };
  const result = await services.commit([
    ...stillActing(acting),
    { kind: "tier.insert", tier },
    row(services, "tier.created", name, acting),
  ]);
  services.tiers.changed();
  if (!result.ok && result.refused === "conflict")
    throw new AuthError("conflict", { message: `There is a tier ${name} already.` });
  assertCommitted(result);
  return tier;
}

/**
 * Puts other limits in the place of a tier's. Every process goes by them 5 s later at the latest; what was counted so far in a
 * window stays counted.
 *
 * @param version - of the tier that the change is meant for; undefined: whichever it is
 * @throws AuthError `invalid_input`, `not_found`; `conflict` - it is of another version
 */
export async function setTierLimits(
  services: Services,
  name: string,
  { limits, version }: { readonly limits: readonly TierLimit[]; readonly version?: number | undefined },
  acting: Acting,
): Promise<Tier> {
  assertUsable(limitProblems(limits));
  for (let tries = 1; ; tries++) {
    const tier = await readTier(services, name);
    if (version !== undefined && version !== tier.version) throw new AuthError("conflict");
    const result = await services.commit([
      ...stillActing(acting),
      { kind: "tier.update", name, version: tier.version, limits: limits.map(plain) },
      row(services, "tier.updated", name, acting),
    ]);
    services.tiers.changed();
    if (result.ok) return readTier(services, name);
    if (result.refused !== "conflict" || tries === mostTries) assertCommitted(result);
  }
}

/** Removes a tier that nobody is in. @throws AuthError `not_found`; `conflict` - there are users in it */
export async function deleteTier(services: Services, name: string, acting: Acting): Promise<void> {
  const result = await services.commit([
    ...stillActing(acting),
    { kind: "tier.delete", name },
    row(services, "tier.deleted", name, acting),
  ]);
  services.tiers.changed();
  if (!result.ok && result.refused === "conflict") throw new AuthError("not_found");
  assertCommitted(result);
}

function nameProblems(name: string): readonly FieldError[] {
  if (isTierName(name)) return [];
  return [{ field: "name", code: "invalid", message: "1 to 32 of a-z 0-9 _ -" }];
}

function assertUsable(fields: readonly FieldError[]): void {
  if (fields.length > 0) throw new AuthError("invalid_input", { fields });
}

// Nothing that was sent along is kept.
function plain({ path, limit, windowSeconds }: TierLimit): TierLimit {
  return { path, limit, windowSeconds };
}

function row(
  services: Services,
  type: "tier.created" | "tier.updated" | "tier.deleted",
  tier: string,
  acting: Acting,
): Write {
  return audit(services, acting, { type, userId: null, payload: { ...doing(acting), tier } });
}
