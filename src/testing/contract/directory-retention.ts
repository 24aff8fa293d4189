import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { auditQuery } from "../queries.ts";
import { hostileTexts, withNul } from "./hostile.ts";
import { same } from "./same.ts";
import { assertChained, beginning, checkpointAt, cursor, drop, ids, log, seal, sealed } from "./sealing.ts";
import { committed, refused, write } from "./steps.ts";
import type { Rules } from "./trial.ts";

/** Checkpoints, what may be dropped, and who follows the log, one call at a time. */
export const retentionRules: Rules = {
  "a checkpoint is of a sealed row, of its digest, and past the one before": async (trial) => {
    await log(trial, 5);
    const early = { ...beginning, seq: 1, chainHash: "x", createdAt: trial.clock.now(), signature: "s" };
    await refused(trial, [write.checkpoint(early)], "conflict");
    await seal(trial, 4);
    const [second, third] = [await checkpointAt(trial, 2), await checkpointAt(trial, 3)];
    await refused(trial, [write.checkpoint({ ...second, chainHash: third.chainHash })], "conflict");
    await refused(trial, [write.checkpoint({ ...second, seq: 9 })], "conflict");
    await refused(trial, [write.checkpoint({ ...second, seq: 0 })], "conflict");
    await refused(trial, [write.checkpoint({ ...second, seq: 5 })], "conflict");
    await committed(trial, [write.checkpoint(third)]);
    await refused(trial, [write.checkpoint(third)], "conflict");
    await refused(trial, [write.checkpoint(second)], "conflict");
    const last = await checkpointAt(trial, 4);
    await committed(trial, [write.checkpoint(last)]);
    same(await trial.stores.directory.auditCheckpoints(trial.call()), [third, last]);
  },

  "without a checkpoint nothing is dropped, and nothing past the newest one ever": async (trial) => {
    await log(trial, 6);
    strictEqual(await drop(trial, 99), 0);
    await seal(trial, 5);
    strictEqual(await drop(trial, 99), 0);
    await committed(trial, [write.checkpoint(await checkpointAt(trial, 2))]);
    await committed(trial, [write.checkpoint(await checkpointAt(trial, 4))]);
    strictEqual(await drop(trial, 0), 0);
    strictEqual(await drop(trial, -1), 0);
    strictEqual(await drop(trial, 3, 0), 0);
    strictEqual(await drop(trial, 3, 2), 2);
    deepStrictEqual(
      (await sealed(trial)).map(({ seq }) => seq),
      [3, 4, 5],
    );
    strictEqual(await drop(trial, 3, 2), 1);
    strictEqual(await drop(trial, 99), 1);
    strictEqual(await drop(trial, 99), 0);
    deepStrictEqual(
      (await sealed(trial)).map(({ seq }) => seq),
      [5],
    );
    strictEqual((await trial.stores.directory.auditRows(auditQuery(), trial.call())).length, 2);
  },

  "sealing goes on after the checkpoint where all before it was dropped": async (trial) => {
    await log(trial, 3);
    const before = await seal(trial);
    await committed(trial, [write.checkpoint(await checkpointAt(trial, 3))]);
    strictEqual(await drop(trial, 3), 3);
    const rows = await log(trial, 2);
    const after = await seal(trial);
    deepStrictEqual([after?.fromSeq, after?.toSeq], [4, 5]);
    const all = await sealed(trial);
    deepStrictEqual(ids(all), ids(rows));
    assertChained(all, { seq: 3, chainHash: before?.chainHash ?? null });
    same(await trial.stores.directory.auditCheckpoints(trial.call()), [
      { seq: 3, chainHash: before?.chainHash, createdAt: trial.clock.now(), signature: "signed 3" },
    ]);
  },

  "what a cursor has not reached is not dropped": async (trial) => {
    await log(trial, 6);
    await seal(trial);
    await committed(trial, [
      write.checkpoint(await checkpointAt(trial, 5)),
      write.move("slow", null, 2),
      write.move("fast", null, 6),
    ]);
    strictEqual(await drop(trial, 99), 2);
    strictEqual(await drop(trial, 99), 0);
    await committed(trial, [write.move("newcomer", null, 0), write.move("slow", 2, 4)]);
    strictEqual(await drop(trial, 99), 0);
    await committed(trial, [write.unfollow("newcomer")]);
    strictEqual(await drop(trial, 99), 2);
    await committed(trial, [write.unfollow("slow")]);
    strictEqual(await drop(trial, 99), 1);
    deepStrictEqual(
      (await sealed(trial)).map(({ seq }) => seq),
      [6],
    );
  },

  "a cursor is moved by who knows where it stands": async (trial) => {
    strictEqual(await cursor(trial, "mine"), null);
    await refused(trial, [write.move("mine", 0, 1)], "conflict");
    await committed(trial, [write.move("mine", null, 0)]);
    strictEqual(await cursor(trial, "mine"), 0);
    await refused(trial, [write.move("mine", null, 5)], "conflict");
    await refused(trial, [write.move("mine", 1, 5)], "conflict");
    await committed(trial, [
      write.move("mine", 0, 5),
      write.move("other", null, 7),
      write.move("mine", 5, 8),
    ]);
    deepStrictEqual([await cursor(trial, "mine"), await cursor(trial, "other")], [8, 7]);
    await committed(trial, [write.unfollow("mine"), write.unfollow("mine"), write.unfollow("nobody's")]);
    deepStrictEqual([await cursor(trial, "mine"), await cursor(trial, "other")], [null, 7]);
    await committed(trial, [write.move("mine", null, 3)]);
    strictEqual(await cursor(trial, "mine"), 3);
  },

  "every cursor is told, with where it stands": async (trial) => {
    const told = async () => {
      const cursors = await trial.stores.directory.cursors(trial.call());
      return cursors.map(({ name, seq }) => `${name} ${seq}`).toSorted();
    };
    deepStrictEqual(await told(), []);
    await committed(trial, [write.move("webhook:b", null, 7), write.move("listener:a", null, 0)]);
    deepStrictEqual(await told(), ["listener:a 0", "webhook:b 7"]);
    await committed(trial, [write.move("listener:a", 0, 8), write.unfollow("webhook:b")]);
    deepStrictEqual(await told(), ["listener:a 8"]);
  },

  "what names no cursor is null, however hostile": async (trial) => {
    await committed(trial, [write.move("webhooks https://a.example/hook?x=1", null, 1)]);
    for (const name of [...hostileTexts, ...hostileTexts.map(withNul)])
      strictEqual(await cursor(trial, name), null);
    strictEqual(await cursor(trial, "webhooks https://a.example/hook?x=1"), 1);
  },
};
