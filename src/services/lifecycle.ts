import type { Config } from "../config.ts";
import type { CallOff } from "../ports/clock.ts";
import type { Background, Services } from "../ports/services.ts";
import type { Stores } from "../ports/stores.ts";

/** The end of an `Auth`. */
export interface Closing {
  hasBegun(): boolean;
  /** Waits for work under way, then closes parts and stores. Idempotent. */
  close(): Promise<void>;
}

/** Makes the way to close: `parts` (features) first, since their work still needs the stores. */
export function closer(
  { background }: Pick<Services, "background">,
  parts: Iterable<{ close?(): Promise<void> }>,
  stores: Stores,
): Closing {
  let closed: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    for (const part of parts) await part.close?.();
    await background.drain();
    for (const port of new Set([stores.sessions, stores.ephemeral, stores.directory])) await port.close();
  };
  return {
    hasBegun: () => closed !== null,
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}

/** Whether every store answers. */
async function answersAll({ stores, call }: Pick<Services, "stores" | "call">): Promise<boolean> {
  const pings = [stores.directory, stores.sessions, stores.ephemeral].map((port) => port.ping(call()));
  return (await Promise.allSettled(pings)).every(({ status }) => status === "fulfilled");
}

/**
 * {@link answersAll}, one look at a time: who asks while one is under way gets its answer, so that no number of strangers who ask
 * loads the stores.
 */
export function readiness(services: Pick<Services, "stores" | "call">): () => Promise<boolean> {
  let looking: Promise<boolean> | null = null;
  return () => {
    looking ??= answersAll(services).finally(() => {
      looking = null;
    });
    return looking;
  };
}

/** What {@link sweepRegularly} works with. */
export interface SweepDependencies {
  readonly config: { readonly session: Pick<Config["session"], "sweepIntervalSeconds"> };
  readonly background: Pick<Background, "run">;
  readonly timers: Pick<Services["timers"], "every">;
}

/**
 * Sweeps at the configured interval, and never twice at a time: a sweep that takes longer than the interval would be joined
 * by the next, and each would slow the others down.
 *
 * @returns ends it; it holds no process open. Null where the interval is 0
 */
export function sweepRegularly(
  { config, background, timers }: SweepDependencies,
  sweep: () => Promise<unknown>,
): CallOff | null {
  const { sweepIntervalSeconds } = config.session;
  if (sweepIntervalSeconds === 0) return null;
  let isSweeping = false;
  const sweepOnce = async (): Promise<void> => {
    try {
      await sweep();
    } finally {
      isSweeping = false;
    }
  };
  return timers.every(sweepIntervalSeconds * 1000, () => {
    if (isSweeping) return;
    isSweeping = true;
    background.run("sweep", sweepOnce);
  });
}
