import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { node } from "../../src/adapters/node.ts";
import { type Client, type ClientOptions, createClient } from "../../src/client/client.ts";
import type { Feature } from "../../src/features/feature.ts";
import { anyone, guard } from "../../src/guards/guards.ts";
import { parseSetCookie } from "../support/browser.ts";
import { type World, type WorldOptions, world } from "../support/world.ts";

/** A server with a route of the application's own, and clients of it. */
export interface ClientSite {
  readonly world: World;
  readonly origin: string;
  /** Requests as they came, `METHOD path`. */
  readonly asked: string[];
  /** What the server does in place of answering, once. */
  instead: ((path: string) => Response | "hang" | null) | null;
  /** A client in a browser without anything: cookies, and headers of scripts of this site. */
  client(options?: Partial<ClientOptions>, jar?: Map<string, string>): Client;
}

/** Starts one. */
export async function clientSite(options: WorldOptions & { features?: readonly Feature<unknown>[] } = {}) {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  const scene = world({ origin, ...options });
  const { handle, protect } = node(scene.auth);
  const orders = protect((_request, response, { displayName }) => {
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ by: displayName }));
  });
  const staff = protect(
    (_request, response) => void response.end("{}"),
    guard("staff", () => false),
  );
  const open = protect((_request, response) => void response.end("<html>"), anyone());
  const empty = protect((_request, response) => void response.writeHead(204).end(), anyone());
  const asked: string[] = [];
  const site: ClientSite = {
    world: scene,
    origin,
    asked,
    instead: null,
    client: (more = {}, jar = new Map()) => {
      const client = createClient({ baseUrl: `${origin}/api/v1`, fetch: withCookies(jar), ...more });
      onTestFinished(() => client.close());
      return client;
    },
  };
  server.on("request", async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", origin);
    asked.push(`${request.method} ${pathname}`);
    const other = site.instead?.(pathname) ?? null;
    if (other === "hang") return;
    if (other !== null) {
      response.writeHead(other.status, Object.fromEntries(other.headers));
      response.end(await other.text());
    } else if (pathname === "/orders") await orders(request, response);
    else if (pathname === "/staff") await staff(request, response);
    else if (pathname === "/page") await open(request, response);
    else if (pathname === "/empty") await empty(request, response);
    else if (!(await handle(request, response))) response.writeHead(404).end();
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return site;
}

/** A `fetch` with a jar of cookies, as a browser has one. */
export function withCookies(jar: Map<string, string>): typeof fetch {
  return async (input, init) => {
    const headers = new Headers(init?.headers);
    const sendsCookies = init?.credentials !== "omit";
    if (sendsCookies && jar.size > 0) {
      headers.set("Cookie", [...jar].map(([name, value]) => `${name}=${value}`).join("; "));
    }
    const response = await fetch(input, { ...init, headers });
    if (!sendsCookies) return response;
    for (const line of response.headers.getSetCookie()) {
      const { name, value, attributes } = parseSetCookie(line);
      if (attributes["max-age"] === "0") jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  };
}
