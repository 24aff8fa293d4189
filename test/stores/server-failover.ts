import { describe, expect, it } from "vitest";
import type { Session } from "../../src/domain/session.ts";
import type { StoreCall } from "../../src/ports/store.ts";
import type { Stores } from "../../src/ports/stores.ts";
import type { Fixtures } from "../../src/testing/testing.ts";

/** Stores whose address led to a server that only reads by now. */
export interface FailoverGround {
  /** Every connection of their pool stands, was used, and leads to that server. */
  readonly stores: Stores;
  /** Lies on that server alone. */
  readonly session: Session;
  readonly make: Fixtures;
  call(): StoreCall;
  /** From now on the address leads to a server that writes. Connections that stand stay where they are. */
  move(): void;
  /** Lets the server write. */
  promote(): Promise<void>;
}

/** More than any pool of these tests has connections. */
const many = 12;

/** What stores do when the roles of servers change: rules for one engine. */
export function serverFailover(
  engine: string,
  isSkipped: boolean,
  ground: () => Promise<FailoverGround>,
): void {
  /** How many of as many reads as all connections can take at once come from the former primary. */
  async function stale({ stores, session, call }: FailoverGround): Promise<number> {
    const reads = Array.from({ length: many }, () => stores.sessions.find([session.id], call()));
    return (await Promise.all(reads)).filter(([found]) => found !== null).length;
  }

  describe.skipIf(isSkipped)(`stores on ${engine} after a failover`, () => {
    it("write at the first try, and read from the former primary no more", async () => {
      const scene = await ground();
      const { stores, make, call, move } = scene;
      move();
      expect(await stale(scene)).toBe(many);
      const insert = { kind: "user.insert", user: make.user() } as const;
      expect(await stores.directory.commit([insert], call())).toMatchObject({ ok: true });
      expect(await stale(scene)).toBe(0);
    });

    it("write as soon as the address leads to a server that does, however lately they were refused", async () => {
      const { stores, make, call, move } = await ground();
      const insert = { kind: "user.insert", user: make.user() } as const;
      await expect(Promise.resolve(stores.directory.commit([insert], call()))).rejects.toThrow();
      move();
      expect(await stores.directory.commit([insert], call())).toMatchObject({ ok: true });
    });

    it("use values up at the first try, outside of a transaction too", async () => {
      const { stores, call, move } = await ground();
      move();
      const marks = Array.from({ length: many }, (_, at) => stores.ephemeral.add(`mark ${at}`, 60, call()));
      expect(await Promise.all(marks)).toEqual(marks.map(() => true));
    });

    it("read from the former primary no more once somebody asked whether they are ready", async () => {
      const scene = await ground();
      scene.move();
      expect(await stale(scene)).toBe(many);
      await scene.stores.sessions.ping(scene.call());
      expect(await stale(scene)).toBe(0);
    });
  });

  describe.skipIf(isSkipped)(`stores on a ${engine} that only reads`, () => {
    it("are not ready, go on reading, and are ready when it writes again", async () => {
      const scene = await ground();
      const { stores, make, call, promote } = scene;
      const insert = { kind: "user.insert", user: make.user() } as const;
      for (const store of [stores.directory, stores.sessions, stores.ephemeral])
        await expect(Promise.resolve(store.ping(call()))).rejects.toThrow(/read-only/);
      await expect(Promise.resolve(stores.directory.commit([insert], call()))).rejects.toThrow();
      await expect(stores.ephemeral.add("mark", 60, call())).rejects.toThrow(/read-only/);
      expect(await stale(scene)).toBe(many);
      await promote();
      await stores.directory.ping(call());
      expect(await stores.directory.commit([insert], call())).toMatchObject({ ok: true });
    });
  });
}
