import { bindTickets, type Tickets, ticketStrategy } from "../api/tickets.ts";
import type { Feature } from "./feature.ts";

/** Tickets that work once, for WebSocket upgrades: no token that lives longer than 30 s is ever in an address. */
export function tickets(): Feature<Tickets> {
  return {
    name: "tickets",
    install(services, visits) {
      const api = bindTickets(services, visits);
      return {
        api,
        connecting: [ticketStrategy(services)],
        routes: async (endpoints) => (await import("../endpoints/tickets.ts")).ticketRoutes(api, endpoints),
      };
    },
  };
}
