import { addressMark } from "../domain/ip.ts";
import type { Rights } from "../domain/rights.ts";
import { originOf } from "../http/event-origin.ts";
import type { LimitState, SessionChange } from "../ports/change.ts";
import type { GuardContext, RequestLimit, Turn } from "../ports/guard.ts";
import type { AuthRequest, ClientInfo } from "../ports/request.ts";
import type { Services } from "../ports/services.ts";
import type { Authenticated } from "./authenticate.ts";

/**
 * What guards look at, for one request. A class for its getters: most guards look at little of it, and a check should not pay
 * for the rest.
 */
export class Asking implements GuardContext {
  readonly request: AuthRequest;
  readonly #services: Services;
  readonly #client: ClientInfo;
  readonly #who: Authenticated;
  #now: Date | null = null;
  #limits: readonly LimitState[] | null = null;

  constructor(services: Services, request: AuthRequest, client: ClientInfo, who: Authenticated) {
    this.request = request;
    this.#services = services;
    this.#client = client;
    this.#who = who;
  }

  get now(): Date {
    this.#now ??= this.#services.clock.now();
    return this.#now;
  }

  get rights(): Rights {
    return this.#services.rights;
  }

  get freshSeconds(): number {
    return this.#services.config.freshSeconds;
  }

  get provenAt(): Date | null {
    const { principal, session } = this.#who;
    if (!principal.isAuthenticated || principal.via !== "session" || principal.impersonator !== null)
      return null;
    return session?.authTime ?? null;
  }

  /** What the answer is to tell of cookies and limits. */
  get change(): SessionChange | undefined {
    const { change } = this.#who;
    // A proof may have limits of its own: those of an API key.
    return this.#limits === null
      ? change
      : { ...change, limits: [...(change?.limits ?? []), ...this.#limits] };
  }

  async takeTurn(limit: RequestLimit): Promise<Turn> {
    const { stores, call, events, keys, random } = this.#services;
    const { principal, session } = this.#who;
    const whose = principal.isAuthenticated
      ? `user:${principal.user.id}`
      : `ip:${addressMark(this.#client.ip, (text) => keys.sign("identifier", text))}`;
    const { name, windowSeconds } = limit;
    const plain = { limit: limit.limit, windowSeconds };
    const key = `limit:request:${limit.counter ?? name}:${whose}`;
    const reserved = await stores.ephemeral.reserve([{ ...plain, key, tellsLeft: true }], call());
    if (reserved.ok) {
      const left = reserved.left?.[0] ?? { remaining: 0, resetSeconds: windowSeconds };
      this.#tell({ name, ...plain, ...left });
      return { ok: true, left };
    }
    const { retryAfterSeconds } = reserved;
    this.#tell({ name, ...plain, remaining: 0, resetSeconds: retryAfterSeconds });
    const from = originOf(principal, this.request, this.#client, random);
    const payload = { limit: name, retryAfterSeconds };
    const userId = principal.user?.id ?? null;
    events.report({ type: "rate_limit.hit", userId, sessionId: session?.id ?? null, payload }, from);
    return { ok: false, retryAfterSeconds };
  }

  #tell(state: LimitState): void {
    this.#limits = [...(this.#limits ?? []), state];
  }
}
