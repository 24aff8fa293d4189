import { emitWarning } from "node:process";
import type { Log } from "../../ports/services.ts";

/** Where a channel tells that it is cut, and that it is whole again. */
export type ChannelLog = Pick<Log, "warn">;

/** The failures of a channel since it was last whole. */
export interface Outage {
  /** Another connection came to nothing, or was lost. */
  failed(reason: unknown): void;
  /** A connection came about, and nothing was heard over it yet. */
  reached(): void;
  /** Something was heard over it. */
  over(): void;
  /** Whether it is time for another connection. */
  readonly isDue: boolean;
}

/** Failures in a row that are told. Fewer are a restart. */
const toldAfter = 4;
/** The pauses before another try at a server that cannot be reached are none, then this and twice the one before. */
const firstPauseMs = 600;
/** Well under the age that answers have by default, which bounds what comes late. */
const longestPauseMs = 1_500;

/** Makes {@link Outage}. Without a log, what is told is a warning of the process. */
export function outage(log: ChannelLog = processWarnings): Outage {
  let failures = 0;
  let unreached = 0;
  let dueAt = 0;

  // Called from timers: a log that throws must not end the process.
  function tell(message: string, fields: Parameters<ChannelLog["warn"]>[1]): void {
    try {
      log.warn(message, fields);
    } catch {}
  }

  return {
    failed(reason) {
      failures++;
      unreached++;
      const pauseMs = unreached === 1 ? 0 : Math.min(longestPauseMs, firstPauseMs * 2 ** (unreached - 2));
      dueAt = performance.now() + pauseMs;
      if (failures === toldAfter)
        tell("cached: the channel is cut: what other processes end lives on for maxStalenessSeconds", {
          reason: textOf(reason),
        });
    },
    reached() {
      unreached = 0;
    },
    over() {
      if (failures >= toldAfter) tell("cached: the channel is whole again", { failures });
      failures = 0;
    },
    get isDue() {
      return performance.now() >= dueAt;
    },
  };
}

const processWarnings: ChannelLog = {
  warn(message, fields = {}) {
    const text = fields.reason === undefined ? message : `${message} (${fields.reason})`;
    emitWarning(text, { code: "LATCHKEY_CHANNEL" });
  },
};

// Where an address has several hosts, what was wrong with each is inside.
function textOf(reason: unknown): string {
  if (reason instanceof AggregateError) return reason.errors.map(textOf).join(", ");
  return reason instanceof Error ? reason.message : String(reason);
}
