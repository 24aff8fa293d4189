import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "latchkey";
import type { Settings } from "../settings/settings.ts";
import type { SessionBackend } from "./sessions.ts";
import { UnfitBackend } from "./unfit-backend.ts";

/**
 * Waits for the backend of sessions, no longer than one call may take. One that is down now is looked at by the first call that
 * reaches it; found unfit then, the server stays up, is not ready, and says why in the log.
 *
 * @throws UnfitBackend - it answered, and would lose what it must not lose
 */
export async function readyBackend(
  { storeTimeoutMs }: Settings,
  { ready }: Pick<SessionBackend, "ready">,
  log: Log,
): Promise<void> {
  if (ready === null) return;
  const patience = new AbortController();
  const answered = ready().catch((error: unknown) => {
    // Everything else is a server that does not answer.
    if (!(error instanceof UnfitBackend)) return;
    if (!patience.signal.aborted) throw error;
    log.error(error.message);
  });
  const waited = delay(storeTimeoutMs, undefined, { signal: patience.signal }).catch(() => {});
  await Promise.race([answered, waited]).finally(() => patience.abort());
}
