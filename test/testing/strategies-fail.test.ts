import { AssertionError } from "node:assert";
import { describe, expect, it } from "vitest";
import type { Outcome, Strategy } from "../../src/ports/strategy.ts";
import { strategyContract } from "../../src/testing/testing.ts";
import { customHarness } from "./strategy-harness.ts";

type Ask = Strategy["authenticate"];

/** A sound strategy with a mistake of its own. */
interface Mistake {
  readonly mistake: string;
  readonly caughtBy: string;
  readonly break: (sound: Strategy) => Strategy;
  /** What its harness says. Default false. */
  readonly ambient?: boolean;
}

const asking =
  (ask: (sound: Ask) => Ask) =>
  (sound: Strategy): Strategy => ({ ...sound, authenticate: ask(sound.authenticate.bind(sound)) });

const changing = (change: (outcome: Outcome) => Outcome): ((sound: Strategy) => Strategy) =>
  asking(
    (sound) =>
      async (...args) =>
        change(await sound(...args)),
  );

/** The same request with another value of the header. */
const reading = (change: (value: string) => string): ((sound: Strategy) => Strategy) =>
  asking((sound) => (request, ...rest) => {
    const get = (name: string) => {
      const value = request.headers.get(name);
      return value ? change(value) : value;
    };
    return sound({ ...request, headers: { get } }, ...rest);
  });

const nobody: Outcome = { kind: "absent" };

const mistakes: readonly Mistake[] = [
  {
    mistake: "another name than it is configured by",
    caughtBy: "a good proof is accepted, under the strategy's name",
    break: changing((outcome) =>
      outcome.kind === "accepted"
        ? { ...outcome, principal: { ...outcome.principal, via: "other" } }
        : outcome,
    ),
  },
  {
    mistake: "a user as of yesterday",
    caughtBy: "the principal's user is the account as it is now",
    break: changing((outcome) =>
      outcome.kind === "accepted"
        ? { ...outcome, principal: { ...outcome.principal, user: { ...outcome.principal.user, email: "" } } }
        : outcome,
    ),
  },
  {
    mistake: "no header reads as a bad proof",
    caughtBy: "without a proof there is nobody, and no failure",
    break: asking((sound) => async (request, ...rest) => {
      if (!request.headers.get("x-custom-auth")) throw new TypeError("no header");
      return sound(request, ...rest);
    }),
  },
  {
    mistake: "claims what is another's",
    caughtBy: "what is none of its own is absent, an unknown scheme too",
    break: reading((value) => (value.startsWith("valid-") ? value : `valid-${value}`)),
  },
  {
    mistake: "a bad proof reads as absent",
    caughtBy: "a bad proof is final, on a public route too",
    break: changing((outcome) => (outcome.kind === "rejected" ? nobody : outcome)),
  },
  {
    mistake: "the proof in the message",
    caughtBy: "a refusal repeats nothing of the proof",
    break: asking((sound) => async (request, ...rest) => {
      const outcome = await sound(request, ...rest);
      if (outcome.kind === "rejected") outcome.error.message += ` (${request.headers.get("x-custom-auth")})`;
      return outcome;
    }),
  },
  {
    mistake: "whoever was good once",
    caughtBy: "a disabled user's proof signs nobody in",
    break: (sound) => {
      const seen = new Map<string, Outcome>();
      return asking((ask) => async (request, ...rest) => {
        const key = request.headers.get("x-custom-auth") ?? "";
        const outcome = seen.get(key) ?? (await ask(request, ...rest));
        if (outcome.kind === "accepted") seen.set(key, outcome);
        return outcome;
      })(sound);
    },
  },
  {
    mistake: "a challenge that is no scheme",
    caughtBy: "its challenge stands in a 401",
    break: (sound) => ({ ...sound, challenge: '"' }),
  },
  {
    mistake: "ambient by declaration",
    caughtBy: "it is explicit: an unsafe request needs no CSRF token, whatever its origin",
    break: (sound) => ({ ...sound, ambient: true }),
  },
  {
    mistake: "explicit by declaration, and sent by browsers",
    caughtBy: "it is ambient: an unsafe request needs its origin and its CSRF token",
    break: (sound) => sound,
    ambient: true,
  },
  {
    mistake: "an address that is none throws",
    caughtBy: "odd methods and addresses are answered",
    break: asking((sound) => (request, ...rest) => {
      new URL(request.url, "https://app.example");
      return sound(request, ...rest);
    }),
  },
  {
    mistake: "asks its service about everybody",
    caughtBy: "a backend that fails concerns nobody who sends no proof",
    break: asking((sound) => async (request, ...rest) => {
      if (request.headers.get("x-custom-auth")) return sound(request, ...rest);
      await sound({ ...request, headers: { get: () => "valid-unknown" } }, ...rest);
      return nobody;
    }),
  },
  {
    mistake: "a long header throws",
    caughtBy: "whatever its headers hold is answered, and signs nobody in",
    break: reading((value) => {
      if (value.length > 4_096) throw new RangeError("too long");
      return value;
    }),
  },
  {
    mistake: "white space and what follows it do not count",
    caughtBy: "a proof that was cut, lengthened or doubled is not accepted",
    break: reading((value) => value.split(" ")[0] ?? ""),
  },
  {
    mistake: "what it remembers of the last request",
    caughtBy: "proofs of many at once do not mix",
    break: (sound) => {
      let last = "";
      return asking((ask) => async (request, ...rest) => {
        last = request.headers.get("x-custom-auth") ?? "";
        await Promise.resolve();
        return ask({ ...request, headers: { get: () => last } }, ...rest);
      })(sound);
    },
  },
  {
    mistake: "a failure reads as nobody",
    caughtBy: "a backend that fails is 503, and never nobody",
    break: asking((sound) => async (...args) => {
      try {
        return await sound(...args);
      } catch {
        return nobody;
      }
    }),
  },
];

describe("the contract catches a strategy that makes a mistake", () => {
  for (const { mistake, caughtBy, break: breakStrategy, ambient } of mistakes) {
    it(`${mistake}: caught by "${caughtBy}"`, async () => {
      const cases = strategyContract(customHarness(breakStrategy, ambient)).filter(
        ({ name }) => name === caughtBy,
      );
      expect(cases).toHaveLength(1);
      const [outcome] = await Promise.all(cases.map(({ run }) => run().catch((error: unknown) => error)));
      expect(outcome).toBeInstanceOf(AssertionError);
    });
  }
});
