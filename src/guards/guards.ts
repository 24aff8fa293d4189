import type { Principal } from "../domain/principal.ts";
import { assertGuards, type Decision, type Guard, type GuardContext, type Open } from "../ports/guard.ts";
import type { Awaitable } from "../ports/store.ts";

/** For {@link signedIn} and {@link anyone}. */
export interface WhoOptions {
  /**
   * Whether somebody may go on who has to choose another password first. For what they need for that: the page with its form,
   * signing out. Default false.
   */
  readonly whilePasswordChange?: boolean;
}

/** For {@link anyone}. */
export interface AnyoneOptions extends WhoOptions {
  /**
   * Whether the route signs people in or registers them. Whoever still has a session can then use it without that session's CSRF
   * token; that the request comes from a page of one's own is asked of everybody. Default false.
   */
  readonly startsSession?: boolean;
}

/** Somebody is signed in, whoever it is. What `protect` requires where nothing else is said. */
export function signedIn({ whilePasswordChange = false }: WhoOptions = {}): Guard {
  const asked = guard("signedIn", (principal) =>
    principal.isAuthenticated
      ? { allow: true, because: "signed in" }
      : { allow: false, code: "not_authenticated", because: "not signed in" },
  );
  return { ...asked, whilePasswordChange };
}

/** Everybody, written out: the visible line that opens a route. */
export function anyone({ whilePasswordChange = false, startsSession = false }: AnyoneOptions = {}): Open {
  return {
    name: "anyone",
    asksAnonymous: true,
    whilePasswordChange,
    startsSession,
    decide: () => ({ allow: true, because: "open to anyone" }),
  };
}

/**
 * Only who is not signed in; others are sent on. For sign-in and registration pages.
 *
 * @param redirect - path of this origin where a signed-in person's page request goes
 */
export function skipIfAuthenticated(redirect: string): Open {
  return {
    name: "skipIfAuthenticated",
    asksAnonymous: true,
    // Nobody who has a session comes past it, so there is no token that could be asked for.
    startsSession: true,
    decide: (principal) =>
      principal.isAuthenticated
        ? {
            allow: false,
            code: "forbidden",
            because: "already signed in",
            message: "You are signed in already.",
            redirect,
          }
        : { allow: true, because: "not signed in" },
  };
}

/**
 * Reads (GET, HEAD) are open, everything else needs somebody signed in: a policy for an application or a group of its routes.
 * A route that says `anyone()` or `signedIn()` for itself stands outside of it; guards beside it have to allow as well.
 */
export function signedInToWrite(): Open {
  return {
    name: "signedInToWrite",
    asksAnonymous: true,
    decide: (principal, { request }) =>
      principal.isAuthenticated || request.method === "GET" || request.method === "HEAD"
        ? { allow: true, because: principal.isAuthenticated ? "signed in" : "reads are open" }
        : { allow: false, code: "not_authenticated", because: "not signed in" },
  };
}

/**
 * Only who proves it in one of these ways: `via("api-key")` for routes of programs, which a browser's session does not
 * open. Another proof there is as good as none.
 *
 * @param strategies - their names, as in `Principal.via`
 * @throws TypeError where none is named
 */
export function via(...strategies: readonly [string, ...string[]]): Guard {
  if (strategies.length === 0) throw new TypeError("via: name at least one strategy");
  return guard(`via(${strategies.join(", ")})`, (principal) =>
    strategies.includes(principal.via)
      ? { allow: true, because: `via ${principal.via}` }
      : { allow: false, code: "not_authenticated", because: `via ${principal.via}` },
  );
}

/**
 * A guard of the application's own, asked about signed-in principals only.
 *
 * @param name - for logs and audit rows
 * @param decide - true and false stand for plain "allow" and "forbidden"
 */
export function guard(
  name: string,
  decide: (principal: Principal, context: GuardContext) => Awaitable<Decision | boolean>,
): Guard {
  const read = (answer: Decision | boolean): Decision => {
    if (answer === true) return { allow: true, because: name };
    return answer === false ? { allow: false, code: "forbidden", because: `not ${name}` } : answer;
  };
  return {
    name,
    asksAnonymous: false,
    decide(principal, context) {
      const answer = decide(principal, context);
      return isPending(answer) ? Promise.resolve(answer).then(read) : read(answer);
    },
  };
}

/** Every one of them; the first refusal stands. @throws TypeError where none is named, or one is no guard */
export function all(...guards: readonly Guard[]): Guard {
  assertSome("all", guards);
  return {
    name: `all(${names(guards)})`,
    asksAnonymous: guards.every((each) => each.asksAnonymous),
    ...traits(guards),
    startsSession: guards.some((each) => each.startsSession),
    isNeutral: guards.every((each) => each.isNeutral === true),
    async decide(principal, context) {
      let last: Decision = nothingAllows;
      for (const each of guards) {
        last = await ask(each, principal, context);
        if (!last.allow) return last;
      }
      return last;
    },
  };
}

/**
 * At least one of them; where all refuse, the first refusal stands.
 *
 * @throws TypeError where none is named, or one is no guard; for one that says nothing about who it is (`rateLimit`): it would let
 * everybody on
 */
export function any(...guards: readonly Guard[]): Guard {
  assertSome("any", guards);
  const neutral = guards.find((each) => each.isNeutral);
  if (neutral !== undefined) throw new TypeError(`any: ${neutral.name} would let everybody on`);
  return {
    name: `any(${names(guards)})`,
    asksAnonymous: guards.some((each) => each.asksAnonymous),
    ...traits(guards),
    // Of one alone it would free whoever another lets on of their session's token.
    startsSession: guards.every((each) => each.startsSession),
    async decide(principal, context) {
      let first: Decision | null = null;
      for (const each of guards) {
        const decision = await ask(each, principal, context);
        if (decision.allow) return decision;
        first ??= decision;
      }
      return first ?? nothingAllows;
    },
  };
}

function assertSome(what: string, guards: readonly Guard[]): void {
  if (guards.length === 0) throw new TypeError(`${what}: name at least one guard`);
  assertGuards(what, guards);
}

function traits(guards: readonly Guard[]): Pick<Guard, "readsThrough" | "whilePasswordChange"> {
  return {
    readsThrough: guards.some((each) => each.readsThrough),
    whilePasswordChange: guards.some((each) => each.whilePasswordChange),
  };
}

// By its shape: drivers and older libraries answer with promises of their own.
function isPending(answer: Awaitable<Decision | boolean>): answer is Promise<Decision | boolean> {
  return typeof answer === "object" && "then" in answer;
}

const nothingAllows: Decision = { allow: false, code: "forbidden", because: "no guard was given" };

// A member that does not ask about strangers refuses them unasked, as it would on its own.
function ask(each: Guard, principal: Principal, context: GuardContext): Awaitable<Decision> {
  if (!principal.isAuthenticated && !each.asksAnonymous) {
    return { allow: false, code: "not_authenticated", because: `${each.name}: not signed in` };
  }
  return each.decide(principal, context);
}

function names(guards: readonly Guard[]): string {
  return guards.map(({ name }) => name).join(", ");
}
