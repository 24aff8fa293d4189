import type { EndpointServices } from "../endpoints/services.ts";
import type { Route } from "../ports/route.ts";
import type { PasswordServices, Services } from "../ports/services.ts";
import type { Strategy } from "../ports/strategy.ts";

/** A part of Latchkey that a set-up may have or not: what is not listed is not loaded. A plain value. */
export interface Feature<T> {
  /** Unique among the listed features. */
  readonly name: string;
  /** Called once by `createAuth`. @throws TypeError for settings that cannot be used */
  install(services: Services): Installed<T>;
}

/** A feature in place. */
export interface Installed<T> {
  /** What `auth.use(feature)` gives. */
  readonly api: T;
  readonly strategies?: readonly Strategy[];
  /** Its rows of the table of routes; loaded at the first request to one of Latchkey's own routes. */
  readonly routes?: (services: EndpointServices) => Promise<readonly Route[]>;
  /** What the flows about passwords work with, from the feature that has it. */
  readonly passwords?: PasswordServices;
  /** Gets ready, so that the first request does not wait. */
  warmUp?(): Promise<void>;
  /** Ends what `install` opened. */
  close?(): Promise<void>;
}
