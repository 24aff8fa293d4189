import { once } from "node:events";
import { getPriority } from "node:os";
import { inspect } from "node:util";
import { afterEach, describe, expect, test } from "vitest";
import { passwordThreads, type Threads, type ThreadsOptions } from "../../src/password/threads.ts";
import { task } from "./fixtures/tasks.ts";

const opened: Threads[] = [];

function threads(options: ThreadsOptions): Threads {
  const made = passwordThreads(options);
  opened.push(made);
  return made;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
});

test("a task answers its value and how long the work took", async () => {
  const { value, durationMs } = await threads({ size: 1 }).run(task("echo", "å"));
  expect(value).toBe("å");
  expect(durationMs).toBeGreaterThan(0);
});

test("no more threads are started than allowed, and modules are loaded once in each", async () => {
  const one = threads({ size: 1 });
  const results = await Promise.all([1, 2, 3].map(() => one.run(task("count"))));
  expect(results.map((result) => result.value)).toEqual([1, 2, 3]);
});

test("a second thread takes what the first is too busy for", async () => {
  const two = threads({ size: 2, maxQueue: 0 });
  const results = await Promise.all([two.run(task("count")), two.run(task("count"))]);
  expect(results.map((result) => result.value)).toEqual([1, 1]);
});

test("the same module with other options is loaded apart", async () => {
  const one = threads({ size: 1 });
  await one.run(task("count"));
  const other = await one.run({ ...task("count"), options: { other: true } });
  expect(other.value).toBe(1);
});

test("a task past the queue is refused at once, with a time to come back", async () => {
  const one = threads({ size: 1, maxQueue: 2 });
  const accepted = [1, 2, 3].map(() => one.run(task("count")));
  await expect(one.run(task("count"))).rejects.toMatchObject({ code: "overloaded", retryAfterSeconds: 1 });
  expect((await Promise.all(accepted)).map((result) => result.value)).toEqual([1, 2, 3]);
  expect((await one.run(task("count"))).value).toBe(4);
});

test("tasks are taken in the order in which they came", async () => {
  const one = threads({ size: 1 });
  const order: string[] = [];
  await Promise.all(["a", "b", "c"].map((name) => one.run(task("echo", name)).then(() => order.push(name))));
  expect(order).toEqual(["a", "b", "c"]);
});

describe("a caller who gives up", () => {
  test("before the call is not served", async () => {
    const one = threads({ size: 1 });
    const reason = new Error("gone");
    await expect(one.run(task("count"), AbortSignal.abort(reason))).rejects.toBe(reason);
    expect((await one.run(task("count"))).value).toBe(1);
  });

  test("while waiting is dropped and makes room", async () => {
    const one = threads({ size: 1, maxQueue: 1 });
    const caller = new AbortController();
    const running = one.run(task("count"));
    const waiting = one.run(task("count"), caller.signal);
    const reason = new Error("gone");
    caller.abort(reason);
    const next = one.run(task("count"));
    await expect(waiting).rejects.toBe(reason);
    expect((await running).value).toBe(1);
    expect((await next).value).toBe(2);
  });

  test("after the work began gets its result", async () => {
    const one = threads({ size: 1 });
    const caller = new AbortController();
    const running = one.run(task("count"), caller.signal);
    caller.abort();
    expect((await running).value).toBe(1);
  });
});

describe("a thread that fails", () => {
  test("by ending rejects its task and is replaced", async () => {
    const one = threads({ size: 1 });
    await one.run(task("count"));
    const failing = one.run(task("exit"));
    const waiting = one.run(task("count"));
    await expect(failing).rejects.toMatchObject({
      code: "internal_error",
      diagnosis: expect.stringContaining("3"),
    });
    expect((await waiting).value).toBe(1);
  });

  test("by an uncaught exception rejects its task, is replaced, and never quotes the password", async () => {
    const one = threads({ size: 1 });
    const failure: unknown = await one
      .run(task("throwOutside", "hunter2hunter2"))
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "internal_error",
      diagnosis: expect.stringContaining("RangeError"),
    });
    expect(inspect(failure, { depth: 9 })).not.toContain("hunter2hunter2");
    expect((await one.run(task("count"))).value).toBe(1);
  });

  test("by throwing rejects its task, stays, and never quotes the password", async () => {
    const one = threads({ size: 1 });
    await one.run(task("count"));
    const failure: unknown = await one
      .run(task("throwNow", "hunter2hunter2"))
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "internal_error", diagnosis: expect.stringContaining("tasks.ts") });
    expect(inspect(failure, { depth: 9 })).not.toContain("hunter2hunter2");
    expect((await one.run(task("count"))).value).toBe(2);
  });

  test("by an answer that cannot be sent rejects its task", async () => {
    const one = threads({ size: 1 });
    await expect(one.run(task("unsendable"))).rejects.toMatchObject({ code: "internal_error" });
    expect((await one.run(task("echo", "x"))).value).toBe("x");
  });

  test("by passing the time limit is ended, rejects as overloaded and is replaced", async () => {
    const one = threads({ size: 1, taskLimitSeconds: 1 });
    const started = once(process, "worker");
    await one.run(task("count"));
    const ended = once((await started)[0], "exit");
    await expect(one.run(task("spin"))).rejects.toMatchObject({ code: "overloaded", retryAfterSeconds: 1 });
    await ended;
    expect((await one.run(task("count"))).value).toBe(1);
  });

  test("by a module that is missing or does not load says which and why", async () => {
    const one = threads({ size: 1 });
    const missing = new URL("./fixtures/missing.ts", import.meta.url).href;
    await expect(one.run({ ...task("count"), module: missing })).rejects.toMatchObject({
      code: "internal_error",
      diagnosis: expect.stringContaining("missing.ts"),
    });
    await expect(one.run({ ...task("count"), options: { failsToLoad: "no addon" } })).rejects.toMatchObject({
      diagnosis: expect.stringContaining("no addon"),
    });
    await expect(one.run(task("noSuchCall"))).rejects.toMatchObject({ code: "internal_error" });
  });
});

describe("closing", () => {
  test("finishes what has begun and refuses what waits and what comes", async () => {
    const one = threads({ size: 1 });
    const running = one.run(task("count"));
    const waiting = one.run(task("count"));
    const closed = one.close();
    await expect(waiting).rejects.toMatchObject({ code: "overloaded" });
    await expect(one.run(task("count"))).rejects.toMatchObject({ code: "overloaded" });
    await closed;
    expect((await running).value).toBe(1);
  });

  test("does not begin what it has refused", async () => {
    const one = threads({ size: 1, taskLimitSeconds: 60 });
    const running = one.run(task("count"));
    const refused = one.run(task("spin"));
    await Promise.all([one.close(), running, expect(refused).rejects.toMatchObject({ code: "overloaded" })]);
  });

  test("twice, or before anything ran, is fine", async () => {
    const one = threads({ size: 1 });
    await one.close();
    await one.close();
  });
});

test.runIf(process.platform === "linux")(
  "threads run at the lowest priority, the event loop at its own",
  async () => {
    const own = getPriority();
    expect((await threads({ size: 1 }).run(task("priority"))).value).toBe(19);
    expect(getPriority()).toBe(own);
  },
);

test("settings out of range are the programmer's mistake", () => {
  for (const options of [{ size: 0 }, { size: 1.5 }, { maxQueue: -1 }, { taskLimitSeconds: 0 }]) {
    expect(() => passwordThreads(options)).toThrow(TypeError);
  }
});
