import type { AuditRow } from "../../domain/audit.ts";
import type { Session } from "../../domain/session.ts";
import type { ApiKeyUses } from "../../ports/directory-store.ts";
import type { Refusal } from "../../ports/store.ts";
import type { ApiKeyRow, LinkedAccountRow } from "../credential-rows.ts";
import type { CheckpointRow, MailRow, TierRow } from "../people-rows.ts";
import type { FamilyRow } from "../refresh.ts";
import type { AuditEventRow, PasswordRow, SessionRow, UserRow } from "../rows.ts";
import type { LogEnd, Seal } from "../sealing.ts";

/** What a column takes and gives; a truth is 1 or 0, an instant its milliseconds. */
export type SqlValue = string | number | null | Uint8Array;

/**
 * The steps that transactions on a server are made of, each one statement or two in the words of its engine. They run within
 * one transaction on one connection; what they read they have locked until it ends.
 */
export type SqlSteps = UserSteps &
  CredentialSteps &
  SessionSteps &
  AuditSteps &
  SealSteps &
  TierSteps &
  MailSteps;

/** The steps about users and their passwords. */
export interface UserSteps {
  /** Keeps other transactions that ask for the same from going on before this one ended. */
  lockDirectory(what: "audit" | "empty" | "superusers"): Promise<void>;
  /** The users who are there, locked in the order of their ids. `ids` are sorted and different from each other. */
  lockUsers(ids: readonly string[]): Promise<readonly UserRow[]>;
  insertUser(row: UserRow): Promise<Refusal | null>;
  updateUser(row: UserRow): Promise<Refusal | null>;
  hasAnyUser(): Promise<boolean>;
  /** Whether somebody else is an active superuser; that they are holds until the transaction ends. */
  hasOtherSuperuser(userId: string): Promise<boolean>;
  /** False where the user has one. */
  insertPassword(row: PasswordRow): Promise<boolean>;
  /** False where the row is not of the version before. */
  replacePassword(row: PasswordRow): Promise<boolean>;
  deletePasswords(userId: string): Promise<void>;
}

/** The steps about API keys and linked accounts, whose user is locked. */
export interface CredentialSteps {
  /** False where there is a key of this id. */
  insertApiKey(row: ApiKeyRow): Promise<boolean>;
  lockApiKey(id: string): Promise<ApiKeyRow | null>;
  updateApiKey(row: ApiKeyRow): Promise<void>;
  /** With what it was used for. False where the user has no such key. */
  deleteApiKey(id: string, userId: string): Promise<boolean>;
  /** Adds uses of the keys that are there. `uses` name each key once, and under it each hour, class and path; sorted. */
  addApiKeyUses(uses: readonly ApiKeyUses[]): Promise<void>;
  /** False where the account at the provider is linked already. */
  insertLinkedAccount(row: LinkedAccountRow): Promise<boolean>;
  lockLinkedAccount(id: string): Promise<LinkedAccountRow | null>;
  updateLinkedAccount(row: LinkedAccountRow): Promise<void>;
  /** False where the user has no such account. */
  deleteLinkedAccount(id: string, userId: string): Promise<boolean>;
  /** Whether the user has a password or a linked account. */
  hasWayToSignIn(userId: string): Promise<boolean>;
  /** Deletes a user's API keys, what they were used for, and their linked accounts. */
  deleteCredentials(userId: string): Promise<void>;
  /** Deletes uses of hours before an instant, at most `limit`; answers how many. */
  dropApiKeyUsage(beforeMs: number, limit: number): Promise<number>;
}

/** The steps about sessions, here and in another engine. */
export interface SessionSteps {
  /** Adds a session and answers those that it deleted to stay within the cap (0: none), least recently used first. */
  addSession(
    row: SessionRow,
    limit: { readonly cap: number; readonly nowMs: number },
  ): Promise<readonly SessionRow[]>;
  /** Deletes an unexpired session that is a visitor's or of this user; null where there is none. */
  takeSession(id: string, userId: string | null, nowMs: number): Promise<SessionRow | null>;
  /** Deletes a session, only if it is theirs where a user is given. */
  deleteSession(id: string, userId: string | null): Promise<readonly SessionRow[]>;
  deleteSessions(userId: string, except: string | null): Promise<readonly SessionRow[]>;
  /** Leaves out what others are deleting at the moment. */
  deleteExpired(nowMs: number, limit: number): Promise<readonly SessionRow[]>;
  /** False where there is no such session of this data version. */
  setData(change: SessionDataChange): Promise<boolean>;
  /** False where there is no unexpired session of this id whose refresh token has this number. */
  refresh(change: SessionRefresh): Promise<boolean>;
  /** Puts ends on record; answers the ids that were not there. */
  insertRevocations(sessions: readonly Session[], nowMs: number): Promise<readonly string[]>;
  deleteRevocations(sessionIds: readonly string[]): Promise<void>;
}

/** The steps about the audit log. */
export interface AuditSteps {
  /** Adds rows in their order, personal fields beside them. */
  insertAudit(rows: readonly AuditRow[]): Promise<void>;
  deletePersonal(userId: string): Promise<void>;
}

/** The steps that seal the audit log, and drop what was sealed; only one transaction at a time takes them. */
export interface SealSteps {
  /** The rows that have no place in the sealed log, in the order of writing, at most `limit`. */
  unsealedAudit(limit: number): Promise<readonly AuditEventRow[]>;
  /** The last sealed row and the newest checkpoint, each where there is one. */
  sealedEnds(): Promise<{ readonly row: LogEnd | null; readonly checkpoint: LogEnd | null }>;
  sealAudit(seals: readonly Seal[]): Promise<void>;
  /** Up to where rows may be dropped, which holds until the transaction ends; null where there is no checkpoint. */
  droppableThrough(): Promise<number | null>;
  /** Deletes the first sealed rows up to a place, at most `limit`; answers how many. */
  dropSealed(throughSeq: number, limit: number): Promise<number>;
  /** Whether the row at this place has this digest, and no checkpoint lies there or further on. */
  mayCheckpoint(seq: number, chainHash: string): Promise<boolean>;
  insertCheckpoint(row: CheckpointRow): Promise<void>;
  /** False where there is a cursor of this name. */
  insertCursor(name: string, seq: number): Promise<boolean>;
  /** False where the cursor does not stand at `from`. */
  moveCursor(name: string, from: number, to: number): Promise<boolean>;
  deleteCursor(name: string): Promise<void>;
}

/** The steps about plans. */
export interface TierSteps {
  /** False where there is one of this name or id. */
  insertTier(row: TierRow): Promise<boolean>;
  /** False where there is none of this name and version. */
  updateTier(change: TierChange): Promise<boolean>;
  /** Waits for those who hold it. False where there is none. */
  deleteTier(name: string): Promise<boolean>;
  /** Whether there is one, which then stays until the transaction ends. */
  holdTier(name: string): Promise<boolean>;
  hasUsersIn(name: string): Promise<boolean>;
}

/** New limits of a plan. */
export interface TierChange {
  readonly name: string;
  readonly version: number;
  /** JSON of the limits. */
  readonly limits: string;
  readonly nowMs: number;
}

/** The steps about mail that is to be sent. */
export interface MailSteps {
  insertMail(row: MailRow): Promise<void>;
  deleteMail(id: string): Promise<void>;
  deleteMailTo(userId: string): Promise<void>;
  /** Mails whose time has come, as they are once they are claimed, oldest first; leaves out what others are claiming. */
  claimMail(claim: MailClaim): Promise<readonly MailRow[]>;
}

/** What is claimed, and until when. */
export interface MailClaim {
  readonly nowMs: number;
  readonly limit: number;
  readonly leasedUntilMs: number;
}

/** A data bag that takes the place of another. */
export interface SessionDataChange {
  readonly sessionId: string;
  readonly dataVersion: number;
  /** JSON of the bag. */
  readonly data: string;
  readonly nowMs: number;
}

/** The next refresh token of a session. */
export interface SessionRefresh {
  readonly sessionId: string;
  /** Number of the token before; null where there is none. */
  readonly from: number | null;
  readonly family: FamilyRow;
  readonly nowMs: number;
}
