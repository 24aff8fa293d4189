import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { nodeRequest } from "../../src/adapters/node.ts";
import type { Principal } from "../../src/domain/principal.ts";
import { path, type TicketWorld, ticketOf, ticketWorld } from "../support/tickets.ts";
import { cookieName } from "../support/world.ts";

describe("a WebSocket", () => {
  /** A server whose sockets open by ticket alone and greet whoever comes by name. */
  async function sockets(here: TicketWorld) {
    const server = createServer();
    const greeting = new WebSocketServer({ noServer: true });
    server.on("upgrade", async (request, socket, head) => {
      const from = { ip: request.socket.remoteAddress ?? null };
      try {
        const principal: Principal = await here.tickets.redeem(nodeRequest(request), from);
        greeting.handleUpgrade(request, socket, head, (open) =>
          open.send(`${principal.via} ${principal.user?.id}`),
        );
      } catch (thrown) {
        const { status, headers, body } = here.auth.errorAnswer(here.auth.caught(thrown), from);
        const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
        socket.end(`HTTP/1.1 ${status} Refused\r\n${lines}connection: close\r\n\r\n${body}`);
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** The first message, or the status of the refusal. */
  function opened(url: string, headers: Record<string, string> = { origin: "https://app.example" }) {
    return new Promise<string | number>((resolve, reject) => {
      const socket = new WebSocket(url, { headers });
      socket.on("message", (data) => {
        resolve(String(data));
        socket.close();
      });
      socket.on("unexpected-response", (_, answer) => {
        resolve(answer.statusCode ?? 0);
        answer.destroy();
      });
      socket.on("error", reject);
    });
  }

  test("opens with a ticket, once; elsewhere, without, late or from another site it does not", async () => {
    const here = ticketWorld();
    const at = await sockets(here);
    const ana = await here.registered();
    const url = async () => `${at}${path}?ticket=${await ticketOf(ana)}`;
    const good = await url();
    expect(await opened(good)).toBe(`ticket ${ana.userId}`);
    expect(await opened(good)).toBe(401);
    expect(await opened(`${at}/other?ticket=${await ticketOf(ana)}`)).toBe(401);
    expect(await opened(await url(), { origin: "https://evil.example" })).toBe(403);
    const cookie = `${cookieName}=${ana.jar.get(cookieName)}`;
    expect(await opened(`${at}${path}`, { origin: "https://app.example", cookie })).toBe(401);
    const late = await url();
    here.clock.advance(30);
    expect(await opened(late)).toBe(401);
  });

  test("of ten that open with one ticket at once, one does", async () => {
    const here = ticketWorld();
    const at = await sockets(here);
    const ana = await here.registered();
    const url = `${at}${path}?ticket=${await ticketOf(ana)}`;
    const all = await Promise.all(Array.from({ length: 10 }, () => opened(url)));
    expect(all.filter((each) => each === `ticket ${ana.userId}`)).toHaveLength(1);
    expect(all.filter((each) => each === 401)).toHaveLength(9);
  });
});
