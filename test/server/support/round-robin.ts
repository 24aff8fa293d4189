import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { eventually } from "./child-server.ts";

/** A reverse proxy on this machine that hands each request to the next server in turn. */
export interface RoundRobin {
  /** What browsers see. */
  readonly origin: string;
  /** Ports of the servers; set once they run. */
  ports: readonly number[];
  /** How many requests each port has answered. */
  readonly answered: ReadonlyMap<number, number>;
  /** Resolves when nothing is under way to a port that was taken out of `ports`. */
  drained(port: number): Promise<void>;
  close(): void;
}

interface Exchange {
  readonly incoming: IncomingMessage;
  readonly body: Buffer;
  readonly outgoing: ServerResponse;
}

/** Opens one on a free port. A request goes on to the next server only where the first took no connection: it may have been done. @param clientIp - said of every client; default: its own */
export async function roundRobin(clientIp?: string): Promise<RoundRobin> {
  const answered = new Map<number, number>();
  const underWay = new Map<number, number>();
  const count = (counts: Map<number, number>, port: number, more: number): void =>
    void counts.set(port, (counts.get(port) ?? 0) + more);
  let turn = 0;
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const first = turn++;
      const inTurn = proxy.ports.map((_, index) => proxy.ports[(first + index) % proxy.ports.length] ?? 0);
      forward({ incoming, body: Buffer.concat(chunks), outgoing }, inTurn);
    });
  });
  server.listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const proxy: RoundRobin = {
    origin: `http://localhost:${(server.address() as AddressInfo).port}`,
    ports: [],
    answered,
    drained: (port) => eventually(() => (underWay.get(port) ?? 0) === 0),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return proxy;

  function forward(exchange: Exchange, [port, ...others]: readonly number[]): void {
    const { incoming, body, outgoing } = exchange;
    if (port === undefined) {
      outgoing.writeHead(502).end();
      return;
    }
    const { method, url, headers, socket } = incoming;
    const forwarded = { ...headers, "x-forwarded-for": clientIp ?? socket.remoteAddress };
    const upstream = request({ host: "127.0.0.1", port, method, path: url, headers: forwarded });
    count(underWay, port, 1);
    upstream.once("close", () => count(underWay, port, -1));
    upstream.on("response", (answer) => {
      count(answered, port, 1);
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      // A server that dies in the middle of its answer has not answered.
      answer.on("error", () => outgoing.destroy());
      answer.pipe(outgoing);
    });
    upstream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED") forward(exchange, others);
      else if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(502).end();
    });
    upstream.end(body);
  }
}
