import { signedInAs } from "../domain/principal.ts";
import {
  idleLimit,
  isSecretOf,
  parseSessionToken,
  type Session,
  type SessionToken,
  touchIntervalSeconds,
} from "../domain/session.ts";
import type { User } from "../domain/user.ts";
import { cookieValues } from "../http/cookies.ts";
import type { AuthRequest } from "../ports/request.ts";
import type { Services } from "../ports/services.ts";
import type { FoundSession } from "../ports/session-store.ts";
import type { Outcome, Strategy } from "../ports/strategy.ts";

/** Cookies of one name that are looked up; a browser with more is not a browser. */
const mostTokens = 3;

const absent: Outcome = Object.freeze({ kind: "absent" });
const clear: Outcome = Object.freeze({ kind: "absent", change: { session: "clear" } as const });
const stale: Outcome = Object.freeze({ ...clear, reason: "session_expired" } as const);
const staleKept: Outcome = Object.freeze({ kind: "absent", reason: "session_expired" } as const);

/** A session whose secret was presented, with the owner as of now. */
interface Live {
  readonly session: Session;
  readonly user: User | null;
}

/**
 * Recognises the session cookie. One read, no write: what has to be written (a touch, the end of an expired row) happens
 * after the answer.
 *
 * A stale cookie is absent plus a change that clears it, so that public pages keep working.
 *
 * @see OWASP Session Management Cheat Sheet
 */
export function session(services: Services): Strategy {
  const { cookie } = services.config;
  return {
    name: "session",
    ambient: true,
    challenge: "Cookie",
    authenticate(request, _client, stakes) {
      const values = cookieValues(request.headers.get("cookie"), cookie.name);
      if (values.length === 0) return absent;
      const tokens = wellFormed(values);
      if (tokens.length === 0) return clear;
      const found = services.stores.sessions.find(
        tokens.map(({ id }) => id),
        stakes?.readsThrough ? { ...services.call(), readsThrough: true } : services.call(),
      );
      const read = (answers: readonly (FoundSession | null)[]): Outcome =>
        judge(services, tokens, answers) ?? staleFor(request, values.length);
      return found instanceof Promise ? found.then(read) : read(found);
    },
  };
}

// Malformed ones are dropped unread: a sibling domain can plant cookies of this name, and garbage must not push the real
// one out.
function wellFormed(values: readonly string[]): readonly SessionToken[] {
  const tokens: SessionToken[] = [];
  for (const value of values) {
    const token = parseSessionToken(value);
    if (token !== null && tokens.length < mostTokens) tokens.push(token);
  }
  return tokens;
}

function judge(
  services: Services,
  tokens: readonly SessionToken[],
  found: readonly (FoundSession | null)[],
): Outcome | null {
  let best: Live | null = null;
  for (const [index, token] of tokens.entries()) {
    const answer = found[index] ?? null;
    if (answer === null) continue;
    if (answer.expired) {
      endExpired(services, answer.id);
      continue;
    }
    if (!isLive(answer, token)) continue;
    // Two people's sessions in one browser: somebody planted one of them, and which is not for us to guess.
    if (best !== null && best.session.userId !== answer.session.userId) return clear;
    if (best === null || answer.session.createdAt > best.session.createdAt) best = answer;
  }
  return best === null ? null : accept(services, best);
}

// The cookie is cleared where a person navigates. A script's request may carry the id that a rotation has just replaced,
// and its answer, coming last, would wipe the new cookie; and where more cookies came than were looked up, the good one may
// be among the rest.
function staleFor(request: AuthRequest, presented: number): Outcome {
  const mode = request.headers.get("sec-fetch-mode");
  return presented > mostTokens || (mode && mode !== "navigate") ? staleKept : stale;
}

function isLive({ session, user }: Live, token: SessionToken): boolean {
  if (!isSecretOf(session, token.secret)) return false;
  if (session.userId === null) return true;
  return user !== null && user.status === "active" && user.generation === session.generation;
}

function accept(services: Services, { session, user }: Live): Outcome {
  touch(services, session);
  if (user === null) return { kind: "absent", session };
  const { id, amr, authTime, createdAt } = session;
  const proof = { via: "session", amr, authTime: authTime ?? createdAt, sessionId: id, scopes: null };
  return { kind: "accepted", session, principal: signedInAs(user, proof) };
}

function touch({ clock, background, config }: Services, session: Session): void {
  const limits = config.session;
  const idleSeconds =
    session.userId === null
      ? limits.absoluteSeconds
      : session.isRemembered
        ? limits.rememberedIdleSeconds
        : limits.idleSeconds;
  const now = clock.now();
  if (now.getTime() - session.lastUsedAt.getTime() < touchIntervalSeconds(idleSeconds) * 1000) return;
  background.touch(session.id, now, idleLimit(now, idleSeconds, session.expiresAt));
}

// Told once, by whoever deletes the row.
function endExpired({ background, commit, events }: Services, sessionId: string): void {
  const origin = { ip: null, userAgent: null, requestId: null };
  background.run("end expired session", () =>
    commit([
      {
        kind: "session.delete",
        sessionId,
        ended: (ended) =>
          ended.map(({ id, userId }) =>
            events.row({ type: "session.expired", userId, sessionId: id, payload: {} }, origin),
          ),
      },
    ]),
  );
}
