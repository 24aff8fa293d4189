/**
 * What an answer has to tell the browser about its cookies, and any client about its limits. A plain value that flows and checks return; `seal` is the only
 * one who turns it into headers.
 */
export interface SessionChange {
  /** A new session to carry, or `clear` to end the cookie of an old one. Absent: the cookie stays as it is. */
  readonly session?: StartedSession | "clear";
  /** Nonce that binds forms shown before there is a session. */
  readonly form?: string;
  /** A mailed token on its way from the link to the form, or `clear` once it was used. */
  readonly mailed?: string | "clear";
  /** A sign-in with a provider that is under way, sealed, or `clear` once it has come to its end. */
  readonly oauth?: string | "clear";
  /** Marks a browser that its user has signed in in; it gives no rights. */
  readonly device?: string;
  /** The language that was chosen in a browser: a BCP 47 tag. It gives no rights. */
  readonly language?: string;
  /** The limits that the request was counted against. */
  readonly limits?: readonly LimitState[];
}

/** A limit and what is left of it, for one user or address. */
export interface LimitState {
  /** Of `A-Z a-z 0-9 . _ -`. */
  readonly name: string;
  readonly limit: number;
  readonly windowSeconds: number;
  readonly remaining: number;
  /** Whole seconds until the window ends. */
  readonly resetSeconds: number;
}

/** A session as its browser is to carry it. The token is answered here once, and never stored. */
export interface StartedSession {
  /** `id.secret`. */
  readonly token: string;
  /** Lifetime of the cookie; null for a cookie that ends with the browser. */
  readonly maxAgeSeconds: number | null;
  /** CSRF token of the new session, masked. */
  readonly csrfToken: string;
}
