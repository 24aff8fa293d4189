import type { EventOrigin } from "../../domain/event.ts";
import { noOrigin } from "../../domain/event.ts";
import type { AuthenticationMethod } from "../../domain/session.ts";
import { AuthError } from "../../errors.ts";
import type { LiveAccess } from "../../jwt/access-claims.ts";
import type { Claims } from "../../jwt/claims.ts";
import { assertCommitted } from "../refusals.ts";
import { findLive } from "../sessions/find-session.ts";
import { draftSession, type NewSession, sessionWrites } from "../sign-in/start-session.ts";
import { type IssuedTokens, mintAccessToken } from "./mint-access-token.ts";
import { startTokens } from "./refresh-tokens.ts";
import type { TokenServices } from "./token-services.ts";

/** How tokens are to be issued. */
export interface IssueOptions {
  /** A session of the user that they are to stand for. Default: a new one, which tokens alone carry. */
  readonly sessionId?: string;
  /** Claims of the application for this one token; its successors have those of `tokens({ claims })` alone. */
  readonly claims?: Claims;
  /** Whether a refresh token comes along. Default: as the feature is set. */
  readonly withRefresh?: boolean;
  /** How the person was recognised, for a new session. Default `["pwd"]`. */
  readonly amr?: readonly AuthenticationMethod[];
  /** Where the request comes from, for a new session and the audit log. */
  readonly from?: EventOrigin;
}

/**
 * Issues tokens for a user whom the application has recognised, or for a session that they have.
 *
 * @throws AuthError `not_found` - no such user or session, or one that may not be used; `forbidden` - only the browser holds it
 */
export async function issueTokens(
  services: TokenServices,
  userId: string,
  { sessionId, claims, withRefresh, amr = ["pwd"], from = noOrigin }: IssueOptions = {},
): Promise<IssuedTokens> {
  const live =
    sessionId === undefined
      ? await startTokenSession(services, userId, amr, from)
      : await findLive(services, sessionId);
  if (live === null && sessionId !== undefined && services.sealedSessions !== null) {
    throw new AuthError("forbidden", { message: "Only the browser holds this session: send the password." });
  }
  if (live === null || live.user.id !== userId) throw new AuthError("not_found");
  const hasRefresh = withRefresh ?? services.tokens.hasRefresh;
  return startTokens(services, live, { from, hasRefresh, ...(claims !== undefined && { claims }) });
}

/**
 * Another access token of the session that one stands for, and no refresh token: who holds a token that works can go on with
 * it for as long as its session lives.
 *
 * @throws AuthError `not_authenticated` - the session has ended
 */
export async function reissueToken(
  services: TokenServices,
  { sessionId, from }: { readonly sessionId: string; readonly from: EventOrigin },
): Promise<IssuedTokens> {
  const live = await findLive(services, sessionId);
  if (live === null) throw new AuthError("not_authenticated");
  const minted = await mintAccessToken(services, live);
  const payload = { tokenId: minted.tokenId };
  const draft = { type: "token.refreshed", userId: live.user.id, sessionId, payload } as const;
  const result = await services.commit([
    { kind: "user.require", userId: live.user.id, generation: live.session.generation },
    { kind: "audit.insert", row: services.events.row(draft, from) },
  ]);
  assertCommitted(result);
  return { ...minted, refreshToken: null, sessionId, user: live.user };
}

async function startTokenSession(
  services: TokenServices,
  userId: string,
  amr: readonly AuthenticationMethod[],
  from: EventOrigin,
): Promise<LiveAccess> {
  const { events, clock, tokens } = services;
  const user = await services.stores.directory.user(userId, services.call());
  if (user === null || user.status !== "active") throw new AuthError("not_found");
  const wanted: NewSession = {
    user,
    generation: user.generation,
    amr,
    authTime: clock.now(),
    isRemembered: false,
    from,
    replaces: null,
    data: {},
    tokenSession: { ttlSeconds: tokens.sessionTtlSeconds },
  };
  const draft = draftSession(services, wanted);
  const sessionId = draft.session.id;
  const payload = { amr, isRemembered: false };
  const row = events.row({ type: "user.logged_in", userId, sessionId, payload }, from);
  const result = await services.commit([
    { kind: "user.require", userId, generation: user.generation },
    ...sessionWrites(services, draft, wanted),
    { kind: "audit.insert", row },
  ]);
  assertCommitted(result);
  return { session: draft.session, user };
}
