import type { EventOrigin } from "../../domain/event.ts";
import { randomSecret } from "../../domain/random.ts";
import { type RefreshFamily, refreshGraceSeconds } from "../../domain/refresh-family.ts";
import {
  familyAt,
  formatRefreshToken,
  isMinted,
  isOfAnotherStart,
  isOnRecord,
  isRevokedRefresh,
  numberAfterRestart,
  parseRefreshToken,
  type RefreshToken,
  successorOf,
} from "../../domain/refresh-token.ts";
import { idleLimit, isTokenSession, type Session } from "../../domain/session.ts";
import { AuthError } from "../../errors.ts";
import type { LiveAccess } from "../../jwt/access-claims.ts";
import type { Claims } from "../../jwt/claims.ts";
import type { Services } from "../../ports/services.ts";
import type { Write } from "../../ports/store.ts";
import { refusalError } from "../refusals.ts";
import { findLive } from "../sessions/find-session.ts";
import { lifetimes, revokedReport } from "../sign-in/start-session.ts";
import { tokenRefused } from "./find-access.ts";
import { type IssuedTokens, mintAccessToken } from "./mint-access-token.ts";
import type { TokenServices } from "./token-services.ts";

/** Each turn means that somebody else refreshed in between; more than this is an attack on the session, or a broken client. */
const mostTurns = 8;

/** What is to be done about a presented token, as its session's record stands. */
type Verdict =
  /** It may be used: its successor takes the place of the token numbered `from`. */
  | { readonly kind: "rotate"; readonly from: number; readonly successor: RefreshToken }
  /** It was used a moment ago, and its successor not yet: the same successor again. */
  | { readonly kind: "repeat"; readonly successor: RefreshToken }
  | { readonly kind: "refuse"; readonly why: string }
  | { readonly kind: "reused" };

/**
 * Redeems a refresh token for an access token and the refresh token that comes after it.
 *
 * Of any number of concurrent calls with one token all get the same successor, also those whose answer was lost, for
 * {@link refreshGraceSeconds} and while the successor has not been used. After that the token shows that two hold it, and
 * nobody can tell which of them is the thief: its session ends, and with it every access token.
 *
 * @throws AuthError `token_invalid` (401) - not minted here, its session ended, its user may not sign in; `token_reused`
 * @see RFC 9700, section 4.14.2
 */
export async function refreshTokens(
  services: TokenServices,
  presented: string,
  from: EventOrigin,
): Promise<IssuedTokens> {
  const { keys } = services;
  const token = parseRefreshToken(presented);
  if (token === null || !isMinted(token, keys.derived("refresh-tag"))) throw tokenRefused("not minted here");
  for (let turn = 0; turn < mostTurns; turn++) {
    const live = await findLive(services, token.sessionId);
    if (live === null) throw tokenRefused("its session has ended, or its user may not use it");
    const verdict = judge(services, token, live);
    if (verdict.kind === "refuse") throw tokenRefused(verdict.why);
    if (verdict.kind === "reused") {
      await endReused(services, live, token, from);
      throw new AuthError("token_reused");
    }
    const minted = await mintAccessToken(services, live);
    const isDone = await commitRefresh(services, { live, verdict, tokenId: minted.tokenId, from });
    if (!isDone) continue;
    touch(services, live.session);
    return { ...minted, ...answered(services, live, verdict.successor) };
  }
  throw new AuthError("conflict", { diagnosis: "the session's refresh token kept changing" });
}

/**
 * Gives a session its first refresh token, or a first one anew: those that it had before work no more. Without refresh
 * tokens it gets an access token alone.
 *
 * @throws AuthError `not_authenticated` - the session or its user's generation ended in the meantime; TypeError as `mintAccessToken`
 */
export async function startTokens(
  services: TokenServices,
  given: LiveAccess,
  { from, claims, hasRefresh }: { from: EventOrigin; claims?: Claims; hasRefresh: boolean },
): Promise<IssuedTokens> {
  const { random, clock } = services;
  for (let turn = 0; turn < mostTurns; turn++) {
    const live = turn === 0 ? given : await findLive(services, given.session.id);
    if (live === null) throw new AuthError("not_authenticated");
    const { session } = live;
    const secret = randomSecret((length) => random.bytes(length));
    const number = numberAfterRestart(session.id, session.refresh, live.user.revokedTokens);
    const first = { sessionId: session.id, number, secret };
    const minted = await mintAccessToken(services, live, claims);
    const family = familyAt(first, clock.now());
    const result = await services.commit([
      required(live),
      ...(hasRefresh ? [familyWrite(session, family)] : []),
      auditWrite(services, "token.issued", live, minted.tokenId, from),
    ]);
    if (result.ok) return { ...minted, ...answered(services, live, hasRefresh ? first : null) };
    if (result.refused !== "conflict" && result.refused !== "stale") throw refusalError(result.refused);
  }
  throw new AuthError("conflict");
}

function judge(services: TokenServices, token: RefreshToken, { session, user }: LiveAccess): Verdict {
  const { refresh: family } = session;
  if (isRevokedRefresh(token, user.revokedTokens)) return { kind: "refuse", why: "it was revoked" };
  if (family === null) return { kind: "refuse", why: "its session has no refresh tokens" };
  if (isOfAnotherStart(token, family)) return { kind: "refuse", why: "tokens were started anew since" };
  const successors = services.keys.derived("refresh-successor").map((key) => successorOf(token, key));
  const [successor] = successors as [RefreshToken, ...RefreshToken[]];
  const isCurrent = isOnRecord(token, family);
  // The store lost the last writes (a failover): the token is minted, so it was answered after the one on record.
  const isAhead = token.number > family.number;
  if (isCurrent || isAhead) return { kind: "rotate", from: family.number, successor };
  const made = successors.find((each) => isOnRecord(each, family));
  const ageMs = services.clock.now().getTime() - family.refreshedAt.getTime();
  return made !== undefined && ageMs < refreshGraceSeconds * 1000
    ? { kind: "repeat", successor: made }
    : { kind: "reused" };
}

interface Refreshing {
  readonly live: LiveAccess;
  readonly verdict: Extract<Verdict, { readonly successor: RefreshToken }>;
  readonly tokenId: string;
  readonly from: EventOrigin;
}

/** False where somebody else was first: then the record is to be read again. */
async function commitRefresh(
  services: TokenServices,
  { live, verdict, tokenId, from }: Refreshing,
): Promise<boolean> {
  const family = familyAt(verdict.successor, services.clock.now());
  const rotated: Write[] =
    verdict.kind === "rotate"
      ? [{ kind: "session.refresh", sessionId: live.session.id, from: verdict.from, family }]
      : [];
  const result = await services.commit([
    required(live),
    ...rotated,
    auditWrite(services, "token.refreshed", live, tokenId, from),
  ]);
  if (result.ok) return true;
  if (result.refused === "conflict" || result.refused === "stale") return false;
  throw refusalError(result.refused);
}

async function endReused(
  services: TokenServices,
  { session, user }: LiveAccess,
  token: RefreshToken,
  from: EventOrigin,
): Promise<void> {
  const { events } = services;
  const revoked = revokedReport(services, from);
  const draft = {
    type: "token.reused" as const,
    userId: user.id,
    sessionId: session.id,
    payload: { tokenId: `refresh.${token.number}` },
  };
  await services.commit([
    {
      kind: "session.delete",
      sessionId: session.id,
      // Told by whoever ends the session: of several replays at once by one.
      ended: (ended) => (ended.length === 0 ? [] : [events.row(draft, from), ...revoked(ended)]),
    },
  ]);
}

function answered(
  { keys }: Services,
  { session, user }: LiveAccess,
  token: RefreshToken | null,
): Pick<IssuedTokens, "refreshToken" | "sessionId" | "user"> {
  const refreshToken = token === null ? null : formatRefreshToken(token, keys.derived("refresh-tag"));
  return { refreshToken, sessionId: session.id, user };
}

function required({ user, session }: LiveAccess): Write {
  return { kind: "user.require", userId: user.id, generation: session.generation };
}

function familyWrite(session: Session, family: RefreshFamily): Write {
  const from = session.refresh?.number ?? null;
  return { kind: "session.refresh", sessionId: session.id, from, family };
}

function auditWrite(
  { events }: Services,
  type: "token.issued" | "token.refreshed",
  { session, user }: LiveAccess,
  tokenId: string,
  from: EventOrigin,
): Write {
  const draft = { type, userId: user.id, sessionId: session.id, payload: { tokenId } };
  return { kind: "audit.insert", row: events.row(draft, from) };
}

// A session of a browser goes on with the use of its tokens; one that tokens carry has one limit alone.
function touch({ background, clock, config }: Services, session: Session): void {
  if (isTokenSession(session)) return;
  const now = clock.now();
  const { idleSeconds } = lifetimes({ config }, session.isRemembered);
  background.touch(session.id, now, idleLimit(now, idleSeconds, session.expiresAt));
}
