import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import type { Write } from "../../ports/store.ts";
import { faulty } from "../faulty.ts";
import { counts, hourOf, record } from "./api-key-uses.ts";
import { changes, scene, unchanged } from "./scene.ts";
import { addApiKey, addUser, committed, write } from "./steps.ts";
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
    const { root, rootKey, rootAccount, rootSession } = set;
    const { make, stores, call } = trial;
    const row = make.auditRow();
    await committed(trial, [write.audit(row)]);
    const again: readonly Write[] = [
      write.user(make.user({ id: root.id })),
      write.apiKey(make.apiKey(root, { id: rootKey.id })),
      write.link(make.linkedAccount(root, { id: rootAccount.id })),
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

  "uses that cannot be recorded as a whole are not recorded at all": async (trial) => {
    const user = await addUser(trial);
    const keys = [await addApiKey(trial, user), await addApiKey(trial, user)] as const;
    await record(trial, keys);
    const lastUsedAt = new Date(trial.clock.now().getTime() + 1_000);
    const use = { hour: hourOf(lastUsedAt), statusClass: 2, path: "/", count: 1 } as const;
    const unheardOf = { ...use, statusClass: 6 as 5 };
    // Whichever comes first, one of them was written when the other fails.
    for (const at of [0, 1]) {
      const uses = keys.map(({ id }, index) => ({
        keyId: id,
        lastUsedAt,
        usage: [use, index === at ? unheardOf : { ...use, path: "/b" }],
      }));
      await rejects(async () => trial.stores.directory.recordApiKeyUses(uses, trial.call()));
    }
    const { directory } = faulty(trial.stores, () => "refuse");
    await rejects(record({ ...trial, stores: { ...trial.stores, directory } }, keys));
    for (const key of keys) {
      deepStrictEqual(await counts(trial, key), [1]);
      const read = await trial.stores.directory.apiKey(key.id, trial.call());
      deepStrictEqual(read?.key.lastUsedAt, trial.clock.now());
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
