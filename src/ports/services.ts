import type { Config } from "../config.ts";
import type { AuditRow } from "../domain/audit.ts";
import type { AuthEvent, EventOrigin, EventPayloads, EventType, RefusalType } from "../domain/event.ts";
import type { OutboxMail } from "../domain/outbox.ts";
import type { Rights } from "../domain/rights.ts";
import type { Tier } from "../domain/tier.ts";
import type { Clock, Random, Timers } from "./clock.ts";
import type { PasswordHashing, PasswordPolicy } from "./hasher.ts";
import type { Policy } from "./policy.ts";
import type { SealedSessions, SessionTokenFormat } from "./session-token.ts";
import type { Awaitable, Committed, StoreCall, Write } from "./store.ts";
import type { Stores } from "./stores.ts";
import type { Telemetry } from "./telemetry.ts";

/** Keys derived from the configured secrets, one for each use. @see RFC 5869 */
export interface Keys {
  /** HMAC-SHA-256 under the first secret, 32 bytes. */
  sign(label: KeyLabel, text: string): Uint8Array;
  /** Whether `mac` is the HMAC of `text` under any configured secret; constant time for each. */
  verify(label: KeyLabel, text: string, mac: Uint8Array): boolean;
  /** The keys themselves, 32 bytes each, for what signs or seals by other means: the first signs, all verify. */
  derived(label: KeyLabel): readonly [Uint8Array, ...Uint8Array[]];
}

/** What derived keys are for; a label is never reused for another purpose. */
export type KeyLabel =
  | "csrf"
  | "form-token"
  | "identifier"
  | "access-token"
  | "refresh-successor"
  | "refresh-tag"
  | "oauth-attempt"
  | "provider-tokens"
  | "sealed-session"
  | "session-at-rest"
  | "mail-code"
  | "audit-checkpoint"
  | "import-id";

/** One event before it has an id and a time. */
export interface Draft<T extends EventType> {
  readonly type: T;
  readonly userId: string | null;
  readonly sessionId: string | null;
  readonly payload: EventPayloads[T];
}

/** A refusal before it is known how many before it went unwritten. */
export interface RefusalDraft<T extends RefusalType> extends Omit<Draft<T>, "payload"> {
  readonly payload: Omit<EventPayloads[T], "suppressed">;
}

/** Events: rows for the transaction they belong to, and listeners after it. */
export interface Events {
  /** The audit row of an event that is happening now. */
  row<T extends EventType>(draft: Draft<T>, origin: EventOrigin): AuditRow;
  /** Tells the listeners; one that throws is logged and hinders nobody. */
  emit(event: AuthEvent): void;
  /** Calls `hear` at each event that is emitted, as listeners are. @returns ends that */
  listen(hear: (event: AuthEvent) => unknown): () => void;
  /**
   * For refusals that change nothing: tells the listeners and writes the row in the background, at most 20 a minute for one
   * type and client (IPv6: /64). The next row after that says how many went unwritten.
   */
  report<T extends RefusalType>(draft: RefusalDraft<T>, origin: EventOrigin): void;
}

/** Where the operator reads. Fields are allow-listed by the caller: no secret, password, token or cookie ever. */
export interface Log {
  error(
    message: string,
    fields?: Readonly<Record<string, string | number | boolean | null>>,
    cause?: unknown,
  ): void;
  warn(message: string, fields?: Readonly<Record<string, string | number | boolean | null>>): void;
}

/** Work that an answer does not wait for; `close` does. */
export interface Background {
  /** Runs `task` soon; a failure is logged under `name`. */
  run(name: string, task: () => Promise<unknown>): void;
  /** Notes a use of a session; written in batches. */
  touch(sessionId: string, usedAt: Date, idleExpiresAt: Date): void;
  /** Waits for what is under way. */
  drain(): Promise<void>;
}

/** What is known of sessions that lie encrypted, without opening them. */
export interface SessionsAtRest {
  /** When each live session of a user ends at the latest that lies under a former secret. */
  underFormerKeys(userId: string, call: StoreCall): Promise<readonly Date[]>;
}

/** Mails, from the feature that has them. */
export interface Mails {
  /** The write that puts a mail into the outbox, for the transaction that it belongs to. */
  row(draft: Pick<OutboxMail, "purpose" | "userId" | "locale"> & { readonly detail?: string }): Write;
  /** Tells the sender that there may be something to send; `Services.commit` does so by itself. */
  wake(): void;
}

/** The tiers, from a copy that is at most 5 s old. */
export interface TierBook {
  /** The tier of this name; null where there is none. Answers at once from the copy; fails as the directory does. */
  named(name: string): Awaitable<Tier | null>;
  /** They were changed here: the next look reads them. */
  changed(): void;
}

/** What flows work with. */
export interface Services {
  readonly config: Config;
  readonly stores: Stores;
  readonly clock: Clock;
  /** What is done later, by that clock. */
  readonly timers: Timers;
  readonly random: Random;
  readonly keys: Keys;
  readonly events: Events;
  readonly background: Background;
  readonly log: Log;
  /** Decides questions about permissions, roles, plans and ownership. */
  readonly rights: Rights;
  readonly tiers: TierBook;
  readonly policies: readonly Policy[];
  /** How session tokens are written. */
  readonly sessionTokens: SessionTokenFormat;
  /** What seals whole sessions into their cookie; null where a store keeps them. */
  readonly sealedSessions: SealedSessions | null;
  /** Null where nobody measures. */
  readonly telemetry: Telemetry | null;
  /** Null where sessions do not lie encrypted. */
  readonly sessionsAtRest: SessionsAtRest | null;
  /** Null where no feature sends mail. */
  readonly mails: () => Mails | null;
  /** What flows about passwords work with. @throws TypeError where no feature has it */
  readonly passwords: () => PasswordServices;
  /** The clock's now and a signal, for one call to a store. */
  call(): StoreCall;
  /** Runs a transaction and tells the listeners of the events that it wrote. */
  commit(writes: readonly Write[]): Promise<Committed>;
  /** Tells the listeners of rows that a store wrote outside of `commit`. */
  published(rows: readonly AuditRow[]): void;
}

/** What flows about passwords work with. */
export interface PasswordServices extends Services {
  readonly hashing: PasswordHashing;
  readonly policy: PasswordPolicy;
}
