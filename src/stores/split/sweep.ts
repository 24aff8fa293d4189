import type { Session } from "../../domain/session.ts";
import type { SessionStore } from "../../ports/session-store.ts";
import type { StoreCall, Write } from "../../ports/store.ts";
import type { Halves } from "./halves.ts";

/**
 * How long the end of a session stays on record: longer than a session engine's memory may reach back after a crash. A replica
 * that takes over lacks seconds, a Redis that starts from its snapshot up to an hour of what had been acknowledged.
 */
const recordSeconds = 86_400;
/** Records that one step drops. */
const recordBatch = 500;

/** Makes `SessionStore.sweep`, which also drops the records of ends that every engine knows by now. */
export function sweeper(halves: Halves): SessionStore["sweep"] {
  const { directory, sessions } = halves;
  return async (limit, ended, call) => {
    const swept: Session[] = [];
    while (swept.length < limit) {
      const expired = await sessions.expired(limit - swept.length, call);
      if (expired.length === 0) break;
      // Of sweeps at the same time the directory names one for each session; all of them delete it.
      const revoke: Write = { kind: "session.revoke", sessions: expired, requires: "any", ended };
      const result = await directory.commit([revoke], call);
      if (!result.ok) throw new Error(`a sweep was refused: ${result.refused}`);
      await sessions.take(
        expired.map(({ id }) => id),
        call,
      );
      swept.push(...result.ended);
    }
    if (swept.length < limit) await dropOldRecords(halves, call);
    return swept;
  };
}

async function dropOldRecords({ directory, sessions }: Halves, call: StoreCall): Promise<void> {
  const before = new Date(call.now.getTime() - recordSeconds * 1000);
  for (;;) {
    const ids = await directory.revokedBefore(before, recordBatch, call);
    if (ids.length === 0) return;
    // Before the record goes: what should have been deleted then and was not, since a process died.
    await sessions.take(ids, call);
    await directory.commit([{ kind: "revocation.forget", sessionIds: ids }], call);
    if (ids.length < recordBatch || call.signal.aborted) return;
  }
}
