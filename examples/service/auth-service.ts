import { type Auth, AuthError, type SessionChange, type SignIn, type User, type Visit } from "latchkey";

/** What signing in gives. */
export interface AuthResult {
  readonly user: User;
  /** For the client. It is answered here once; what is stored is a digest. */
  readonly token: string;
  readonly expiresAt: Date;
  /** For `auth.seal`, where the token is to travel as a cookie. */
  readonly change: SessionChange;
}

/** A session as it is when it begins. */
export interface NewSession extends Omit<AuthResult, "user" | "change"> {
  readonly id: string;
  readonly userId: string;
  readonly createdAt: Date;
}

/** Signing in and out by tokens, for handlers that know nothing of cookies. */
export interface AuthService {
  /** @throws AuthError, with the same sentence whether the user is unknown or the password is wrong */
  authenticate(credentials: Credentials, visit: Visit): Promise<AuthResult>;
  verifyPassword(userId: string, password: string): Promise<boolean>;
  /** @param lifetimeSeconds - default: the service's */
  createSession(userId: string, lifetimeSeconds?: number): Promise<NewSession>;
  /** Null for a session that is invalid, expired or ended. */
  validateSession(token: string, visit?: Visit): Promise<User | null>;
  /** Whether a session ended. */
  logout(token: string): Promise<boolean>;
  /** How many sessions ended. */
  logoutAllDevices(userId: string): Promise<number>;
}

export interface Credentials {
  /** Email or username. */
  readonly username: string;
  readonly password: string;
  readonly remember?: boolean;
}

/** The service, on top of Latchkey's flows. */
export function authService({ users, sessions }: Auth): AuthService {
  return {
    async authenticate({ username, password, remember = false }, visit) {
      try {
        const input = { identifier: username, password, isRemembered: remember };
        const signIn = await users.login(input, visit);
        const { user, change, session } = signIn;
        return { user, token: tokenOf(signIn), expiresAt: session.expiresAt, change };
      } catch (error) {
        if (!(error instanceof AuthError) || error.code !== "invalid_credentials") throw error;
        throw new AuthError("invalid_credentials", { message: "Invalid username or password" });
      }
    },
    verifyPassword: (userId, password) => users.verifyPassword(userId, password),
    async createSession(userId, lifetimeSeconds) {
      const lifetime = lifetimeSeconds === undefined ? {} : remembered(lifetimeSeconds);
      const signIn = await sessions.start(userId, lifetime);
      const { id, createdAt, expiresAt } = signIn.session;
      return { id, userId, token: tokenOf(signIn), expiresAt, createdAt };
    },
    validateSession: async (token, visit) => (await sessions.validate(token, visit))?.user ?? null,
    logout: (token) => sessions.end(token),
    logoutAllDevices: (userId) => sessions.revokeAll(userId),
  };
}

// A remembered session may lie idle for longer.
const remembered = (absoluteSeconds: number) => ({ isRemembered: true, absoluteSeconds });

function tokenOf({ change: { session } }: SignIn): string {
  if (session === undefined || session === "clear") throw new TypeError("a sign-in has a token");
  return session.token;
}
