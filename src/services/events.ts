import { setImmediate } from "node:timers/promises";
import { type AuditRow, auditRow, eventOfRow } from "../domain/audit.ts";
import type { AuthEvent, EventOrigin, EventType } from "../domain/event.ts";
import { uuidv7 } from "../domain/random.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { Draft, Events, Log } from "../ports/services.ts";

/** Is told of every event after it was committed. What it returns is not awaited; what it throws is logged. */
export type Listener = (event: AuthEvent) => unknown;

/** Refusals kept for writing while the directory is slow; past this they reach the listeners and the log only. */
const longestQueue = 1_000;

/** What {@link createEvents} works with. */
export interface EventsDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Called at each event, so that listeners added later are heard. */
  readonly listeners: () => Iterable<Listener>;
  /** Runs what nobody waits for but the end of the process. */
  readonly inBackground: (task: () => Promise<unknown>) => void;
  /** Writes rows of refusals. */
  readonly write: (rows: readonly AuditRow[]) => Promise<unknown>;
}

/** Makes rows of events, tells listeners, and gathers refusals into batches. */
export function createEvents({
  clock,
  random,
  log,
  listeners,
  inBackground,
  write,
}: EventsDependencies): Events {
  const salt = (): string => Buffer.from(random.bytes(16)).toString("base64url");
  const queue: AuditRow[] = [];
  let dropped = 0;

  function row<T extends EventType>(draft: Draft<T>, origin: EventOrigin): AuditRow {
    const now = clock.now();
    const id = uuidv7(now, (length) => random.bytes(length));
    return auditRow({ ...draft, ...origin, id, createdAt: now } as unknown as AuthEvent, salt);
  }

  function emit(event: AuthEvent): void {
    for (const listener of listeners()) {
      try {
        Promise.resolve(listener(event)).catch((cause) =>
          log.error("a listener failed", { event: event.type }, cause),
        );
      } catch (cause) {
        log.error("a listener failed", { event: event.type }, cause);
      }
    }
  }

  async function flush(): Promise<void> {
    await setImmediate();
    const rows = queue.splice(0);
    if (dropped > 0) log.warn("audit rows of refusals were dropped", { dropped });
    dropped = 0;
    await write(rows);
  }

  function report<T extends EventType>(draft: Draft<T>, origin: EventOrigin): void {
    const made = row(draft, origin);
    emit(eventOfRow(made));
    if (queue.length >= longestQueue) {
      dropped++;
      return;
    }
    queue.push(made);
    if (queue.length === 1) inBackground(flush);
  }

  return { row, emit, report };
}
