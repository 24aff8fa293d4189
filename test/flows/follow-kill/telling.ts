import { appendFileSync } from "node:fs";
import type { AuthEvent } from "../../../src/domain/event.ts";
import {
  type Follower,
  type FollowServices,
  followOnce,
} from "../../../src/flows/following/follow-events.ts";
import { webhookFollower } from "../../../src/flows/following/webhook-endpoints.ts";
import { deriveKeys } from "../../../src/services/keys.ts";
import { systemRandom } from "../../../src/services/system.ts";
import { timersOf } from "../../../src/services/timers.ts";
import { sqlite } from "../../../src/stores/sqlite/sqlite.ts";
import { testClock } from "../../../src/testing/clock.ts";
import { type Death, deadlyStep, dyingStores, type Step } from "./dying-stores.ts";

/** What a process tells whom, and where it dies. */
export interface Telling {
  readonly database: string;
  /** A file that ids are appended to, or the address of a server. */
  readonly to: { readonly file: string } | { readonly url: string };
  readonly now: number;
  readonly death: Death;
}

/** A secret of the receiving server. */
export const webhookSecret = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;

/** Tells everything that there is to tell, once. */
export async function tell({ database, to, now, death }: Telling): Promise<void> {
  const step = deadlyStep(death);
  const stores = dyingStores(sqlite({ path: database }), step);
  const clock = testClock(new Date(now));
  const { signal } = new AbortController();
  const services: FollowServices = {
    stores,
    clock,
    timers: timersOf(),
    random: systemRandom(),
    keys: deriveKeys(["the secret of an application, at least 32 bytes"]),
    call: () => ({ now: clock.now(), signal }),
  };
  await followOnce(services, followerOf(services, to, step));
  for (const port of [stores.ephemeral, stores.sessions, stores.directory]) await port.close();
}

function followerOf(services: FollowServices, to: Telling["to"], step: Step): Follower {
  const isStopping = (): boolean => false;
  if ("file" in to) {
    const deliver = (event: AuthEvent) =>
      step(() => appendFileSync(to.file, `${event.id}\n`), "handing-over");
    return { name: "listener:file", types: null, from: "beginning", isStopping, deliver };
  }
  const { signal } = new AbortController();
  const endpoint = {
    name: "hook",
    url: to.url,
    secret: webhookSecret,
    from: "beginning",
    allowsPrivateAddresses: true,
  } as const;
  const follower = webhookFollower(services, endpoint, signal);
  return { ...follower, isStopping, deliver: (event) => step(() => follower.deliver(event), "handing-over") };
}
