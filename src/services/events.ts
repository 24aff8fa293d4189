import { setImmediate } from "node:timers/promises";
import { type AuditRow, auditRow } from "../domain/audit.ts";
import type { AuthEvent, EventOrigin, EventType, RefusalType } from "../domain/event.ts";
import { ipForLimits } from "../domain/ip.ts";
import { uuidv7 } from "../domain/random.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { Draft, Events, Log, RefusalDraft } from "../ports/services.ts";
import { refusalBudget } from "./refusal-budget.ts";

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
  const budget = refusalBudget(clock);
  const queue = rowQueue({ log, inBackground, write });

  function happening<T extends EventType>(draft: Draft<T>, origin: EventOrigin): AuthEvent {
    const now = clock.now();
    const id = uuidv7(now, (length) => random.bytes(length));
    return { ...draft, ...origin, id, createdAt: now } as unknown as AuthEvent;
  }

  const own = new Set<Listener>();

  function emit(event: AuthEvent): void {
    for (const listener of [...listeners(), ...own]) {
      try {
        Promise.resolve(listener(event)).catch((cause) =>
          log.error("a listener failed", { event: event.type }, cause),
        );
      } catch (cause) {
        log.error("a listener failed", { event: event.type }, cause);
      }
    }
  }

  function report<T extends RefusalType>(draft: RefusalDraft<T>, origin: EventOrigin): void {
    // A full queue spends nothing: the row would be lost, and the count of those before it.
    const suppressed = queue.isFull() ? 0 : budget.take(draft.type, ipForLimits(origin.ip));
    const payload = { ...draft.payload, suppressed: suppressed ?? 0 };
    const event = happening({ ...draft, payload } as unknown as Draft<T>, origin);
    emit(event);
    if (suppressed !== null) queue.push(auditRow(event, salt));
  }

  return {
    row: (draft, origin) => auditRow(happening(draft, origin), salt),
    emit,
    report,
    listen(hear) {
      const listener: Listener = (event) => hear(event);
      own.add(listener);
      return () => void own.delete(listener);
    },
  };
}

/** Rows on their way to the directory. */
interface RowQueue {
  isFull(): boolean;
  /** Drops the row where the queue is full; the log says how many. */
  push(row: AuditRow): void;
}

// One write at a time: a directory that hangs would else be handed batch after batch, and hold them all.
function rowQueue({
  log,
  inBackground,
  write,
}: Pick<EventsDependencies, "log" | "inBackground" | "write">): RowQueue {
  const rows: AuditRow[] = [];
  let dropped = 0;
  let isWriting = false;
  const isFull = (): boolean => rows.length >= longestQueue;

  function start(): void {
    if (isWriting || rows.length === 0) return;
    isWriting = true;
    inBackground(flush);
  }

  async function flush(): Promise<void> {
    await setImmediate();
    const batch = rows.splice(0);
    if (dropped > 0) log.warn("audit rows of refusals were dropped", { dropped });
    dropped = 0;
    try {
      await write(batch);
    } finally {
      isWriting = false;
      start();
    }
  }

  return {
    isFull,
    push(row) {
      if (isFull()) {
        dropped++;
        return;
      }
      rows.push(row);
      start();
    },
  };
}
