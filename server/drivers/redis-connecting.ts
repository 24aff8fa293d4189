import { setTimeout as delay } from "node:timers/promises";
import type { Outages } from "./outages.ts";

/** What the clients of the three topologies have in common. */
export interface Connecting {
  readonly isOpen: boolean;
  connect(): Promise<unknown>;
  destroy(): unknown;
}

/** How a client is kept connected. */
export interface KeepOptions {
  /** Asks over every connection; resolves when all have answered, rejects where the driver knows one to be lost. */
  readonly ask: () => Promise<unknown>;
  /** A connection that says nothing for this long is given up. */
  readonly silenceMs: number;
  readonly outages: Outages;
}

/** A client that is kept connected until it is closed. */
export interface Kept {
  /** Resolves when it has connected for the first time, which may be never. */
  readonly connected: Promise<void>;
  close(): Promise<void>;
}

/** Between attempts to find a first server; known ones are tried again by the driver. */
const pauseMs = 500;
const askEveryMs = 1_000;

/**
 * Connects until it has worked, and again where a connection hangs. The driver itself waits for the system to notice a server
 * that vanished without a word, and that takes a quarter of an hour, during which its replica has long taken over.
 */
export function keepConnected(client: Connecting, { ask, silenceMs, outages }: KeepOptions): Kept {
  const end = new AbortController();
  const pause = (ms: number): Promise<void> =>
    delay(ms, undefined, { signal: end.signal, ref: false }).catch(() => {});

  async function connect(): Promise<void> {
    while (!end.signal.aborted) {
      try {
        await client.connect();
        return;
      } catch (error) {
        if (!end.signal.aborted) outages.failed(error);
        await pause(pauseMs);
      }
    }
  }

  async function watch(): Promise<void> {
    for (;;) {
      await pause(askEveryMs);
      if (end.signal.aborted) return;
      const answer = await answerWithin(silenceMs, ask);
      if (end.signal.aborted) return;
      if (answer === "well") outages.worked();
      if (answer !== "silence") continue;
      outages.failed(new Error(`no answer for ${silenceMs} ms`));
      await destroy();
      await connect();
    }
  }

  async function destroy(): Promise<void> {
    if (client.isOpen) await client.destroy();
  }

  const connected = connect();
  void connected.then(watch);
  return {
    connected,
    async close() {
      end.abort();
      await destroy();
    },
  };
}

type Answer = "well" | "error" | "silence";

async function answerWithin(ms: number, ask: () => Promise<unknown>): Promise<Answer> {
  const patience = new AbortController();
  const asked = ask().then(
    (): Answer => "well",
    (): Answer => "error",
  );
  const waited = delay<Answer>(ms, "silence", { signal: patience.signal, ref: false }).catch(
    (): Answer => "silence",
  );
  return Promise.race([asked, waited]).finally(() => patience.abort());
}
