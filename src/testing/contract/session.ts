import { rejects, strictEqual } from "node:assert/strict";
import { faulty } from "../faulty.ts";
import { same } from "./same.ts";
import { handoverRaces, handoverRules } from "./session-handover.ts";
import { sessionRaces } from "./session-races.ts";
import { sessionReads } from "./session-reads.ts";
import { refreshDurability, refreshFaults, refreshRules } from "./session-refresh.ts";
import { refreshRaces } from "./session-refresh-races.ts";
import { noSweeps, sweepFaults, sweepRaces, sweepRules } from "./session-sweeps.ts";
import { sessionWrites } from "./session-writes.ts";
import { signInRaces } from "./sign-in-races.ts";
import { addSession, addUser, committed, found, live, write } from "./steps.ts";
import { type ContractCase, cases, type Rules, type StoreHarness } from "./trial.ts";

/**
 * The rules that every `SessionStore` keeps: what is found, how sessions change and end, under races and failures, and past a
 * restart where the harness can reopen. Asks for a directory of the same engine.
 */
export function sessionContract(harness: StoreHarness): readonly ContractCase[] {
  return [
    ...cases(harness, "basics", sessionReads, sessionWrites, handoverRules, refreshRules),
    ...cases(harness, "basics", harness.expiresByItself ? noSweeps : sweepRules),
    ...cases(harness, "concurrency", signInRaces, sessionRaces, handoverRaces, refreshRaces),
    ...(harness.expiresByItself ? [] : cases(harness, "concurrency", sweepRaces)),
    ...cases(harness, "faults", faults, refreshFaults),
    ...(harness.expiresByItself ? [] : cases(harness, "faults", sweepFaults)),
    ...(harness.reopen === undefined ? [] : cases(harness, "durability", durability, refreshDurability)),
  ];
}

const faults: Rules = {
  "a failed transaction is not found in a session either": async (trial) => {
    const user = await addUser(trial);
    const session = await addSession(trial, user, { data: { kept: true } });
    const handles = [trial.stores, await trial.another()];
    // Found once before, so that an answer from a cache counts too.
    for (const stores of handles) await live(trial, session.id, stores);
    const { directory } = faulty(trial.stores, () => ({ beforeWrite: 4 }));
    const writes = [
      write.update(user, { status: "disabled" }),
      write.advance(user),
      { kind: "session.set_data", sessionId: session.id, dataVersion: 0, data: {} },
      write.end(session.id),
    ] as const;
    await rejects(directory.commit(writes, trial.call()));
    for (const stores of handles)
      same(await found(trial, session.id, stores), { expired: false, session, user });
  },
};

const durability: Rules = {
  "sessions, uses and data outlive the process, and ends do too": async (trial) => {
    const { stores, call } = trial;
    const user = await addUser(trial);
    const [kept, ended] = [await addSession(trial, user), await addSession(trial, user)];
    const usedAt = new Date(kept.lastUsedAt.getTime() + 60_000);
    const idleExpiresAt = new Date(kept.idleExpiresAt.getTime() + 60_000);
    await stores.sessions.touch([{ sessionId: kept.id, usedAt, idleExpiresAt }], call());
    const data = { cart: [1] };
    await committed(trial, [
      { kind: "session.set_data", sessionId: kept.id, dataVersion: 0, data },
      write.end(ended.id),
    ]);
    const reopened = await trial.reopen();
    const session = { ...kept, lastUsedAt: usedAt, idleExpiresAt, data, dataVersion: 1 };
    same(await found(trial, kept.id, reopened), { expired: false, session, user });
    strictEqual(await found(trial, ended.id, reopened), null);
  },
};
