import type { Engine, StoreCall } from "../../ports/store.ts";
import type { Keys } from "./keys.ts";
import type { Link } from "./link.ts";

/** What the parts of the engine share. */
export interface Parts {
  readonly engine: Engine;
  readonly link: Link;
  readonly keys: Keys;
  ping(call: StoreCall): Promise<void>;
  close(): Promise<void>;
}
