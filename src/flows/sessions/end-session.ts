import type { EventOrigin } from "../../domain/event.ts";
import type { User } from "../../domain/user.ts";
import { AuthError } from "../../errors.ts";
import type { Services } from "../../ports/services.ts";
import { readOneTimeToken, takeOneTimeToken } from "../one-time-tokens.ts";
import { revokeAllSessions, revokeSession } from "./sessions.ts";

/**
 * Looks at a link that ends a session; spends nothing.
 *
 * @throws AuthError `token_invalid` - unknown, used or expired
 */
export async function openEndSession(services: Services, text: string): Promise<User> {
  const { userId } = await readOneTimeToken(services, "end_session", text);
  const { stores, call } = services;
  const user = userId === null ? null : await stores.directory.user(userId, call());
  if (user === null || user.status !== "active") throw new AuthError("token_invalid");
  return user;
}

/**
 * Ends the session that a mail told of. One that goes on under a new id is found by the id that it had; where it cannot be found,
 * every session of the user ends: whoever came in unasked could else walk away from the link. The generation is not asked for, since
 * they have had every reason to move it.
 *
 * @returns how many sessions ended; 0 where nobody was signed in any more
 * @throws AuthError `token_invalid` - unknown, used or expired
 */
export async function endSessionByLink(services: Services, text: string, from: EventOrigin): Promise<number> {
  const user = await openEndSession(services, text);
  const { detail: sessionId = "" } = await takeOneTimeToken(services, "end_session", text);
  const live = await services.stores.sessions.list(user.id, services.call());
  const found = live.find(({ id, rotatedFrom }) => id === sessionId || rotatedFrom === sessionId);
  if (found !== undefined && (await revokeSession(services, { userId: user.id, sessionId: found.id }, from)))
    return 1;
  return revokeAllSessions(services, user.id, from);
}
