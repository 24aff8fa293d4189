import { csrfToken } from "../domain/csrf.ts";
import { signedInAs } from "../domain/principal.ts";
import { idleLimit, isExpired, touchIntervalSeconds } from "../domain/session.ts";
import type { User } from "../domain/user.ts";
import { cookieValues } from "../http/cookies.ts";
import type { SessionChange } from "../ports/change.ts";
import type { AuthRequest, ClientInfo } from "../ports/request.ts";
import type { Services } from "../ports/services.ts";
import type { SealedSession, SealedSessions } from "../ports/session-token.ts";
import type { Awaitable } from "../ports/store.ts";
import type { Outcome, Strategy } from "../ports/strategy.ts";
import { sessionBinding } from "./binding.ts";
import { absent, clear, mostTokens, staleFor } from "./stale-cookie.ts";

/**
 * Recognises the session cookie that holds its session. One read, of the account: so its status, its rights and its generation
 * count at once, and "sign out everywhere" does. No store knows of the session itself.
 *
 * Where a stored session would be touched, a cookie with the later idle limit is handed out.
 */
export function statelessSession(services: Services, sealed: SealedSessions): Strategy {
  const { cookie } = services.config;
  const isBoundHere = sessionBinding(services);

  function isLive({ session, user }: Found, request: AuthRequest, client: ClientInfo): boolean {
    if (user === null || user.status !== "active" || user.generation !== session.generation) return false;
    return isBoundHere === null || isBoundHere(session, request, client);
  }

  return {
    name: "session",
    ambient: true,
    challenge: "Cookie",
    authenticate(request, client, stakes) {
      const values = cookieValues(request.headers.get("cookie"), cookie.name);
      if (values.length === 0) return absent;
      const opened = openedOf(sealed, values);
      if (opened.length === 0) return clear;
      const unexpired = opened.filter((session) => !isExpired(session, services.clock.now()));
      const call = stakes?.readsThrough ? { ...services.call(), readsThrough: true } : services.call();
      const judge = (found: readonly Found[]): Outcome => {
        const live = found.filter((each) => isLive(each, request, client));
        return best(services, sealed, live) ?? staleFor(request, values.length);
      };
      const found = unexpired.map((session) =>
        owned(session, services.stores.directory.user(session.userId, call)),
      );
      return found.some((each) => each instanceof Promise)
        ? Promise.all(found).then(judge)
        : judge(found as readonly Found[]);
    },
  };
}

// What does not open is passed over: a sibling domain can plant cookies of this name, and garbage must not push the real one out.
function openedOf(sealed: SealedSessions, values: readonly string[]): readonly SealedSession[] {
  const opened: SealedSession[] = [];
  for (const value of values) {
    const session = sealed.open(value);
    if (session !== null && opened.length < mostTokens) opened.push(session);
  }
  return opened;
}

/** A session that was opened, and its owner as of now. */
interface Found {
  readonly session: SealedSession;
  readonly user: User | null;
}

function owned(session: SealedSession, user: Awaitable<User | null>): Awaitable<Found> {
  return user instanceof Promise ? user.then((read) => ({ session, user: read })) : { session, user };
}

function best(services: Services, sealed: SealedSessions, live: readonly Found[]): Outcome | null {
  const [first] = live;
  if (first === undefined) return null;
  // Two people's sessions in one browser: somebody planted one of them, and which is not for us to guess.
  if (live.some(({ session }) => session.userId !== first.session.userId)) return clear;
  const newest = live.reduce((one, other) => (other.session.createdAt > one.session.createdAt ? other : one));
  const { session, user } = newest as Found & { readonly user: User };
  const { id, amr, authTime, createdAt } = session;
  const proof = { via: "session", amr, authTime: authTime ?? createdAt, sessionId: id, scopes: null };
  const change = renewed(services, sealed, session);
  return {
    kind: "accepted",
    session,
    principal: signedInAs(user, proof),
    ...(change !== null && { change }),
  };
}

function renewed(services: Services, sealed: SealedSessions, session: SealedSession): SessionChange | null {
  const { clock, config, keys, random } = services;
  const { idleSeconds, rememberedIdleSeconds } = config.session;
  const idle = session.isRemembered ? rememberedIdleSeconds : idleSeconds;
  const now = clock.now();
  if (now.getTime() - session.lastUsedAt.getTime() < touchIntervalSeconds(idle) * 1000) return null;
  const idleExpiresAt = idleLimit(now, idle, session.expiresAt);
  const token = sealed.seal({ ...session, lastUsedAt: now, idleExpiresAt });
  const left = Math.floor((session.expiresAt.getTime() - now.getTime()) / 1000);
  const maxAgeSeconds = session.isRemembered ? left : config.cookie.maxAgeSeconds;
  const sign = (text: string): Uint8Array => keys.sign("csrf", text);
  return { session: { token, maxAgeSeconds, csrfToken: csrfToken(session.id, random.bytes(32), sign) } };
}
