import type { DirectoryStore } from "./directory-store.ts";
import type { EphemeralStore } from "./ephemeral-store.ts";
import type { SessionStore } from "./session-store.ts";

/** The three ports that an `Auth` needs; a missing one does not compile. */
export interface Stores {
  readonly directory: DirectoryStore;
  readonly sessions: SessionStore;
  readonly ephemeral: EphemeralStore;
}
