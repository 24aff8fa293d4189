import { type Auth, type AuthOptions, createAuth, passwords } from "latchkey";

/** The parts of the service, and how long its sessions last. */
export interface Composition extends Pick<AuthOptions, "origin" | "stores" | "clock" | "sessionTokens"> {
  /** At least 32 bytes: `npx latchkey secret` prints one. */
  readonly sessionSecret: string;
  /** From sign-in to the end of the session, however much it is used. Default 30. */
  readonly sessionTimeoutMinutes?: number;
  /** False: the cookie holds the session, and no store does. Default true. */
  readonly enableSessionStorage?: boolean;
  /** Whether a sign-in ends the other sessions of its user. Default false. */
  readonly singleSession?: boolean;
  readonly passwordMinLength?: number;
  /** What else is to be there: tokens, API keys, … */
  readonly features?: NonNullable<AuthOptions["features"]>;
}

/** Puts the service together. */
export function compose(composition: Composition): Auth {
  const { sessionSecret, sessionTimeoutMinutes = 30, enableSessionStorage = true } = composition;
  const { singleSession = false, passwordMinLength = 8, features = [], ...parts } = composition;
  const timeoutSeconds = sessionTimeoutMinutes * 60;
  return createAuth({
    ...parts,
    secrets: [sessionSecret],
    cookie: { name: "session_token", maxAgeSeconds: timeoutSeconds },
    session: {
      mode: enableSessionStorage ? "stateful" : "stateless",
      idleSeconds: timeoutSeconds,
      absoluteSeconds: timeoutSeconds,
      ...(enableSessionStorage && { maxPerUser: singleSession ? 1 : 0 }),
      // The service has a schedule of its own.
      sweepIntervalSeconds: 0,
    },
    features: [passwords({ minLength: passwordMinLength }), ...features],
    onError({ code, status }) {
      const detail = detailOf[code];
      if (detail === undefined) return null;
      return Response.json({ detail }, { status, headers: { "WWW-Authenticate": "Cookie" } });
    },
  });
}

const detailOf: Readonly<Record<string, string>> = {
  not_authenticated: "Not authenticated",
  session_expired: "Session expired or invalid",
};
