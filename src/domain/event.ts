import type { AuthenticationMethod } from "./session.ts";

/** Nothing beyond what every event carries. */
type Nothing = Readonly<Record<never, never>>;

/**
 * How a change reached an account: by its owner, by an administrator, by an operator at the command line, or by whoever took back an
 * address by mail that nobody had confirmed in this account.
 */
export type Actor = "self" | "administrator" | "operator" | "mailbox";

/** Who changed an account, as payloads say it. */
export interface Doing {
  readonly by: Actor;
  /** Whose account it was done with, where an administrator did it. */
  readonly administratorId?: string;
}

/**
 * Every event and what it says beyond {@link EventBase}. Names are `noun.past_participle`. Payloads hold no secret and no
 * personal field: those lie in the base, where anonymising can remove them.
 */
export interface EventPayloads {
  "user.registered": {
    readonly by: Actor;
    readonly administratorId?: string;
    readonly isSuperuser: boolean;
  };
  "user.logged_in": { readonly amr: readonly AuthenticationMethod[]; readonly isRemembered: boolean };
  /** `identifierHmac`: keyed digest of what was typed, since people type passwords there; where a link was opened, of its address. */
  "user.login_failed": {
    readonly identifierHmac: string;
    readonly reason: "credentials" | "status" | "policy";
  };
  "user.logged_out": Nothing;
  /** `by`: absent where it was the person themselves. `administratorId`, here and below: whose account it was done with, where an administrator did it. */
  "user.updated": {
    readonly fields: readonly string[];
    readonly by?: Actor;
    readonly administratorId?: string;
  };
  "user.disabled": { readonly by: Actor; readonly administratorId?: string };
  "user.restored": { readonly by: Actor; readonly administratorId?: string };
  "user.deleted": {
    readonly by: Actor;
    readonly administratorId?: string;
    readonly anonymizedAfter: string;
  };
  "user.anonymized": { readonly by: Actor; readonly administratorId?: string };
  "user.exported": Nothing;
  /** `userId`: the administrator who invited. */
  "user.invited": { readonly invitationId: string };
  /** `userId`: the administrator who had invited; null where it was an operator. */
  "user.invitation_withdrawn": {
    readonly by: Actor;
    readonly administratorId?: string;
    readonly invitationId: string;
  };
  /** `sessionId`: the session in which it happens, by which everything that is done meanwhile can be found. */
  "user.impersonated": { readonly impersonatorId: string };
  "user.impersonation_stopped": { readonly impersonatorId: string };
  /**
   * Failed sign-ins in a row from browsers that are not known: at 10 they begin to wait, at 100 the password alone does not do there any
   * more. `userId`: null where nobody has what was typed.
   */
  "user.locked": { readonly failures: number; readonly retryAfterSeconds: number };
  "user.unlocked": { readonly by: Actor; readonly administratorId?: string };
  "user.reauthenticated": { readonly amr: readonly AuthenticationMethod[] };
  "password.changed": { readonly by: Actor };
  "password.reset_requested": { readonly by: Actor; readonly administratorId?: string };
  "password.reset": Nothing;
  "password.rehashed": { readonly from: string; readonly to: string };
  "email.change_requested": Nothing;
  "email.changed": { readonly by: Actor; readonly administratorId?: string };
  "email.verified": Nothing;
  "session.started": { readonly isVisitor: boolean };
  "session.rotated": { readonly rotatedFrom: string };
  "session.revoked": { readonly by: Actor; readonly administratorId?: string };
  "session.evicted": { readonly cap: number };
  "session.expired": Nothing;
  /** The cookie came from elsewhere than the session is bound to. */
  "session.refused": { readonly reason: "ip" | "user_agent"; readonly suppressed: number };
  "sessions.revoked_all": { readonly by: Actor; readonly administratorId?: string; readonly count: number };
  /** `tokenId`, here and below: the `jti` of an access token, or `refresh.<number>` for a refresh token. */
  "token.issued": { readonly tokenId: string };
  "token.refreshed": { readonly tokenId: string };
  "token.reused": { readonly tokenId: string };
  "token.revoked": { readonly tokenId: string };
  "api_key.created": { readonly keyId: string };
  "api_key.updated": { readonly keyId: string; readonly fields: readonly string[] };
  "api_key.rotated": { readonly keyId: string; readonly rotatedFrom: string };
  /** `by`: absent where it was the owner. */
  "api_key.revoked": { readonly keyId: string; readonly by?: Actor; readonly administratorId?: string };
  /** `keyId`: null where nobody has such a key. `suppressed`, here and below: refusals of this type and client since the last audit row that were given none. */
  "api_key.refused": {
    readonly keyId: string | null;
    readonly reason: "malformed" | "environment" | "unknown" | "secret" | "expired" | "owner" | "address";
    readonly suppressed: number;
  };
  "oauth.linked": { readonly provider: string };
  "oauth.unlinked": { readonly provider: string };
  "oauth.refused": {
    readonly provider: string;
    readonly reason: string;
    readonly suppressed: number;
  };
  /** `added` and `removed`: roles; beside them permissions that the user holds without a role, and the superuser flag where it changed. */
  "role.changed": {
    readonly by: Actor;
    readonly administratorId?: string;
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly permissionsAdded: readonly string[];
    readonly permissionsRemoved: readonly string[];
    readonly superuser: "given" | "taken" | null;
  };
  /** Which tier a user is in. */
  "tier.changed": {
    readonly by: Actor;
    readonly administratorId?: string;
    readonly from: string | null;
    readonly to: string | null;
  };
  /** Of the tiers themselves; `userId` is null. */
  "tier.created": { readonly by: Actor; readonly administratorId?: string; readonly tier: string };
  "tier.updated": { readonly by: Actor; readonly administratorId?: string; readonly tier: string };
  "tier.deleted": { readonly by: Actor; readonly administratorId?: string; readonly tier: string };
  "permission.denied": {
    readonly method: string;
    readonly path: string;
    readonly because: string;
    readonly suppressed: number;
  };
  "csrf.refused": {
    readonly method: string;
    readonly path: string;
    readonly stage: "origin" | "token";
    readonly suppressed: number;
  };
  "rate_limit.hit": {
    readonly limit: string;
    readonly retryAfterSeconds: number;
    readonly suppressed: number;
  };
  "magic_link.requested": Nothing;
  "email_code.requested": Nothing;
  "ticket.issued": Nothing;
  "signing_key.rotated": { readonly keyId: string };
  "secret.rotated": { readonly labels: readonly string[] };
  "settings.refused": { readonly settings: readonly string[] };
  /** `chainHash`: digest of the row at `toSeq`. Kept elsewhere, it shows later whether the log up to there is the one of now. */
  "audit.sealed": { readonly fromSeq: number; readonly toSeq: number; readonly chainHash: string };
  /** `present`: accounts that an earlier run had brought already. Each imported one has its own `user.registered` besides. */
  "import.finished": {
    readonly source: string;
    readonly imported: number;
    readonly present: number;
    readonly refused: number;
  };
  /** `exported`: accounts, or rows of the audit log. */
  "export.finished": { readonly what: "accounts" | "audit"; readonly exported: number };
}

/** The name of an event. */
export type EventType = keyof EventPayloads;

/** Refusals that change nothing: whoever is refused can cause any number of them, so not each gets an audit row. */
export type RefusalType = {
  [T in EventType]: EventPayloads[T] extends { readonly suppressed: number } ? T : never;
}[EventType];

/** What every event says. */
export interface EventBase {
  /** UUIDv7; the id of its audit row. */
  readonly id: string;
  readonly createdAt: Date;
  /** The account concerned, or null where none is (an unknown identifier, a visitor). */
  readonly userId: string | null;
  /** Public id of the session concerned, or null. */
  readonly sessionId: string | null;
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly requestId: string | null;
}

/** Something worth an audit line; narrow it by `type`. */
export type AuthEvent = {
  [T in EventType]: EventBase & { readonly type: T; readonly payload: EventPayloads[T] };
}[EventType];

/** The event of one type. */
export type EventOf<T extends EventType> = Extract<AuthEvent, { type: T }>;

/** Who and where an event happened, as flows know it. */
export type EventOrigin = Pick<EventBase, "ip" | "userAgent" | "requestId">;

/** Nobody's request: what an operator or the program itself does. */
export const noOrigin: EventOrigin = { ip: null, userAgent: null, requestId: null };
