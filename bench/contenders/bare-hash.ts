import { setPriority } from "node:os";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { hashSync } from "@node-rs/argon2";

// The hash alone, as many threads as Latchkey starts, at the same priority: what sign-ins could reach at most.
if (isMainThread) {
  const [threads = "2", seconds = "3"] = process.argv.slice(2);
  const counts = await Promise.all(
    Array.from({ length: Number(threads) }, () => {
      const worker = new Worker(new URL(import.meta.url), { workerData: Number(seconds) });
      return new Promise<number>((resolve) => worker.once("message", resolve));
    }),
  );
  process.send?.({ perSecond: counts.reduce((sum, count) => sum + count, 0) / Number(seconds) });
} else {
  setPriority(19);
  const endsAt = performance.now() + (workerData as number) * 1000;
  let count = 0;
  for (; performance.now() < endsAt; count++) {
    hashSync("correct horse battery staple", {
      algorithm: 2,
      memoryCost: 19_456,
      timeCost: 2,
      parallelism: 1,
    });
  }
  parentPort?.postMessage(count);
}
