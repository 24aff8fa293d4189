import type { LimitState } from "../ports/change.ts";

/**
 * What is left of limits, as header fields. The fields of the current draft and not the three of the drafts before it
 * (`RateLimit-Limit` and so on): those say one limit only, and a request may be counted against several.
 *
 * @see draft-ietf-httpapi-ratelimit-headers-11
 */
export function rateLimitHeaders(limits: readonly LimitState[]): readonly [name: string, value: string][] {
  const policies = limits.map(({ name, limit, windowSeconds }) => `"${name}";q=${limit};w=${windowSeconds}`);
  const left = limits.map(
    ({ name, remaining, resetSeconds }) => `"${name}";r=${remaining};t=${resetSeconds}`,
  );
  return [
    ["RateLimit-Policy", policies.join(", ")],
    ["RateLimit", left.join(", ")],
  ];
}
