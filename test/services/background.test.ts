import { describe, expect, test } from "vitest";
import { createBackground } from "../../src/services/background.ts";
import { gate } from "../support/gate.ts";
import { logLines } from "../support/log-lines.ts";
import { until } from "../support/until.ts";

describe("background work", () => {
  test("fails for the log alone", async () => {
    const log = logLines();
    const background = createBackground({ log, writeTouches: async () => {} });
    background.run("a task", () => Promise.reject(new Error("down")));
    await background.drain();
    expect(log.lines).toEqual(['background work failed {"task":"a task"} Error: down']);
  });

  test("that throws at once fails for the log alone, too", async () => {
    const log = logLines();
    const background = createBackground({ log, writeTouches: async () => {} });
    const task = (): never => {
      throw new Error("down");
    };
    expect(() => background.run("a task", task)).not.toThrow();
    await background.drain();
    expect(log.lines).toHaveLength(1);
  });

  test("is waited for by drain, with what it starts itself", async () => {
    const background = createBackground({ log: logLines(), writeTouches: async () => {} });
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
      log: logLines(),
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
