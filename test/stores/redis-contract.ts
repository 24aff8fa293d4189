import { randomUUID } from "node:crypto";
import { afterAll, describe, it } from "vitest";
import type { DirectoryStore } from "../../src/ports/directory-store.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { memory } from "../../src/stores/memory.ts";
import { type RedisStores, redis } from "../../src/stores/redis/redis.ts";
import { split } from "../../src/stores/split.ts";
import { detachedSessionContract } from "../../src/testing/contract/detached.ts";
import { ephemeralContract, sessionContract } from "../../src/testing/testing.ts";
import type { Connect, Connected } from "./redis-clients.ts";

/** Holds Redis, where it is and as `connect` reaches it, to the three contracts; two handles are two clients. */
export function keepsContracts<Where>(
  name: string,
  where: Where | Promise<Where> | null,
  connect: (where: Where) => Connect,
): void {
  const clients: Promise<Connected>[] = [];
  const run = randomUUID();
  let opened = 0;
  let directory: DirectoryStore = memory().directory;

  afterAll(async () => {
    for (const client of clients) (await client).close();
  });

  // Two clients for all cases; a prefix of its own for each.
  async function handle(index: number): Promise<RedisStores> {
    clients[index] ??= Promise.resolve(where).then((there) => connect(there as Where)());
    const { client } = await clients[index];
    return redis({ client, prefix: `${run}:${opened}:` });
  }

  async function joined(index: number): Promise<Stores> {
    const { sessions, ephemeral } = await handle(index);
    return split({ directory, sessions, ephemeral });
  }

  const whole = {
    expiresByItself: true,
    async open() {
      opened++;
      directory = memory().directory;
      return joined(0);
    },
    another: () => joined(1),
    reopen: () => joined(1),
  };
  const alone = {
    expiresByItself: true,
    async open() {
      opened++;
      return (await handle(0)).sessions;
    },
    another: async () => (await handle(1)).sessions,
  };

  const proofs = [
    ["sessions alone", detachedSessionContract(alone)],
    ["session", sessionContract(whole)],
    ["ephemeral", ephemeralContract(whole)],
  ] as const;
  for (const [port, cases] of proofs) {
    describe.skipIf(where === null)(`${name} keeps the contract: ${port}`, () => {
      for (const { section, name: rule, run: tryIt } of cases) it(`${section}: ${rule}`, tryIt);
    });
  }
}
