import type { DirectoryStore } from "../../ports/directory-store.ts";
import type { Committed, StoreCall, Write } from "../../ports/store.ts";
import { carryOut } from "./carry-out.ts";
import type { Halves } from "./halves.ts";
import { type Part, partOf } from "./plan.ts";
import { commitRefresh, refreshingOf } from "./refresh.ts";

/** Makes `DirectoryStore.commit`: fence, commit, carry out, publish. @see split */
export function committer(halves: Halves): DirectoryStore["commit"] {
  return async (writes, call) => {
    const [only] = writes;
    // One engine's business from end to end.
    if (writes.length === 1 && only?.kind === "session.set_data") return setData(halves, only, call);
    const refreshing = refreshingOf(writes);
    if (refreshing !== null) return commitRefresh(halves, refreshing, call);
    const parts = await partsOf(writes, halves, call);
    if (parts === "conflict") return { ok: false, refused: "conflict" };
    // Before anything is committed that only the session engine can complete.
    if (parts.some(({ step }) => step?.kind === "insert")) await halves.sessions.ping(call);
    const fence = await halves.owners.fence(
      parts.flatMap(({ fenced }) => fenced),
      call,
    );
    const own = parts.flatMap(({ write }) => write ?? []);
    // A throw leaves the fence standing: whether the directory committed is not known.
    const committed = await commitOwn(halves, own, call);
    if (!committed.ok) {
      fence.lift(call);
      return committed;
    }
    const result = await carryOut(parts, committed, { halves, call });
    // Before it is acknowledged: a fence that was lost with its engine is noticed here, or overwritten.
    await fence.publish(call);
    return result;
  };
}

async function partsOf(
  writes: readonly Write[],
  halves: Halves,
  call: StoreCall,
): Promise<readonly Part[] | "conflict"> {
  const parts: Part[] = [];
  for (const write of writes) {
    const part = await partOf(write, halves, call);
    if (part === "conflict") return part;
    parts.push(part);
  }
  return parts;
}

async function commitOwn(
  { directory }: Halves,
  writes: readonly Write[],
  call: StoreCall,
): Promise<Committed> {
  return writes.length === 0 ? { ok: true, ended: [], reported: [] } : directory.commit(writes, call);
}

async function setData(
  { sessions }: Halves,
  write: Extract<Write, { kind: "session.set_data" }>,
  call: StoreCall,
): Promise<Committed> {
  const isDone = await sessions.setData(write, call);
  return isDone ? { ok: true, ended: [], reported: [] } : { ok: false, refused: "conflict" };
}
