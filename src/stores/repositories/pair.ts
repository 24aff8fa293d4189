import type { Awaitable } from "../../ports/store.ts";

/** A row of the application's table of users. What else is in it is its own business. */
export interface RepositoryUser {
  readonly id: string;
  readonly email: string;
  /** A hash in any format that the feature `passwords` lists; null or absent for one who has no password. */
  readonly passwordHash?: string | null;
}

/** The application's users. A method that throws says that the database failed; absence is null. */
export interface UserRepository {
  /** The user; null where there is none, or where the application lets them in no more. */
  getUserById(id: string): Awaitable<RepositoryUser | null>;
  /** The user with this address, which comes in lower case. Two users must not have addresses that differ in case alone. */
  getUserByEmail(email: string): Awaitable<RepositoryUser | null>;
  /** Adds a user under the id that is given, and answers the row. Throws where the address is taken: a unique index is what decides a race. */
  createUser(user: NewRepositoryUser): Awaitable<RepositoryUser>;
  /** Replaces the hash; done when it resolves. */
  updatePasswordHash(id: string, passwordHash: string): Awaitable<unknown>;
}

/** A user who is to be added. */
export interface NewRepositoryUser {
  readonly id: string;
  readonly email: string;
  readonly passwordHash: string | null;
}

/** The application's sessions. `sid` is the public id: the secret of a session is in no repository. */
export interface SessionRepository {
  /** Adds a session; done when it resolves. */
  insert(session: NewRepositorySession): Awaitable<unknown>;
  /** Ends a session; whether there was one. */
  revoke(sid: string): Awaitable<boolean>;
  /** Whose session it is; null for one that is unknown, revoked or past `expiresAt`. */
  getUserId(sid: string): Awaitable<string | null>;
}

/** A session that is to be added. */
export interface NewRepositorySession {
  readonly sid: string;
  readonly userId: string;
  /** The absolute limit; the idle limit is Latchkey's. */
  readonly expiresAt: Date;
  readonly remember: boolean;
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly rotatedFromSid: string | null;
}

/** The application's tables. */
export interface RepositoryPair {
  readonly users: UserRepository;
  readonly sessions: SessionRepository;
}
