import type { Services } from "../../ports/services.ts";
import { type Pace, repeating } from "../repeating.ts";
import { type Follower, followOnce, type Pass } from "./follow-events.ts";

/** Somebody who is being told of events. */
export interface Following {
  /** Tells what there is to tell, now. */
  pass(): Promise<Pass>;
  /** What came of the last pass; null before the first. */
  last(): Pass | null;
  /** Tells no further event; resolves when the one under way has been taken or has failed. */
  stop(): Promise<void>;
}

/** Has a follower told of events: soon after each that this process wrote, and every few seconds for those of others. */
export function following(
  services: Services,
  wanted: Omit<Follower, "isStopping">,
  pace: Pace,
  onStop: () => void = () => {},
): Following {
  let [isStopping, last] = [false, null as Pass | null];
  const follower: Follower = { ...wanted, isStopping: () => isStopping };

  async function pass(): Promise<Pass> {
    last = await followOnce(services, follower);
    if (last.kind === "failed") {
      const { event, attempts, retryAfterSeconds, cause } = last;
      const fields = { follower: wanted.name, event: event.id, attempts, retryAfterSeconds };
      services.log.error("an event was not taken", fields, cause);
    }
    return last;
  }

  const loop = repeating(services, `follow ${wanted.name}`, pace, pass);
  const stopListening = pace.everySeconds === 0 ? () => {} : services.events.listen(() => loop.wake());
  // Its place in the log is made by the first pass: what happens from now on is told.
  if (pace.everySeconds > 0) loop.wake();
  return {
    pass,
    last: () => last,
    async stop() {
      isStopping = true;
      stopListening();
      onStop();
      await loop.stop();
    },
  };
}
