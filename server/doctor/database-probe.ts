import type { DatabaseAddress } from "../settings/database-url.ts";
import type { DatabaseFacts } from "./facts.ts";

/** One row of an answer, by column. */
export type ProbeRow = Readonly<Record<string, unknown>>;

/** A connection of the doctor's own to the database. It only reads. */
export interface DatabaseProbe {
  readonly engine: DatabaseAddress["engine"];
  /** Runs one statement that every engine understands, without parameters. */
  all(sql: string): Promise<readonly ProbeRow[]>;
  /** What only this engine can be asked. */
  facts(): Promise<ServerSide>;
  end(): Promise<void>;
}

/** What an engine says of itself. */
export type ServerSide = Omit<DatabaseFacts, "engine" | "schemaProblem" | "missingIndexes" | "content"> & {
  readonly indexes: readonly string[];
};

/** How far a clock that was read between two instants is ahead of this machine's. */
export async function skewOf(readMs: () => Promise<number>): Promise<number> {
  const before = Date.now();
  const theirs = await readMs();
  return Math.round(theirs - (before + Date.now()) / 2);
}

/** Whether `version` (`8.0.36`) is below `oldest`. */
export function isBelow(version: string, oldest: readonly [major: number, minor: number]): boolean {
  const [major = 0, minor = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  return major < oldest[0] || (major === oldest[0] && minor < oldest[1]);
}
