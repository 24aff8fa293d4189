import type { Config } from "../config.ts";
import type { AuditRow } from "../domain/audit.ts";
import { eventOfRow } from "../domain/audit.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { Policy } from "../ports/policy.ts";
import type { Log, Services } from "../ports/services.ts";
import type { StoreCall, Write } from "../ports/store.ts";
import type { Stores } from "../ports/stores.ts";
import { createBackground } from "./background.ts";
import { withDeadline } from "./deadline.ts";
import { createEvents, type Listener } from "./events.ts";
import { deriveKeys } from "./keys.ts";
import { unfailing } from "./log.ts";

/** What {@link wireServices} puts together. */
export interface Parts {
  readonly config: Config;
  readonly secrets: readonly [string, ...string[]];
  readonly stores: Stores;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly policies: readonly Policy[];
  readonly listeners: () => Iterable<Listener>;
}

/** A signal for calls that nobody gives up; the deadline puts its own in its place. */
const never: AbortSignal = new AbortController().signal;

/** Puts the services together. */
export function wireServices({
  config,
  secrets,
  stores: given,
  clock,
  random,
  log: givenLog,
  policies,
  listeners,
}: Parts): Services {
  const log = unfailing(givenLog);
  const stores = withDeadline(given, config.storeTimeoutMs);
  const call = (): StoreCall => ({ now: clock.now(), signal: never });
  const writeRows = (rows: readonly AuditRow[]): Promise<unknown> =>
    stores.directory.commit(
      rows.map((row) => ({ kind: "audit.insert", row })),
      call(),
    );
  const background = createBackground({
    log,
    writeTouches: (touches) => stores.sessions.touch(touches, call()),
  });
  const events = createEvents({
    clock,
    random,
    log,
    listeners,
    inBackground: (task) => background.run("write audit rows", task),
    write: writeRows,
  });
  const published = (rows: readonly AuditRow[]): void => {
    for (const row of rows) events.emit(eventOfRow(row));
  };
  return {
    config,
    stores,
    clock,
    random,
    keys: deriveKeys(secrets),
    events,
    background,
    log,
    policies,
    call,
    published,
    async commit(writes: readonly Write[]) {
      const result = await stores.directory.commit(writes, call());
      if (result.ok) {
        published(writes.flatMap((write) => (write.kind === "audit.insert" ? [write.row] : [])));
        published(result.reported);
      }
      return result;
    },
  };
}
