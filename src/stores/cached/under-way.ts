import type { Changes } from "./channel.ts";

/** Readings that have begun and not ended, and what has changed under them: such an answer is given and not kept. */
export interface UnderWay {
  /** Begins a reading; answers what {@link isSpoiled} and {@link end} want to know of it. */
  begin(): number;
  end(): void;
  /** Notes a change. */
  note(changes: Changes): void;
  /** Whether this session, or its user, may have changed since the reading began. */
  isSpoiled(begun: number, sessionId: string, userId: string | null): boolean;
}

/** Changes that are remembered one by one; past it every reading under way is spoiled. */
const changesMax = 10_000;

/** Makes {@link UnderWay}. */
export function underWay(): UnderWay {
  let count = 0;
  let readings = 0;
  let everythingAt = 0;
  const sessions = new Map<string, number>();
  const users = new Map<string, number>();

  function forgetSingly(): void {
    sessions.clear();
    users.clear();
  }

  return {
    begin() {
      readings++;
      return count;
    },
    end() {
      readings--;
      if (readings === 0) forgetSingly();
    },
    note(changes) {
      count++;
      if (readings === 0) return;
      if (changes === "everything" || sessions.size + users.size >= changesMax) {
        everythingAt = count;
        forgetSingly();
      }
      if (changes === "everything") return;
      for (const id of changes.sessions) sessions.set(id, count);
      for (const id of changes.users) users.set(id, count);
    },
    isSpoiled(begun, sessionId, userId) {
      const changedAt = Math.max(
        everythingAt,
        sessions.get(sessionId) ?? 0,
        userId === null ? 0 : (users.get(userId) ?? 0),
      );
      return changedAt > begun;
    },
  };
}
