import { describe, expect, test } from "vitest";
import { anonymous, signedInAs } from "../../src/domain/principal.ts";
import {
  all,
  any,
  anyone,
  guard,
  signedIn,
  signedInToWrite,
  skipIfAuthenticated,
  via,
} from "../../src/guards/guards.ts";
import { authorize } from "../../src/pipeline/authorize.ts";
import type { Decision, Guard } from "../../src/ports/guard.ts";
import { testClock } from "../../src/testing/clock.ts";
import { fixtures } from "../../src/testing/fixtures.ts";
import { bareRequest } from "../support/browser.ts";
import { guardContext } from "../support/guard-context.ts";
import { thenable } from "../support/thenable.ts";

const clock = testClock();
const user = fixtures(clock).user();
const ana = signedInAs(user, {
  via: "session",
  amr: ["pwd"],
  authTime: clock.now(),
  sessionId: null,
  scopes: null,
});
const context = guardContext({ now: clock.now() });

/** The code of the refusal, or null. */
async function refusal(principal: typeof ana | typeof anonymous, guards: readonly Guard[], method = "GET") {
  const denial = await authorize(principal, guards, { ...context, request: bareRequest({ method }) });
  return denial === null ? null : denial.decision.code;
}

const yes = guard("yes", () => true);
const no = guard("no", () => false);
const hidden = guard("hidden", async () => ({ allow: false, code: "not_found", because: "hidden" }));

/** A guard that says how often it was asked. */
function counted(asksAnonymous: boolean, allow = true): Guard & { asked: number } {
  const each = {
    name: "counted",
    asksAnonymous,
    asked: 0,
    decide: () => {
      each.asked++;
      return allow ? ({ allow, because: "" } as const) : ({ allow, code: "forbidden", because: "" } as const);
    },
  };
  return each;
}

describe("deny by default", () => {
  test("without a guard somebody has to be signed in", async () => {
    expect(await refusal(anonymous, [])).toBe("not_authenticated");
    expect(await refusal(ana, [])).toBeNull();
  });

  test("a guard that does not ask about strangers never sees one", async () => {
    const asked = counted(false);
    expect(await refusal(anonymous, [asked])).toBe("not_authenticated");
    expect(asked.asked).toBe(0);
    expect(await refusal(ana, [asked])).toBeNull();
    expect(asked.asked).toBe(1);
  });

  test("one open guard among others opens nothing", async () => {
    expect(await refusal(anonymous, [anyone(), signedIn()])).toBe("not_authenticated");
    expect(await refusal(anonymous, [anyone(), yes])).toBe("not_authenticated");
    expect(await refusal(anonymous, [anyone(), anyone()])).toBeNull();
  });

  test("every guard has to allow; the first refusal stands", async () => {
    expect(await refusal(ana, [yes, no, hidden])).toBe("forbidden");
    expect(await refusal(ana, [yes, hidden, no])).toBe("not_found");
    expect(await refusal(ana, [yes, yes])).toBeNull();
  });

  test("an answer that comes later is waited for, whatever class of promise it is, and the guards after it are asked", async () => {
    const later = (decision: Decision): Guard => ({
      name: "later",
      asksAnonymous: false,
      decide: () => thenable(() => decision),
    });
    const allows = later({ allow: true, because: "in time" });
    const asked = counted(false);
    expect(await refusal(ana, [allows, asked])).toBeNull();
    expect(asked.asked).toBe(1);
    expect(await refusal(ana, [allows, no])).toBe("forbidden");
    expect(await refusal(ana, [later({ allow: false, code: "not_found", because: "hidden" }), asked])).toBe(
      "not_found",
    );
    expect(asked.asked).toBe(1);
  });
});

describe("the guards", () => {
  test("signedIn: somebody, whoever it is", async () => {
    expect(await refusal(ana, [signedIn()])).toBeNull();
    expect(await refusal(anonymous, [signedIn()])).toBe("not_authenticated");
    expect(await signedIn().decide(anonymous, context)).toMatchObject({
      allow: false,
      code: "not_authenticated",
    });
  });

  test("via: only who proves it that way, another proof is as good as none", async () => {
    const program = { ...ana, via: "api-key" };
    expect(await refusal(program, [via("api-key")])).toBeNull();
    expect(await refusal(program, [via("jwt", "api-key")])).toBeNull();
    expect(await refusal(ana, [via("api-key")])).toBe("not_authenticated");
    expect(await refusal(ana, [via("jwt", "api-key")])).toBe("not_authenticated");
    expect(await refusal(anonymous, [via("anonymous")])).toBe("not_authenticated");
    expect(() => Reflect.apply(via, null, [])).toThrow(TypeError);
  });

  test("anyone: everybody", async () => {
    expect(await refusal(anonymous, [anyone()])).toBeNull();
    expect(await refusal(ana, [anyone()])).toBeNull();
  });

  test("skipIfAuthenticated: strangers only, others are sent on", async () => {
    expect(await refusal(anonymous, [skipIfAuthenticated("/app")])).toBeNull();
    const denial = await authorize(ana, [skipIfAuthenticated("/app")], context);
    expect(denial?.decision).toMatchObject({ code: "forbidden", redirect: "/app" });
  });

  test("signedInToWrite: reads are open, writes are not", async () => {
    for (const method of ["GET", "HEAD"])
      expect(await refusal(anonymous, [signedInToWrite()], method)).toBeNull();
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get"]) {
      expect(await refusal(anonymous, [signedInToWrite()], method)).toBe("not_authenticated");
      expect(await refusal(ana, [signedInToWrite()], method)).toBeNull();
    }
  });

  test("a guard of one's own may answer with a word, a decision, now or later", async () => {
    expect(await refusal(ana, [yes])).toBeNull();
    expect(await refusal(ana, [no])).toBe("forbidden");
    expect(await refusal(ana, [guard("later", async () => true)])).toBeNull();
    expect(await refusal(ana, [guard("later", async () => false)])).toBe("forbidden");
    expect(await refusal(ana, [hidden])).toBe("not_found");
  });

  test("a guard sees the request, the principal and the time", async () => {
    const seen: unknown[] = [];
    const looking = guard(
      "looking",
      (principal, { request, now }) => seen.push(principal, request.method, now) > 0,
    );
    await refusal(ana, [looking], "PUT");
    expect(seen).toEqual([ana, "PUT", clock.now()]);
  });
});

describe("all", () => {
  test("needs every one, and says why the first refused", async () => {
    expect(await refusal(ana, [all(yes, yes)])).toBeNull();
    expect(await refusal(ana, [all(yes, hidden, no)])).toBe("not_found");
    expect(await refusal(anonymous, [all(anyone(), anyone())])).toBeNull();
    expect(await refusal(anonymous, [all(anyone(), yes)])).toBe("not_authenticated");
  });

  test("takes no empty list, and nothing that is no guard", () => {
    expect(() => all()).toThrow("all: name at least one guard");
    expect(() => all(yes, signedIn as unknown as Guard)).toThrow(/call it: signedIn\(/);
  });

  test("asks no guard past the first refusal", async () => {
    const last = counted(false);
    await refusal(ana, [all(no, last)]);
    expect(last.asked).toBe(0);
  });
});

describe("any", () => {
  test("needs one, and where all refuse says why the first did", async () => {
    expect(await refusal(ana, [any(no, yes)])).toBeNull();
    expect(await refusal(ana, [any(hidden, no)])).toBe("not_found");
    expect(await refusal(ana, [any(no, hidden)])).toBe("forbidden");
  });

  test("takes no empty list, and nothing that is no guard", () => {
    expect(() => any()).toThrow("any: name at least one guard");
    expect(() => any(yes, "signedIn" as unknown as Guard)).toThrow("any: what is given as a guard is none");
    expect(() => any(undefined as unknown as Guard)).toThrow("any: what is given as a guard is none");
  });

  test("never asks a guard about a stranger that does not ask about them", async () => {
    const asked = counted(false);
    expect(await refusal(anonymous, [any(asked, counted(true, false))])).toBe("not_authenticated");
    expect(asked.asked).toBe(0);
    expect(await refusal(anonymous, [any(asked, anyone())])).toBeNull();
    expect(asked.asked).toBe(0);
  });

  test("within all stays as strict", async () => {
    expect(await refusal(anonymous, [all(any(signedIn(), anyone()), signedIn())])).toBe("not_authenticated");
    expect(await refusal(ana, [all(any(no, yes), yes)])).toBeNull();
    expect(await refusal(ana, [all(any(no, hidden), yes)])).toBe("forbidden");
  });
});

test("combined guards are named by their parts", () => {
  expect(all(yes, any(no, signedIn())).name).toBe("all(yes, any(no, signedIn))");
});
