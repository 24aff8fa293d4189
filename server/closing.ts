import type { Listener } from "./listener.ts";
import type { ServerLog } from "./log.ts";

/** How long requests under way may take to finish: longer than a queue of password hashes takes. */
const defaultGraceMs = 10_000;
/** How often connections that have become idle are looked for meanwhile. */
const idleCheckMs = 100;

/** The end of a server. */
export interface Closing {
  readonly hasBegun: () => boolean;
  /** Idempotent. @see Serving.stop */
  readonly stop: () => Promise<void>;
}

/**
 * Ends a server in order: first the connections, so that no request meets a closed store.
 *
 * @param closeBack - ends what requests were answered from
 */
export function closingOf(
  listener: Listener,
  closeBack: () => Promise<void>,
  log: ServerLog,
  graceMs: number = defaultGraceMs,
): Closing {
  let closed: Promise<void> | null = null;
  return {
    hasBegun: () => closed !== null,
    stop() {
      closed ??= endConnections(listener, log, graceMs).then(closeBack);
      return closed;
    },
  };
}

async function endConnections(
  { server, closeSilentConnections }: Listener,
  log: ServerLog,
  graceMs: number,
): Promise<void> {
  const ended = new Promise<void>((resolve) => server.close(() => resolve()));
  // Closing looks for idle connections once; one that was answered as kept alive a moment ago is idle only now. Silent ones
  // are not ended before a turn has passed: what they sent may have arrived and not been read.
  const idle = setInterval(() => {
    server.closeIdleConnections();
    closeSilentConnections();
  }, idleCheckMs);
  const grace = setTimeout(() => {
    log.warn("requests were still under way and have been cut off");
    server.closeAllConnections();
  }, graceMs);
  await ended;
  clearInterval(idle);
  clearTimeout(grace);
}
