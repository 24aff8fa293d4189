import { describe, expect, it } from "vitest";
import type { StoreCall, Write } from "../../src/ports/store.ts";
import { memory } from "../../src/stores/memory.ts";
import { auditQuery, userQuery } from "../../src/testing/queries.ts";
import {
  type Fault,
  type FaultyCall,
  faulty,
  fixtures,
  InjectedFault,
  testClock,
} from "../../src/testing/testing.ts";

const clock = testClock();
const make = fixtures(clock);
const call = (signal: AbortSignal = new AbortController().signal): StoreCall => ({
  now: clock.now(),
  signal,
});
const insert = (): Write => ({ kind: "user.insert", user: make.user() });

describe("a faulty store", () => {
  it("passes through what the plan leaves alone, and hands on the engine", async () => {
    const stores = memory();
    const wrapped = faulty(stores, () => null);
    expect(wrapped.directory.engine).toBe(stores.directory.engine);
    expect(wrapped.sessions.engine).toBe(stores.directory.engine);
    expect(await wrapped.directory.commit([insert()], call())).toMatchObject({ ok: true });
    expect(await stores.directory.isEmpty(call())).toBe(false);
    expect(wrapped.directory.isEmpty(call())).toBe(false);
  });

  it("tells the plan of every call, by port, method and writes", async () => {
    const seen: FaultyCall[] = [];
    const { directory, sessions, ephemeral } = faulty(memory(), (made) => {
      seen.push(made);
      return null;
    });
    const write = insert();
    await Promise.all([directory.ping(call()), sessions.ping(call()), ephemeral.ping(call())]);
    await directory.commit([write], call());
    await directory.user("x", call());
    await directory.userWithPassword({ kind: "id", key: "x" }, call());
    await directory.apiKey("x", call());
    await directory.apiKeys("x", call());
    await directory.apiKeyUsage({ keyId: "x", from: clock.now(), limit: 1 }, call());
    await directory.recordApiKeyUses([], call());
    await directory.linkedAccount({ issuer: "x", subject: "x" }, call());
    await directory.linkedAccounts("x", call());
    await directory.isEmpty(call());
    await directory.deletedBefore(clock.now(), 1, call());
    await directory.users(userQuery(), call());
    await directory.tiers(call());
    await directory.auditRows(auditQuery({ limit: 1 }), call());
    await directory.sealedAudit({ afterSeq: 0, limit: 1 }, call());
    await directory.sealAudit({ limit: 1, chain: () => "x" }, call());
    await directory.auditCheckpoints(call());
    await directory.dropAudit({ throughSeq: 1, limit: 1 }, call());
    await directory.cursor("x", call());
    await directory.cursors(call());
    await directory.claimMail({ limit: 1, leasedUntil: clock.now() }, call());
    await directory.dropApiKeyUsage(clock.now(), 1, call());
    await directory.statistics(clock.now(), call());
    await sessions.find(["x"], call());
    await sessions.list("x", call());
    await sessions.count(call());
    await sessions.touch([], call());
    await sessions.sweep(1, () => [], call());
    await ephemeral.put("x", "x", 1, call());
    await ephemeral.read("x", call());
    await ephemeral.take("x", call());
    await ephemeral.add("x", 1, call());
    await ephemeral.remove(["x"], call());
    await ephemeral.reserve([], call());
    await ephemeral.refund([], call());
    await ephemeral.sweep(1, call());
    const named = (port: string): readonly string[] =>
      seen.filter((one) => one.port === port).map(({ method }) => method);
    const directoryMethods = [
      "ping",
      "commit",
      "user",
      "userWithPassword",
      "apiKey",
      "apiKeys",
      "apiKeyUsage",
      "recordApiKeyUses",
      "linkedAccount",
      "linkedAccounts",
      "isEmpty",
      "deletedBefore",
      "users",
      "tiers",
      "auditRows",
      "sealedAudit",
      "sealAudit",
      "auditCheckpoints",
      "dropAudit",
      "cursor",
      "cursors",
      "claimMail",
      "dropApiKeyUsage",
      "statistics",
    ];
    expect(named("directory")).toEqual(directoryMethods);
    expect(named("sessions")).toEqual(["ping", "find", "list", "count", "touch", "sweep"]);
    const ephemeralMethods = ["ping", "put", "read", "take", "add", "remove", "reserve", "refund", "sweep"];
    expect(named("ephemeral")).toEqual(ephemeralMethods);
    expect(seen.find(({ method }) => method === "commit")?.writes).toEqual([write]);
  });

  it("refuses: every method fails at once and the store hears nothing", async () => {
    const stores = memory();
    const { directory, sessions, ephemeral } = faulty(stores, () => "refuse");
    await expect(directory.commit([insert()], call())).rejects.toBeInstanceOf(InjectedFault);
    await expect(ephemeral.put("key", "value", 60, call())).rejects.toBeInstanceOf(InjectedFault);
    expect(() => sessions.find(["x"], call())).toThrow(InjectedFault);
    expect(await stores.directory.isEmpty(call())).toBe(true);
    expect(stores.ephemeral.read("key", call())).toBeNull();
  });

  it("hangs: answers only once the caller gives up, with the caller's reason", async () => {
    const { sessions, directory } = faulty(memory(), () => "hang");
    const giveUp = new AbortController();
    const outcomes: unknown[] = [];
    const calls = [
      sessions.find(["x"], call(giveUp.signal)),
      directory.commit([insert()], call(giveUp.signal)),
    ];
    const waiting = calls.map((answer) =>
      Promise.resolve(answer).catch((reason: unknown) => outcomes.push(reason)),
    );
    await new Promise((resolve) => setImmediate(resolve));
    expect(outcomes).toEqual([]);
    giveUp.abort("too long");
    await Promise.all(waiting);
    expect(outcomes).toEqual(["too long", "too long"]);
    await expect(directory.commit([], call(AbortSignal.abort("before")))).rejects.toBe("before");
  });

  it("loses answers: the work is done and the caller hears of a failure", async () => {
    const stores = memory();
    const { directory, ephemeral } = faulty(stores, () => "lose_answer");
    await expect(directory.commit([insert()], call())).rejects.toBeInstanceOf(InjectedFault);
    expect(await stores.directory.isEmpty(call())).toBe(false);
    expect(() => ephemeral.read("key", call())).toThrow(InjectedFault);
  });

  it("fails mid-way: before the named write, after the ones in front of it ran", async () => {
    const stores = memory();
    const session = make.session(null);
    const ran: string[] = [];
    const noting = (name: string): Write => ({
      kind: "session.delete",
      sessionId: session.id,
      ended: () => {
        ran.push(name);
        return [];
      },
    });
    const fault: Fault = { beforeWrite: 2 };
    const { directory } = faulty(stores, () => fault);
    const writes = [insert(), noting("before"), noting("after")];
    await expect(directory.commit(writes, call())).rejects.toBeInstanceOf(InjectedFault);
    expect(ran).toEqual(["before"]);
    expect(await stores.directory.isEmpty(call())).toBe(true);
  });

  it("never fails to close", async () => {
    const { directory, sessions, ephemeral } = faulty(memory(), () => "refuse");
    await Promise.all([directory.close(), sessions.close(), ephemeral.close()]);
  });

  it("obeys a plan that changes its mind", async () => {
    let isDown = true;
    const { directory } = faulty(memory(), ({ method }) => (isDown && method === "commit" ? "refuse" : null));
    await expect(directory.commit([], call())).rejects.toBeInstanceOf(InjectedFault);
    expect(directory.isEmpty(call())).toBe(true);
    isDown = false;
    expect(await directory.commit([], call())).toMatchObject({ ok: true });
  });
});
