import { reportEnds } from "./session-writes.ts";
import type { Prepare, Statement } from "./statement.ts";
import type { Handlers, RevocationStatements, WriteRun } from "./write-run.ts";

/** Prepares {@link RevocationStatements}. */
export function revocationStatements(prepare: Prepare): RevocationStatements {
  return {
    insert: prepare(`
      INSERT INTO session_revocations (session_id, user_id, revoked_at) VALUES (?, ?, ?)
      ON CONFLICT (session_id) DO NOTHING`),
    delete: prepare("DELETE FROM session_revocations WHERE session_id = ?"),
  };
}

/** The writes about sessions that live in another engine; what each promises stands at `Write`. */
export const revocationHandlers: Pick<Handlers, "session.revoke" | "revocation.forget"> = {
  "session.revoke": ({ sessions, requires, ended }, run) => {
    const fresh = sessions.filter(({ id, userId }) => isFirst(run, id, userId));
    if (requires === "all" && fresh.length < sessions.length) return "conflict";
    reportEnds(run, fresh, ended);
    return null;
  },

  "revocation.forget": ({ sessionIds }, { statements }) => {
    for (const id of sessionIds) statements.revocations.delete.run(id);
    return null;
  },
};

function isFirst({ statements, now }: WriteRun, sessionId: string, userId: string | null): boolean {
  return statements.revocations.insert.run(sessionId, userId, now.getTime()).changes === 1;
}

/** Reads the ends that are on record. */
export interface RevocationReading {
  readonly one: Statement<readonly [revokedAt: number]>;
  readonly before: Statement<readonly [sessionId: string]>;
}

/** Prepares {@link RevocationReading}. */
export function revocationReading(prepare: Prepare): RevocationReading {
  return {
    one: prepare("SELECT revoked_at FROM session_revocations WHERE session_id = ? AND user_id = ?"),
    before: prepare(
      "SELECT session_id FROM session_revocations WHERE revoked_at < ? ORDER BY revoked_at LIMIT ?",
    ),
  };
}
