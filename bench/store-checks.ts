import type { Stores } from "latchkey";
import { spreadSessionId } from "./seed.ts";
import { median } from "./table.ts";

/** What checks cost. */
export interface Checked {
  readonly perSecond: number;
  readonly medianUs: number;
  /** Processor time of this process for one of them. */
  readonly cpuUs: number;
}

/** Sessions that are in use; the others lie there. */
const inUse = 1_000;

/** Asks a store that holds `size` seeded sessions for some of them, again and again. */
export async function checks(
  { sessions }: Stores,
  size: number,
  { seconds, atOnce }: { readonly seconds: number; readonly atOnce: number },
): Promise<Checked> {
  // Of users spread over all of them; ids are made before, so that only the store is timed.
  const ids = Array.from({ length: inUse }, (_, index) =>
    spreadSessionId(Math.floor((index * size) / inUse)),
  );
  // One for all: to make them costs more than some checks.
  const signal = AbortSignal.timeout((2 * seconds + 60) * 1000);
  const latencies: number[] = [];
  let count = 0;
  const worker = async (first: number, until: number): Promise<void> => {
    for (let index = first; performance.now() < until; index += atOnce) {
      const from = performance.now();
      const [found] = await sessions.find([ids[index % inUse] as string], { now: new Date(), signal });
      if (found == null || found.expired) throw new Error("a session that was added was not found");
      if (latencies.length < 100_000) latencies.push((performance.now() - from) * 1000);
      count++;
    }
  };
  const run = (forSeconds: number): Promise<unknown> => {
    const until = performance.now() + forSeconds * 1000;
    return Promise.all(Array.from({ length: atOnce }, (_, index) => worker(index, until)));
  };
  await run(seconds / 3);
  latencies.length = 0;
  count = 0;
  const cpu = process.cpuUsage();
  const from = performance.now();
  await run(seconds);
  const tookSeconds = (performance.now() - from) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: count / tookSeconds, medianUs: median(latencies), cpuUs: (user + system) / count };
}
