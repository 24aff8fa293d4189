import { hash } from "node:crypto";
import type { StoreCall } from "../../ports/store.ts";
import type { Command, Sender } from "./client.ts";

/** Every call ends within this, whatever its signal says: well under `fenceSeconds`, which assumes so. */
const callLimitMs = 10_000;

/** A Lua script, known to the server by its SHA-1 once it ran there. */
export interface Script {
  readonly text: string;
  readonly sha1: string;
}

/** Names a script. */
export function script(text: string): Script {
  return { text, sha1: hash("sha1", text) };
}

/** The way to the servers: one command at a time, each bounded in time. */
export interface Link {
  readonly isCluster: boolean;
  /** Sends one command to the primary of `key`. */
  send(args: Command["args"], key: string, call: Pick<StoreCall, "signal">): Promise<unknown>;
  /** Runs a script whose keys all lie in the slot of the first. */
  run(
    script: Script,
    keys: readonly [string, ...string[]],
    args: readonly string[],
    call: Pick<StoreCall, "signal">,
  ): Promise<unknown>;
}

/** A link over a client. */
export function link(sender: Sender): Link {
  const send: Link["send"] = async (args, key, { signal }) => {
    signal.throwIfAborted();
    const end = new AbortController();
    return settled(sender.send({ args, key, signal: end.signal }), end, signal);
  };

  return {
    isCluster: sender.isCluster,
    send,
    async run({ text, sha1 }, keys, args, call) {
      const rest = [String(keys.length), ...keys, ...args];
      try {
        return await send(["EVALSHA", sha1, ...rest], keys[0], call);
      } catch (error) {
        // A server that has just started, or took over, or was told to forget its scripts.
        if (!isNoScript(error)) throw error;
        return send(["EVAL", text, ...rest], keys[0], call);
      }
    },
  };
}

function isNoScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("NOSCRIPT");
}

// Takes the command out of the client's queue where the caller gives up or time is up. One that was written to a connection
// which hangs cannot be taken back; the caller is let go.
function settled<T>(work: Promise<T>, end: AbortController, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
    };
    const fail = (reason: unknown): void => {
      done();
      end.abort(reason);
      reject(reason);
    };
    const giveUp = (): void => fail(signal.reason);
    const timer = setTimeout(() => fail(new Error(`Redis: no answer for ${callLimitMs} ms`)), callLimitMs);
    signal.addEventListener("abort", giveUp, { once: true });
    work.then(
      (answer) => {
        done();
        resolve(answer);
      },
      (error) => {
        done();
        reject(error);
      },
    );
  });
}
