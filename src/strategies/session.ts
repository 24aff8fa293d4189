import { noOrigin } from "../domain/event.ts";
import { isImpersonation } from "../domain/impersonation.ts";
import { signedInAs } from "../domain/principal.ts";
import { isSecretOf, type Session, type SessionToken } from "../domain/session.ts";
import { cookieValues } from "../http/cookies.ts";
import type { Services } from "../ports/services.ts";
import type { FoundSession } from "../ports/session-store.ts";
import type { Awaitable } from "../ports/store.ts";
import type { Outcome, Strategy } from "../ports/strategy.ts";
import { sessionBinding } from "./binding.ts";
import { impersonated, isUsable, type Live } from "./impersonated.ts";
import { absent, clear, mostTokens, staleFor } from "./stale-cookie.ts";
import { touch } from "./touch.ts";

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
  const { parse } = services.sessionTokens;
  const isBoundHere = sessionBinding(services);
  return {
    name: "session",
    ambient: true,
    challenge: "Cookie",
    authenticate(request, client, stakes) {
      const values = cookieValues(request.headers.get("cookie"), cookie.name);
      if (values.length === 0) return absent;
      const tokens = wellFormed(values, parse);
      if (tokens.length === 0) return clear;
      const found = services.stores.sessions.find(
        tokens.map(({ id }) => id),
        stakes?.readsThrough ? { ...services.call(), readsThrough: true } : services.call(),
      );
      const isHere = isBoundHere === null ? null : (found: Session) => isBoundHere(found, request, client);
      const read = (answers: readonly (FoundSession | null)[]): Awaitable<Outcome> => {
        const best = judge(services, tokens, answers, isHere);
        if (best === null) return staleFor(request, values.length);
        if (best === "several") return clear;
        if (!isImpersonation(best.session)) return accept(services, best);
        return impersonated(services, best, stakes).then(
          (taken) => taken ?? staleFor(request, values.length),
        );
      };
      return found instanceof Promise ? found.then(read) : read(found);
    },
  };
}

// Malformed ones are dropped unread: a sibling domain can plant cookies of this name, and garbage must not push the real
// one out.
function wellFormed(
  values: readonly string[],
  parse: Services["sessionTokens"]["parse"],
): readonly SessionToken[] {
  const tokens: SessionToken[] = [];
  for (const value of values) {
    const token = parse(value);
    if (token !== null && tokens.length < mostTokens) tokens.push(token);
  }
  return tokens;
}

function judge(
  services: Services,
  tokens: readonly SessionToken[],
  found: readonly (FoundSession | null)[],
  isHere: ((session: Session) => boolean) | null,
): Live | "several" | null {
  let best: Live | null = null;
  for (const [index, token] of tokens.entries()) {
    const answer = found[index] ?? null;
    if (answer === null) continue;
    if (answer.expired) {
      endExpired(services, answer.id);
      continue;
    }
    if (!isLive(answer, token)) continue;
    // After the secret: whoever knows an id alone could else fill the audit log.
    if (isHere !== null && !isHere(answer.session)) continue;
    // Two people's sessions in one browser: somebody planted one of them, and which is not for us to guess.
    if (best !== null && best.session.userId !== answer.session.userId) return "several";
    if (best === null || answer.session.createdAt > best.session.createdAt) best = answer;
  }
  return best;
}

function isLive(found: Live, token: SessionToken): boolean {
  if (!isSecretOf(found.session, token.secret)) return false;
  return found.session.userId === null || isUsable(found);
}

function accept(services: Services, { session, user }: Live): Outcome {
  touch(services, session);
  if (user === null) return { kind: "absent", session };
  const { id, amr, authTime, createdAt } = session;
  const proof = { via: "session", amr, authTime: authTime ?? createdAt, sessionId: id, scopes: null };
  return { kind: "accepted", session, principal: signedInAs(user, proof) };
}

// Told once, by whoever deletes the row.
function endExpired({ background, commit, events }: Services, sessionId: string): void {
  background.run("end expired session", () =>
    commit([
      {
        kind: "session.delete",
        sessionId,
        ended: (ended) =>
          ended.map(({ id, userId }) =>
            events.row({ type: "session.expired", userId, sessionId: id, payload: {} }, noOrigin),
          ),
      },
    ]),
  );
}
