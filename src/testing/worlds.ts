import type { Auth } from "../auth.ts";
import type { Services } from "../ports/services.ts";

/** What this kit knows of an `Auth` of its own, and of no other. */
export interface TestWorld {
  readonly services: Services;
  /** Waits for what an answer set off in this process: its mails, its audit rows. */
  readonly answered: () => Promise<void>;
}

const worlds = new WeakMap<Auth, TestWorld>();

/** Notes what is behind an `Auth` of `testAuth`. */
export function noteWorld(auth: Auth, world: TestWorld): void {
  worlds.set(auth, world);
}

/** What is behind an `Auth`; null for one of `createAuth`. */
export function worldOf(auth: Auth): TestWorld | null {
  return worlds.get(auth) ?? null;
}
