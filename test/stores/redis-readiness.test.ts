import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { readiness } from "../../src/stores/redis/readiness.ts";

test("who has given up before asking waits for nothing, and is not held", async () => {
  const client = new EventEmitter();
  await expect(readiness(client)(AbortSignal.abort(new Error("too late")))).rejects.toThrow("too late");
  expect(client.listenerCount("ready")).toBe(0);
});

test("whoever waits goes on when the client is ready, and fails when it was closed", async () => {
  const client = new EventEmitter();
  const ready = readiness(client);
  const { signal } = new AbortController();
  const both = [ready(signal), ready(signal)];
  expect(client.listenerCount("ready")).toBe(1);
  client.emit("ready");
  await Promise.all(both);
  const closed = ready(signal);
  client.emit("end");
  await expect(closed).rejects.toThrow("was closed");
  expect([client.listenerCount("ready"), client.listenerCount("end")]).toEqual([0, 0]);
});
