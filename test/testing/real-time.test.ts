import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../../src");

/** Where the machine's time or randomness is asked, and not the clock and the randomness that are handed in. */
const asked: Readonly<Record<string, string>> = {
  "services/system.ts": "it is the machine's clock and randomness",
  "services/timers.ts": "it is the machine's timers, for a clock without its own",
  "services/log.ts": "the time of a line on standard error; an application's own log has its own",
  "adapters/node-request.ts": "ids of requests that came over a socket, for where nobody gave one",
  "adapters/next-peers.ts": "a header's name, for as long as the process lives",
  "adapters/websocket.ts": "sockets that do not take leave, and how long a connection may take to open",
  "adapters/open-connections.ts": "the same, and when open connections are looked at again",
  "jwt/verifier.ts": "for other services: `now` is handed in, and this is its default",
  "jwt/remote-keys.ts": "the limit of a call over the network",
  "jwt/key-file.ts": "what other processes write is looked at in their time; names of drafts",
  "oauth/bounded-fetch.ts": "the limit of a call over the network",
  "webhooks/post.ts": "the limit of a call over the network",
  "password/breached.ts": "the limit of a call over the network",
  "password/threads.ts": "the limit of a thread's work",
  "password/thread-entry.ts": "how long a thread worked",
  "testing/client.ts": "when a cookie ends, for a real browser",
};

/** Stores speak to what is outside of the process, in its time; their rules about time take `StoreCall.now`. */
const asksForItself = /^(stores|client|testing\/contract)\//;

const machine =
  /\b(setTimeout|setInterval)\(|AbortSignal\.timeout\(|Date\.now\(|new Date\(\)|performance\.now\(|Math\.random\(|\b(randomUUID|randomBytes|randomInt|getRandomValues)\(/;

describe("time and randomness", () => {
  const files = globSync("**/*.ts", { cwd: root }).map((path) => path.replaceAll("\\", "/"));
  const found = files.filter(
    (path) =>
      !asksForItself.test(path) && machine.test(withoutComments(readFileSync(join(root, path), "utf8"))),
  );

  test("are arguments: the machine is asked where a reason is on record, and nowhere else", () => {
    expect(found.toSorted()).toEqual(Object.keys(asked).toSorted());
    expect(files.length).toBeGreaterThan(300);
  });
});

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
}
