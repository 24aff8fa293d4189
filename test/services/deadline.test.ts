import { describe, expect, test } from "vitest";
import { AuthError } from "../../src/errors.ts";
import type { StoreCall } from "../../src/ports/store.ts";
import { withDeadline } from "../../src/services/deadline.ts";
import { memory } from "../../src/stores/memory.ts";

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
