import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import type { Session } from "../../src/domain/session.ts";
import type { Report, StoreCall } from "../../src/ports/store.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { memory } from "../../src/stores/memory.ts";
import {
  directoryContract,
  ephemeralContract,
  fixtures,
  type StoreHarness,
  sessionContract,
  testClock,
} from "../../src/testing/testing.ts";

const harness: StoreHarness = { open: async () => memory() };

for (const [port, contract] of Object.entries({ directoryContract, sessionContract, ephemeralContract })) {
  describe(`memory keeps the ${port}`, () => {
    for (const { section, name, run } of contract(harness)) it(`${section}: ${name}`, run);
  });
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Heap that `work` leaves in use. It runs twice, so that compiled code and warm caches do not count. */
async function bytesKept(work: () => Promise<Stores>): Promise<number> {
  const used = (): number => {
    // Twice: what finalizers let go of is gone after the second.
    collectGarbage();
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const warm = await work();
  const before = used();
  const kept = await work();
  const after = used();
  expect(warm).not.toBe(kept);
  return after - before;
}

const clock = testClock();
const make = fixtures(clock);
const call = (): StoreCall => ({ now: clock.now(), signal: new AbortController().signal });
const noRows: Report = () => [];

async function insert({ directory }: Stores, session: Session): Promise<void> {
  await directory.commit([{ kind: "session.insert", session, cap: 0, evicted: noRows }], call());
}

describe("memory is frugal", () => {
  it("a live session takes at most 400 bytes, indexes included, one for each user", async () => {
    // A little past a power of two, where the indexes have just doubled.
    const count = 17_000;
    const users = Array.from({ length: count }, () => make.user());
    const addUsers = async (): Promise<Stores> => {
      const stores = memory();
      for (const user of users) await stores.directory.commit([{ kind: "user.insert", user }], call());
      return stores;
    };
    const empty = [await addUsers(), await addUsers()];
    const bytes = await bytesKept(async () => {
      const stores = empty.pop() ?? memory();
      for (const [index, user] of users.entries()) {
        const ip = `192.168.${index % 256}.${(index >> 8) % 256}`;
        const rotatedFrom = "r".repeat(24);
        await insert(
          stores,
          make.session(user, { ip, userAgent: `ExampleBrowser/${index % 50}`, rotatedFrom }),
        );
      }
      expect(stores.sessions.list(users[0]?.id ?? "", call())).toHaveLength(1);
      return stores;
    });
    expect(bytes / count).toBeGreaterThan(100);
    expect(bytes / count).toBeLessThan(400);
  });

  it("a session id that was cut out of a header does not keep the header", async () => {
    const bytes = await bytesKept(async () => {
      const stores = memory();
      for (let index = 0; index < 200; index++) {
        const header = `${index}`.padStart(24, "i") + "x".repeat(100_000);
        await insert(
          stores,
          make.session(null, { id: header.slice(0, 24), userAgent: header.slice(100, 150) }),
        );
      }
      return stores;
    });
    expect(bytes).toBeLessThan(2_000_000);
  });

  it("ended sessions leave nothing, and invented user agents do not pile up", async () => {
    const bytes = await bytesKept(async () => {
      const stores = memory();
      for (let index = 0; index < 5_000; index++) {
        const session = make.session(null, { userAgent: `${index}`.padStart(500, "u") });
        await insert(stores, session);
        const end = { kind: "session.delete", sessionId: session.id, ended: noRows } as const;
        await stores.directory.commit([end], call());
      }
      return stores;
    });
    // 1,024 user agents may be kept for sharing.
    expect(bytes).toBeLessThan(1_000_000);
  });

  it("expired values, marks and counters go without a sweep", async () => {
    const { ephemeral } = memory();
    for (let round = 0; round < 20; round++) {
      for (let index = 0; index < 200; index++) {
        await ephemeral.put(`value:${round}:${index}`, "value", 1, call());
        await ephemeral.add(`mark:${round}:${index}`, 1, call());
        await ephemeral.reserve([{ key: `counter:${round}:${index}`, limit: 1, windowSeconds: 1 }], call());
      }
      clock.advance(1);
    }
    expect(await ephemeral.sweep(100_000, call())).toBeLessThan(2 * 3 * 200);
  });
});

describe("memory keeps values and counters apart", () => {
  it("a counter is no value, and a value no attempt", async () => {
    const { ephemeral } = memory();
    const limit = { key: "key", limit: 1, windowSeconds: 60 };
    await ephemeral.reserve([limit], call());
    expect(ephemeral.read("key", call())).toBeNull();
    expect(await ephemeral.take("key", call())).toBeNull();
    await ephemeral.put("key", "9", 60, call());
    expect(await ephemeral.reserve([limit], call())).toEqual({ ok: true });
  });
});

describe("memory refuses what only a mistake can ask for", () => {
  it("a report that calls the store", async () => {
    const stores = memory();
    const refused: Promise<void>[] = [];
    const ended: Report = () => {
      refused.push(expect(stores.directory.commit([], call())).rejects.toBeInstanceOf(TypeError));
      return [];
    };
    await stores.directory.commit([{ kind: "session.delete", sessionId: "x", ended }], call());
    expect(refused).toHaveLength(1);
    await Promise.all(refused);
  });

  it("a digest that is not 32 bytes long", async () => {
    await expect(insert(memory(), make.session(null, { secretDigest: new Uint8Array(31) }))).rejects.toThrow(
      TypeError,
    );
  });
});
