import type { LimitFor } from "../ports/guard.ts";
import type { Mails, PasswordServices, Services } from "../ports/services.ts";
import type { Visits } from "../ports/visit.ts";
import type { Feature, Installed } from "./feature.ts";

/** The listed features, each with what its `install` gave, in the order of the list. */
export type Features = ReadonlyMap<Feature<unknown>, Installed<unknown>>;

/** Installs the listed features. @throws TypeError where one is listed twice, or has settings that cannot be used */
export function installFeatures(
  wanted: readonly Feature<unknown>[],
  services: Services,
  visits: Visits,
): Features {
  const installed = new Map<Feature<unknown>, Installed<unknown>>();
  for (const feature of wanted) {
    if ([...installed.keys()].some(({ name }) => name === feature.name)) {
      throw new TypeError(`features: ${feature.name} is listed twice`);
    }
    installed.set(feature, feature.install(services, visits));
  }
  return installed;
}

/** What a listed feature offers. @throws TypeError where it was not listed */
export function useFeature<T>(features: Features, feature: Feature<T>): T {
  const installed = features.get(feature);
  if (installed === undefined)
    throw new TypeError(`auth.use: ${feature.name} is not in the list of features`);
  return installed.api as T;
}

/** What the flows about passwords work with. @throws TypeError where no listed feature has it */
export function passwordServices(features: Features): PasswordServices {
  for (const { passwords } of features.values()) if (passwords !== undefined) return passwords;
  throw new TypeError("this needs passwords: createAuth({ features: [passwords()] })");
}

/** What limits requests by who makes them; null where no listed feature does. */
export function limitForOf(features: Features): LimitFor | null {
  for (const { limitFor } of features.values()) if (limitFor !== undefined) return limitFor;
  return null;
}

/** What puts mails into the outbox; null where no listed feature sends any. */
export function mailsOf(features: Features): Mails | null {
  for (const { mails } of features.values()) if (mails !== undefined) return mails;
  return null;
}
