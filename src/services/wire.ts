import type { Config } from "../config.ts";
import type { AuditRow } from "../domain/audit.ts";
import { eventOfRow } from "../domain/audit.ts";
import { type Roles, rights } from "../domain/rights.ts";
import { isTokenSession } from "../domain/session.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { Policy } from "../ports/policy.ts";
import type { Log, Mails, PasswordServices, Services } from "../ports/services.ts";
import type { SealedSessions, SealingOptions, SessionTokenFormat } from "../ports/session-token.ts";
import type { StoreCall, Write } from "../ports/store.ts";
import type { Stores } from "../ports/stores.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { createBackground } from "./background.ts";
import { withDeadline } from "./deadline.ts";
import { encryptedSessions, sessionsAtRest } from "./encrypted-sessions.ts";
import { createEvents, type Listener } from "./events.ts";
import { deriveKeys } from "./keys.ts";
import { unfailing } from "./log.ts";
import { checkedFormat, plainFormat } from "./session-format.ts";
import { unobtrusive } from "./telemetry.ts";
import { textBox } from "./text-box.ts";
import { tierBook } from "./tiers.ts";
import { timersOf } from "./timers.ts";

/** What {@link wireServices} puts together. */
export interface Parts {
  readonly config: Config;
  readonly secrets: readonly [string, ...string[]];
  readonly stores: Stores;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Null where none are configured. */
  readonly roles: Roles | null;
  readonly policies: readonly Policy[];
  /** Null where nobody measures. */
  readonly telemetry: Telemetry | null;
  readonly listeners: () => Iterable<Listener>;
  readonly mails: () => Mails | null;
  readonly passwords: () => PasswordServices;
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
  roles,
  policies,
  telemetry: givenTelemetry,
  listeners,
  mails,
  passwords,
  sessionTokens,
  sealedSessions,
}: Parts): Services {
  const log = unfailing(givenLog);
  const keys = deriveKeys(secrets);
  const telemetry = givenTelemetry === null ? null : unobtrusive(givenTelemetry);
  const timers = timersOf(clock);
  const bounded = withDeadline(given, config.storeTimeoutMs, telemetry, timers);
  const box = config.session.encrypt ? textBox(keys.derived("session-at-rest"), random) : null;
  const stores = box === null ? bounded : encryptedSessions(bounded, box);
  const call = (): StoreCall => ({ now: clock.now(), signal: never });
  const writeRows = (rows: readonly AuditRow[]): Promise<unknown> =>
    stores.directory.commit(
      rows.map((row) => ({ kind: "audit.insert", row })),
      call(),
    );
  const background = createBackground({
    log,
    timers,
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
    timers,
    random,
    keys,
    sessionTokens: sessionTokens === null ? plainFormat : checkedFormat(sessionTokens, random),
    sealedSessions: sealing,
    sessionsAtRest: box === null ? null : sessionsAtRest(bounded, box),
    events,
    background,
    log,
    rights: rights(roles),
    tiers: tierBook(clock, () => stores.directory.tiers(call())),
    policies,
    telemetry,
    mails,
    passwords,
    call,
    published,
    async commit(wanted: readonly Write[]) {
      const writes = sealing === null ? wanted : wanted.filter(isKept);
      const result = await stores.directory.commit(writes, call());
      if (result.ok) {
        published(writes.flatMap((write) => (write.kind === "audit.insert" ? [write.row] : [])));
        published(result.reported);
        if (writes.some(({ kind }) => kind === "mail.insert")) mails()?.wake();
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
