import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import type { Write } from "../../ports/store.ts";
import { faulty } from "../faulty.ts";
import { changes, scene, unchanged } from "./scene.ts";
import { addUser, committed, write } from "./steps.ts";
import { type Rules, race } from "./trial.ts";

/** Transactions that fail while they run. */
export const directoryFaults: Rules = {
  "a transaction that fails before any one of its writes leaves nothing half-done": async (trial) => {
    const set = await scene(trial);
    const handles = [trial.stores, await trial.another()];
    for (let beforeWrite = 0; beforeWrite <= set.writes.length; beforeWrite++) {
      const { directory } = faulty(trial.stores, () => ({ beforeWrite }));
      await unchanged(set, () => rejects(directory.commit(set.writes, trial.call())), handles);
    }
    await changes(trial, set);
  },

  "a transaction with a value that cannot be stored leaves nothing half-done": async (trial) => {
    const set = await scene(trial);
    const handles = [trial.stores, await trial.another()];
    const { root, rootSession } = set;
    const unstorable: readonly Write[] = [
      { kind: "session.set_data", sessionId: rootSession.id, dataVersion: 0, data: { big: 1n } },
      write.update(root, { data: { big: 1n } as unknown as typeof root.data }),
    ];
    for (const last of unstorable) {
      const writes = [...set.writes, last];
      await unchanged(set, () => rejects(trial.stores.directory.commit(writes, trial.call())), handles);
    }
    await changes(trial, set);
  },

  "what an id names already is not overwritten: the transaction fails or is refused": async (trial) => {
    const set = await scene(trial);
    const { root, rootSession } = set;
    const { make, stores, call } = trial;
    const row = make.auditRow();
    await committed(trial, [write.audit(row)]);
    const again: readonly Write[] = [
      write.user(make.user({ id: root.id })),
      write.session(make.session(root, { id: rootSession.id })),
      write.audit({ ...row, payload: "{}", userId: root.id }),
    ];
    for (const last of again) {
      const writes = [...set.writes, last];
      const outcome = (): Promise<unknown> =>
        stores.directory.commit(writes, call()).then(
          ({ ok }) => strictEqual(ok, false),
          () => undefined,
        );
      await unchanged(set, outcome, [stores]);
    }
  },

  "a failing transaction takes nothing of the concurrent ones with it": async (trial) => {
    const { make, call, stores } = trial;
    await addUser(trial);
    const users = Array.from({ length: 30 }, () => make.user());
    await race(trial, users.length, async (handle, index) => {
      const { directory } = faulty(handle, () => (index % 2 === 0 ? null : { beforeWrite: 1 }));
      const work = directory.commit(users.slice(index, index + 1).map(write.user), call());
      await (index % 2 === 0 ? work : rejects(work));
    });
    for (const [index, user] of users.entries()) {
      const read = await stores.directory.user(user.id, call());
      deepStrictEqual(read !== null, index % 2 === 0);
    }
  },

  "reading still works while another transaction fails": async (trial) => {
    const set = await scene(trial);
    const failing = faulty(trial.stores, () => ({ beforeWrite: set.writes.length })).directory;
    const before = await set.read();
    const [, ...reads] = await Promise.all([
      rejects(failing.commit(set.writes, trial.call())),
      ...Array.from({ length: 10 }, () => set.read()),
    ]);
    for (const read of reads) deepStrictEqual(read, before);
  },
};
