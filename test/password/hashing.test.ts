import { hashSync } from "bcryptjs";
import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { EncodedPassword } from "../../src/domain/credential.ts";
import { argon2id } from "../../src/password/argon2id.ts";
import { bcrypt } from "../../src/password/bcrypt.ts";
import { type Hashers, passwordHashing } from "../../src/password/hashing.ts";
import { pbkdf2 } from "../../src/password/pbkdf2.ts";
import { passwordThreads } from "../../src/password/threads.ts";
import type { PasswordHashing } from "../../src/ports/hasher.ts";
import { plain } from "./fixtures/plain-hasher.ts";
import { type RecordingThreads, recording } from "./fixtures/recording.ts";

const pool = passwordThreads({ size: 2 });
afterAll(() => pool.close());

const cheap = argon2id({ memoryKiB: 64, passes: 1 });
const hashers: Hashers = [cheap, bcrypt(), pbkdf2()];
const composed = "caf\u00e9 au lait";
const decomposed = "cafe\u0301 au lait";

let threads: RecordingThreads;
let hashing: PasswordHashing;

beforeEach(() => {
  threads = recording(pool);
  hashing = passwordHashing({ threads, hashers });
});

function raw(encoded: string): EncodedPassword {
  return { encoded, normalization: "raw" };
}

/** Which formats were computed with which parameters, in order. */
function work(): readonly string[] {
  return threads.tasks.map(({ module, call, args }) => {
    const parameters = (args[0] ?? "").split("$").slice(1, 4).join("$");
    return `${call} ${new URL(module).pathname.split("/").at(-1)} ${parameters}`;
  });
}

test("the first hasher hashes, and what it made verifies", async () => {
  const stored = await hashing.hash("correct horse");
  expect(stored.encoded.startsWith("$argon2id$v=19$m=64,t=1,p=1$")).toBe(true);
  expect(await hashing.verify("correct horse", stored)).toMatchObject({
    ok: true,
    needsRehash: false,
    format: "argon2id",
  });
  expect(await hashing.verify("correct house", stored)).toMatchObject({ ok: false, needsRehash: false });
});

describe("Unicode", () => {
  test("our hashes are made and verified over NFC, whatever was typed", async () => {
    const stored = await hashing.hash(decomposed);
    expect(stored.normalization).toBe("nfc-1");
    expect((await hashing.verify(composed, stored)).ok).toBe(true);
    expect((await hashing.verify(decomposed, stored)).ok).toBe(true);
  });

  test("our hashes are not tried over the bytes as typed", async () => {
    const asTyped = { encoded: hashSync(decomposed, 4), normalization: "nfc-1" } as const;
    expect((await hashing.verify(decomposed, asTyped)).ok).toBe(false);
  });

  test("foreign hashes are tried over the bytes as typed, then NFC", async () => {
    expect((await hashing.verify(decomposed, raw(hashSync(decomposed, 4)))).ok).toBe(true);
    expect(threads.tasks).toHaveLength(1);
    expect((await hashing.verify(decomposed, raw(hashSync(composed, 4)))).ok).toBe(true);
    expect(threads.tasks).toHaveLength(3);
    expect((await hashing.verify(composed, raw(hashSync(decomposed, 4)))).ok).toBe(false);
    expect(threads.tasks).toHaveLength(4);
  });
});

describe("a hash is replaced", () => {
  const stronger = passwordHashing({
    threads: pool,
    hashers: [argon2id({ memoryKiB: 128, passes: 1 }), cheapAs("old")],
  });

  test.each<[string, () => Promise<EncodedPassword>, boolean]>([
    ["when it is ours and current: not", () => hashing.hash("correct horse"), false],
    [
      "when it was made elsewhere",
      async () => ({ ...(await hashing.hash("correct horse")), normalization: "raw" }),
      true,
    ],
    ["when it is bcrypt", async () => raw(hashSync("correct horse", 4)), true],
    [
      "when it is bcrypt over NFC",
      async () => ({ encoded: hashSync("correct horse", 4), normalization: "nfc-1" }),
      true,
    ],
    ["when its parameters differ", () => stronger.hash("correct horse"), true],
  ])("%s", async (_, make, needsRehash) => {
    const stored = await make();
    expect(await hashing.verify("correct horse", stored)).toMatchObject({ ok: true, needsRehash });
    expect(await hashing.verify("wrong horse", stored)).toMatchObject({ ok: false, needsRehash: false });
  });
});

function cheapAs(id: string): typeof cheap {
  return { ...cheap, id };
}

describe("a stored value that nobody recognises", () => {
  test.each([
    "",
    "correct horse",
    `$2b$31$${"a".repeat(53)}`,
    "$argon2id$",
    "$scrypt$ln=17,r=8,p=1$c2FsdA$aGFzaA",
  ])(
    "%j is never the password, is told to the operator, and costs what an unknown user costs",
    async (encoded) => {
      const verification = await hashing.verify("correct horse", raw(encoded));
      expect(verification).toMatchObject({ ok: false, needsRehash: false, format: null });
      await hashing.verifyDummy("correct horse");
      expect(work()[0]).toBe(work()[1]);
    },
  );

  test("not even when the password is the one behind the dummy", async () => {
    const mine = passwordHashing({ threads, hashers: [plain()] });
    expect((await mine.verify("", raw("x"))).ok).toBe(false);
  });

  test("any string at all is an answer, not an exception", async () => {
    const formats = fc.constantFrom("$argon2id$v=19$", "$2b$10$", "pbkdf2_sha256$1$", "");
    const strings = fc.tuple(formats, fc.string({ unit: "binary" })).map((parts) => parts.join(""));
    await fc.assert(
      fc.asyncProperty(strings, async (encoded) => {
        expect((await hashing.verify("correct horse", raw(encoded))).ok).toBe(false);
      }),
      { numRuns: 50 },
    );
  });
});

describe("an account is not told apart by work or time", () => {
  test("an unknown user costs the same work as a wrong password", async () => {
    const stored = await hashing.hash("correct horse");
    threads.tasks.length = 0;
    await hashing.verify("wrong horse", stored);
    await hashing.verifyDummy("wrong horse");
    expect(work()).toEqual([
      "verify argon2id.ts argon2id$v=19$m=64,t=1,p=1",
      "verify argon2id.ts argon2id$v=19$m=64,t=1,p=1",
    ]);
  });

  test("the work is over the same bytes, whatever was typed", async () => {
    const stored = await hashing.hash(composed);
    threads.tasks.length = 0;
    await hashing.verify(decomposed, stored);
    await hashing.verifyDummy(decomposed);
    expect(threads.tasks.map((task) => task.args[1])).toEqual([composed, composed]);
  });

  test("a refusal is filled up to the slowest format seen", async () => {
    await hashing.verify("wrong horse", raw(hashSync("correct horse", 8)));
    const { owedMs } = await hashing.verifyDummy("wrong horse");
    const [slow = 0, fast = 0] = threads.durations;
    expect(owedMs).toBe(slow - fast);
    expect(owedMs).toBeGreaterThan(0);
  });

  test("a refusal by the slowest format itself owes nothing more", async () => {
    expect((await hashing.verify("wrong horse", raw(hashSync("correct horse", 8)))).owedMs).toBe(0);
  });

  test("a configured floor holds before anything was measured", async () => {
    const slow = passwordHashing({ threads, hashers, initialFloorMs: 60_000 });
    const { owedMs } = await slow.verifyDummy("wrong horse");
    expect(owedMs).toBe(60_000 - (threads.durations[0] ?? 0));
  });

  test("a password that is not NFC owes twice, since a foreign hash of it costs two verifications", async () => {
    const slow = passwordHashing({ threads, hashers, initialFloorMs: 60_000 });
    const foreign = await slow.verify(decomposed, raw(hashSync("correct horse", 4)));
    const [first = 0, second = 0] = threads.durations;
    expect(foreign.owedMs).toBe(120_000 - (first + second));
    const unknown = await slow.verifyDummy(decomposed);
    expect(unknown.owedMs).toBe(120_000 - (threads.durations[2] ?? 0));
  });

  test("warming up measures every format, at a fraction of its cost where it can", async () => {
    await hashing.warmUp();
    expect(work()).toEqual([
      expect.stringMatching(/^verify argon2id\.ts argon2id\$v=19/),
      ...Array(3).fill("verify bcrypt.ts 2b$07$....................................................."),
      ...Array(3).fill("verify pbkdf2.ts 20000$dummy$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    ]);
    expect((await hashing.verifyDummy("wrong horse")).owedMs).toBeGreaterThan(0);
  });

  test("of a sample's three durations the shortest counts: what interrupted one does not slow every refusal", async () => {
    const [slow, usual] = [
      { value: false, durationMs: 40 },
      { value: false, durationMs: 2 },
    ];
    let calls = 0;
    const interrupted = { ...threads, run: async () => (calls++ === 3 ? usual : slow) };
    const measured = passwordHashing({ threads: interrupted, hashers: [cheap, pbkdf2()] });
    await measured.warmUp();
    expect((await measured.verifyDummy("wrong horse")).owedMs).toBe(2 * 55 - 40);
    // A guess counts until the first one that is no guess.
    await measured.verify("wrong horse", raw(pbkdf2().dummy));
    expect((await measured.verifyDummy("wrong horse")).owedMs).toBe(0);
  });
});

describe("what can be no password is refused before any work", () => {
  const methods: [string, (password: string) => Promise<unknown>][] = [
    ["hash", (password) => hashing.hash(password)],
    ["verify", (password) => hashing.verify(password, raw("x"))],
    ["verifyDummy", (password) => hashing.verifyDummy(password)],
  ];

  test.each(methods)("by %s", async (_, call) => {
    const refused = { code: "password_rejected", fields: [{ field: "password", code: "too_long" }] };
    await expect(call("x".repeat(1025))).rejects.toMatchObject(refused);
    await expect(call("é".repeat(513))).rejects.toMatchObject(refused);
    for (const password of ["a\0b", "a\ud800b", "\udc00"]) {
      await expect(call(password)).rejects.toMatchObject({ fields: [{ code: "invalid_characters" }] });
    }
    expect(threads.tasks).toEqual([]);
    await call("é".repeat(512));
    expect(threads.tasks).toHaveLength(1);
  });
});

test("a caller who has gone is not served", async () => {
  const reason = new Error("gone");
  const call = { signal: AbortSignal.abort(reason) };
  await expect(hashing.hash("correct horse", call)).rejects.toBe(reason);
  await expect(hashing.verify("correct horse", raw("x"), call)).rejects.toBe(reason);
  await expect(hashing.verifyDummy("correct horse", call)).rejects.toBe(reason);
});

test("the event loop turns while hashes are computed", async () => {
  const usual = passwordHashing({ threads: pool });
  const order: string[] = [];
  const hashes = Array.from({ length: 8 }, () => usual.hash("correct horse").then(() => order.push("hash")));
  setImmediate(() => order.push("turn"));
  await Promise.all(hashes);
  expect(order).toHaveLength(9);
  expect(order.at(-1)).toBe("hash");
});

describe("an application's own format", () => {
  test("is a module URL with a description, and can be the first", async () => {
    const mine = passwordHashing({ threads, hashers: [plain(), cheap] });
    const stored = await mine.hash("correct horse");
    expect(stored.encoded).toBe("plain:correct horse");
    expect(await mine.verify("correct horse", stored)).toMatchObject({
      ok: true,
      needsRehash: false,
      format: "plain",
    });
    expect(mine.weakness).toBe("it is no hash");
  });

  test("gets its own options in the thread", async () => {
    const mine = passwordHashing({ threads, hashers: [plain({ prefix: "other" }), plain()] });
    expect((await mine.hash("x")).encoded).toBe("other:x");
    expect((await mine.verify("x", raw("plain:x"))).ok).toBe(true);
  });

  test("that makes what it does not recognise is an error, and nothing is stored", async () => {
    const mine = passwordHashing({ threads, hashers: [plain({ isBroken: true })] });
    await expect(mine.hash("correct horse")).rejects.toMatchObject({ code: "internal_error" });
  });
});

test("a first hasher that cannot hash, or two of one id, is the programmer's mistake", () => {
  expect(() => passwordHashing({ threads, hashers: [bcrypt(), cheap] })).toThrow(TypeError);
  expect(() => passwordHashing({ threads, hashers: [cheap, bcrypt(), bcrypt()] })).toThrow(/bcrypt/);
});
