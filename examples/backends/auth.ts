import {
  type ApiKeys,
  type Auth,
  type AuthOptions,
  apiKeys,
  createAuth,
  type Feature,
  memory,
  passwords,
  type Roles,
} from "latchkey";
import { jwt, type Tokens, tokens } from "latchkey/tokens";
import { type Transfer, transfer } from "latchkey/transfer";
import { customAuth } from "./custom-auth.ts";
import { onError } from "./refusals.ts";

/** Which features of the application each role may use. */
export const roles: Roles = {
  admin: ["admin_panel:use", "user_management:use", "content_creation:use"],
  moderator: ["user_management:use", "content_creation:use"],
  user: ["content_creation:use"],
};

/** What may be asked for besides the role: every feature, once. */
export const featureNames: readonly string[] = ["admin_panel", "user_management", "content_creation"];

const hourSeconds = 3600;
const dayMinutes = 24 * 60;

/** API keys, in the header `X-API-Key`. */
export const keys: Feature<ApiKeys> = apiKeys({ header: "X-API-Key" });
/** Tokens of this application: one day, and another one for a good one; `user_id` and `username` as its clients read them. */
export const access: Feature<Tokens> = tokens({
  expiresInMinutes: dayMinutes,
  refresh: false,
  claims: (user) => ({ user_id: user.id, username: user.username }),
});
/** Brings accounts in that were made elsewhere. */
export const accounts: Feature<Transfer> = transfer();

/** What depends on where it runs. */
export interface BackendsOptions extends Pick<AuthOptions, "origin" | "secrets"> {
  /** Secret of the former application, whose tokens go on working: HS256, at least 32 bytes. Null: there was none. */
  readonly formerSecret: string | null;
}

/** The options of `createAuth`: every kind of proof in one chain, the session cookie asked last. */
export function authOptions({ formerSecret, ...place }: BackendsOptions): AuthOptions {
  return {
    ...place,
    stores: memory(),
    features: [
      passwords(),
      accounts,
      keys,
      access,
      // Claims every token that is left, so it comes last.
      ...(formerSecret === null ? [] : [formerTokens(formerSecret)]),
    ],
    strategies: [customAuth],
    roles,
    onError,
    registration: "open",
    signInAfterRegistration: false,
    // Out of reach for scripts and for other sites; on https it is `Secure` as well.
    cookie: { sameSite: "strict", maxAgeSeconds: hourSeconds },
    session: { idleSeconds: hourSeconds },
  };
}

/** The tokens that the former application made: the user's id is in `user_id`. Prefix and header are the usual ones, and can be others. */
function formerTokens(key: string): Feature<unknown> {
  return jwt({
    name: "former-jwt",
    key,
    algorithm: "HS256",
    userIdClaim: "user_id",
    prefix: "Bearer",
    header: "Authorization",
  });
}

/** Authentication for this application. */
export function backendsAuth(options: BackendsOptions): Auth {
  return createAuth(authOptions(options));
}
