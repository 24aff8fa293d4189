import type { DirectoryStore } from "../ports/directory-store.ts";
import type { EphemeralStore } from "../ports/ephemeral-store.ts";
import type { SessionStore } from "../ports/session-store.ts";
import type { Awaitable, StoreCall, Write } from "../ports/store.ts";
import type { Stores } from "../ports/stores.ts";
import { testClock } from "./clock.ts";
import { fixtures } from "./fixtures.ts";
import { testRandom } from "./random.ts";

/** What goes wrong with one call. */
export type Fault =
  /** Fails at once; the store hears nothing of the call. */
  | "refuse"
  /** Never answers. Rejects with the signal's reason once the caller gives up; the store hears nothing of the call. */
  | "hang"
  /** The store does the work, and its answer gets lost. */
  | "lose_answer"
  /** `commit` and `sealAudit` fail before their write number `beforeWrite` (0: the first), `sweep` of sessions after deleting; any other method as by `refuse`. */
  | { readonly beforeWrite: number }
  /** The store hears of the call once this has resolved, and never where it rejects: latency. It is given the call's signal. */
  | { readonly waitFor: (signal: AbortSignal) => Promise<void> };

/** A call that a {@link FaultPlan} decides about. `close` never fails. */
export interface FaultyCall {
  readonly port: keyof Stores;
  /** Name of the method: `commit`, `find`, `reserve`, … */
  readonly method: string;
  /** The writes of a `commit`; empty for any other method. */
  readonly writes: readonly Write[];
}

/** Decides what goes wrong with a call; null lets it through. */
export type FaultPlan = (call: FaultyCall) => Fault | null;

/** What a faulty store throws: like a driver's error, nothing that the callers of a store could know by type. */
export class InjectedFault extends Error {
  override readonly name = "InjectedFault";
}

/**
 * The stores, with failures where `plan` wants them: a backend that refuses connections, hangs, loses answers or dies half-way.
 *
 * Engines are handed through, so that what joins two ports of one engine still joins them.
 */
export function faulty(stores: Stores, plan: FaultPlan): Stores {
  return {
    directory: faultyDirectory(stores.directory, plan),
    sessions: faultySessions(stores.sessions, plan),
    ephemeral: faultyEphemeral(stores.ephemeral, plan),
  };
}

/** The plan's word on one call of a port. */
type Gate = (method: string, writes?: readonly Write[]) => Fault | null;

function gateOf(port: keyof Stores, plan: FaultPlan): Gate {
  return (method, writes = []) => plan({ port, method, writes });
}

function faultyDirectory(inner: DirectoryStore, plan: FaultPlan): DirectoryStore {
  const gate = gateOf("directory", plan);
  return {
    engine: inner.engine,
    ping: async (call) => meet(gate("ping"), call, () => inner.ping(call)),
    close: () => inner.close(),
    user: (id, call) => meet(gate("user"), call, () => inner.user(id, call)),
    userWithPassword: (by, call) =>
      meet(gate("userWithPassword"), call, () => inner.userWithPassword(by, call)),
    apiKey: (keyId, call) => meet(gate("apiKey"), call, () => inner.apiKey(keyId, call)),
    apiKeys: (userId, call) => meet(gate("apiKeys"), call, () => inner.apiKeys(userId, call)),
    apiKeyUsage: (query, call) => meet(gate("apiKeyUsage"), call, () => inner.apiKeyUsage(query, call)),
    recordApiKeyUses: async (uses, call) =>
      meet(gate("recordApiKeyUses"), call, () => inner.recordApiKeyUses(uses, call)),
    linkedAccount: (by, call) => meet(gate("linkedAccount"), call, () => inner.linkedAccount(by, call)),
    linkedAccounts: (userId, call) =>
      meet(gate("linkedAccounts"), call, () => inner.linkedAccounts(userId, call)),
    sessionOwner: (userId, sessionIds, call) =>
      meet(gate("sessionOwner"), call, () => inner.sessionOwner(userId, sessionIds, call)),
    revokedBefore: (instant, limit, call) =>
      meet(gate("revokedBefore"), call, () => inner.revokedBefore(instant, limit, call)),
    forget: (userId, call) => meet(gate("forget"), call, () => inner.forget(userId, call)),
    isEmpty: (call) => meet(gate("isEmpty"), call, () => inner.isEmpty(call)),
    deletedBefore: (instant, limit, call) =>
      meet(gate("deletedBefore"), call, () => inner.deletedBefore(instant, limit, call)),
    users: (query, call) => meet(gate("users"), call, () => inner.users(query, call)),
    tiers: (call) => meet(gate("tiers"), call, () => inner.tiers(call)),
    auditRows: (query, call) => meet(gate("auditRows"), call, () => inner.auditRows(query, call)),
    sealedAudit: (query, call) => meet(gate("sealedAudit"), call, () => inner.sealedAudit(query, call)),
    sealAudit: async (sealing, call) => {
      const fault = gate("sealAudit");
      if (!isMidway(fault)) return meet(fault, call, () => inner.sealAudit(sealing, call));
      return inner.sealAudit({ ...sealing, chain: dying(sealing.chain, fault.beforeWrite) }, call);
    },
    auditCheckpoints: (call) => meet(gate("auditCheckpoints"), call, () => inner.auditCheckpoints(call)),
    dropAudit: async (dropping, call) => meet(gate("dropAudit"), call, () => inner.dropAudit(dropping, call)),
    cursor: (name, call) => meet(gate("cursor"), call, () => inner.cursor(name, call)),
    cursors: (call) => meet(gate("cursors"), call, () => inner.cursors(call)),
    claimMail: async (claim, call) => meet(gate("claimMail"), call, () => inner.claimMail(claim, call)),
    dropApiKeyUsage: async (instant, limit, call) =>
      meet(gate("dropApiKeyUsage"), call, () => inner.dropApiKeyUsage(instant, limit, call)),
    statistics: (from, call) => meet(gate("statistics"), call, () => inner.statistics(from, call)),
    async commit(writes, call) {
      const fault = gate("commit", writes);
      if (!isMidway(fault)) return meet(fault, call, () => inner.commit(writes, call));
      return inner.commit(poisoned(writes, fault.beforeWrite, call), call);
    },
  };
}

function faultySessions(inner: SessionStore, plan: FaultPlan): SessionStore {
  const gate = gateOf("sessions", plan);
  return {
    engine: inner.engine,
    ping: async (call) => meet(gate("ping"), call, () => inner.ping(call)),
    close: () => inner.close(),
    find: (ids, call) => meet(gate("find"), call, () => inner.find(ids, call)),
    list: (userId, call) => meet(gate("list"), call, () => inner.list(userId, call)),
    count: (call) => meet(gate("count"), call, () => inner.count(call)),
    touch: async (touches, call) => meet(gate("touch"), call, () => inner.touch(touches, call)),
    async sweep(limit, ended, call) {
      const fault = gate("sweep");
      if (!isMidway(fault)) return meet(fault, call, () => inner.sweep(limit, ended, call));
      return inner.sweep(limit, dies, call);
    },
  };
}

function faultyEphemeral(inner: EphemeralStore, plan: FaultPlan): EphemeralStore {
  const gate = gateOf("ephemeral", plan);
  return {
    engine: inner.engine,
    ping: async (call) => meet(gate("ping"), call, () => inner.ping(call)),
    close: () => inner.close(),
    read: (key, call) => meet(gate("read"), call, () => inner.read(key, call)),
    put: async (key, value, ttl, call) => meet(gate("put"), call, () => inner.put(key, value, ttl, call)),
    take: async (key, call) => meet(gate("take"), call, () => inner.take(key, call)),
    add: async (key, ttl, call) => meet(gate("add"), call, () => inner.add(key, ttl, call)),
    remove: async (keys, call) => meet(gate("remove"), call, () => inner.remove(keys, call)),
    reserve: async (limits, call) => meet(gate("reserve"), call, () => inner.reserve(limits, call)),
    refund: async (keys, call) => meet(gate("refund"), call, () => inner.refund(keys, call)),
    sweep: async (limit, call) => meet(gate("sweep"), call, () => inner.sweep(limit, call)),
  };
}

function isMidway(fault: Fault | null): fault is { readonly beforeWrite: number } {
  return typeof fault === "object" && fault !== null && "beforeWrite" in fault;
}

function meet<T>(fault: Fault | null, call: StoreCall, work: () => Awaitable<T>): Awaitable<T> {
  if (fault === null) return work();
  if (fault === "hang") return untilAborted(call.signal);
  if (typeof fault === "object" && "waitFor" in fault) return fault.waitFor(call.signal).then(work);
  if (fault !== "lose_answer") throw new InjectedFault("connection refused");
  const answer = work();
  if (answer instanceof Promise) return answer.then(dies);
  return dies();
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const giveUp = (): void => reject(signal.reason);
    if (signal.aborted) giveUp();
    else signal.addEventListener("abort", giveUp, { once: true });
  });
}

function dies(): never {
  throw new InjectedFault("connection lost");
}

// The chain is asked for each row inside the transaction.
function dying<Args extends readonly unknown[], T>(
  work: (...args: Args) => T,
  after: number,
): (...args: Args) => T {
  let count = 0;
  return (...args) => (count++ < after ? work(...args) : dies());
}

// A report runs inside the transaction: one that throws is a failure at exactly this write. It needs a session to report.
function poisoned(writes: readonly Write[], beforeWrite: number, call: StoreCall): readonly Write[] {
  const visitor = fixtures(testClock(call.now), testRandom("poison")).session(null);
  const poison: readonly Write[] = [
    { kind: "session.insert", session: visitor, cap: 0, evicted: () => [] },
    { kind: "session.delete", sessionId: visitor.id, ended: dies },
  ];
  return [...writes.slice(0, beforeWrite), ...poison, ...writes.slice(beforeWrite)];
}
