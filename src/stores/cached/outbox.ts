import type { ChangedKeys, Changes } from "./channel.ts";

/** Changes that have not been told yet, as one. */
export interface Outbox {
  add(changes: Changes): void;
  /** What is in it, and empties it; null where that is nothing. */
  take(): Changes | null;
  readonly isEmpty: boolean;
}

/** Makes {@link Outbox}. */
export function outbox(): Outbox {
  let isEverything = false;
  const sessions = new Set<string>();
  const users = new Set<string>();

  function add({ sessions: ids, users: userIds }: ChangedKeys): void {
    for (const id of ids) sessions.add(id);
    for (const id of userIds) users.add(id);
  }

  return {
    add(changes) {
      if (changes === "everything") isEverything = true;
      else add(changes);
    },
    take() {
      if (!isEverything && sessions.size + users.size === 0) return null;
      const changes = isEverything ? "everything" : { sessions: [...sessions], users: [...users] };
      isEverything = false;
      sessions.clear();
      users.clear();
      return changes;
    },
    get isEmpty() {
      return !isEverything && sessions.size + users.size === 0;
    },
  };
}
