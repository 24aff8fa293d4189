import { describe, expect, it } from "vitest";
import type { StoreCall, Write } from "../../src/ports/store.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { auditQuery } from "../../src/testing/queries.ts";
import type { Fixtures } from "../../src/testing/testing.ts";

/** How stores are opened; an engine that counts in seconds rounds up. */
export interface LockOptions {
  readonly lockTimeoutMs?: number;
  readonly transactionTimeoutMs?: number;
  /** Connections that their pool has. */
  readonly places?: number;
  readonly onStatement?: (sql: string) => void;
}

/** Somebody else's transaction, under way; it ends with the test. */
export interface Other {
  run(sql: string): Promise<unknown>;
}

/** One state of a server, and others who work on it. */
export interface LockGround {
  readonly make: Fixtures;
  call(signal?: AbortSignal): StoreCall;
  /** Stores that have begun: their next call is a call and nothing else. */
  open(options?: LockOptions): Promise<Stores>;
  /** Stores that have begun, and somebody who holds the one connection of their pool. */
  crowded(): Promise<{ readonly stores: Stores; release(): void }>;
  other(): Promise<Other>;
  /** One whose transaction stays where the server has to choose which of two it undoes. */
  strongOther(): Promise<Other>;
  /** Resolves when the stores wait for a lock. */
  waiting(): Promise<void>;
}

/** What an engine calls things. */
export interface LockEngine {
  readonly name: string;
  readonly isSkipped: boolean;
  /** What is said of a wait that took too long. */
  readonly tooLong: RegExp;
  /** A silence that is longer than its shortest limit for a transaction. */
  readonly silenceMs: number;
}

/** What transactions on a server do where others have locked what they need: rules for one engine. */
export function serverLocks(engine: LockEngine, ground: () => Promise<LockGround>): void {
  const { name, isSkipped } = engine;

  describe.skipIf(isSkipped)(`a transaction on ${name} that finds a row locked`, () => {
    it("waits, fails once its time is up, and leaves nothing and nobody locked", async () => {
      const { open, other, make, call } = await ground();
      const { directory } = await open({ lockTimeoutMs: 100 });
      const user = make.user();
      await directory.commit([{ kind: "user.insert", user }], call());
      const holder = await other();
      await holder.run("SELECT 1 FROM users FOR UPDATE");
      const advance = { kind: "user.advance", userId: user.id, from: 1 } as const;
      await expect(directory.commit([advance], call())).rejects.toThrow(engine.tooLong);
      await holder.run("ROLLBACK");
      expect(await directory.commit([advance], call())).toMatchObject({ ok: true });
    });

    it("leaves reading as it is", async () => {
      const { open, other, make, call } = await ground();
      const { directory, sessions } = await open();
      const user = make.user();
      const session = make.session(user);
      const insert = { kind: "session.insert", session, cap: 1, evicted: () => [] } as const;
      await directory.commit([{ kind: "user.insert", user }, insert], call());
      const holder = await other();
      await holder.run("SELECT 1 FROM users, sessions FOR UPDATE");
      expect(await sessions.find([session.id], call())).toMatchObject([{ expired: false }]);
    });

    it("is given up with its caller, and its connection with it: it is not done later", async () => {
      const { open, other, waiting, make, call } = await ground();
      const { directory } = await open({ lockTimeoutMs: 60_000, transactionTimeoutMs: 60_000, places: 1 });
      const user = make.user();
      await directory.commit([{ kind: "user.insert", user }], call());
      const holder = await other();
      await holder.run("SELECT 1 FROM users FOR UPDATE");
      const caller = new AbortController();
      const advance = { kind: "user.advance", userId: user.id, from: 1 } as const;
      const givenUp = expect(directory.commit([advance], call(caller.signal))).rejects.toThrow("gone");
      await waiting();
      caller.abort(new Error("gone"));
      await givenUp;
      // The pool has one place: it is free again.
      expect(await directory.isEmpty(call())).toBe(false);
      await holder.run("COMMIT");
      expect(await directory.commit([advance], call())).toMatchObject({ ok: true });
      expect((await directory.user(user.id, call()))?.generation).toBe(2);
    });

    it("gives a caller up who waits for a connection, and keeps no place for them", async () => {
      const { crowded, call } = await ground();
      const { stores, release } = await crowded();
      const caller = new AbortController();
      const read = Promise.resolve(stores.directory.isEmpty(call(caller.signal)));
      caller.abort(new Error("gone"));
      await expect(read).rejects.toThrow("gone");
      release();
      expect(await stores.directory.isEmpty(call())).toBe(true);
    });

    it("does nothing for a caller who gave up before", async () => {
      const { open, call } = await ground();
      const sent: string[] = [];
      const { ephemeral } = await open({ onStatement: (sql) => sent.push(sql) });
      sent.length = 0;
      const signal = AbortSignal.abort(new Error("gone"));
      await expect(ephemeral.put("key", "value", 60, call(signal))).rejects.toThrow("gone");
      expect(sent).toEqual([]);
    });
  });

  describe.skipIf(isSkipped)(`a transaction on ${name} that hangs`, () => {
    it("is undone by the server, and its locks are free", async () => {
      const { open, make, call } = await ground();
      const { directory } = await open({ transactionTimeoutMs: 150 });
      const beside = await open();
      const user = make.user();
      await directory.commit([{ kind: "user.insert", user }], call());
      let isHanging = false;
      // A process that was stopped between two statements: it holds the lock, and sends nothing.
      const hang = (): never[] => {
        isHanging = true;
        const stopped = performance.now() + engine.silenceMs;
        while (performance.now() < stopped);
        return [];
      };
      const end = { kind: "session.delete_all", userId: user.id, except: null, ended: hang } as const;
      const advance = { kind: "user.advance", userId: user.id, from: 1 } as const;
      await expect(directory.commit([end, advance], call())).rejects.toThrow();
      expect(isHanging).toBe(true);
      expect(await beside.directory.commit([advance], call())).toMatchObject({ ok: true });
      expect((await beside.directory.user(user.id, call()))?.generation).toBe(2);
      await directory.ping(call());
    });
  });

  describe.skipIf(isSkipped)(`transactions on ${name} that would wait for each other in a circle`, () => {
    it("are run again, reports and all, and each is done once", async () => {
      const { open, strongOther, waiting, make, call } = await ground();
      const { directory } = await open();
      const user = make.user();
      const session = make.session(user);
      const insert = { kind: "session.insert", session, cap: 0, evicted: () => [] } as const;
      await directory.commit([{ kind: "user.insert", user }, insert], call());
      const holder = await strongOther();
      await holder.run("SELECT 1 FROM sessions FOR UPDATE");
      let reports = 0;
      const ended = (sessions: readonly { id: string }[]) => {
        reports++;
        return sessions.map(({ id }) => make.auditRow({ type: "session.revoked", sessionId: id }));
      };
      const writes: readonly Write[] = [
        { kind: "session.delete_all", userId: "nobody", except: null, ended },
        { kind: "user.advance", userId: user.id, from: 1 },
        { kind: "session.delete_all", userId: user.id, except: null, ended },
      ];
      const commit = directory.commit(writes, call());
      await waiting();
      await holder.run("SELECT 1 FROM users FOR UPDATE");
      await holder.run("ROLLBACK");
      const result = await commit;
      expect(result).toMatchObject({ ok: true, ended: [{ id: session.id }] });
      expect(reports).toBeGreaterThan(2);
      const rows = await directory.auditRows(auditQuery({ limit: 9 }), call());
      expect(rows).toEqual(result.ok ? result.reported : []);
      expect((await directory.user(user.id, call()))?.generation).toBe(2);
    });
  });

  describe.skipIf(isSkipped)(`another superuser on ${name}`, () => {
    it("is there until the transaction ends, and not while somebody takes their rights away", async () => {
      const { open, other, waiting, make, call } = await ground();
      const { directory } = await open();
      const [a, b] = [make.user({ isSuperuser: true }), make.user({ isSuperuser: true })];
      await directory.commit(
        [a, b].map((user) => ({ kind: "user.insert", user })),
        call(),
      );
      const holder = await other();
      await holder.run(`UPDATE users SET is_superuser = FALSE WHERE id = '${b.id}'`);
      const stepDown: readonly Write[] = [
        { kind: "directory.require_other_superuser", userId: a.id },
        { kind: "user.update", userId: a.id, version: 1, changes: { isSuperuser: false } },
      ];
      const commit = directory.commit(stepDown, call());
      await waiting();
      await holder.run("COMMIT");
      expect(await commit).toEqual({ ok: false, refused: "last_superuser" });
    });
  });
}
