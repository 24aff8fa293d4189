import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Answers one request; the body is read already. */
export type Answer = (request: StandInRequest, response: ServerResponse) => void | Promise<void>;

/** A request as a stand-in sees it. */
export interface StandInRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage["headers"];
  readonly form: URLSearchParams;
}

/** A server on a free port of this machine. */
export interface StandIn {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts one. What `answer` throws is a 500. */
export async function standIn(answer: Answer): Promise<StandIn> {
  const server: Server = createServer((incoming, response) => {
    void read(incoming)
      .then((request) => answer(request, response))
      .catch((error: unknown) => {
        response.statusCode = 500;
        response.end(String(error));
      });
  });
  server.listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://localhost:${port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function read(incoming: IncomingMessage): Promise<StandInRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const { method = "GET", url = "/", headers } = incoming;
  return {
    method,
    headers,
    url: new URL(url, "http://localhost"),
    form: new URLSearchParams(Buffer.concat(chunks).toString()),
  };
}

/** Sends JSON. */
export function sendJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(body));
}
