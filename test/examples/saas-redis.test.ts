import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { delimiter, dirname } from "node:path";
import { createClient } from "redis";
import { expect, inject, onTestFinished, test, vi } from "vitest";
import { startRedis } from "../../examples/saas/redis.ts";
import { freePort } from "../support/free-port.ts";

const binary = inject("redisBinary");

function somewhereElse(path: string): void {
  vi.stubEnv("PATH", path);
  onTestFinished(() => void vi.unstubAllEnvs());
}

test.skipIf(binary === null)("takes another port where somebody took the one that was chosen", async () => {
  somewhereElse(`${dirname(binary ?? "")}${delimiter}${process.env.PATH}`);
  const other = createServer().listen({ host: "127.0.0.1", port: 0 });
  await once(other, "listening");
  onTestFinished(() => void other.close());
  const ports = [(other.address() as AddressInfo).port, await freePort()];
  const left = [...ports];
  const redis = await startRedis(async () => left.shift() ?? freePort());
  if (redis === null) throw new Error("it did not start");
  onTestFinished(() => redis.close());
  expect(redis.url).toBe(`redis://127.0.0.1:${ports[1]}`);
  const client = await createClient({ url: redis.url }).connect();
  expect(await client.ping()).toBe("PONG");
  await client.close();
});

test("gives up soon where there is no Redis", async () => {
  somewhereElse("");
  expect(await startRedis()).toBeNull();
});
