import { context, type Span, type SpanOptions, SpanStatusCode, type Tracer, trace } from "@opentelemetry/api";
import { afterEach, describe, expect, test } from "vitest";
import { spans } from "../../server/telemetry/opentelemetry.ts";
import { together } from "../../server/telemetry/together.ts";
import type { End, Operation, Telemetry } from "../../src/ports/telemetry.ts";
import { faulty } from "../../src/testing/faulty.ts";
import { world } from "../support/world.ts";
import { AsyncLocalStorageContextManager } from "./context-manager.ts";

/** Notes `kind name outcome` of everything, as it ends. */
function noting(): Telemetry & { readonly noted: string[] } {
  const noted: string[] = [];
  return {
    noted,
    during: ({ kind, name }, work) => work((outcome) => void noted.push(`${kind} ${name} ${outcome}`)),
  };
}

describe("telemetry", () => {
  test("is told of checks, routes, store calls and hashes, and how each ended", async () => {
    const telemetry = noting();
    const here = world({ telemetry });
    const ana = await here.registered();
    expect(telemetry.noted).toContain("route POST /auth/register 201");
    expect(telemetry.noted).toContain("store directory.commit ok");
    telemetry.noted.length = 0;
    await here.auth.check(ana.request("GET", "/x"), { ip: null });
    expect(telemetry.noted).toEqual(["store sessions.find ok", "check check session"]);
    telemetry.noted.length = 0;
    await here.auth.check(here.browser().request("GET", "/x"), { ip: null });
    expect(telemetry.noted).toEqual(["check check not_authenticated"]);
  });

  test("hears of a store that fails", async () => {
    const telemetry = noting();
    let fails = false;
    const here = world({ telemetry, wrap: (stores) => faulty(stores, () => (fails ? "refuse" : null)) });
    const ana = await here.registered();
    fails = true;
    await here.auth.check(ana.request("GET", "/x"), { ip: null });
    expect(telemetry.noted.slice(-2)).toEqual([
      "store sessions.find failed",
      "check check store_unavailable",
    ]);
  });

  test("names nobody: no id, no path of a request, no address", async () => {
    const telemetry = noting();
    const here = world({ telemetry });
    const ana = await here.registered("ana@example.com");
    await ana.get("/api/v1/users/me/sessions?secret=hunter2");
    await ana.delete("/api/v1/users/me/sessions/abcdefghijklmnopqrstuvwx");
    const all = telemetry.noted.join("\n");
    expect(all).toContain("route DELETE /users/me/sessions/{id} 404");
    for (const personal of ["ana", ana.userId, "hunter2", "abcdefghij", "192.0.2"])
      expect(all).not.toContain(personal);
  });

  const inTheWay: Readonly<Record<string, Telemetry["during"]>> = {
    "throws before the work": () => {
      throw new Error("no");
    },
    "throws after the work": (_operation, work) => {
      work(() => {});
      throw new Error("no");
    },
    "never does the work": () => undefined as never,
    "does the work twice": (_operation, work) => {
      work(() => {});
      return work(() => {});
    },
    "answers something else": (_operation, work) => {
      work(() => {});
      return "else" as never;
    },
    "throws when told of the end": (_operation: Operation, work: (end: End) => unknown) =>
      work(() => {
        throw new Error("no");
      }) as never,
  };

  test.each(Object.entries(inTheWay))("one that %s stands in nobody's way", async (_what, during) => {
    const here = world({ telemetry: { during } });
    const ana = await here.registered();
    expect((await ana.get("/api/v1/users/me")).status).toBe(200);
    expect((await ana.post("/api/v1/auth/logout")).status).toBe(200);
    expect((await ana.get("/api/v1/users/me")).status).toBe(401);
    expect(here.heard("user.registered")).toHaveLength(1);
  });
});

interface Finished {
  readonly name: string;
  readonly parent: string | null;
  readonly outcome: unknown;
  readonly status: unknown;
}

/** A tracer as an SDK has one, as far as it is used here. */
function recordingTracer(finished: Finished[]): Tracer {
  const names = new WeakMap<object, string>();
  const open = (name: string, options: SpanOptions = {}): Span => {
    const above = trace.getSpan(context.active());
    const attributes = { ...options.attributes };
    let status: unknown;
    const span = {
      setAttribute(key: string, value: string) {
        attributes[key] = value;
      },
      setStatus(given: { code: number }) {
        status = given.code;
      },
      end() {
        const parent = above === undefined ? null : (names.get(above) ?? null);
        finished.push({ name, parent, outcome: attributes["latchkey.outcome"], status });
      },
    } as unknown as Span;
    names.set(span, name);
    return span;
  };
  const startActiveSpan = (name: string, options: SpanOptions, work: (span: Span) => unknown) => {
    const span = open(name, options);
    return context.with(trace.setSpan(context.active(), span), () => work(span));
  };
  return { startSpan: open, startActiveSpan } as Tracer;
}

describe("spans of OpenTelemetry", () => {
  afterEach(() => {
    trace.disable();
    context.disable();
  });

  test("each lies within the one that asked for it, and failures are marked", async () => {
    const finished: Finished[] = [];
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider({ getTracer: () => recordingTracer(finished) });
    const measuring = noting();
    let fails = false;
    const here = world({
      telemetry: together(spans({ trace, SpanStatusCode }), measuring),
      wrap: (stores) => faulty(stores, () => (fails ? "refuse" : null)),
    });
    const ana = await here.registered();
    expect(finished.find(({ name }) => name === "latchkey store directory.commit")).toMatchObject({
      parent: "latchkey route POST /auth/register",
      outcome: "ok",
      status: undefined,
    });
    expect(measuring.noted).toContain("route POST /auth/register 201");
    fails = true;
    await ana.get("/api/v1/users/me");
    expect(finished.slice(-3)).toMatchObject([
      { name: "latchkey store sessions.find", parent: "latchkey check", status: SpanStatusCode.ERROR },
      { name: "latchkey check", parent: "latchkey route GET /users/me", status: undefined },
      { name: "latchkey route GET /users/me", parent: null, outcome: "503", status: SpanStatusCode.ERROR },
    ]);
  });
});
