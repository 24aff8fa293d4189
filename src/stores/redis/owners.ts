import { randomUUID } from "node:crypto";
import type { OwnerKey, OwnerRecords } from "../../ports/detached-sessions.ts";
import type { StoreCall } from "../../ports/store.ts";
import { fenceScript, forgetScript, liftScript, noteScript, publishScript } from "./owner-scripts.ts";
import type { Parts } from "./parts.ts";
import { userText } from "./user-text.ts";

/**
 * Copies of users beside their sessions.
 *
 * Redis replicates after it acknowledged, so a server that takes over may lack the last fences and hold copies which were
 * deleted. Each copy therefore names the reign (`master_replid`) that it was published under, and is believed under that one
 * alone. A process that hangs or queues is no danger: how old a reading or a fence is, the server's own clock tells.
 */
export function ownerRecords({ link, keys }: Pick<Parts, "link" | "keys">): OwnerRecords {
  async function fence(owner: OwnerKey, name: string, call: StoreCall): Promise<void> {
    await link.run(fenceScript, [keys.fences(owner), keys.copy(owner)], [name], call);
  }

  async function lift(owner: OwnerKey, name: string, call: StoreCall): Promise<void> {
    await link.run(liftScript, [keys.fences(owner)], [name], call);
  }

  return {
    fence,
    lift,
    async forget(userId, call) {
      const slotTag = await link.run(forgetScript, [keys.whereabouts(userId)], [], call);
      if (typeof slotTag === "string" && slotTag !== "") {
        await fence({ userId, slotTag }, randomUUID(), call);
      }
    },
    async publish(user, reading, call) {
      const owner = { userId: user.id, slotTag: user.slotTag };
      // Before the copy, so that `forget` finds every copy there is.
      const note = [user.slotTag, reading.fence ?? ""];
      const isNoted = await link.run(noteScript, [keys.whereabouts(user.id)], note, call);
      if (isNoted !== 1) {
        if (reading.fence !== null) await lift(owner, reading.fence, call);
        return;
      }
      const places = [keys.fences(owner), keys.copy(owner), keys.index(owner)] as const;
      const readAt = reading.readAtMs === null ? "" : String(reading.readAtMs);
      const args = [reading.fence ?? "", readAt, String(user.version), userText(user), randomUUID()];
      await link.run(publishScript, places, args, call);
    },
  };
}
