import * as fc from "fast-check";
import { AuthError } from "latchkey";
import { describe, expect, test } from "vitest";
import { createLog, type RequestNotes, type ServerLog } from "../../server/log.ts";
import { loggableFields, loggablePath } from "../../server/loggable.ts";
import type { LogLevel } from "../../server/settings/settings.ts";

function memoryLog(level: LogLevel = "trace"): {
  log: ServerLog;
  lines: () => Record<string, unknown>[];
  text: () => string;
} {
  let text = "";
  const destination = {
    write: (line: string) => {
      text += line;
    },
  };
  const lines = () => text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));
  return { log: createLog({ level, destination }), lines, text: () => text };
}

const always = ["level", "time", "msg"];

describe("a line of the log", () => {
  test("it is JSON with time, level and message", () => {
    const { log, lines } = memoryLog();
    log.warn("low on space", { task: "sweep" });
    expect(lines()).toEqual([
      {
        level: "warn",
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        msg: "low on space",
        task: "sweep",
      },
    ]);
  });

  test("it holds nothing but fields that may be written, whatever it is given", () => {
    fc.assert(
      fc.property(fc.object({ key: fc.oneof(fc.string(), fc.constantFrom(...loggableFields)) }), (fields) => {
        const { log, lines } = memoryLog();
        log.error("x", fields as Record<string, string>);
        const [line = {}] = lines();
        for (const [name, value] of Object.entries(line)) {
          expect([...always, ...loggableFields]).toContain(name);
          expect(["string", "number", "boolean"]).toContain(typeof value);
        }
      }),
    );
  });

  test.each([
    "cookie",
    "authorization",
    "password",
    "token",
    "body",
    "query",
    "headers",
    "url",
    "constructor",
  ])("%s is no field", (name) => {
    const { log, text } = memoryLog();
    log.error("x", { [name]: "hunter2" });
    log.info("x", { [name]: "hunter2" } as object);
    expect(text()).not.toContain("hunter2");
  });

  test("a field does not smuggle an object in", () => {
    const { log, text } = memoryLog();
    log.error("x", {
      diagnosis: { password: "hunter2" } as unknown as string,
      code: ["hunter2"] as unknown as string,
    });
    expect(text()).not.toContain("hunter2");
  });

  test("a long text is cut", () => {
    const { log, lines } = memoryLog();
    log.error("x", { diagnosis: "a".repeat(10_000) });
    expect(String(lines()[0]?.diagnosis)).toHaveLength(300);
  });

  test("a line break in a field or a message makes no line of its own", () => {
    const { log, text } = memoryLog();
    log.error('x\n{"level":"info"}', { diagnosis: "a\nb\u001b[2J" });
    expect(text().trimEnd().split("\n")).toHaveLength(1);
    expect(text()).not.toContain("\u001b");
  });

  test("below the level nothing is written", () => {
    const { log, lines } = memoryLog("warn");
    log.debug("x");
    log.info("x");
    log.warn("y");
    expect(lines().map(({ msg }) => msg)).toEqual(["y"]);
    const { log: mute, text } = memoryLog("silent");
    mute.error("x");
    expect(text()).toBe("");
  });
});

describe("the cause of a failure", () => {
  test("what a parser says is left out, since it quotes what it read", () => {
    const { log, lines, text } = memoryLog();
    let cause: unknown;
    try {
      JSON.parse("hunter2");
    } catch (error) {
      cause = error;
    }
    log.error("failed", {}, cause);
    expect(text()).not.toContain("hunter2");
    const place = expect.stringMatching(/log\.test\.ts:\d+:\d+$/);
    expect(lines()[0]).toMatchObject({ cause_name: "SyntaxError", cause_place: place });
  });

  test("a message of several lines that imitates a stack is left out too", () => {
    const { log, text } = memoryLog();
    log.error("failed", {}, new Error("x\n    at hunter2 (file.ts:1:2)"));
    expect(text()).not.toContain("hunter2");
    expect(text()).toContain("cause_place");
    const changed = new Error("x\n    at hunter2 (file.ts:1:2)");
    expect(changed.stack).toContain("hunter2");
    changed.message = "§";
    log.error("failed", {}, changed);
    expect(text()).not.toContain("hunter2");
  });

  test("what the system says is written", () => {
    const { log, lines } = memoryLog();
    const cause = Object.assign(new Error("EACCES: permission denied, open 'data'"), {
      code: "EACCES",
      syscall: "open",
    });
    log.error("failed", {}, cause);
    expect(lines()[0]).toMatchObject({
      cause_code: "EACCES",
      cause_message: "EACCES: permission denied, open 'data'",
    });
  });

  test("what is thrown and is no error leaves no trace", () => {
    const { log, text } = memoryLog();
    log.error("failed", {}, "hunter2");
    log.error("failed", {}, { password: "hunter2" });
    expect(text()).not.toContain("hunter2");
  });
});

describe("while a request runs", () => {
  test("every line carries its id, also after something was awaited", async () => {
    const { log, lines } = memoryLog();
    await log.during({ requestId: "r1", refusal: null }, async () => {
      await Promise.resolve();
      log.warn("inside");
    });
    log.warn("outside");
    expect(lines().map(({ msg, request_id }) => [msg, request_id])).toEqual([
      ["inside", "r1"],
      ["outside", undefined],
    ]);
  });

  test("its refusal is noted, and another's is not", () => {
    const { log } = memoryLog();
    const one: RequestNotes = { requestId: "r1", refusal: null };
    const other: RequestNotes = { requestId: "r2", refusal: null };
    log.during(one, () => log.noteRefusal(new AuthError("not_found")));
    log.during(other, () => {});
    log.noteRefusal(new AuthError("forbidden"));
    expect([one.refusal?.code, other.refusal]).toEqual(["not_found", null]);
  });

  test("an event is written without its payload", () => {
    const { log, lines } = memoryLog();
    const createdAt = new Date();
    const base = {
      id: "e",
      createdAt,
      userId: "u",
      sessionId: null,
      ip: null,
      userAgent: "B",
      requestId: "r",
    };
    log.event({
      ...base,
      type: "csrf.refused",
      payload: { method: "POST", path: "/hunter2", stage: "token", suppressed: 0 },
    });
    expect(Object.keys(lines()[0] ?? {}).sort()).toEqual(
      [...always, "event", "request_id", "user_id"].sort(),
    );
  });
});

describe("a path", () => {
  test.each([
    ["/api/v1/users/me", "/api/v1/users/me"],
    [
      "/api/v1/users/me/sessions/8LSX83VNrLGsxNDYSloucRmB",
      "/api/v1/users/me/sessions/8LSX83VNrLGsxNDYSloucRmB",
    ],
    ["/reset/3JD0rhIUfk8LNTKlBo8Kut.7FXIeCtqqvHV5jY17x0rUhk_oCZ1-ZEZyda_v0LZSo4", "/reset/*"],
    ["/7FXIeCtqqvHV5jY17x0rUhk_oCZ1-ZEZyda_v0LZSo4/x", "/*/x"],
    ["/search/pass%20word", "/search/*"],
    ["/", "/"],
  ])("%s is written as %s", (path, written) => {
    expect(loggablePath(path)).toBe(written);
  });
});
