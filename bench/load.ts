import { connect, type Socket } from "node:net";

/** What to send, how hard and how long. Only ever to this machine. */
export interface Load {
  readonly port: number;
  /** Whole requests, sent in turn. */
  readonly requests: readonly string[];
  readonly connections: number;
  readonly seconds: number;
  /** Requests per second over all connections; absent: each connection sends as soon as it was answered. */
  readonly perSecond?: number;
}

/** What came back. */
export interface Loaded {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Answers that were not 200. */
  readonly failed: number;
}

/**
 * Sends requests over raw sockets, one at a time on each: a client this thin leaves the machine to the server. Runs in a
 * process of its own: messages are {@link Load}s, answers {@link Loaded}.
 */
process.send?.({ ready: 1 });
process.on("message", async (load: Load) => process.send?.(await run(load)));

async function run(load: Load): Promise<Loaded> {
  const latencies: number[] = [];
  const state = { next: 0, failed: 0, endsAt: performance.now() + load.seconds * 1000, latencies };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: load.connections }, (_, index) => drive(load, state, index)));
  const seconds = (performance.now() - startedAt) / 1000;
  latencies.sort((left, right) => left - right);
  const at = (share: number): number =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return { perSecond: latencies.length / seconds, p50: at(0.5), p99: at(0.99), failed: state.failed };
}

interface State {
  next: number;
  failed: number;
  readonly endsAt: number;
  readonly latencies: number[];
}

function drive(load: Load, state: State, index: number): Promise<void> {
  const pauseMs = load.perSecond === undefined ? 0 : (1000 * load.connections) / load.perSecond;
  const socket: Socket = connect({ port: load.port, host: "127.0.0.1", noDelay: true });
  return new Promise((resolve, reject) => {
    let sentAt = 0;
    let dueAt = performance.now() + (pauseMs * index) / load.connections;
    let received = "";
    const send = (): void => {
      const now = performance.now();
      if (now >= state.endsAt) {
        socket.end();
        resolve();
        return;
      }
      if (pauseMs > 0 && now < dueAt) {
        setTimeout(send, dueAt - now);
        return;
      }
      // With a rate, waiting counts from when the request was due: a stalled server does not slow its own examiner down.
      sentAt = pauseMs > 0 ? dueAt : now;
      dueAt += pauseMs;
      socket.write(load.requests[state.next++ % load.requests.length] ?? "");
    };
    socket.setEncoding("latin1");
    socket.on("connect", send);
    socket.on("error", reject);
    socket.on("data", (chunk: string) => {
      received += chunk;
      const length = answerLength(received);
      if (length === null || received.length < length) return;
      if (!received.startsWith("HTTP/1.1 200")) state.failed++;
      received = received.slice(length);
      state.latencies.push(performance.now() - sentAt);
      send();
    });
  });
}

function answerLength(received: string): number | null {
  const end = received.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const at = received.indexOf("ontent-");
  const length =
    /ontent-[Ll]ength: (\d+)/.exec(at === -1 ? "" : received.slice(at, end))?.[1] ??
    received.slice(0, end).match(/content-length: (\d+)/i)?.[1];
  return end + 4 + Number(length ?? 0);
}
