import type { SignedIn } from "../domain/principal.ts";
import { invalid, issueTicket, redeemTicket, type Ticket } from "../flows/tickets.ts";
import { requestUrl } from "../http/next-path.ts";
import { assertOrigin } from "../pipeline/origin.ts";
import type { AuthRequest, ClientInfo } from "../ports/request.ts";
import type { Services } from "../ports/services.ts";
import type { Strategy } from "../ports/strategy.ts";
import type { Visit, Visits } from "../ports/visit.ts";

/** Tickets: for WebSocket upgrades and event streams, where a page can send no header. */
export interface Tickets {
  /**
   * A ticket for the caller: for 30 s, once, at one path of this origin.
   *
   * @throws AuthError `not_authenticated`, `session_expired`; `forbidden` where the proof is restricted to scopes; `invalid_input`
   */
  issue(path: string, visit: Visit): Promise<Ticket>;
  /**
   * Who an upgrade request is from, by the `?ticket=` in its address. Whatever else it carries counts for nothing, its cookies
   * least: a page of any site can open a socket with those. Call it once, before the upgrade.
   *
   * @throws AuthError `origin_rejected`; `token_invalid` with status 401 - no ticket, or one that is unknown, used, expired, for
   * another path, or whose session or account has ended; `store_unavailable`
   */
  redeem(request: AuthRequest, client: ClientInfo): Promise<SignedIn>;
}

/** The tickets of a pipeline. */
export function bindTickets(services: Services, visits: Visits): Tickets {
  return {
    issue: async (path, visit) => issueTicket(services, path, await visits.present(visit)),
    async redeem(request) {
      assertOrigin(request, services.config);
      return redeem(services, request);
    },
  };
}

/** Recognises the ticket of a request that opens a connection; what the request carries besides counts for nothing then. */
export function ticketStrategy(services: Services): Strategy {
  return {
    name: "ticket",
    ambient: false,
    challenge: "Ticket",
    async authenticate(request) {
      if (!requestUrl(request.url).searchParams.has("ticket")) return { kind: "absent" };
      return { kind: "accepted", principal: await redeem(services, request) };
    },
  };
}

async function redeem(services: Services, { url }: AuthRequest): Promise<SignedIn> {
  const { pathname, searchParams } = requestUrl(url);
  const [text, ...more] = searchParams.getAll("ticket");
  if (text === undefined || more.length > 0) throw invalid("not exactly one");
  return redeemTicket(services, text, pathname);
}
