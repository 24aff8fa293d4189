import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { foreignHashers } from "../../src/foreign-hashes.ts";
import { argon2id } from "../../src/password/argon2id.ts";
import { passwordHashing } from "../../src/password/hashing.ts";
import { passwordThreads } from "../../src/password/threads.ts";

const threads = passwordThreads({ size: 1 });
afterAll(() => threads.close());

const firebaseSignerKey = Buffer.alloc(64, 7).toString("base64");
const hashers = [argon2id({ memoryKiB: 64, passes: 1 }), ...foreignHashers({ firebaseSignerKey })] as const;
const hashing = passwordHashing({ threads, hashers });
const firebaseName = /k=[0-9a-f]{8}/.exec(hashers.at(-1)?.dummy ?? "")?.[0];

const bytes = (least: number, most: number) => fc.uint8Array({ minLength: least, maxLength: most });
const base64 = (of: Uint8Array): string => Buffer.from(of).toString("base64");
const unpadded = (of: Uint8Array): string => base64(of).replace(/=+$/, "");
const whole = (min: number, max: number) => fc.integer({ min, max });
const zeros = (length: number): string => "0".repeat(length);

/** Stored hashes from the smallest parameters on, by format: some are recognised, some are not. */
const formats: Readonly<Record<string, fc.Arbitrary<string>>> = {
  "scrypt of PHC": fc
    .tuple(whole(1, 17), whole(1, 2), whole(1, 2), bytes(1, 128), bytes(16, 64))
    .map(([ln, r, p, salt, key]) => `$scrypt$ln=${ln},r=${r},p=${p}$${unpadded(salt)}$${unpadded(key)}`),
  "scrypt of Werkzeug": fc
    .tuple(whole(1, 17), whole(1, 2), whole(1, 64))
    .map(([ln, r, p]) => `scrypt:${2 ** ln}:${r}:${ln > 12 ? 1 : p}$salt$${zeros(128)}`),
  "scrypt of Firebase": fc
    .tuple(whole(1, 2), whole(1, 17), bytes(0, 64))
    .map(
      ([r, m, salt]) =>
        `$firebase-scrypt$${firebaseName},r=${r},m=${m}$${base64(salt)}$${base64(new Uint8Array(64))}`,
    ),
  Argon2: fc
    .tuple(
      fc.constantFrom("i", "d", "id"),
      fc.constantFrom("", "$v=16", "$v=19"),
      whole(1, 64),
      whole(1, 2),
      whole(1, 8),
      bytes(8, 128),
      bytes(16, 64),
    )
    .map(
      ([kind, version, m, t, p, salt, key]) =>
        `$argon2${kind}${version}$m=${m},t=${t},p=${p}$${unpadded(salt)}$${unpadded(key)}`,
    ),
  PBKDF2: fc
    .tuple(whole(1, 3), fc.constantFrom("sha1", "sha256", "sha512"))
    .map(
      ([rounds, digest]) =>
        `pbkdf2:${digest}:${rounds}$salt$${zeros({ sha1: 40, sha256: 64, sha512: 128 }[digest] ?? 0)}`,
    ),
  bcrypt: fc
    .tuple(
      fc.constantFrom("$2a", "$2b", "$2y", "bcrypt$$2b"),
      whole(3, 5),
      fc.stringMatching(/^[./A-Za-z0-9]{53}$/),
    )
    .map(([tag, cost, rest]) => `${tag}$0${cost}$${rest}`),
};

describe("what is recognised can be computed: who has it is told from nobody by no failure", () => {
  test.each(Object.entries(formats))("%s", { timeout: 60_000 }, async (_, stored) => {
    let computed = 0;
    await fc.assert(
      fc.asyncProperty(stored, async (encoded) => {
        const { ok, format } = await hashing.verify("no password of it", { encoded, normalization: "raw" });
        expect(ok).toBe(false);
        if (format !== null) computed += 1;
      }),
      { numRuns: 60 },
    );
    expect(computed).toBeGreaterThan(0);
  });

  test.each([
    ["$scrypt$ln=15,r=1,p=1$", true],
    ["$scrypt$ln=16,r=1,p=1$", false],
    ["$scrypt$ln=16,r=2,p=1$", true],
  ])("scrypt takes no cost from 2^(16 r) on, and %s… is recognised: %s", (parameters, isRecognised) => {
    const encoded = `${parameters}c2FsdA$${"A".repeat(43)}`;
    expect(hashing.format(encoded) !== null).toBe(isRecognised);
  });
});
