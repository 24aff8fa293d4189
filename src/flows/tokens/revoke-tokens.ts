import type { EventOrigin } from "../../domain/event.ts";
import {
  isMinted,
  isRefreshOf,
  isRevokedRefresh,
  parseRefreshToken,
  type RefreshToken,
  revokedRefreshId,
} from "../../domain/refresh-token.ts";
import { isTokenSession } from "../../domain/session.ts";
import { mostRevokedTokens, type RevokedToken, type User } from "../../domain/user.ts";
import { AuthError } from "../../errors.ts";
import type { AccessClaims } from "../../jwt/access-claims.ts";
import type { Report, Write } from "../../ports/store.ts";
import { refusalError } from "../refusals.ts";
import { findLive } from "../sessions/find-session.ts";
import { revokedReport } from "../sign-in/start-session.ts";
import { readAccess } from "./find-access.ts";
import type { TokenServices } from "./token-services.ts";

const mostTurns = 8;

/**
 * Revokes a token before its time. One that is no token, or has ended already, is no error: what the caller wants is so.
 *
 * A refresh token ends its session where tokens alone carry it, else the refresh tokens of that session. An access token
 * ends alone. Past {@link mostRevokedTokens} at once for one user the session ends. All of it is on record in the directory, so that
 * no failover of what keeps the sessions brings a token back.
 *
 * @throws AuthError `store_unavailable` - nothing is revoked; also where the keys that it may be signed with cannot be read
 * @see RFC 7009, section 2
 */
export async function revokeToken(services: TokenServices, token: string, from: EventOrigin): Promise<void> {
  const refresh = parseRefreshToken(token);
  if (refresh !== null) {
    if (isMinted(refresh, services.keys.derived("refresh-tag")))
      await revokeRefreshToken(services, refresh, from);
    return;
  }
  const reading = await readAccess(services, token);
  if (reading.kind === "good") await revokeAccessToken(services, reading.content, from);
}

async function revokeRefreshToken(
  services: TokenServices,
  token: RefreshToken,
  from: EventOrigin,
): Promise<void> {
  await untilCommitted(async () => {
    const live = await findLive(services, token.sessionId);
    if (live === null || isRevokedRefresh(token, live.user.revokedTokens)) return null;
    const { session, user } = live;
    const about = { user, sessionId: session.id, tokenId: `refresh.${token.number}` };
    if (isTokenSession(session)) return [endSession(services, about, from)];
    // One entry for each session: it stands for all that were started before.
    const kept = user.revokedTokens.filter((each) => !isRefreshOf(session.id, each));
    const entry = { tokenId: revokedRefreshId(token), expiresAt: session.expiresAt };
    return revoking(services, about, { kept, entry, from });
  }, services);
}

async function revokeAccessToken(
  services: TokenServices,
  { sessionId, tokenId, expiresAt }: AccessClaims,
  from: EventOrigin,
): Promise<void> {
  await untilCommitted(async () => {
    const live = await findLive(services, sessionId);
    if (live === null || live.user.revokedTokens.some((each) => each.tokenId === tokenId)) return null;
    const { user } = live;
    const about = { user, sessionId, tokenId };
    // Kept past `exp` for as long as clocks may differ.
    const until = new Date(expiresAt.getTime() + clockDifferenceMs);
    const entry = { tokenId, expiresAt: until };
    return revoking(services, about, { kept: user.revokedTokens, entry, from });
  }, services);
}

const clockDifferenceMs = 60_000;

/** What a revocation is about. */
interface About {
  readonly user: User;
  readonly sessionId: string;
  readonly tokenId: string;
}

/** Puts a revocation on record; where that has no room left, ends the session. */
function revoking(
  services: TokenServices,
  about: About,
  {
    kept,
    entry,
    from,
  }: { readonly kept: readonly RevokedToken[]; readonly entry: RevokedToken; readonly from: EventOrigin },
): readonly Write[] {
  const now = services.clock.now();
  const others = kept.filter((each) => each.expiresAt > now);
  if (others.length >= mostRevokedTokens) return [endSession(services, about, from)];
  const { id: userId, version } = about.user;
  return [
    { kind: "user.update", userId, version, changes: { revokedTokens: [...others, entry] } },
    audit(services, about, from),
  ];
}

async function untilCommitted(
  writes: () => Promise<readonly Write[] | null>,
  services: TokenServices,
): Promise<void> {
  for (let turn = 0; turn < mostTurns; turn++) {
    const wanted = await writes();
    if (wanted === null) return;
    const result = await services.commit(wanted);
    if (result.ok) return;
    if (result.refused !== "conflict" && result.refused !== "stale") throw refusalError(result.refused);
  }
  throw new AuthError("conflict");
}

function endSession(services: TokenServices, about: About, from: EventOrigin): Write {
  const revoked = revokedReport(services, from);
  const ended: Report = (sessions) =>
    sessions.length === 0 ? [] : [revokedRow(services, about, from), ...revoked(sessions)];
  return { kind: "session.delete", sessionId: about.sessionId, ended };
}

function audit(services: TokenServices, about: About, from: EventOrigin): Write {
  return { kind: "audit.insert", row: revokedRow(services, about, from) };
}

function revokedRow({ events }: TokenServices, { user, sessionId, tokenId }: About, from: EventOrigin) {
  return events.row({ type: "token.revoked", userId: user.id, sessionId, payload: { tokenId } }, from);
}
