import { setImmediate } from "node:timers/promises";
import { eventOfRow } from "../../domain/audit.ts";
import type { AuthEvent, EventType } from "../../domain/event.ts";
import type { Services } from "../../ports/services.ts";
import { identifierHmac } from "../attempts.ts";
import { endOfLog, sealAudit } from "../audit/seal-audit.ts";

/** Somebody who is told of every event at least once, in the order of the audit log. */
export interface Follower {
  /** What its place in the log is kept under, in every process. */
  readonly name: string;
  /** Null: all. */
  readonly types: ReadonlySet<EventType> | null;
  /** Where one begins who has no place yet: with the first row that is kept, or with what happens from then on. */
  readonly from: "beginning" | "now";
  /** Resolves once the event was taken. A throw: it is told again later; `retryAfterSeconds` on what is thrown says when at the earliest. */
  deliver(event: AuthEvent): Promise<void>;
  /** Whether no further event is to be told. */
  readonly isStopping: () => boolean;
}

/** What came of a pass. */
export type Pass =
  /** Everything that there was has been told. */
  | { readonly kind: "done" }
  /** Another process tells this follower at the moment, or waits until it takes events again. */
  | { readonly kind: "elsewhere" }
  | {
      readonly kind: "failed";
      readonly event: AuthEvent;
      readonly attempts: number;
      readonly retryAfterSeconds: number;
      readonly cause: unknown;
    };

/** What following works with. */
export type FollowServices = Pick<Services, "stores" | "call" | "clock" | "timers" | "random" | "keys">;

const rowsAtOnce = 100;
/** How long a process that died keeps the others from going on. */
const leaseSeconds = 60;
const longestWaitSeconds = 3_600;
const firstWaitSeconds = 5;

/**
 * Tells a follower what it has not been told yet, one event after the other. The place in the log moves after each: whoever dies in
 * between tells the last one again, under the same id, and none is left out.
 *
 * An event that is not taken holds back those behind it. It is told again after 5 s, 10 s and so on up to an hour, for as long as it
 * takes.
 */
export async function followOnce(services: FollowServices, follower: Follower): Promise<Pass> {
  const { stores, call } = services;
  await sealAudit(services);
  const place = await placeOf(services, follower);
  if ((await rowsAfter(services, place)).length === 0) return { kind: "done" };
  const lease = leaseOf(services, follower.name);
  if (!(await lease.take())) return { kind: "elsewhere" };
  // Whoever had the lease until now may have gone on.
  let seq = await placeOf(services, follower);
  for (;;) {
    const rows = await rowsAfter(services, seq);
    if (rows.length === 0 || follower.isStopping()) break;
    await setImmediate();
    for (const row of rows) {
      if (follower.isStopping()) break;
      const event = eventOfRow(row);
      if (follower.types === null || follower.types.has(event.type)) {
        await lease.renew();
        const failed = await attempt(services, follower, event, lease);
        if (failed !== null) return failed;
      } else if (row !== rows.at(-1)) continue;
      const to = row.seq ?? seq;
      const name = follower.name;
      const moved = await stores.directory.commit([{ kind: "cursor.move", name, from: seq, to }], call());
      // Somebody else tells it as well, since the lease was lost: twice is enough.
      if (!moved.ok) return { kind: "elsewhere" };
      seq = to;
    }
  }
  await lease.release();
  return { kind: "done" };
}

async function attempt(
  services: FollowServices,
  follower: Follower,
  event: AuthEvent,
  lease: Lease,
): Promise<Pass | null> {
  const { stores, call, random } = services;
  const tries = keyOf(services, "tries", follower.name);
  const stopRenewing = lease.keep();
  try {
    await follower.deliver(event);
    return null;
  } catch (cause) {
    const [id, before = "0"] = ((await stores.ephemeral.read(tries, call())) ?? "").split(" ");
    const attempts = (id === event.id ? Number(before) : 0) + 1;
    const retryAfterSeconds = waitSeconds(attempts, cause, random.bytes(1)[0] ?? 0);
    await stores.ephemeral.put(tries, `${event.id} ${attempts}`, 2 * longestWaitSeconds, call());
    // Nobody tells it before: the lease is the waiting, whichever process comes next.
    await lease.renew(retryAfterSeconds);
    return { kind: "failed", event, attempts, retryAfterSeconds, cause };
  } finally {
    stopRenewing();
  }
}

/** Doubling from 5 s to an hour, at most a quarter less by chance: those who failed together do not come back together. */
function waitSeconds(attempts: number, cause: unknown, chance: number): number {
  const doubled = Math.min(longestWaitSeconds, firstWaitSeconds * 2 ** Math.min(attempts - 1, 20));
  const asked = (cause as { readonly retryAfterSeconds?: unknown } | null)?.retryAfterSeconds;
  const least = typeof asked === "number" && asked > 0 ? Math.min(asked, longestWaitSeconds) : 0;
  return Math.ceil(Math.max(least, doubled * (1 - chance / 1024)));
}

async function placeOf(services: FollowServices, { name, from }: Follower): Promise<number> {
  const { stores, call } = services;
  const known = await stores.directory.cursor(name, call());
  if (known !== null) return known;
  const to = from === "beginning" ? 0 : await endOf(services);
  const made = await stores.directory.commit([{ kind: "cursor.move", name, from: null, to }], call());
  return made.ok ? to : ((await stores.directory.cursor(name, call())) ?? to);
}

async function endOf(services: FollowServices): Promise<number> {
  const { stores, call } = services;
  const signed = (await stores.directory.auditCheckpoints(call())).at(-1)?.seq ?? 0;
  return (await endOfLog(services, signed))?.seq ?? signed;
}

async function rowsAfter({ stores, call }: FollowServices, afterSeq: number) {
  return stores.directory.sealedAudit({ afterSeq, limit: rowsAtOnce }, call());
}

/** The right to tell a follower, which one process has at a time. Where it is lost, an event may be told twice. */
interface Lease {
  take(): Promise<boolean>;
  renew(seconds?: number): Promise<void>;
  /** Renews it by itself while an event takes its time. @returns ends that */
  keep(): () => void;
  release(): Promise<void>;
}

function leaseOf(services: FollowServices, name: string): Lease {
  const { stores, call, clock, timers } = services;
  const { ephemeral } = stores;
  const key = keyOf(services, "lease", name);
  let renewedAt = 0;
  const renew = async (seconds = leaseSeconds): Promise<void> => {
    const now = clock.now().getTime();
    if (seconds === leaseSeconds && now - renewedAt < (leaseSeconds / 4) * 1000) return;
    await ephemeral.put(key, "held", seconds, call());
    renewedAt = now;
  };
  return {
    async take() {
      // Reading first: a process that only waits writes nothing.
      if ((await ephemeral.read(key, call())) !== null) return false;
      const isOurs = await ephemeral.add(key, leaseSeconds, call());
      renewedAt = clock.now().getTime();
      return isOurs;
    },
    renew,
    keep() {
      // A renewal that fails is not the event's failure: the lease may be lost, which is allowed for.
      return timers.every((leaseSeconds / 3) * 1000, () => void renew().catch(() => undefined));
    },
    release: () => ephemeral.remove([key], call()),
  };
}

// Applications that share a store may have followers of one name, and must not wait for each other's.
function keyOf(services: FollowServices, what: "lease" | "tries", name: string): string {
  return `follow:${what}:${identifierHmac(services, name)}`;
}
