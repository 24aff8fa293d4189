import type { SignedIn } from "../domain/principal.ts";
import type { Session } from "../domain/session.ts";
import type { Feature } from "../features/feature.ts";
import type { Outcome } from "../ports/strategy.ts";
import { testClock } from "./clock.ts";
import { fixtures } from "./fixtures.ts";
import { isVirtual } from "./virtual-clock.ts";

/** Whom requests are from, whatever they carry; null leaves it to what they carry. */
export type ActAs = (principal: SignedIn | null) => void;

/** A feature whose strategy takes every request for one of `actAs`'s. Not exported to applications: it belongs to `testAuth`. */
export function actingAs(): Feature<ActAs> {
  let acting: SignedIn | null = null;
  return {
    name: "acting-as",
    install({ clock }) {
      if (!isVirtual(clock)) throw new TypeError("actAs: only for tests");
      return {
        api: (principal) => {
          acting = principal;
        },
        strategies: [
          {
            name: "acting-as",
            // As if it were an explicit proof: it is asked before all others, and a test needs no CSRF token.
            ambient: false,
            challenge: "",
            authenticate: () => outcomeFor(acting),
          },
        ],
      };
    },
  };
}

function outcomeFor(principal: SignedIn | null): Outcome {
  if (principal === null) return { kind: "absent" };
  return principal.via === "session" && principal.sessionId !== null
    ? { kind: "accepted", principal, session: sessionOf(principal, principal.sessionId) }
    : { kind: "accepted", principal };
}

// What guards and handlers look at of a session; there is none in any store.
function sessionOf({ user, authTime, amr }: SignedIn, id: string): Session {
  return fixtures(testClock(authTime)).session(user, { id, authTime, amr });
}
