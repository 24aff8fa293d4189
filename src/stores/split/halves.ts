import type { DetachedSessions } from "../../ports/detached-sessions.ts";
import type { DirectoryStore } from "../../ports/directory-store.ts";
import type { Owners } from "./owners.ts";

/** The two engines and what lies between them. */
export interface Halves {
  readonly directory: DirectoryStore;
  readonly sessions: DetachedSessions;
  readonly owners: Owners;
}
