import type { StoreCall } from "../../ports/store.ts";
import { settled } from "../settled.ts";
import type { Queries } from "./queries.ts";

/** A connection for one piece of work. */
export interface Link extends Queries {
  /** SQL without values, sent as it is. */
  script(text: string): Promise<void>;
  /** Says that the connection is not to be used by anybody else: it is closed when the work ends. */
  spoil(): void;
  /** Whether it is spoiled, or failed in a way after which nobody knows what the server is doing on it. */
  readonly isSpoiled: boolean;
}

/** A link, and what ends it. */
export interface Lent {
  readonly link: Link;
  /** Gives the connection to the pool, or closes it where it is spoiled. */
  giveBack(): void;
}

/** How an engine's driver hands out connections. */
export interface Lender<Connection extends { release(): void }> {
  /** Takes one from the pool. */
  connect(): Promise<Connection>;
  open(connection: Connection): Lent;
  /** Whether one is to be closed instead of used. @see Renewal */
  isOld(connection: Connection): boolean;
}

/**
 * Takes a connection from the pool, runs `work` on it and gives it back. A caller who gives up gets the signal's reason at once,
 * and the connection is closed then: a statement may still be running on it, and the server undoes what was not committed.
 */
export async function lend<Connection extends { release(): void }, T>(
  lender: Lender<Connection>,
  { signal }: Pick<StoreCall, "signal">,
  work: (link: Link) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const { link, giveBack } = await lent(lender, signal);
  try {
    return await settled(work(link), signal);
  } catch (error) {
    if (signal.aborted) link.spoil();
    throw error;
  } finally {
    giveBack();
  }
}

async function lent<Connection extends { release(): void }>(
  lender: Lender<Connection>,
  signal: AbortSignal,
): Promise<Lent> {
  for (;;) {
    const connection = await taken(lender.connect(), signal);
    const lent = lender.open(connection);
    if (!lender.isOld(connection)) return lent;
    lent.link.spoil();
    lent.giveBack();
  }
}

async function taken<Connection extends { release(): void }>(
  connecting: Promise<Connection>,
  signal: AbortSignal,
): Promise<Connection> {
  try {
    return await settled(connecting, signal);
  } catch (error) {
    // Whoever gave up waiting does not keep the place of a connection that comes later.
    connecting.then((connection) => connection.release()).catch(noop);
    throw error;
  }
}

function noop(): void {}
