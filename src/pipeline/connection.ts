import { type Principal, type SignedIn, signedInAs } from "../domain/principal.ts";
import { isPasswordFirst } from "../domain/rights.ts";
import type { Session } from "../domain/session.ts";
import { AuthError, asAuthError } from "../errors.ts";
import { cookieValues } from "../http/cookies.ts";
import type { Guard, Limiting, Turn } from "../ports/guard.ts";
import type { AuthRequest, ClientInfo } from "../ports/request.ts";
import type { Services } from "../ports/services.ts";
import { Asking } from "./asking.ts";
import { authenticate, changing, nobody } from "./authenticate.ts";
import { authorize } from "./authorize.ts";
import { check, logFailure, type Pipeline, type Verdict } from "./check.ts";
import { assertOwnOrigin } from "./forged.ts";

/** A connection that was let open, as it is looked at again. */
export interface Opened {
  readonly principal: SignedIn;
  /** The request that opened it. */
  readonly request: AuthRequest;
  readonly client: ClientInfo;
  readonly guards: readonly Guard[];
}

/** What a second look says: who it is now, or why it may not stay open. */
export type Confirmation =
  | { readonly ok: true; readonly principal: Principal }
  | { readonly ok: false; readonly error: AuthError };

/**
 * The check of a request that opens a connection. Any site's page can open one with the cookies of this one, whatever the
 * method, so where it comes from is asked first: a ticket that a strange page shows is not even spent.
 */
export async function checkConnection(
  pipeline: Pipeline,
  request: AuthRequest,
  client: ClientInfo,
  guards: readonly Guard[],
): Promise<Verdict> {
  try {
    assertOwnOrigin(pipeline.services, request, client, nobody);
  } catch (thrown) {
    return { ok: false, error: asAuthError(thrown) };
  }
  const strategies = [...pipeline.connecting, ...pipeline.strategies];
  return check({ ...pipeline, strategies }, request, client, { guards: [...guards, fromTheDatabase] });
}

/**
 * Whether a connection may stay open: the session and the account behind it are read from the database, and the guards are asked anew.
 * Counts as no use of the session and takes no turn of a limit. A proof that the request carries itself, a token or a key, is
 * checked as it was at first.
 */
export async function recheckConnection(pipeline: Pipeline, opened: Opened): Promise<Confirmation> {
  const { request, client, guards } = opened;
  const { services } = pipeline;
  try {
    const now = isKept(opened.principal)
      ? await ownerNow(services, opened)
      : await provenAgain(pipeline, opened);
    if (now === null) return refused("session_expired", "what it was opened with has ended");
    const { principal } = now;
    if (isPasswordFirst(principal) && !guards.some(({ whilePasswordChange }) => whilePasswordChange))
      return refused("password_change_required", "another password has to be chosen first");
    const asking = new AskingAgain(services, request, client, { ...nobody, ...now });
    const denial = await authorize(principal, guards, asking);
    if (denial !== null) return refused(denial.decision.code, `${denial.guard}: ${denial.decision.because}`);
    return { ok: true, principal };
  } catch (thrown) {
    const error = asAuthError(thrown);
    logFailure(services, error);
    return { ok: false, error };
  }
}

/** Makes a check ask past caches: what it opens may stay open for hours. */
const fromTheDatabase: Limiting = {
  name: "connection",
  asksAnonymous: true,
  isNeutral: true,
  readsThrough: true,
  decide: () => ({ allow: true, because: "asks nothing" }),
};

/** Guards are asked again, and nothing is counted a second time. */
class AskingAgain extends Asking {
  override takeTurn(): Promise<Turn> {
    return Promise.resolve({ ok: true, left: { remaining: 0, resetSeconds: 0 } });
  }
}

// A ticket is spent, and reading a session's cookie again would keep it alive for as long as a tab is open somewhere.
function isKept({ via, impersonator, sessionId }: SignedIn): boolean {
  if (via === "ticket") return true;
  return via === "session" && impersonator === null && sessionId !== null;
}

/** Who it is, and in which session. */
interface Standing {
  readonly principal: SignedIn;
  readonly session: Session | null;
}

/** By the proof that the request carries, past every cache; null where it is nobody's any more. @throws AuthError of one that is refused */
async function provenAgain(pipeline: Pipeline, { request, client }: Opened): Promise<Standing | null> {
  const { principal, session } = await authenticate(pipeline.strategies, request, client, changing);
  return principal.isAuthenticated ? { principal, session } : null;
}

/** Who a principal is now, and in which session; null where what it was made of has ended. */
async function ownerNow(services: Services, { principal, request }: Opened): Promise<Standing | null> {
  const { stores, call, clock } = services;
  const { sessionId, user } = principal;
  const through = { ...call(), readsThrough: true };
  const sealed = sealedSession(services, principal, request);
  if (sessionId === null || sealed !== null) {
    if (sealed !== null && sealed.expiresAt <= clock.now()) return null;
    const owner = await stores.directory.user(user.id, through);
    if (owner?.status !== "active" || owner.generation !== user.generation) return null;
    return { principal: signedInAs(owner, principal), session: sealed };
  }
  const [found] = await stores.sessions.find([sessionId], through);
  if (found == null || found.expired || found.user?.id !== user.id) return null;
  const { session, user: owner } = found;
  if (owner.status !== "active" || owner.generation !== session.generation) return null;
  return { principal: signedInAs(owner, principal), session };
}

// No store knows of one that its cookie holds. How long it may lie idle is in a cookie that was handed out since; when it ends at last,
// in this one as well.
function sealedSession(
  { sealedSessions, config }: Services,
  { via, sessionId }: SignedIn,
  { headers }: AuthRequest,
): Session | null {
  if (sealedSessions === null || via !== "session") return null;
  const opened = cookieValues(headers.get("cookie"), config.cookie.name).map((text) =>
    sealedSessions.open(text),
  );
  return opened.find((session) => session?.id === sessionId) ?? null;
}

function refused(code: AuthError["code"], diagnosis: string): Confirmation {
  return { ok: false, error: new AuthError(code, { diagnosis }) };
}
