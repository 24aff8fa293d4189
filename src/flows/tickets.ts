import type { EventOrigin } from "../domain/event.ts";
import { isImpersonation } from "../domain/impersonation.ts";
import { type OneTimeToken, oneTimeTokenTtlSeconds } from "../domain/one-time-token.ts";
import { type SignedIn, signedInAs } from "../domain/principal.ts";
import type { AuthenticationMethod, Session } from "../domain/session.ts";
import { isTokenSession } from "../domain/session.ts";
import type { User } from "../domain/user.ts";
import { AuthError } from "../errors.ts";
import type { Services } from "../ports/services.ts";
import { issueOneTimeToken, takeOneTimeToken } from "./one-time-tokens.ts";
import { assertCommitted } from "./refusals.ts";

/** A ticket, as its holder gets it. */
export interface Ticket {
  readonly ticket: string;
  /** 30. */
  readonly expiresInSeconds: number;
}

/** What a ticket stands for, beside its user and their generation. */
interface Grant {
  readonly path: string;
  readonly amr: readonly AuthenticationMethod[];
  /** Milliseconds since 1970. */
  readonly authTime: number;
  /** The session that it ends with; null where no store keeps one. */
  readonly sessionId: string | null;
}

/** Longer paths are nobody's. */
const longestPath = 512;

/**
 * Makes a ticket: for 30 s, once, and at one path, it stands for whoever asked for it, in a request that can carry no header.
 *
 * @param path - as the request will spell it: from its first slash on, without query and in its normal form
 * @throws AuthError `invalid_input` - no such path; `conflict` - every proof of the user was ended in the meantime
 */
export async function issueTicket(
  services: Services,
  path: string,
  {
    principal,
    current,
    from,
  }: { readonly principal: SignedIn; readonly current: Session | null; readonly from: EventOrigin },
): Promise<Ticket> {
  assertPath(path, services.config.origin);
  const { user, amr, authTime } = principal;
  const isStored = current !== null && (services.sealedSessions === null || isTokenSession(current));
  const sessionId = isStored ? current.id : null;
  const grant: Grant = { path, amr, authTime: authTime.getTime(), sessionId };
  const event = {
    type: "ticket.issued",
    userId: user.id,
    sessionId: principal.sessionId,
    payload: {},
  } as const;
  const generation = current?.generation ?? user.generation;
  const result = await services.commit([
    { kind: "user.require", userId: user.id, generation },
    { kind: "audit.insert", row: services.events.row(event, from) },
  ]);
  assertCommitted(result);
  const about = { userId: user.id, generation, detail: JSON.stringify(grant) };
  const ticket = await issueOneTimeToken(services, "ticket", about);
  return { ticket, expiresInSeconds: oneTimeTokenTtlSeconds.ticket };
}

/**
 * Spends a ticket. One that is shown at another path is used up as well.
 *
 * @throws AuthError `token_invalid` with status 401 - unknown, used, expired, for another path, or what it stood for has ended
 */
export async function redeemTicket(services: Services, text: string, path: string): Promise<SignedIn> {
  const token = await takeOneTimeToken(services, "ticket", text).catch(asProof);
  const grant = JSON.parse(token.detail ?? "null") as Grant | null;
  if (grant === null || grant.path !== path) throw invalid("for another path");
  const user = await ownerNow(services, token, grant);
  if (user === null || user.status !== "active" || user.generation !== token.generation)
    throw invalid("what it stood for has ended");
  const { amr, sessionId } = grant;
  return signedInAs(user, {
    via: "ticket",
    amr,
    authTime: new Date(grant.authTime),
    sessionId,
    scopes: null,
  });
}

/** A ticket that is no good. `why` is for the operator: the wire says the same of each. */
export function invalid(why: string): AuthError {
  const message = "The ticket is unknown, used or expired.";
  return new AuthError("token_invalid", { status: 401, message, diagnosis: `ticket: ${why}` });
}

// The same refusal, as that of a proof.
function asProof(error: unknown): never {
  throw error instanceof AuthError && error.code === "token_invalid"
    ? invalid("unknown, used or expired")
    : error;
}

// From the database itself: what it opens may stay open for hours.
async function ownerNow({ stores, call }: Services, token: OneTimeToken, grant: Grant): Promise<User | null> {
  const through = { ...call(), readsThrough: true };
  if (grant.sessionId === null) return stores.directory.user(token.userId ?? "", through);
  const [found] = await stores.sessions.find([grant.sessionId], through);
  const isLive = found != null && !found.expired && found.session.userId === token.userId;
  return isLive && !isImpersonation(found.session) ? found.user : null;
}

function assertPath(path: string, origin: string): void {
  const isPlain = path.startsWith("/") && path.length <= longestPath && URL.canParse(origin + path);
  if (isPlain && new URL(origin + path).pathname === path) return;
  const message = `A path as the address has it, at most ${longestPath} characters: no query, nothing to normalise`;
  throw new AuthError("invalid_input", { fields: [{ field: "path", code: "invalid", message }] });
}
