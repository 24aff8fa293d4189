import type { EventOrigin } from "../domain/event.ts";
import type { EndpointServices } from "../endpoints/services.ts";
import type { SignIn } from "../flows/sign-in/start-session.ts";
import type { IssuedTokens } from "../flows/tokens/mint-access-token.ts";
import type { LimitFor } from "../ports/guard.ts";
import type { Route } from "../ports/route.ts";
import type { Mails, PasswordServices, Services } from "../ports/services.ts";
import type { Strategy } from "../ports/strategy.ts";
import type { Visits } from "../ports/visit.ts";

/** A part of Latchkey that a set-up may have or not: what is not listed is not loaded. A plain value. */
export interface Feature<T> {
  /** Unique among the listed features. */
  readonly name: string;
  /** Whether it sends mail to where people read it, or shows it to the developer alone; absent: it sends none. */
  readonly sendsMail?: "for-real" | "for-show";
  /**
   * Called once by `createAuth`.
   *
   * @param visits - for what `api` does on behalf of requests
   * @throws TypeError for settings that cannot be used
   */
  install(services: Services, visits: Visits): Installed<T>;
}

/** A feature in place. */
export interface Installed<T> {
  /** What `auth.use(feature)` gives. */
  readonly api: T;
  readonly strategies?: readonly Strategy[];
  /** For requests that open a connection, asked before all others. */
  readonly connecting?: readonly Strategy[];
  /** Its rows of the table of routes; loaded at the first request to one of Latchkey's own routes. */
  readonly routes?: (services: EndpointServices) => Promise<readonly Route[]>;
  /** The limit that a request of somebody is counted against, by its path; null where it is not. Asked after the proof, before the guards. */
  readonly limitFor?: LimitFor;
  /** What the flows about passwords work with, from the feature that has it. */
  readonly passwords?: PasswordServices;
  /** What puts mails into the outbox, from the feature that sends them. */
  readonly mails?: Mails;
  /** Tokens of a session that has just gone on under a new id, for who carries it by tokens. */
  readonly tokensFor?: (
    rotated: Pick<SignIn, "session" | "user">,
    from: EventOrigin,
  ) => Promise<IssuedTokens>;
  /** Gets ready, so that the first request does not wait. */
  warmUp?(): Promise<void>;
  /** What the regular sweep does besides sessions: deletes what is kept long enough. */
  sweep?(): Promise<unknown>;
  /** Ends what `install` opened. */
  close?(): Promise<void>;
}
