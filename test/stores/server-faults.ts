import { describe, expect, it } from "vitest";
import type { Session } from "../../src/domain/session.ts";
import type { User } from "../../src/domain/user.ts";
import type { StoreCall, Write } from "../../src/ports/store.ts";
import type { Stores } from "../../src/ports/stores.ts";
import type { Life, PooledConnection } from "../../src/stores/sql/connection.ts";
import { auditQuery } from "../../src/testing/queries.ts";
import type { Fixtures, TestClock } from "../../src/testing/testing.ts";
import type { FaultMode, FaultProxy } from "../support/fault-proxy.ts";
import { until } from "../support/until.ts";

/** One state of a server, reached by two ways. */
export interface Ground {
  readonly proxy: FaultProxy;
  /** Through the proxy. The server gives a transaction that falls silent a second at most. */
  readonly stores: Stores;
  /** Past the proxy. */
  readonly direct: Stores;
  /** Through the proxy, over one connection at a time. */
  connect(life: Omit<Life, "ownsPool">): PooledConnection;
  readonly clock: TestClock;
  readonly make: Fixtures;
}

/** Ways in which a connection fails; each makes a call fail whose signal ends after {@link patienceMs}. */
const faults: readonly (readonly [name: string, mode: FaultMode])[] = [
  ["refuses", "refuse"],
  ["hangs", "hang"],
  ["resets at the first byte of its answer", { resetAfterBytes: 0 }],
  ["resets within its answer", { resetAfterBytes: 20 }],
  ["is slower than the caller's patience", { delayMs: 2_000 }],
];

const patienceMs = 250;
/** How late an answer to a caller may come whose signal was aborted; generous, for a busy machine. */
const lateMs = 1_500;

interface Scene extends Ground {
  readonly user: User;
  readonly session: Session;
  call(): StoreCall;
}

/** What stores on a server do when the way to it fails: rules for one engine. */
export function serverFaults(engine: string, isSkipped: boolean, ground: () => Promise<Ground>): void {
  async function scene(): Promise<Scene> {
    const on = await ground();
    const user = on.make.user();
    const session = on.make.session(user);
    const call = (): StoreCall => ({ now: on.clock.now(), signal: AbortSignal.timeout(patienceMs) });
    const patient = (): StoreCall => ({ now: on.clock.now(), signal: new AbortController().signal });
    const writes: readonly Write[] = [
      { kind: "user.insert", user },
      { kind: "session.insert", session, cap: 0, evicted: () => [] },
    ];
    await on.direct.directory.commit(writes, patient());
    // A connection that stands, and statements that were sent before.
    await on.stores.sessions.find([session.id], patient());
    return { ...on, user, session, call };
  }

  describe.skipIf(isSkipped)(`stores on a ${engine}`, () => {
    it.each(faults)(
      "that %s fail every call in time, and never answer 'absent' or 'allowed'",
      async (_, mode) => {
        const { proxy, stores, session, user, call } = await scene();
        await proxy.set(mode);
        const calls: readonly (() => unknown)[] = [
          () => stores.sessions.find([session.id], call()),
          () => stores.sessions.list(user.id, call()),
          () => stores.directory.user(user.id, call()),
          () => stores.directory.commit([{ kind: "user.advance", userId: user.id, from: 1 }], call()),
          () => stores.ephemeral.take("key", call()),
          () => stores.ephemeral.reserve([{ key: "key", limit: 1, windowSeconds: 9 }], call()),
          () => stores.ephemeral.add("mark", 9, call()),
        ];
        const startedAt = performance.now();
        const outcomes = await Promise.allSettled(calls.map(async (work) => work()));
        expect(outcomes.map(({ status }) => status)).toEqual(calls.map(() => "rejected"));
        expect(performance.now() - startedAt).toBeLessThan(patienceMs + lateMs);
      },
    );

    it.each(faults)("that %s work again as soon as it does, without being opened again", async (_, mode) => {
      const { proxy, stores, session, call } = await scene();
      await proxy.set(mode);
      for (let tries = 0; tries < 3; tries++) {
        await expect(Promise.resolve(stores.sessions.find([session.id], call()))).rejects.toThrow();
      }
      await proxy.set("pass");
      await until(async () => {
        try {
          const [found] = await stores.sessions.find([session.id], call());
          expect(found).toMatchObject({ expired: false, session: { id: session.id } });
          return true;
        } catch (error) {
          if (error instanceof Error && error.name === "AssertionError") throw error;
          return false;
        }
      });
    });

    it.each([true, false])(
      "that fall silent at the first look at the schema are asked anew, over another connection (migrate: %s)",
      async (migrate) => {
        const { proxy, connect, call } = await scene();
        const connection = connect({ migrate, lookMs: 300 });
        await connection.status();
        const standing = proxy.connections;
        await proxy.set("hang");
        const asked = (): Promise<boolean> => connection.each(call(), async () => true).catch(() => false);
        expect(await asked()).toBe(false);
        expect(proxy.connections).toBe(standing);
        await until(async () => !(await asked()) && proxy.connections > standing);
        await proxy.set("pass");
        await until(asked);
      },
    );

    it("that fall silent are not waited for by commands either: they say so, before anything is written", async () => {
      const { proxy, connect } = await scene();
      for (const command of ["status", "up", "check", "down"] as const) {
        const connection = connect({ migrate: false, lookMs: 300 });
        await connection.status();
        await proxy.set("hang");
        await expect(connection[command]()).rejects.toThrow(/^(mysql|postgres): no answer for 300 ms$/);
        await proxy.set("pass");
      }
    });

    it("that resets at any byte of its answers leave nothing half-done, and keep what they acknowledged", async () => {
      const { proxy, stores, direct, make, call, clock } = await scene();
      const patient = { now: clock.now(), signal: new AbortController().signal };
      async function commitUntil(resetAfterBytes: number): Promise<"acknowledged" | "lost" | "undone"> {
        const user = make.user();
        const session = make.session(user);
        const row = make.auditRow({ userId: user.id });
        const writes: readonly Write[] = [
          { kind: "user.insert", user },
          { kind: "session.insert", session, cap: 1, evicted: () => [] },
          { kind: "audit.insert", row },
        ];
        // A fresh connection first, so that the bytes are those of the transaction, the same each time.
        proxy.reset();
        await until(() =>
          Promise.resolve(stores.directory.isEmpty(call())).then(
            () => true,
            () => false,
          ),
        );
        await proxy.set({ resetAfterBytes });
        const result = await stores.directory.commit(writes, call()).catch(() => null);
        await proxy.set("pass");
        const there = [
          (await direct.directory.user(user.id, patient)) !== null,
          (await direct.sessions.list(user.id, patient)).length > 0,
          (await direct.directory.auditRows(auditQuery({ userId: user.id, limit: 1 }), patient)).length > 0,
        ];
        expect(there).toEqual(there.map(() => there[0]));
        if (result?.ok) expect(there[0]).toBe(true);
        if (result?.ok) return "acknowledged";
        return there[0] ? "lost" : "undone";
      }
      let bytes = 0;
      while ((await commitUntil(bytes)) === "undone") bytes += 64;
      // Around the last answer fewer bytes at a time than any answer has: somewhere there it was done, and nobody heard of it.
      const outcomes = new Set<string>();
      for (let fewer = Math.max(0, bytes - 64); fewer <= bytes + 64; fewer += 4)
        outcomes.add(await commitUntil(fewer));
      expect([...outcomes].toSorted()).toEqual(["acknowledged", "lost", "undone"]);
    });

    it("that falls silent within a transaction keep nobody locked out: the server undoes it", async () => {
      const { proxy, stores, direct, user, call, clock } = await scene();
      const ended = (): never[] => {
        void proxy.set("hang");
        return [];
      };
      const writes: readonly Write[] = [
        { kind: "session.delete_all", userId: user.id, except: null, ended },
        { kind: "user.advance", userId: user.id, from: 1 },
      ];
      await expect(stores.directory.commit(writes, call())).rejects.toThrow();
      const patient = { now: clock.now(), signal: new AbortController().signal };
      const advance = { kind: "user.advance", userId: user.id, from: 1 } as const;
      expect(await direct.directory.commit([advance], patient)).toMatchObject({ ok: true });
      expect(await direct.directory.user(user.id, patient)).toMatchObject({ generation: 2 });
      await proxy.set("pass");
    });
  });
}
