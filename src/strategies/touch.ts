import { idleLimit, isTokenSession, type Session, touchIntervalSeconds } from "../domain/session.ts";
import type { Services } from "../ports/services.ts";

/** Notes that a session is in use, at most once in its interval, after the answer. */
export function touch({ clock, background, config }: Services, session: Session): void {
  const idleSeconds = idleSecondsOf(config.session, session);
  const now = clock.now();
  if (now.getTime() - session.lastUsedAt.getTime() < touchIntervalSeconds(idleSeconds) * 1000) return;
  // What tokens carry has one limit: its use counts for who is the least recently used, and lengthens nothing.
  const until = isTokenSession(session) ? session.expiresAt : idleLimit(now, idleSeconds, session.expiresAt);
  background.touch(session.id, now, until);
}

function idleSecondsOf(limits: Services["config"]["session"], { userId, isRemembered }: Session): number {
  if (userId === null) return limits.absoluteSeconds;
  return isRemembered ? limits.rememberedIdleSeconds : limits.idleSeconds;
}
