import type { EventOrigin, EventPayloads } from "../../domain/event.ts";
import type { Services } from "../../ports/services.ts";
import type { Write } from "../../ports/store.ts";
import { identifierHmac } from "../attempts.ts";

/** A sign-in, or another proof of who somebody is, that was refused. */
export interface RefusedSignIn {
  /** Null where nobody was found. */
  readonly userId: string | null;
  /** The session that asked for it; null at a sign-in. */
  readonly sessionId: string | null;
  /** The address or username as it was tried, in the form that is compared; the row has a digest of it. */
  readonly typedKey: string;
  readonly reason: EventPayloads["user.login_failed"]["reason"];
  readonly from: EventOrigin;
}

/** Puts a refused proof on record, and that it made others wait or ended the row. @param lock - null where it did neither */
export async function recordFailure(
  services: Services,
  { userId, sessionId, typedKey, reason, from }: RefusedSignIn,
  lock: EventPayloads["user.locked"] | null,
): Promise<void> {
  const { events } = services;
  const payload = { identifierHmac: identifierHmac(services, typedKey), reason };
  const row = events.row({ type: "user.login_failed", userId, sessionId, payload }, from);
  const writes: Write[] = [{ kind: "audit.insert", row }];
  if (lock !== null) {
    const lockRow = events.row({ type: "user.locked", userId, sessionId, payload: lock }, from);
    writes.push({ kind: "audit.insert", row: lockRow });
  }
  await services.commit(writes);
}
