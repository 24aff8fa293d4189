import type { Session, SessionToken } from "../domain/session.ts";
import type { Random } from "./clock.ts";

/**
 * How a session token is written. The cookie, the digest of the secret and its comparison in constant time stay Latchkey's, so
 * a format decides about spelling alone.
 *
 * `createAuth` tries a format on tokens of its own and refuses one that does not give them back.
 */
export interface SessionTokenFormat {
  /** Writes a token: 1 to 2,048 of `A-Z a-z 0-9 . _ ~ -`, and no two tokens alike. */
  format(token: SessionToken): string;
  /** Reads what {@link format} wrote; null for anything else, whatever a cookie may hold. Writes nothing, asks nobody. */
  parse(text: string): SessionToken | null;
}

/** Whole sessions as encrypted text, for those that no store keeps. */
export interface SealedSessions {
  /** A session of a user as its cookie carries it. Its data and refresh tokens are left out. */
  seal(session: Session): string;
  /** The session; null for anything that was not sealed for this cookie under one of the configured secrets. */
  open(text: string): SealedSession | null;
}

/** What comes out of a sealed cookie: somebody's session. */
export type SealedSession = Session & { readonly userId: string };

/** What seals sessions into a cookie. */
export interface SealingOptions {
  /** The first seals, all open. */
  readonly keys: readonly [Uint8Array, ...Uint8Array[]];
  /** Full name of the cookie: what was sealed for one opens in no other. */
  readonly cookieName: string;
  /** Whether address and browser come along, for those who compare them. */
  readonly isBound: boolean;
  readonly random: Random;
}
