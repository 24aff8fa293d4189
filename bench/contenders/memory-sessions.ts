import { memory, type Write } from "latchkey";
import { seededSession, seededUser } from "../seed.ts";

// Heap that live sessions take in the memory store, their users not counted.
const sessions = Number(process.argv[2]);
const now = new Date();
const call = { now, signal: new AbortController().signal };
const stores = memory();
const commit = async (writes: readonly Write[]): Promise<void> => {
  const result = await stores.directory.commit(writes, call);
  if (!result.ok) throw new Error(result.refused);
};
for (let number = 0; number < sessions / 5; number++)
  await commit([{ kind: "user.insert", user: seededUser(number, now) }]);
const before = heap();
for (let index = 0; index < sessions; index++) {
  await commit([{ kind: "session.insert", session: seededSession(index, now), cap: 0, evicted: () => [] }]);
}
process.send?.({ heapBytes: heap() - before });

function heap(): number {
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
