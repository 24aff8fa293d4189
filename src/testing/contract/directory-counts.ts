import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { AuditRow } from "../../domain/audit.ts";
import type { AuthEvent } from "../../domain/event.ts";
import type { DirectoryStatistics } from "../../ports/directory-store.ts";
import { counts, hourOf, usage } from "./api-key-uses.ts";
import { addApiKey, addUser, committed, write } from "./steps.ts";
import { type Rules, race, type Trial } from "./trial.ts";

function statistics({ stores, call, clock }: Trial, from = clock.now()): Promise<DirectoryStatistics> {
  return Promise.resolve(stores.directory.statistics(from, call()));
}

type EventCounts = readonly (readonly [type: string, reason: string | null, count: number])[];

function eventsOf({ events }: DirectoryStatistics): EventCounts {
  const rows = events.map(({ type, reason, count }) => [type, reason, count] as const);
  return rows.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

/** Records uses of a key in hours that lie so far from now. */
async function useIn(trial: Trial, key: { readonly id: string }, hours: readonly number[]): Promise<void> {
  const now = hourOf(trial.clock.now()).getTime();
  const rows = hours.map(
    (hour) =>
      ({ hour: new Date(now + hour * 3_600_000), statusClass: 2, path: `/${hour}`, count: 2 }) as const,
  );
  const uses = [{ keyId: key.id, lastUsedAt: trial.clock.now(), usage: rows }];
  await trial.stores.directory.recordApiKeyUses(uses, trial.call());
}

/** Counts, and what keeps usage from growing without end. */
export const countRules: Rules = {
  "accounts are counted by status, API keys all together": async (trial) => {
    const empty = { active: 0, disabled: 0, deleted: 0, anonymized: 0 };
    deepStrictEqual({ ...(await statistics(trial)).users }, empty);
    for (const status of ["active", "active", "active", "disabled", "deleted", "deleted"] as const)
      await addUser(trial, { status });
    const [user, gone] = [await addUser(trial), await addUser(trial)];
    for (const owner of [user, user, gone]) await addApiKey(trial, owner, { expiresAt: trial.clock.now() });
    const before = await statistics(trial);
    deepStrictEqual({ ...before.users }, { active: 5, disabled: 1, deleted: 2, anonymized: 0 });
    strictEqual(before.apiKeys, 3);
    await committed(trial, [write.erase(gone.id)]);
    const after = await statistics(trial);
    deepStrictEqual({ ...after.users }, { active: 4, disabled: 1, deleted: 2, anonymized: 1 });
    strictEqual(after.apiKeys, 2);
  },

  "events are counted from an instant on, by type and reason": async (trial) => {
    const { make, clock } = trial;
    // What a person typed does not count as a reason.
    const identifier = '{"reason":"typed"},"reason":"typed"';
    const failed = (reason: unknown): AuditRow => {
      const payload = { identifier, reason, reasons: "more" };
      return make.auditRow({ type: "user.login_failed", payload } as unknown as Partial<AuthEvent>);
    };
    await committed(trial, [write.audit(failed("status")), write.audit(make.auditRow())]);
    deepStrictEqual(eventsOf(await statistics(trial)), [
      ["user.logged_out", null, 1],
      ["user.login_failed", "status", 1],
    ]);
    clock.advance(1);
    deepStrictEqual(eventsOf(await statistics(trial)), []);
    const rows = [
      ...["credentials", "credentials", "policy", 'é "quoted" \\ \u0000', null, 7, undefined].map(failed),
      make.auditRow({ type: "user.registered" } as Partial<AuthEvent>),
    ];
    await committed(trial, rows.map(write.audit));
    await trial.stores.directory.sealAudit({ limit: 3, chain: () => "digest" }, trial.call());
    deepStrictEqual(eventsOf(await statistics(trial)), [
      ["user.login_failed", "credentials", 2],
      ["user.login_failed", "policy", 1],
      ["user.login_failed", 'é "quoted" \\ \u0000', 1],
      ["user.login_failed", null, 3],
      ["user.registered", null, 1],
    ]);
  },

  "usage of API keys is deleted by hour, up to the limit, and the newer stays": async (trial) => {
    const user = await addUser(trial);
    const [key, other] = [await addApiKey(trial, user), await addApiKey(trial, user)];
    const from = hourOf(trial.clock.now());
    await useIn(trial, key, [-3, -2, -1, 0, 1]);
    await useIn(trial, other, [-1, 0]);
    const drop = (limit: number): Promise<number> =>
      trial.stores.directory.dropApiKeyUsage(from, limit, trial.call());
    strictEqual(await drop(0), 0);
    strictEqual(await drop(3), 3);
    strictEqual(await drop(3), 1);
    strictEqual(await drop(3), 0);
    deepStrictEqual(await counts(trial, key), [2, 2]);
    deepStrictEqual(
      (await usage(trial, key)).map(({ path }) => path),
      ["/0", "/1"],
    );
    deepStrictEqual(await counts(trial, other), [2]);
    strictEqual((await trial.stores.directory.apiKeys(user.id, trial.call())).length, 2);
  },
};

/** The same under concurrent calls. */
export const countRaces: Rules = {
  "of many who delete usage at once each row is counted once": async (trial) => {
    const user = await addUser(trial);
    const key = await addApiKey(trial, user);
    await useIn(
      trial,
      key,
      Array.from({ length: 20 }, (_, index) => -index),
    );
    const dropped = await race(trial, 10, ({ directory }) =>
      directory.dropApiKeyUsage(new Date(trial.clock.now().getTime() + 3_600_000), 3, trial.call()),
    );
    const sum = dropped.reduce((before, count) => before + count, 0);
    strictEqual((await usage(trial, key)).length, 20 - sum);
  },
};
