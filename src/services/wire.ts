import type { Config } from "../config.ts";
import type { AuditRow } from "../domain/audit.ts";
import { eventOfRow } from "../domain/audit.ts";
import { isTokenSession } from "../domain/session.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { Policy } from "../ports/policy.ts";
import type { Log, Services } from "../ports/services.ts";
import type { SealedSessions, SealingOptions, SessionTokenFormat } from "../ports/session-token.ts";
import type { StoreCall, Write } from "../ports/store.ts";
import type { Stores } from "../ports/stores.ts";
import { createBackground } from "./background.ts";
import { withDeadline } from "./deadline.ts";
import { createEvents, type Listener } from "./events.ts";
import { deriveKeys } from "./keys.ts";
import { unfailing } from "./log.ts";
import { checkedFormat, plainFormat } from "./session-format.ts";

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
  /** Null for the usual one. */
  readonly sessionTokens: SessionTokenFormat | null;
  /** Makes what seals sessions, where no store keeps them. */
  readonly sealedSessions: (options: SealingOptions) => SealedSessions;
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
  sessionTokens,
  sealedSessions,
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
  const keys = deriveKeys(secrets);
  const { mode, binding } = config.session;
  const sealing =
    mode === "stateful"
      ? null
      : sealedSessions({
          keys: keys.derived("sealed-session"),
          cookieName: config.cookie.name,
          isBound: binding !== "off",
          random,
        });
  return {
    config,
    stores,
    clock,
    random,
    keys,
    sessionTokens: sessionTokens === null ? plainFormat : checkedFormat(sessionTokens, random),
    sealedSessions: sealing,
    events,
    background,
    log,
    policies,
    call,
    published,
    async commit(wanted: readonly Write[]) {
      const writes = sealing === null ? wanted : wanted.filter(isKept);
      const result = await stores.directory.commit(writes, call());
      if (result.ok) {
        published(writes.flatMap((write) => (write.kind === "audit.insert" ? [write.row] : [])));
        published(result.reported);
      }
      return result;
    },
  };
}

// What a cookie holds is in no store. Sessions that tokens carry are, and ending what is not there is fine.
function isKept(write: Write): boolean {
  const isNew =
    write.kind === "session.insert" || write.kind === "session.replace" || write.kind === "session.rotate";
  return !isNew || isTokenSession(write.session);
}
