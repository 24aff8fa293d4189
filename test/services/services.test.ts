import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import type { AuditRow } from "../../src/domain/audit.ts";
import { AuthError, asAuthError, errorTable } from "../../src/errors.ts";
import type { KeyLabel, Log } from "../../src/ports/services.ts";
import type { StoreCall } from "../../src/ports/store.ts";
import { createBackground } from "../../src/services/background.ts";
import { withDeadline } from "../../src/services/deadline.ts";
import { createEvents, type EventsDependencies } from "../../src/services/events.ts";
import { deriveKeys } from "../../src/services/keys.ts";
import { systemClock, systemRandom } from "../../src/services/system.ts";
import { memory } from "../../src/stores/memory.ts";
import { testClock } from "../../src/testing/clock.ts";
import { testRandom } from "../../src/testing/random.ts";
import { gate } from "../support/gate.ts";
import { until } from "../support/until.ts";
import { secret } from "../support/world.ts";

const other = "another secret of thirty-two bytes and more";
const origin = { ip: null, userAgent: null, requestId: null };

function logging(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    error: (message, fields = {}, cause) => void lines.push(`${message} ${JSON.stringify(fields)} ${cause}`),
    warn: (message, fields = {}) => void lines.push(`${message} ${JSON.stringify(fields)}`),
  };
}

describe("derived keys", () => {
  const labels: readonly KeyLabel[] = ["csrf", "form-token", "identifier"];

  test("differ by use: what is signed for one never verifies for another", () => {
    const keys = deriveKeys([secret]);
    for (const label of labels) {
      for (const reading of labels) {
        expect(keys.verify(reading, "text", keys.sign(label, "text"))).toBe(label === reading);
      }
    }
  });

  test("sign with the first secret, and verify with all", () => {
    const [old, both, fresh] = [deriveKeys([secret]), deriveKeys([other, secret]), deriveKeys([other])];
    expect(both.verify("csrf", "text", old.sign("csrf", "text"))).toBe(true);
    expect(fresh.verify("csrf", "text", both.sign("csrf", "text"))).toBe(true);
    expect(fresh.verify("csrf", "text", old.sign("csrf", "text"))).toBe(false);
  });

  test("verify no other text, and no MAC of another length", () => {
    const keys = deriveKeys([secret]);
    const mac = keys.sign("csrf", "text");
    expect(mac).toHaveLength(32);
    expect(keys.verify("csrf", "texts", mac)).toBe(false);
    for (const wrong of [new Uint8Array(0), mac.slice(0, 31), new Uint8Array(33)])
      expect(keys.verify("csrf", "text", wrong)).toBe(false);
  });

  test("are not the secret itself", () => {
    const keys = deriveKeys([secret]);
    expect(Buffer.from(keys.sign("csrf", "text")).toString("hex")).toMatch(/^[0-9a-f]{64}$/);
    expect(deriveKeys([other]).sign("csrf", "text")).not.toEqual(keys.sign("csrf", "text"));
  });
});

describe("a deadline", () => {
  const call = (): StoreCall => ({ now: new Date(0), signal: new AbortController().signal });
  const failing = (find: (call: StoreCall) => Promise<never[]> | never[]) => {
    const stores = memory();
    return withDeadline({ ...stores, sessions: { ...stores.sessions, find: (_, each) => find(each) } }, 15);
  };
  const outcome = async (find: Parameters<typeof failing>[0]) => {
    try {
      return await failing(find).sessions.find(["x"], call());
    } catch (error) {
      return error;
    }
  };

  test("lets answers through, at once where they come at once", async () => {
    const stores = withDeadline(memory(), 15);
    expect(stores.sessions.find(["x"], call())).toEqual([null]);
    expect(await stores.ephemeral.add("k", 1, call())).toBe(true);
  });

  test("turns every failure into store_unavailable that keeps its cause for the operator", async () => {
    const boom = new Error("connection refused to 10.0.0.7");
    for (const fail of [
      () => {
        throw boom;
      },
      () => Promise.reject(boom),
    ]) {
      const error = await outcome(fail);
      expect(error).toMatchObject({
        code: "store_unavailable",
        status: 503,
        retryAfterSeconds: 1,
        cause: boom,
        diagnosis: "sessions.find failed",
      });
      expect((error as AuthError).message).not.toContain("10.0.0.7");
    }
  });

  test("gives up a call that hangs, and aborts it", async () => {
    let signal: AbortSignal | undefined;
    const error = await outcome((each) => {
      signal = each.signal;
      return new Promise<never>(() => {});
    });
    expect(error).toMatchObject({ code: "store_unavailable", cause: new Error("no answer within 15 ms") });
    expect(signal?.aborted).toBe(true);
  });

  test("has aborted also where the store asks only after it has passed", async () => {
    let late: StoreCall | undefined;
    await outcome((each) => {
      late = each;
      return new Promise<never>(() => {});
    });
    expect(late?.signal.aborted).toBe(true);
  });

  test("hands the caller's time on, and aborts nothing that answered", async () => {
    let seen: StoreCall | undefined;
    await outcome(async (each) => {
      seen = each;
      return [];
    });
    expect(seen?.now).toEqual(new Date(0));
    expect(seen?.signal.aborted).toBe(false);
  });

  test("bounds methods of classes like those of plain objects, and leaves close alone", async () => {
    class Sessions {
      readonly engine = { name: "own" };
      find(): never {
        throw new Error("down");
      }
    }
    class More extends Sessions {
      closed = false;
      async close() {
        this.closed = true;
      }
    }
    const own = new More();
    const stores = withDeadline({ ...memory(), sessions: own as never }, 15);
    expect(() => stores.sessions.find([], call())).toThrow(AuthError);
    await stores.sessions.close();
    expect(own.closed).toBe(true);
    expect(stores.sessions.engine).toBe(own.engine);
  });
});

describe("background work", () => {
  test("fails for the log alone", async () => {
    const log = logging();
    const background = createBackground({ log, writeTouches: async () => {} });
    background.run("a task", () => Promise.reject(new Error("down")));
    await background.drain();
    expect(log.lines).toEqual(['background work failed {"task":"a task"} Error: down']);
  });

  test("that throws at once fails for the log alone, too", async () => {
    const log = logging();
    const background = createBackground({ log, writeTouches: async () => {} });
    const task = (): never => {
      throw new Error("down");
    };
    expect(() => background.run("a task", task)).not.toThrow();
    await background.drain();
    expect(log.lines).toHaveLength(1);
  });

  test("is waited for by drain, with what it starts itself", async () => {
    const background = createBackground({ log: logging(), writeTouches: async () => {} });
    const order: string[] = [];
    const held = gate();
    background.run("one", async () => {
      await held.pass();
      background.run("two", async () => void order.push("two"));
      order.push("one");
    });
    const drained = background.drain().then(() => order.push("drained"));
    await held.reached;
    held.open();
    await drained;
    expect(order.sort()).toEqual(["drained", "one", "two"]);
    expect(order).toHaveLength(3);
  });

  test("gathers touches: the last use of each session, in one write a moment later", async () => {
    const written: unknown[] = [];
    const background = createBackground({
      log: logging(),
      writeTouches: async (touches) => void written.push(touches),
    });
    const at = (ms: number) => new Date(ms);
    background.touch("a", at(1), at(10));
    background.touch("b", at(2), at(20));
    background.touch("a", at(3), at(30));
    expect(written).toEqual([]);
    await until(() => written.length > 0);
    expect(written).toEqual([
      [
        { sessionId: "a", usedAt: at(3), idleExpiresAt: at(30) },
        { sessionId: "b", usedAt: at(2), idleExpiresAt: at(20) },
      ],
    ]);
    background.touch("a", at(4), at(40));
    await background.drain();
    expect(written).toHaveLength(2);
    await background.drain();
    expect(written).toHaveLength(2);
  });
});

describe("reported events", () => {
  function events(write: EventsDependencies["write"]) {
    const heard: string[] = [];
    const log = logging();
    const background = createBackground({ log, writeTouches: async () => {} });
    const made = createEvents({
      clock: testClock(),
      random: testRandom(),
      log,
      listeners: () => [({ type }) => heard.push(type)],
      inBackground: (task) => background.run("write", task),
      write,
    });
    const report = (ip: string | null = null) =>
      made.report(
        {
          type: "csrf.refused",
          userId: null,
          sessionId: null,
          payload: { method: "POST", path: "/", stage: "origin" },
        },
        { ...origin, ip },
      );
    return { report, heard, log };
  }

  test("are heard at once and written in one batch when the turn ends", async () => {
    const batches: (readonly AuditRow[])[] = [];
    const { report, heard } = events(async (rows) => batches.push(rows));
    report();
    report();
    expect([heard.length, batches.length]).toEqual([2, 0]);
    await until(() => batches.length > 0);
    expect(batches.map((rows) => rows.length)).toEqual([2]);
    report();
    await until(() => batches.length > 1);
    expect(new Set(batches.flat().map(({ id }) => id)).size).toBe(3);
  });

  test("are kept up to a thousand: a flood reaches the listeners, and the log says what was dropped", async () => {
    const batches: (readonly AuditRow[])[] = [];
    const { report, heard, log } = events(async (rows) => batches.push(rows));
    for (let i = 0; i < 1_003; i++) report(`198.51.${i >> 8}.${i & 255}`);
    await until(() => batches.length > 0);
    expect([heard.length, batches[0]?.length]).toEqual([1_003, 1_000]);
    expect(log.lines).toEqual(['audit rows of refusals were dropped {"dropped":3}']);
    report();
    await until(() => batches.length > 1);
    expect(log.lines).toHaveLength(1);
  });
});

describe("the log", () => {
  test("writes JSON lines with allow-listed fields, and of a cause its name and message alone", () => {
    const program = `
      import { stderrLog } from ${JSON.stringify(new URL("../../src/services/log.ts", import.meta.url).href)};
      const log = stderrLog();
      log.error("it broke", { code: "x" }, Object.assign(new TypeError("why"), { password: "hunter2" }));
      log.warn("careful");
      log.error("odd", {}, "hunter2");`;
    const { stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
      encoding: "utf8",
    });
    const lines = stderr
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toMatchObject([
      { level: "error", message: "it broke", code: "x", cause: "TypeError: why" },
      { level: "warn", message: "careful" },
      { level: "error", message: "odd" },
    ]);
    expect(stderr).not.toContain("hunter2");
  });
});

describe("the machine's clock and randomness", () => {
  test("are real", async () => {
    const clock = systemClock();
    expect(Math.abs(clock.now().getTime() - Date.now())).toBeLessThan(1_000);
    await clock.sleep(1);
    const [one, two] = [systemRandom().bytes(32), systemRandom().bytes(32)];
    expect(one).toHaveLength(32);
    expect(one).not.toEqual(two);
  });
});

describe("errors", () => {
  test("say their code, status and public sentence, and keep the rest inside", () => {
    const cause = new Error("inside");
    const error = new AuthError("rate_limited", { cause, diagnosis: "why", retryAfterSeconds: 3 });
    expect(error).toMatchObject({
      code: "rate_limited",
      status: 429,
      diagnosis: "why",
      retryAfterSeconds: 3,
      fields: [],
      cause,
    });
    expect(new AuthError("forbidden", { message: "No." }).message).toBe("No.");
    expect(new AuthError("forbidden")).toMatchObject({ diagnosis: null, retryAfterSeconds: null });
  });

  test("of anything else are internal_error, with its cause", () => {
    const refusal = new AuthError("conflict");
    expect(asAuthError(refusal)).toBe(refusal);
    for (const thrown of [new TypeError("x"), "x", null, undefined]) {
      expect(asAuthError(thrown)).toMatchObject({ code: "internal_error", status: 500 });
    }
  });

  test("stand in a table without a double", () => {
    const codes = errorTable().map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
    expect(errorTable().every(({ status, message }) => status >= 400 && message !== "")).toBe(true);
  });
});
