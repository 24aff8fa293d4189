import type { Guard } from "../ports/guard.ts";

/** A year; nothing that old is fresh. */
const longestSeconds = 31_536_000;

/**
 * Who proved only just who they are, in the session that the request carries: an access token, an API key or a ticket says nothing of
 * the person being there. Others are refused with `fresh_auth_required`, until they have signed in again or confirmed their password
 * (`/auth/reauthenticate`). Answered by the database itself, never from a cache of bounded age.
 *
 * @param seconds - how long ago at most: 1 to 31,536,000. Default `freshSeconds` of the configuration
 * @throws TypeError for a time that is none
 */
export function fresh(seconds?: number): Guard {
  if (seconds !== undefined && !(Number.isInteger(seconds) && seconds >= 1 && seconds <= longestSeconds))
    throw new TypeError(`fresh: a whole number of seconds from 1 to ${longestSeconds}`);
  return {
    name: seconds === undefined ? "fresh" : `fresh(${seconds})`,
    asksAnonymous: false,
    readsThrough: true,
    decide(_, { provenAt, now, freshSeconds }) {
      if (provenAt === null)
        return { allow: false, code: "fresh_auth_required", because: "no session's own proof" };
      const ageMs = now.getTime() - provenAt.getTime();
      return ageMs < (seconds ?? freshSeconds) * 1000
        ? { allow: true, because: "proven only just" }
        : { allow: false, code: "fresh_auth_required", because: `proven ${Math.floor(ageMs / 1000)} s ago` };
    },
  };
}
