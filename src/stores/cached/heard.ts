import type { Changes } from "./channel.ts";
import { parseMessage } from "./message.ts";

/** Reads what comes over a channel, and notices what did not come. */
export interface Heard {
  /** What a text means for a cache: null for nothing, and for one's own, which `own` is told of. */
  read(text: string): Changes | null;
}

/** Senders that are remembered; a process that is gone stays one. */
const sendersMax = 1_000;

/** Makes {@link Heard}. */
export function heard(self: string, own: () => void): Heard {
  const last = new Map<string, number>();
  return {
    read(text) {
      const message = parseMessage(text);
      if (message === null) return "everything";
      const { sender, number, changes } = message;
      if (sender === self) {
        own();
        return null;
      }
      // Also where the first that is heard of a process is not its first: what it said before may have been lost.
      const isNext = number === (last.get(sender) ?? 0) + 1;
      if (last.size >= sendersMax && !last.has(sender)) last.clear();
      last.set(sender, number);
      return isNext ? changes : "everything";
    },
  };
}
