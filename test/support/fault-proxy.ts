import { EventEmitter, once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** What goes wrong between a client and its server. */
export type FaultMode =
  | "pass"
  /** Nobody listens; connections that stand are reset. */
  | "refuse"
  /** Connections are accepted and stand, and nothing goes through. What was sent meanwhile goes through afterwards. */
  | "hang"
  /** Each connection is reset once this many more bytes of the reply went through; 0: at its first byte. */
  | { readonly resetAfterBytes: number }
  /** Each chunk, there and back, is held this long. */
  | { readonly delayMs: number };

/** A proxy on this machine, in front of a server. */
export interface FaultProxy {
  readonly host: string;
  /** Stays the same in all modes. */
  readonly port: number;
  /** `host:port` */
  readonly address: string;
  /** Connections that clients have opened so far, those counted that were reset at once. */
  readonly connections: number;
  /** Connections that stand. */
  readonly standing: number;
  /** Changes the mode, also for the connections that stand; resolves when it holds. */
  set(mode: FaultMode): Promise<void>;
  /** Resets the connections that stand, whatever the mode. */
  reset(): void;
  /** A server's URL, with this proxy in the place of its host and port. */
  urlOf(url: string): string;
  end(): Promise<void>;
}

const LOCAL = "127.0.0.1";
/** Outgoing connections take no ports from here: one that was given up for a while can be had again. */
const PORTS = { first: 22_700, last: 32_700 };
const PORT_TRIES = 50;

/** Opens a proxy in mode `pass`. @param target - a server, `host:port` or a URL of any scheme with both */
export async function openFaultProxy(target: string): Promise<FaultProxy> {
  const { hostname, port: targetPort } = new URL(target.includes("://") ? target : `tcp://${target}`);
  const pairs = new Set<Pair>();
  let current: FaultMode = "pass";
  const changes = new EventEmitter().setMaxListeners(0);
  let connections = 0;
  const traffic: Traffic = { mode: () => current, changed: () => once(changes, "change") };

  const accept = (client: Socket): void => {
    connections++;
    const pair = new Pair(
      client,
      connect({ host: hostname, port: Number(targetPort), allowHalfOpen: true }),
      traffic,
    );
    pairs.add(pair);
    void pair.ended.then(() => pairs.delete(pair));
  };
  const reset = (): void => {
    for (const pair of pairs) pair.reset();
  };
  let server = await listenAnywhere(accept);
  const port = portOf(server);

  return {
    host: LOCAL,
    port,
    address: `${LOCAL}:${port}`,
    get connections() {
      return connections;
    },
    get standing() {
      return pairs.size;
    },
    async set(mode) {
      current = mode;
      for (const pair of pairs) pair.forgetBytes();
      changes.emit("change");
      if (mode === "refuse") {
        reset();
        await close(server);
      } else if (!server.listening) server = await listenAgain(port, accept);
    },
    reset,
    urlOf(url) {
      const own = new URL(url);
      own.hostname = LOCAL;
      own.port = `${port}`;
      return own.href;
    },
    async end() {
      reset();
      await close(server);
    },
  };
}

/** What the pairs need to know of the proxy. */
interface Traffic {
  readonly mode: () => FaultMode;
  /** Resolves at the next change of the mode. */
  readonly changed: () => Promise<unknown>;
}

/** A client's connection, and the one to the server that belongs to it. */
class Pair {
  readonly ended: Promise<unknown>;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #traffic: Traffic;
  #replyBytes = 0;

  constructor(client: Socket, server: Socket, traffic: Traffic) {
    this.#client = client;
    this.#server = server;
    this.#traffic = traffic;
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      // Whoever lost a connection hears of it as a client does: by a reset.
      socket.on("error", () => this.reset());
    }
    this.ended = Promise.all(
      [client, server].map((socket) => new Promise((end) => socket.once("close", end))),
    );
    void this.#pump(client, server, (bytes) => bytes);
    void this.#pump(server, client, (bytes) => this.#allowed(bytes));
  }

  reset(): void {
    this.#client.resetAndDestroy();
    this.#server.resetAndDestroy();
  }

  forgetBytes(): void {
    this.#replyBytes = 0;
  }

  async #pump(from: Socket, to: Socket, allowed: (bytes: Buffer) => Buffer): Promise<void> {
    try {
      for await (const chunk of from) {
        await this.#wait();
        const bytes = allowed(chunk);
        if (to.destroyed) return this.reset();
        const hasRoom = bytes.length === 0 || to.write(bytes);
        if (bytes.length < chunk.length) return this.#resetWhenSent(to);
        if (!hasRoom) await Promise.race([once(to, "drain"), once(to, "close")]);
      }
      await this.#wait();
      to.end();
    } catch {
      this.reset();
    }
  }

  /** Until the mode lets something through. */
  async #wait(): Promise<void> {
    const mode = this.#traffic.mode();
    if (typeof mode === "object" && "delayMs" in mode) await sleep(mode.delayMs);
    while (this.#traffic.mode() === "hang") await this.#traffic.changed();
  }

  /** What of a reply may still go through; less than all: the rest never will. */
  #allowed(bytes: Buffer): Buffer {
    const mode = this.#traffic.mode();
    if (typeof mode !== "object" || !("resetAfterBytes" in mode)) return bytes;
    const left = mode.resetAfterBytes - this.#replyBytes;
    this.#replyBytes += bytes.length;
    return bytes.subarray(0, Math.max(0, left));
  }

  /** A reset overtakes what was written and is not yet sent. */
  #resetWhenSent(client: Socket): void {
    if (client.writableLength === 0) this.reset();
    else client.once("drain", () => this.reset());
  }
}

async function listenAnywhere(accept: (client: Socket) => void): Promise<Server> {
  for (let tries = 1; ; tries++) {
    try {
      return await listen(PORTS.first + Math.floor(Math.random() * (PORTS.last - PORTS.first)), accept);
    } catch (error) {
      if (tries === PORT_TRIES) throw error;
    }
  }
}

/** Somebody else may have the port for a moment: another proxy that looks for a free one. */
async function listenAgain(port: number, accept: (client: Socket) => void): Promise<Server> {
  for (let tries = 1; ; tries++) {
    try {
      return await listen(port, accept);
    } catch (error) {
      if (tries === PORT_TRIES) throw error;
      await sleep(20);
    }
  }
}

async function listen(port: number, accept: (client: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, accept);
  server.listen({ host: LOCAL, port });
  await once(server, "listening");
  return server;
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, "close");
  server.close();
  await closed;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy listens nowhere");
  return address.port;
}
