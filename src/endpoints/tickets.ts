import * as z from "zod/mini";
import type { Tickets } from "../api/tickets.ts";
import type { Route } from "../ports/route.ts";
import { row } from "./row.ts";
import type { EndpointServices } from "./services.ts";

/** Tickets for WebSocket upgrades. */
export function ticketRoutes(tickets: Tickets, { guards }: EndpointServices): readonly Route[] {
  return [
    row({
      method: "POST",
      path: "/auth/ticket",
      summary: "A ticket for one WebSocket upgrade at one path, valid for 30 seconds",
      guards: [guards.signedIn],
      // Each is a row in the audit log.
      limit: { name: "ticket", limit: 600, windowSeconds: 600 },
      input: z.object({ path: z.string("Path is required") }),
      answers: { 201: z.object({ ticket: z.string(), expires_in: z.int() }) },
      async handle({ input, request, client }) {
        const { ticket, expiresInSeconds } = await tickets.issue(input.path, { request, client });
        return { status: 201, body: { ticket, expires_in: expiresInSeconds } };
      },
    }),
  ];
}
