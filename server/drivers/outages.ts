import type { Log } from "latchkey";

/** What is said of a server that stops answering: one line when it begins and one when it ends, however often it is tried. */
export interface Outages {
  failed(cause: unknown): void;
  worked(): void;
}

/** @param server - for the log: `Redis at db.internal:6379` */
export function outages(log: Log, server: string): Outages {
  let isOut = false;
  return {
    failed(cause) {
      if (isOut) return;
      isOut = true;
      log.error(`${server} does not answer`, {}, cause);
    },
    worked() {
      if (!isOut) return;
      isOut = false;
      // As loud as what it ends: who reads only warnings would wait for ever.
      log.warn(`${server} answers again`);
    },
  };
}

/** Outages of several servers, each by its name. */
export function outagesByServer(log: Log): (server: string) => Outages {
  const known = new Map<string, Outages>();
  return (server) => {
    const found = known.get(server) ?? outages(log, server);
    known.set(server, found);
    return found;
  };
}
