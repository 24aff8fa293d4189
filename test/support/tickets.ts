import type { Tickets } from "../../src/api/tickets.ts";
import { tickets } from "../../src/features/tickets.ts";
import type { Browser } from "./browser.ts";
import { type World, type WorldOptions, world } from "./world.ts";

/** Where the sockets of the tests are. */
export const path = "/socket";
/** Where tickets are had. */
export const route = "/api/v1/auth/ticket";

/** A world with the feature `tickets`. */
export interface TicketWorld extends World {
  readonly tickets: Tickets;
}

/** Makes a {@link TicketWorld}. */
export function ticketWorld(options: WorldOptions = {}): TicketWorld {
  const feature = tickets();
  const here = world({ ...options, features: [feature, ...(options.features ?? [])] });
  return { ...here, tickets: here.auth.use(feature) };
}

/** A ticket of whoever is signed in with a browser. */
export async function ticketOf(browser: Browser, at = path): Promise<string> {
  const { status, body, text } = await browser.post(route, { path: at });
  if (status !== 201) throw new Error(`the ticket was refused with ${status}: ${text}`);
  return String(body.ticket);
}
