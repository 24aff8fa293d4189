import { randomUUID } from "node:crypto";
import type { Port, StoreCall } from "../../ports/store.ts";
import type { NewSlot, Slot, SlotEngine } from "../slot-sessions.ts";
import type { Collection } from "./collection.ts";
import { goneAt, type MongoDocument } from "./database.ts";

/** How long past its end a slot is kept for a sweep to report it, in ms; the server deletes it after that. */
const keptForSweepsMs = 86_400_000;

/** Slots that a sweep reads at a time. */
const sweptAtOnce = 200;

/** A collection whose indexes are there. */
export type Opened = () => Promise<Collection>;

/**
 * Sessions in a collection, a document for each slot: `_id` the tag, `mark` a random name of its state, `text` its sessions, which
 * the server never looks into, `firstEnd` and `goneAt` for its indexes. One document is what MongoDB changes in one step
 * wherever it runs; transactions need a replica set. A mark is random, not a number: after a change of primary
 * a number that was given before is given again.
 */
export function slotEngine(port: Port, opened: Opened): SlotEngine {
  return {
    ...port,
    expiresByItself: false,
    async read(tag) {
      const found = await (await opened()).findOne({ _id: { $eq: tag } });
      return found === null ? null : slotOf(found);
    },
    async swap(tag, before, after, call) {
      const slots = await opened();
      if (before === null) return after === null || slots.insert({ _id: tag, ...fields(after, call) });
      const asBefore = { _id: { $eq: tag }, mark: { $eq: before.mark } };
      if (after === null) return (await slots.take(asBefore)) !== null;
      return slots.set(asBefore, fields(after, call));
    },
    // A sweep takes what it was given and asks again.
    async *ended({ now }) {
      const asked = { by: "firstEnd", limit: sweptAtOnce, fields: ["text"] };
      for (const { text } of await (await opened()).find({ firstEnd: { $lte: now } }, asked)) {
        if (typeof text === "string") yield text;
      }
    },
  };
}

function fields({ text, firstEndMs, lastEndMs }: NewSlot, { now }: Pick<StoreCall, "now">): object {
  return {
    mark: randomUUID(),
    text,
    firstEnd: new Date(firstEndMs),
    goneAt: goneAt(lastEndMs - now.getTime(), keptForSweepsMs),
  };
}

function slotOf({ text, mark }: MongoDocument): Slot {
  if (typeof text !== "string" || typeof mark !== "string")
    throw new Error("mongodb: a document of sessions was not written by this library");
  return { text, mark };
}
