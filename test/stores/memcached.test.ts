import { randomUUID } from "node:crypto";
import { describe, inject, it } from "vitest";
import { memory } from "../../src/stores/memory.ts";
import { split } from "../../src/stores/split.ts";
import {
  type DetachedHarness,
  detachedSessionContract,
  type StoreHarness,
  sessionContract,
} from "../../src/testing/testing.ts";
import { sessionsOn } from "./memcached-servers.ts";

const address = inject("memcachedAddress") ?? "";

describe.skipIf(address === "")("sessions on Memcached keep the contract of detached sessions", () => {
  let prefix = "";
  const harness: DetachedHarness = {
    expiresByItself: true,
    async open() {
      prefix = `${randomUUID()}:`;
      return sessionsOn(address, { prefix });
    },
    another: async () => sessionsOn(address, { prefix }),
  };
  for (const { section, name, run } of detachedSessionContract(harness)) it(`${section}: ${name}`, run);
});

describe.skipIf(address === "")("sessions on Memcached beside a directory keep the session contract", () => {
  const harness: StoreHarness = {
    expiresByItself: true,
    open: async () => split({ ...memory(), sessions: sessionsOn(address, { prefix: `${randomUUID()}:` }) }),
  };
  for (const { section, name, run } of sessionContract(harness)) it(`${section}: ${name}`, run);
});
