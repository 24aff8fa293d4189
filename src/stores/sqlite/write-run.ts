import type { AuditRow } from "../../domain/audit.ts";
import type { Session } from "../../domain/session.ts";
import type { Refusal, Write } from "../../ports/store.ts";
import type { ApiKeyRow, LinkedAccountRow } from "../credential-rows.ts";
import type { MailRow } from "../people-rows.ts";
import type { SessionRow, UserRow } from "../rows.ts";
import type { SessionCache } from "../session-cache.ts";
import type { AuditStatements, PlacedRow } from "./audit.ts";
import type { Statement } from "./statement.ts";

/** Statements of the writes about users and their passwords. */
export interface UserStatements {
  readonly byId: Statement<UserRow>;
  readonly insert: Statement;
  readonly update: Statement;
  readonly otherByEmail: Statement;
  readonly anyone: Statement;
  readonly otherSuperuser: Statement;
  readonly insertPassword: Statement;
  readonly replacePassword: Statement;
  readonly deletePasswords: Statement;
}

/** Statements of the writes about API keys and linked accounts. */
export interface CredentialStatements {
  readonly key: Statement<ApiKeyRow>;
  readonly insertKey: Statement;
  readonly updateKey: Statement;
  readonly deleteKey: Statement;
  readonly deleteKeys: Statement;
  readonly useKey: Statement;
  readonly addUsage: Statement;
  readonly account: Statement<LinkedAccountRow>;
  readonly insertAccount: Statement;
  readonly updateAccount: Statement;
  readonly deleteAccount: Statement;
  readonly deleteAccounts: Statement;
  readonly anyWayToSignIn: Statement;
}

/** Statements of the writes about sessions. */
export interface SessionStatements {
  readonly insert: Statement;
  readonly evict: Statement<SessionRow>;
  readonly rotateAway: Statement<SessionRow>;
  readonly delete: Statement<SessionRow>;
  readonly deleteAll: Statement<SessionRow>;
  readonly deleteExpired: Statement<SessionRow>;
  readonly touch: Statement;
  readonly setData: Statement;
  readonly refresh: Statement;
}

/** Statements of the writes about sessions that live in another engine. */
export interface RevocationStatements {
  readonly insert: Statement;
  readonly delete: Statement;
}

/** Statements of the writes about tiers and mails. */
export interface PeopleStatements {
  readonly insertTier: Statement;
  readonly updateTier: Statement;
  readonly deleteTier: Statement;
  readonly tier: Statement;
  readonly anyoneIn: Statement;
  readonly insertMail: Statement;
  readonly deleteMail: Statement;
  readonly deleteMailTo: Statement;
  readonly dueMail: Statement<MailRow>;
  readonly leaseMail: Statement;
  readonly dropUsage: Statement;
}

/** Where the sealed log ends. */
export type EndRow = readonly [seq: number, chainHash: string];

/** Statements of the writes about the sealed audit log. */
export interface SealStatements {
  readonly unsealed: Statement<PlacedRow>;
  readonly lastRow: Statement<EndRow>;
  readonly lastCheckpoint: Statement<EndRow>;
  readonly seal: Statement;
  readonly sealedHere: Statement;
  readonly insertCheckpoint: Statement;
  readonly leastCursor: Statement<readonly [seq: number | null]>;
  readonly insertCursor: Statement;
  readonly moveCursor: Statement;
  readonly deleteCursor: Statement;
  readonly drop: Statement;
}

/** The statements that transactions are made of. */
export interface WriteStatements {
  readonly users: UserStatements;
  readonly credentials: CredentialStatements;
  readonly sessions: SessionStatements;
  readonly revocations: RevocationStatements;
  readonly audit: AuditStatements;
  readonly seals: SealStatements;
  readonly people: PeopleStatements;
}

/** One transaction under way. */
export interface WriteRun {
  readonly statements: WriteStatements;
  readonly cache: SessionCache | null;
  readonly now: Date;
  readonly ended: Session[];
  readonly reported: AuditRow[];
}

/** Runs one kind of write within a transaction; an answer other than null undoes all of it. */
export type Handler<K extends Write["kind"]> = (
  write: Extract<Write, { kind: K }>,
  run: WriteRun,
) => Refusal | null;

/** A handler for each kind of write: a new kind does not compile without one. */
export type Handlers = { readonly [K in Write["kind"]]: Handler<K> };
