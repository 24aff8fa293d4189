import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished, test } from "vitest";
import { startFailure } from "../../server/start-failure.ts";

async function failureOf(address: { readonly host: string; readonly port: number }): Promise<string> {
  const server = createServer().listen(address);
  const error: unknown = await once(server, "listening").then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error !== null) return startFailure(error);
  server.close();
  throw new Error("it listens");
}

// 192.0.2.0/24 is no machine's. @see RFC 5737
test.for([
  [{ host: "192.0.2.5", port: 0 }, "192.0.2.5 is no address of this machine. Set HOST to one that is,"],
  [{ host: "192.0.2.5", port: 8080 }, "192.0.2.5:8080 is no address of this machine."],
  [{ host: "nobody.invalid", port: 0 }, "nobody.invalid is no name that is known here."],
  [{ host: "nobody.invalid", port: 8080 }, "nobody.invalid is no name that is known here."],
] as const)("%o cannot be listened on, and the setting is named", async ([address, text], { expect }) => {
  expect(await failureOf(address)).toContain(`Latchkey cannot listen: ${text}`);
});

test("a port that is taken is named with its host", async ({ expect }) => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  expect(await failureOf({ host: "127.0.0.1", port })).toContain(`127.0.0.1:${port} is in use`);
});
