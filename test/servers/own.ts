import { onTestFinished } from "vitest";
import { unprivilegedAccount } from "./account.ts";
import { openGroup, type ServerGroup } from "./server-group.ts";

/** Called with what ends the servers: `onTestFinished`, which is the default, or `afterAll`. */
export type Cleanup = (end: () => Promise<void>) => void;

/** A group of servers of a test's own, ended with the test. @throws Error after ending them, where `fill` throws */
export async function ownGroup<T>(
  name: string,
  cleanup: Cleanup = (end) => onTestFinished(end),
  fill: (group: ServerGroup) => Promise<T>,
): Promise<T & { end(): Promise<void> }> {
  const group = openGroup(name, unprivilegedAccount());
  cleanup(() => group.end());
  try {
    return { ...(await fill(group)), end: () => group.end() };
  } catch (error) {
    await group.end();
    throw error;
  }
}

/** @throws Error - a test that starts a server where there is none should have been skipped */
export function present(binary: string | null | undefined, name: string): string {
  if (binary === null || binary === undefined) throw new Error(`there is no ${name}; skip this test`);
  return binary;
}
