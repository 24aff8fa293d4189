import type { Log } from "latchkey";

/** What every client of a server is opened with. */
export interface DriverOptions {
  /** The setting that asks for it, for messages: `SESSION_BACKEND=redis`. */
  readonly asked: string;
  readonly log: Log;
  /** After this a request is answered with 503, so nothing of a driver's may take longer. */
  readonly storeTimeoutMs: number;
}

/** How long connecting may take: half of what a call may, so that a call can meet a connection that fails, and another. */
export function connectTimeoutMs({ storeTimeoutMs }: Pick<DriverOptions, "storeTimeoutMs">): number {
  return Math.ceil(storeTimeoutMs / 2);
}

/** Under this name servers list our connections. */
export const clientName = "latchkey";

/** Connections of one process to one server: a check holds one for a millisecond. */
export const poolSize = 10;
