import { setTimeout as sleep } from "node:timers/promises";
import { SchemaError } from "./schema-error.ts";

/**
 * How a migration waits for those who use a table that it changes. Who waits for such a lock keeps everybody away who comes
 * later, readers too: so it waits a moment, lets them all go on, and tries again.
 */
export interface LockPatience {
  /** How long one try waits, in milliseconds; an engine that counts in seconds rounds up. */
  readonly lockMs: number;
  readonly tries: number;
  /** What passes between two tries; up to twice as long. */
  readonly pauseMs: number;
}

/** Half a minute, of which a third is waited. */
export const lockPatience: LockPatience = { lockMs: 1_000, tries: 10, pauseMs: 1_400 };

/** How long a process waits for another one that migrates. */
export const mostSecondsMigrating = 600;

/** `latchkey migrate` and this. */
export type MigrationCommand = "up" | "down";

/** What an engine knows of locks. */
export interface LockKnowledge {
  /** Whether a try failed since others held a lock for too long, or wanted locks in another order. Nothing of it was done. */
  isBlocked(error: unknown): boolean;
  /** Who holds one, for people: "backend 17 (idle in transaction, its transaction began 40 s ago)"; none where that cannot be told. */
  holders(): Promise<readonly string[]>;
  /** How such a holder is ended, for people. */
  readonly howToEnd: string;
  /** What people are to run again. */
  readonly command: MigrationCommand;
}

/** Runs `work` until nobody holds what it needs. @throws SchemaError - somebody does at every try; else as `work` */
export async function patiently<T>(
  { lockMs, tries, pauseMs }: LockPatience,
  locks: LockKnowledge,
  work: () => Promise<T>,
): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await work();
    } catch (error) {
      if (!locks.isBlocked(error)) throw error;
      if (tried >= tries) {
        // Who may not ask gets no answer; the failure is what is to be told.
        const holders = await locks.holders().catch(() => []);
        throw new SchemaError(blocked(holders, locks, `${tries} times for ${lockMs / 1_000} s`), {
          cause: error,
        });
      }
    }
    // With jitter, so that what comes regularly does not come each time.
    await sleep(pauseMs * (1 + Math.random()));
  }
}

/** A line of {@link LockKnowledge.holders}; what could not be learned of it is null. */
export function holder(name: string, state: string | null, seconds: number | null): string {
  const known = [state ?? "", seconds === null ? "" : `its transaction began ${seconds} s ago`];
  const told = known.filter((text) => text !== "").join(", ");
  return told === "" ? name : `${name} (${told})`;
}

function blocked(holders: readonly string[], { howToEnd, command }: LockKnowledge, waited: string): string {
  const who = holders.length === 0 ? "Who it is could not be told." : `Held by: ${holders.join("; ")}.`;
  return (
    `a migration waited ${waited} for a table that somebody else is using, and gave up so as to keep nobody away. ${who} ` +
    `Let those transactions end, or end them (${howToEnd}), and run \`latchkey migrate ${command}\` again.`
  );
}
