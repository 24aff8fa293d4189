import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import type { AuditRow } from "../../domain/audit.ts";
import type { AuthEvent } from "../../domain/event.ts";
import type { SealedRows } from "../../ports/directory-store.ts";
import { faulty } from "../faulty.ts";
import { auditQuery } from "../queries.ts";
import { hostileTexts, withNul } from "./hostile.ts";
import { same } from "./same.ts";
import {
  assertChained,
  beginning,
  checkpointAt,
  cursor,
  drop,
  ids,
  link,
  log,
  seal,
  sealed,
} from "./sealing.ts";
import { addUser, committed, winners, write } from "./steps.ts";
import { type Rules, race, type Trial } from "./trial.ts";

/** The sealed audit log, one call at a time. */
export const sealingRules: Rules = {
  "rows are sealed in the order of writing, from 1, without a gap": async (trial) => {
    const { make, clock } = trial;
    const rows: AuditRow[] = [];
    // The times of events say nothing about when they were written.
    for (const seconds of [5, 1, 3, 3, 2]) {
      const row = make.auditRow({ createdAt: new Date(clock.now().getTime() + seconds * 1_000) });
      await committed(trial, [write.audit(row)]);
      rows.push(row);
    }
    strictEqual(await seal(trial, 0), null);
    const first = await seal(trial, 3);
    same(await sealed(trial), (await sealed(trial)).slice(0, 3));
    const second = await seal(trial, 3);
    strictEqual(await seal(trial, 3), null);
    const all = await sealed(trial);
    same(
      all,
      rows.map((row, index) => ({ ...row, seq: index + 1, chainHash: all[index]?.chainHash })),
    );
    assertChained(all, beginning);
    same(first, { fromSeq: 1, toSeq: 3, chainHash: all[2]?.chainHash });
    same(second, { fromSeq: 4, toSeq: 5, chainHash: all[4]?.chainHash });
  },

  "the chain gets a row with its position, and the digest before it": async (trial) => {
    const rows = await log(trial, 3);
    const seen: (readonly [row: AuditRow, previous: string | null])[] = [];
    const chain = (row: AuditRow, previous: string | null): string => {
      seen.push([row, previous]);
      return `digest ${row.seq}`;
    };
    await trial.stores.directory.sealAudit({ limit: 2, chain }, trial.call());
    await trial.stores.directory.sealAudit({ limit: 2, chain }, trial.call());
    same(
      seen,
      rows.map((row, index) => [{ ...row, seq: index + 1 }, index === 0 ? null : `digest ${index}`]),
    );
  },

  "a sealed row is read with its position, wherever it is read": async (trial) => {
    const [row] = await log(trial, 1);
    await seal(trial);
    const [read] = await trial.stores.directory.auditRows(auditQuery(), trial.call());
    same(read, { ...row, seq: 1, chainHash: link({ ...(row as AuditRow), seq: 1 }, null) });
    same(await sealed(trial), [read]);
  },

  "nothing was sealed while there is nothing to seal": async (trial) => {
    strictEqual(await seal(trial), null);
    same(await sealed(trial), []);
  },

  "sealed rows are given from a position on, up to the limit": async (trial) => {
    await log(trial, 9);
    await seal(trial);
    const of = async (afterSeq: number, limit: number): Promise<readonly (number | null)[]> => {
      const rows = await trial.stores.directory.sealedAudit({ afterSeq, limit }, trial.call());
      return rows.map(({ seq }) => seq);
    };
    deepStrictEqual(await of(0, 3), [1, 2, 3]);
    deepStrictEqual(await of(3, 3), [4, 5, 6]);
    deepStrictEqual(await of(7, 99), [8, 9]);
    deepStrictEqual(await of(9, 99), []);
    deepStrictEqual(await of(99, 99), []);
    deepStrictEqual(await of(0, 0), []);
    deepStrictEqual(await of(-5, 2), [1, 2]);
  },

  "erasing what is personal changes nothing that is sealed": async (trial) => {
    const user = await addUser(trial);
    const rows = [trial.make.auditRow({ userId: user.id }), trial.make.auditRow()];
    await committed(trial, rows.map(write.audit));
    await seal(trial);
    await committed(trial, [write.erase(user.id)]);
    await log(trial, 1);
    await seal(trial);
    const all = await sealed(trial);
    assertChained(all, beginning);
    same(all[0]?.personal, []);
    same(all[1]?.personal, rows[1]?.personal);
  },

  "rows are asked for by time, type, user and the row that a page ended with": async (trial) => {
    const { make, clock, stores, call } = trial;
    const start = clock.now().getTime();
    const at = (seconds: number): Date => new Date(start + seconds * 1_000);
    const types = ["user.logged_in", "user.logged_out", "user.registered"] as const;
    const written = Array.from({ length: 60 }, (_, index) =>
      make.auditRow({
        type: types[(index * 7) % 3] as (typeof types)[number],
        userId: index % 4 === 0 ? "ana" : index % 4 === 1 ? "bob" : null,
        createdAt: at((index * 11) % 13),
      } as Partial<AuthEvent>),
    );
    for (const row of written) await committed(trial, [write.audit(row)]);
    const newest = written
      .map((row, position) => ({ row, position }))
      .sort((a, b) => b.row.createdAt.getTime() - a.row.createdAt.getTime() || b.position - a.position)
      .map(({ row }) => row);
    for (const asked of [
      {},
      { userId: "ana" },
      { types: ["user.logged_in"] },
      { types: ["user.logged_in", "user.registered", "user.logged_in"] },
      { types: [] },
      { types: ["password.reset"] },
      { types: ["user.logged_out", "user.registered"], userId: "bob" },
      { from: at(3), to: at(9) },
      { from: at(9), to: at(3) },
      { from: at(5), userId: "ana", types: ["user.logged_in"] },
      { to: at(12), types: ["user.logged_in"] },
    ] as const) {
      const query = auditQuery(asked);
      const expected = newest.filter(
        (row) =>
          (query.userId === null || row.userId === query.userId) &&
          (query.types === null || query.types.includes(row.type)) &&
          (query.from === null || row.createdAt >= query.from) &&
          (query.to === null || row.createdAt < query.to),
      );
      for (const limit of [0, 1, 4, 100]) {
        const given: AuditRow[] = [];
        for (let before: string | null = null; ; before = given.at(-1)?.id ?? null) {
          const rows = await stores.directory.auditRows({ ...query, before, limit }, call());
          given.push(...rows);
          ok(given.length <= written.length, "no row is given twice");
          if (rows.length === 0 || rows.length < limit) break;
        }
        deepStrictEqual(ids(given), limit === 0 ? [] : ids(expected), JSON.stringify([asked, limit]));
      }
    }
  },

  "before a row that is not there, there is nothing": async (trial) => {
    const [row] = await log(trial, 2);
    for (const before of [...hostileTexts, ...hostileTexts.map(withNul), withNul(row?.id ?? "")]) {
      same(await trial.stores.directory.auditRows(auditQuery({ before }), trial.call()), []);
      same(
        await trial.stores.directory.auditRows(auditQuery({ before, userId: "x", types: [] }), trial.call()),
        [],
      );
    }
  },
};

/** The sealed log under concurrent calls. */
export const sealingRaces: Rules = {
  "of many who seal while others write, each row is sealed once and no position is left out": async (
    trial,
  ) => {
    const rows = Array.from({ length: 60 }, () => trial.make.auditRow());
    const given = await race(trial, rows.length, async (stores, index): Promise<SealedRows | null> => {
      const row = rows[index] as AuditRow;
      await committed(trial, [write.audit(row)], stores);
      return seal(trial, 1 + (index % 5), stores);
    });
    for (let left: SealedRows | null = null, tries = 0; tries === 0 || left !== null; tries++)
      left = await seal(trial, 9);
    const all = await sealed(trial);
    deepStrictEqual([...ids(all)].sort(), [...ids(rows)].sort());
    assertChained(all, beginning);
    for (const part of given) {
      if (part !== null) strictEqual(all[part.toSeq - 1]?.chainHash, part.chainHash, "an answer holds");
    }
    const positions = given.flatMap((part) =>
      part === null
        ? []
        : Array.from({ length: part.toSeq - part.fromSeq + 1 }, (_, index) => part.fromSeq + index),
    );
    strictEqual(new Set(positions).size, positions.length, "no position is answered twice");
  },

  "who reads from a position on sees no later row before an earlier one": async (trial) => {
    const rows = Array.from({ length: 40 }, () => trial.make.auditRow());
    const seen: AuditRow[] = [];
    let isOver = false;
    const follow = async (): Promise<void> => {
      const other = await trial.another();
      for (let wasOver = false; ; wasOver = isOver) {
        const some = await sealed(trial, seen.at(-1)?.seq ?? 0, other);
        seen.push(...some);
        if (some.length > 0) continue;
        if (wasOver) return;
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const writeAll = async (): Promise<void> => {
      await race(trial, rows.length, async (stores, index) => {
        await committed(trial, [write.audit(rows[index] as AuditRow)], stores);
        await seal(trial, 3, stores);
      });
      await seal(trial);
      isOver = true;
    };
    await Promise.all([follow(), writeAll()]);
    assertChained(seen, beginning);
    deepStrictEqual([...ids(seen)].sort(), [...ids(rows)].sort());
  },

  "of many who move one cursor, or set one checkpoint, exactly one does": async (trial) => {
    await log(trial, 3);
    await seal(trial);
    const commitAll = (writes: Parameters<Trial["stores"]["directory"]["commit"]>[0]) =>
      race(trial, 20, ({ directory }) => directory.commit(writes, trial.call()));
    strictEqual(winners(await commitAll([write.move("mine", null, 1)]), "conflict"), 1);
    strictEqual(winners(await commitAll([write.move("mine", 1, 2)]), "conflict"), 1);
    strictEqual(winners(await commitAll([write.checkpoint(await checkpointAt(trial, 2))]), "conflict"), 1);
    strictEqual((await trial.stores.directory.auditCheckpoints(trial.call())).length, 1);
  },

  "of many who drop at once each row is counted once": async (trial) => {
    await log(trial, 30);
    await seal(trial);
    await committed(trial, [write.checkpoint(await checkpointAt(trial, 25))]);
    const counts = await race(trial, 10, ({ directory }) =>
      directory.dropAudit({ throughSeq: 99, limit: 4 }, trial.call()),
    );
    strictEqual(
      counts.reduce((sum, count) => sum + count, 0),
      25 - ((await sealed(trial)).length - 5),
    );
    while ((await drop(trial, 99)) > 0);
    deepStrictEqual(
      (await sealed(trial)).map(({ seq }) => seq),
      [26, 27, 28, 29, 30],
    );
  },
};

/** Sealing that fails. */
export const sealingFaults: Rules = {
  "sealing that fails half-way seals nothing": async (trial) => {
    await log(trial, 5);
    for (let beforeWrite = 0; beforeWrite < 5; beforeWrite++) {
      const { directory } = faulty(trial.stores, () => ({ beforeWrite }));
      await rejects(directory.sealAudit({ limit: 9, chain: link }, trial.call()));
      same(await sealed(trial), []);
      const rows = await trial.stores.directory.auditRows(auditQuery(), trial.call());
      ok(rows.every(({ seq, chainHash }) => seq === null && chainHash === null));
    }
    await seal(trial);
    assertChained(await sealed(trial), beginning);
    strictEqual((await sealed(trial)).length, 5);
  },
};

/** The sealed log past a restart. */
export const sealingDurability: Rules = {
  "the sealed log goes on after a restart where it ended, its cursors too": async (trial) => {
    await log(trial, 3);
    await seal(trial);
    await committed(trial, [write.checkpoint(await checkpointAt(trial, 2)), write.move("mine", null, 2)]);
    strictEqual(await drop(trial, 9), 2);
    const before = await sealed(trial);
    const stores = await trial.reopen();
    same(await sealed(trial, 0, stores), before);
    const after: Trial = { ...trial, stores };
    strictEqual(await cursor(after, "mine"), 2);
    await log(after, 2);
    await seal(after);
    const all = await sealed(after);
    deepStrictEqual(
      all.map(({ seq }) => seq),
      [3, 4, 5],
    );
    assertChained(all.slice(1), { seq: 3, chainHash: before[0]?.chainHash ?? null });
  },
};
