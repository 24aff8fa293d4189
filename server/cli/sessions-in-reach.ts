import { type DetachedSessions, memorySessions } from "latchkey";
import { openSessions, type SessionBackend } from "../stores/sessions.ts";
import { FilesInUse } from "../stores/unfit-backend.ts";
import type { Terminal } from "./terminal.ts";

const heldByServer =
  "Sessions are with the running server (SESSION_BACKEND=file): this command sees none of them. `session revoke <user> --all` ends them all the same.";

/**
 * Opens the backend of sessions for a command. Files that a running server holds are not opened a second time: the command works
 * without them, and the person is told.
 */
export function sessionsInReach(terminal: Terminal): typeof openSessions {
  return async (settings, log) => {
    try {
      return await openSessions(settings, log);
    } catch (error) {
      if (!(error instanceof FilesInUse)) throw error;
      terminal.complain(heldByServer);
      return outOfReach();
    }
  };
}

// Nothing is found in them. A generation that moves in the directory ends the real ones.
function outOfReach(): SessionBackend {
  const sessions: DetachedSessions = {
    ...memorySessions(),
    // Whoever counts on a deletion must not believe in this one: the sweep would drop the record of an end.
    async take(ids) {
      if (ids.length > 0) throw new Error(heldByServer);
      return [];
    },
  };
  return { sessions, ephemeral: null, ready: null, end: async () => {} };
}
