import type { Session } from "../../domain/session.ts";
import type { Write } from "../../ports/store.ts";
import type { ChangedKeys } from "./channel.ts";

/** Whose cached answers a transaction makes wrong; `ended`: the sessions that it says it ended, a cap's among them. */
export function changesOf(writes: readonly Write[], ended: readonly Session[] = []): ChangedKeys {
  const users = new Set<string>();
  const sessions = new Set<string>();
  for (const write of writes) {
    for (const id of usersOf(write)) users.add(id);
    for (const id of sessionsOf(write)) sessions.add(id);
  }
  for (const { id, userId } of ended) if (userId === null || !users.has(userId)) sessions.add(id);
  return { sessions: [...sessions], users: [...users] };
}

/** Whether nothing was changed that anybody could have cached. */
export function isNothing({ sessions, users }: ChangedKeys): boolean {
  return sessions.length === 0 && users.length === 0;
}

function usersOf(write: Write): readonly string[] {
  switch (write.kind) {
    case "user.update":
    case "user.advance":
    case "user.erase":
    case "session.delete_all":
      return [write.userId];
    default:
      return [];
  }
}

// What is new is in no cache: only what was found is kept.
function sessionsOf(write: Write): readonly string[] {
  switch (write.kind) {
    case "session.replace":
      return [write.replaces];
    case "session.rotate":
      return [write.from];
    case "session.delete":
    case "session.set_data":
    case "session.refresh":
      return [write.sessionId];
    case "session.revoke":
      return write.sessions.map(({ id }) => id);
    default:
      return [];
  }
}
