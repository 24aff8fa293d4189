import { argon2Sync, randomBytes } from "node:crypto";
import { afterAll, describe, expect, test } from "vitest";
import { argon2id } from "../../src/password/argon2id.ts";
import { passwordHashing } from "../../src/password/hashing.ts";
import { passwordThreads } from "../../src/password/threads.ts";

const threads = passwordThreads({ size: 1 });
afterAll(() => threads.close());

const cheap = { memoryKiB: 64, passes: 1 };
const hashing = passwordHashing({ threads, hashers: [argon2id(cheap)] });

interface Parameters {
  readonly memory?: number;
  readonly passes?: number;
  readonly parallelism?: number;
  readonly salt?: Buffer;
  readonly digestBytes?: number;
}

/** The same function by another implementation, OpenSSL's. */
function openssl(message: string, parameters: Parameters = {}): string {
  const { memory = 64, passes = 1, parallelism = 1, salt = randomBytes(16), digestBytes = 32 } = parameters;
  const options = { message, nonce: salt, parallelism, tagLength: digestBytes, memory, passes };
  const digest = argon2Sync("argon2id", options);
  return phc(memory, passes, parallelism, salt, digest);
}

function phc(memory: number, passes: number, parallelism: number, salt: Buffer, digest: Buffer): string {
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(salt)}$${base64(digest)}`;
}

function base64(bytes: Buffer): string {
  return bytes.toString("base64").replaceAll("=", "");
}

describe("against another implementation", () => {
  test.each<[string, Parameters]>([
    ["the configured parameters", {}],
    ["more lanes", { parallelism: 4 }],
    ["more passes", { passes: 3 }],
    ["a short salt", { salt: randomBytes(8) }],
    ["a long digest", { digestBytes: 64 }],
  ])("a hash made there with %s verifies here", async (_, parameters) => {
    const stored = { encoded: openssl("pässwörd-٣", parameters), normalization: "nfc-1" } as const;
    expect(await hashing.verify("pässwörd-٣", stored)).toMatchObject({ ok: true, format: "argon2id" });
    expect(await hashing.verify("pässwörd-٤", stored)).toMatchObject({ ok: false, format: "argon2id" });
  });

  test("a hash made here verifies there, with the configured parameters and a salt of 16 bytes", async () => {
    const { encoded } = await hashing.hash("correct horse");
    const salt = Buffer.from(encoded.split("$")[4] ?? "", "base64");
    expect(salt).toHaveLength(16);
    expect(encoded).toBe(openssl("correct horse", { salt }));
  });
});

test("two hashes of one password differ", async () => {
  const [one, two] = await Promise.all([hashing.hash("correct horse"), hashing.hash("correct horse")]);
  expect(one.encoded).not.toBe(two.encoded);
});

test("the default cost is OWASP's", () => {
  expect(argon2id().options).toEqual({ memoryKiB: 19_456, passes: 2, parallelism: 1 });
});

describe("what is recognised", () => {
  const hasher = argon2id();
  const salt = Buffer.alloc(16, 7);
  const digest = Buffer.alloc(32, 9);

  test.each<[string, string, boolean]>([
    ["the default cost", phc(19_456, 2, 1, salt, digest), true],
    ["the largest cost within bounds", phc(262_144, 16, 16, salt, digest), true],
    ["too much memory", phc(262_145, 1, 1, salt, digest), false],
    ["too many passes", phc(64, 17, 1, salt, digest), false],
    ["too many lanes", phc(65_536, 1, 17, salt, digest), false],
    ["less memory than its lanes need", phc(31, 1, 4, salt, digest), false],
    ["a salt of 7 bytes", phc(64, 1, 1, Buffer.alloc(7), digest), false],
    ["a salt of 49 bytes", phc(64, 1, 1, Buffer.alloc(49), digest), false],
    ["a digest of 15 bytes", phc(64, 1, 1, salt, Buffer.alloc(15)), false],
    ["a digest of 65 bytes", phc(64, 1, 1, salt, Buffer.alloc(65)), false],
    ["argon2i", phc(64, 1, 1, salt, digest).replace("argon2id", "argon2i"), false],
    ["the old version", phc(64, 1, 1, salt, digest).replace("v=19", "v=16"), false],
    ["a leading zero", phc(64, 1, 1, salt, digest).replace("m=64", "m=064"), false],
    ["parameters out of order", phc(64, 1, 1, salt, digest).replace("m=64,t=1", "t=1,m=64"), false],
    ["padding", `${phc(64, 1, 1, salt, digest)}=`, false],
    ["bits beyond the last byte", phc(64, 1, 1, salt, digest).replace(/.$/, "l"), false],
    ["bits beyond the last byte of the salt", phc(64, 1, 1, salt, digest).replace("Bw$", "Bx$"), false],
    ["a line break at the end", `${phc(64, 1, 1, salt, digest)}\n`, false],
    ["more than a hash", `x${phc(64, 1, 1, salt, digest)}`, false],
    ["nothing", "", false],
  ])("%s", (_, encoded, isRecognised) => {
    expect(hasher.recognises(encoded)).toBe(isRecognised);
  });

  test("the bound on memory can be moved, and never lies under the configured cost", () => {
    expect(argon2id({ maxMemoryKiB: 20_000 }).recognises(phc(20_001, 1, 1, salt, digest))).toBe(false);
    expect(argon2id({ memoryKiB: 524_288 }).recognises(phc(524_288, 2, 1, salt, digest))).toBe(true);
  });
});

describe("what is current", () => {
  const hasher = argon2id();
  const salt = Buffer.alloc(16);
  const digest = Buffer.alloc(32);

  test.each<[string, string, boolean]>([
    ["the configured parameters", phc(19_456, 2, 1, salt, digest), true],
    ["less memory", phc(9728, 2, 1, salt, digest), false],
    ["more memory", phc(47_104, 2, 1, salt, digest), false],
    ["fewer passes", phc(19_456, 1, 1, salt, digest), false],
    ["more lanes", phc(19_456, 2, 2, salt, digest), false],
    ["a short salt", phc(19_456, 2, 1, Buffer.alloc(8), digest), false],
    ["a short digest", phc(19_456, 2, 1, salt, Buffer.alloc(16)), false],
  ])("%s", (_, encoded, isCurrent) => {
    expect(hasher.recognises(encoded)).toBe(true);
    expect(hasher.isCurrent(encoded)).toBe(isCurrent);
  });

  test("a hash made here, and the dummy", async () => {
    expect(argon2id(cheap).isCurrent((await hashing.hash("correct horse")).encoded)).toBe(true);
    expect(hasher.isCurrent(hasher.dummy)).toBe(true);
    expect(hasher.recognises(hasher.dummy)).toBe(true);
  });
});

test("costs below OWASP's equivalents are called weak", () => {
  const pairs: [memoryKiB: number, passes: number][] = [
    [47_104, 1],
    [19_456, 2],
    [12_288, 3],
    [9216, 4],
    [7168, 5],
    [7168, 9],
  ];
  for (const [memoryKiB, passes] of pairs) {
    expect(argon2id({ memoryKiB, passes }).weakness).toBeNull();
    expect(argon2id({ memoryKiB: memoryKiB - 1, passes }).weakness).toContain(`${memoryKiB - 1} KiB`);
  }
});

test("a cost out of range is the programmer's mistake", () => {
  for (const cost of [
    { passes: 0 },
    { passes: 17 },
    { passes: 1.5 },
    { parallelism: 0 },
    { parallelism: 17 },
    { memoryKiB: 7 },
    { memoryKiB: 31, parallelism: 4 },
    { memoryKiB: 1_048_577 },
    { maxMemoryKiB: 19_455 },
  ]) {
    expect(() => argon2id(cost), JSON.stringify(cost)).toThrow(TypeError);
  }
});
