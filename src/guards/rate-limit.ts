import type { Limiting, RequestLimit } from "../ports/guard.ts";

/** How often something may be asked for. */
export interface RateLimitOptions {
  /** Requests allowed in a window: 1 to 1,000,000,000. */
  readonly limit: number;
  /** 1 to 2,592,000 (30 days); the window begins with its first request. */
  readonly windowSeconds: number;
  /**
   * What is counted: guards of one name share a counter, across routes and processes. 1 to 64 of `A-Z a-z 0-9 . _ -`. Default:
   * all guards without a name that have this limit and window share one.
   */
  readonly name?: string;
}

const mostRequests = 1_000_000_000;
const longestSeconds = 2_592_000;

/**
 * So many requests in a window, per user or, where nobody is signed in, per address (IPv6: per /64). Past it 429 with
 * `Retry-After`; each answer says what is left (`RateLimit`, `RateLimit-Policy`). It says nothing about who it is: alone it
 * wants somebody signed in, as no guard at all does; beside `anyone()` the route stays open.
 *
 * @throws TypeError for numbers or a name that cannot be used
 */
export function rateLimit({ limit, windowSeconds, name }: RateLimitOptions): Limiting {
  assertWhole("limit", limit, mostRequests);
  assertWhole("windowSeconds", windowSeconds, longestSeconds);
  if (name !== undefined && !/^[A-Za-z0-9._-]{1,64}$/.test(name))
    throw new TypeError(`rateLimit: the name ${JSON.stringify(name)} is not 1 to 64 of A-Z a-z 0-9 . _ -`);
  const taken: RequestLimit = { name: name ?? `${limit}-in-${windowSeconds}`, limit, windowSeconds };
  return {
    name: `rateLimit(${taken.name})`,
    asksAnonymous: true,
    isNeutral: true,
    async decide(_, context) {
      const turn = await context.takeTurn(taken);
      if (turn.ok) return { allow: true, because: `within ${limit} in ${windowSeconds} s` };
      const { retryAfterSeconds } = turn;
      const because = `past ${limit} in ${windowSeconds} s`;
      return { allow: false, code: "rate_limited", because, retryAfterSeconds };
    },
  };
}

function assertWhole(what: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw new TypeError(`rateLimit: ${what} is a whole number from 1 to ${most}`);
}
