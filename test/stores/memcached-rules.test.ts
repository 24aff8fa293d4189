import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { describe, expect, inject, it, onTestFinished } from "vitest";
import { systemClock, systemRandom } from "../../src/services/system.ts";
import { lifetime } from "../../src/stores/memcached/lifetime.ts";
import { fixtures } from "../../src/testing/testing.ts";
import { sessionsOn } from "./memcached-servers.ts";
import { signInCap, signIns, startProcess } from "./slot-process.ts";

const address = inject("memcachedAddress");
const make = fixtures(systemClock(), systemRandom());
const call = () => ({ now: new Date(), signal: AbortSignal.timeout(10_000) });
const days = (count: number): number => count * 86_400;

function scene() {
  const prefix = `${randomUUID()}:`;
  const sessions = sessionsOn(address ?? "", { prefix });
  onTestFinished(() => sessions.close());
  return { prefix, sessions };
}

describe("the lifetime of an item", () => {
  const now = new Date("2026-01-01T00:00:00Z");
  const machineMs = Date.parse("2026-06-01T00:00:00Z");
  const of = (seconds: number): number => lifetime(now.getTime() + seconds * 1000, now, machineMs);

  it("is counted from now for thirty days, an hour past the end", () => {
    expect(of(60)).toBe(60 + 3_600);
    expect(of(0.001)).toBe(1 + 3_600);
    expect(of(days(30) - 3_600)).toBe(days(30));
  });

  it("is a date of the machine's clock beyond that, whatever the caller's is", () => {
    expect(of(days(30) - 3_599)).toBe(machineMs / 1000 + days(30) + 1);
    expect(of(days(365))).toBe(machineMs / 1000 + days(365) + 3_600);
  });

  it("is never 0 for what is over, which would be for ever, and never a date that the server cannot read", () => {
    expect(of(-days(999))).toBe(1);
    expect(of(-3_600)).toBe(1);
    expect(of(days(365 * 20))).toBe(0);
    expect(lifetime(8.64e15, now, machineMs)).toBe(0);
  });
});

describe.skipIf(address === null)("on a real Memcached", () => {
  it.each([1, 29, 30, 31, 400, 10_000, 1_000_000])("a session of %d days is there", async (count) => {
    const { sessions } = scene();
    const expiresAt = new Date(Date.now() + days(count) * 1000);
    const session = make.session(null, { expiresAt, idleExpiresAt: expiresAt });
    await sessions.insert(session, 0, call());
    expect((await sessions.find([session.id], call()))[0]?.session.expiresAt).toEqual(expiresAt);
    await sessions.touch([{ sessionId: session.id, usedAt: expiresAt, idleExpiresAt: expiresAt }], call());
    expect((await sessions.find([session.id], call()))[0]?.session.lastUsedAt).toEqual(expiresAt);
  });

  it("expired sessions leave the item an hour past their end, with the next write", async () => {
    const { sessions } = scene();
    const user = make.user();
    const key = { userId: user.id, slotTag: user.slotTag };
    const at = (seconds: number) => ({ ...call(), now: new Date(Date.now() + seconds * 1000) });
    const idleExpiresAt = new Date(Date.now() + 1_000);
    await sessions.insert(make.session(user, { idleExpiresAt }), 0, call());
    await sessions.insert(make.session(user), 0, at(3_000));
    expect(await sessions.list(key, call())).toHaveLength(2);
    await sessions.insert(make.session(user), 0, at(3_700));
    expect(await sessions.list(key, call())).toHaveLength(2);
  });

  it("what is no id is answered without asking a server", async () => {
    // Whoever asks this one is told that it is not there.
    const sessions = sessionsOn("127.0.0.1:1");
    onTestFinished(() => sessions.close());
    await expect((async () => sessions.find(["a".repeat(24)], call()))()).rejects.toThrow();
    for (const id of ["a b", "x\r\nflush_all\r\n", "é".repeat(24), "x".repeat(25), "", "x".repeat(300)])
      expect(await sessions.find([id], call())).toEqual([null]);
  });

  it("a user without a cap has as many sessions as an item holds; then the least recently used go", async () => {
    const { sessions } = scene();
    const user = make.user();
    const data = { long: "é".repeat(2_000) };
    const added: string[] = [];
    const gone: string[] = [];
    for (let count = 0; count < 140; count++) {
      const session = make.session(user, { data, lastUsedAt: new Date(Date.now() + count) });
      added.push(session.id);
      gone.push(...(await sessions.insert(session, 0, call())).map(({ id }) => id));
    }
    expect(gone.length).toBeGreaterThan(5);
    expect(gone).toEqual(added.slice(0, gone.length));
    const left = await sessions.list({ userId: user.id, slotTag: user.slotTag }, call());
    expect(left.map(({ id }) => id)).toEqual(added.slice(gone.length));
  });

  it("three processes that sign one user in keep to the cap, and each that went is answered once", async () => {
    const { prefix, sessions } = scene();
    const user = make.user();
    const place = { address: address ?? "", prefix };
    const others = [0, 1, 2].map(() => startProcess("sign-in", place, [user]));
    onTestFinished(() => {
      for (const { child } of others) child.kill("SIGKILL");
    });
    await Promise.all(others.map(({ lines }) => once(lines, "line")));
    const printed: string[] = [];
    for (const { child, lines } of others) {
      lines.on("line", (line) => printed.push(line));
      child.stdin?.write("go\n");
    }
    const closed = others.map(({ lines }) => once(lines, "close"));
    expect(await Promise.all(others.map(({ ended }) => ended))).toEqual([0, 0, 0]);
    await Promise.all(closed);
    const started = printed.map((line) => line.split(" ")[0]);
    const evicted = printed.flatMap((line) => line.split(" ").slice(1));
    const left = await sessions.list({ userId: user.id, slotTag: user.slotTag }, call());
    expect(started).toHaveLength(3 * signIns);
    expect(left).toHaveLength(signInCap);
    expect([...evicted, ...left.map(({ id }) => id)].sort()).toEqual(started.sort());
  });
});
