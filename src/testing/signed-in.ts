import type { ApiKeys } from "../api/api-keys.ts";
import type { Auth } from "../auth.ts";
import { signedInAs } from "../domain/principal.ts";
import type { User } from "../domain/user.ts";
import type { Feature } from "../features/feature.ts";
import type { Tokens } from "../features/tokens.ts";
import type { CreatedApiKey, NewApiKey } from "../flows/api-keys/api-keys.ts";
import type { IssueOptions } from "../flows/tokens/issue-tokens.ts";
import type { IssuedTokens } from "../flows/tokens/mint-access-token.ts";
import { type ClientOptions, clientOf, type TestClient } from "./client.ts";
import { type SessionWanted, session, type TestSession } from "./session.ts";
import { testUser, type WhichUser } from "./test-user.ts";

/** A client of somebody who is signed in. */
export interface SignedInClient extends TestClient {
  /** As they were when they signed in. */
  readonly user: User;
}

/** Whom a client is of. */
export interface WhoseClient extends ClientOptions {
  /** An account, its id, or what it is to be. Default: a new one. */
  readonly user?: WhichUser;
}

/**
 * A client signed in by a session of its own, past every login.
 *
 * ```ts
 * import { signedIn } from "latchkey/testing";
 *
 * const ana = await signedIn(auth, { user: { email: "ana@example.com", name: "Ana" } });
 * const answer = await ana.patch("/api/v1/users/me", { name: "Ana B." });
 * ```
 *
 * @throws AuthError `not_found` - an account that may not sign in
 */
export async function signedIn(
  auth: Auth,
  options: WhoseClient & Pick<SessionWanted, "createdAt" | "isRemembered" | "amr"> = {},
): Promise<SignedInClient & { readonly session: TestSession["session"] }> {
  const { user: which, app: _, ...wanted } = options;
  const started = await session(auth, which, wanted);
  const client = clientOf(auth, options, { setCookies: started.setCookies });
  return { ...client, user: started.user, session: started.session };
}

/**
 * A program that sends `Authorization: Bearer` with an access token.
 *
 * @param feature - the `tokens()` that `auth` was made with
 * @throws AuthError `not_found` - an account that may not sign in
 */
export async function withToken(
  auth: Auth,
  feature: Feature<Tokens>,
  options: WhoseClient & { readonly token?: IssueOptions } = {},
): Promise<SignedInClient & { readonly tokens: IssuedTokens }> {
  const user = await testUser(auth, options.user);
  const tokens = await auth.use(feature).issue(user.id, options.token);
  return { ...bearing(auth, options, tokens.accessToken), user, tokens };
}

/**
 * A program that sends `Authorization: Bearer` with an API key.
 *
 * @param feature - the `apiKeys()` that `auth` was made with
 * @param options - `key`: what it is to be. Default: called `test`, without permissions
 * @throws AuthError `invalid_input`, `forbidden` - a key that its owner could not make
 */
export async function withApiKey(
  auth: Auth,
  feature: Feature<ApiKeys>,
  options: WhoseClient & { readonly key?: Partial<NewApiKey> } = {},
): Promise<SignedInClient & { readonly key: CreatedApiKey }> {
  const user = await testUser(auth, options.user);
  const proof = {
    via: "session",
    amr: ["pwd"],
    authTime: user.createdAt,
    sessionId: null,
    scopes: null,
  } as const;
  const key = await auth.use(feature).create(signedInAs(user, proof), { name: "test", ...options.key });
  return { ...bearing(auth, options, key.key), user, key };
}

function bearing(auth: Auth, options: ClientOptions, proof: string): TestClient {
  return clientOf(auth, options, { headers: { Authorization: `Bearer ${proof}` } });
}
