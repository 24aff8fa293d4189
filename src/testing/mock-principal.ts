import { type SignedIn, signedInAs } from "../domain/principal.ts";
import { rights } from "../domain/rights.ts";
import type { User } from "../domain/user.ts";
import type { Decision, Guard, GuardContext } from "../ports/guard.ts";
import { testClock } from "./clock.ts";
import { fixtures } from "./fixtures.ts";
import { testRandom } from "./random.ts";

/** What of a proof may be chosen; see `SignedIn`. */
export type MockProof = Partial<
  Pick<SignedIn, "via" | "amr" | "authTime" | "sessionId" | "scopes" | "impersonator">
>;

/** What of a guard's surroundings may be chosen. */
export type MockContext = Partial<Omit<GuardContext, "rights">> & {
  /** What each role grants, as for `createAuth`. Default: nothing. */
  readonly roles?: Parameters<typeof rights>[0];
};

/**
 * A user of no store: active, called `test`, without roles and permissions, made at the start of the virtual clock.
 *
 * Of one username it is the same user each time, with the same id; of another, another.
 */
export function mockUser(overrides: Partial<User> = {}): User {
  const { username = "test" } = overrides;
  const make = fixtures(testClock(), testRandom(`mock user ${username}`));
  return make.user({ username, email: `${username}@example.com`, ...overrides });
}

/**
 * Somebody who is signed in, for handlers and guards that are tested by themselves, or for `actAs` of a test's world.
 *
 * @param user - as for {@link mockUser}; a whole user is taken as they are
 * @param proof - default: a session by password, proven at the start of the virtual clock, without restriction
 */
export function mockPrincipal(user: Partial<User> = {}, proof: MockProof = {}): SignedIn {
  const whole = mockUser(user);
  const via = proof.via ?? "session";
  const sessionId = via === "session" ? `${whole.slotTag}${"0".repeat(16)}` : null;
  const authTime = testClock().now();
  return signedInAs(whole, { via, amr: ["pwd"], authTime, sessionId, scopes: null, ...proof });
}

/**
 * What a guard decides about somebody, without a store or a request of one's own.
 *
 * @param context - default: a GET of `/` at the start of the virtual clock, whoever has a session proved who they are at its
 * `authTime`, and no limit is ever reached
 */
export async function decide(
  guard: Guard,
  principal: Parameters<Guard["decide"]>[0],
  { roles = null, ...context }: MockContext = {},
): Promise<Decision> {
  const isInSession =
    principal.isAuthenticated && principal.via === "session" && principal.impersonator === null;
  if (!principal.isAuthenticated && !guard.asksAnonymous)
    return { allow: false, code: "not_authenticated", because: "nobody is signed in" };
  return guard.decide(principal, {
    request: { method: "GET", url: "/", headers: new Headers() },
    now: testClock().now(),
    rights: rights(roles),
    provenAt: isInSession ? principal.authTime : null,
    freshSeconds: 600,
    takeTurn: async ({ windowSeconds }) => ({
      ok: true,
      left: { remaining: 1, resetSeconds: windowSeconds },
    }),
    ...context,
  });
}
