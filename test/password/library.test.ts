import type { Worker } from "node:worker_threads";
import { hashSync } from "bcryptjs";
import { describe, expect, test } from "vitest";
import { argon2id } from "../../src/password/argon2id.ts";
import { passwordHashing } from "../../src/password/hashing.ts";
import { hashPassword, needsRehash, verifyPassword } from "../../src/password/library.ts";
import { passwordThreads } from "../../src/password/threads.ts";

test("a script hashes and verifies without setting anything up", async () => {
  const stored = await hashPassword({ password: "correct horse" });
  expect(needsRehash({ stored })).toBe(false);
  expect(await verifyPassword({ password: "correct horse", stored })).toBe(true);
  expect(await verifyPassword({ password: "wrong horse", stored })).toBe(false);
});

test("the thread of a single call is ended", async () => {
  const started: Worker[] = [];
  const note = (worker: Worker): void => void started.push(worker);
  process.on("worker", note);
  await hashPassword({ password: "correct horse" });
  process.off("worker", note);
  expect(started.map((worker) => worker.threadId)).toEqual([-1]);
});

test("hashing that is running already is used, and left running", async () => {
  const threads = passwordThreads({ size: 1 });
  const hashing = passwordHashing({ threads, hashers: [argon2id({ memoryKiB: 64, passes: 1 })] });
  const stored = await hashPassword({ password: "correct horse", hashing });
  expect(stored.encoded).toContain("m=64,t=1,p=1");
  expect(await verifyPassword({ password: "correct horse", stored, hashing })).toBe(true);
  await threads.close();
});

describe("a bare string", () => {
  const typed = "cafe\u0301 au lait";

  test("may stem from any product: as typed, then NFC", async () => {
    expect(await verifyPassword({ password: typed, stored: hashSync(typed, 4) })).toBe(true);
    expect(await verifyPassword({ password: typed, stored: hashSync(typed.normalize("NFC"), 4) })).toBe(true);
    expect(await verifyPassword({ password: typed, stored: "no hash" })).toBe(false);
  });

  test("is judged by its format and parameters", () => {
    expect(needsRehash({ stored: argon2id().dummy })).toBe(false);
    expect(needsRehash({ stored: argon2id({ passes: 3 }).dummy })).toBe(true);
    expect(needsRehash({ stored: argon2id({ passes: 3 }).dummy, hashers: [argon2id({ passes: 3 })] })).toBe(
      false,
    );
    expect(needsRehash({ stored: hashSync("x", 4) })).toBe(true);
    expect(needsRehash({ stored: "no hash" })).toBe(true);
  });

  test("beside its normalisation is judged by both", () => {
    const { dummy: encoded } = argon2id();
    expect(needsRehash({ stored: { encoded, normalization: "nfc-1" } })).toBe(false);
    expect(needsRehash({ stored: { encoded, normalization: "raw" } })).toBe(true);
  });
});
