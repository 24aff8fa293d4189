import { afterAll, describe, expect, test } from "vitest";
import { encodeFirebaseHash, firebaseScrypt, foreignHashers } from "../../src/foreign-hashes.ts";
import { argon2Variants } from "../../src/password/argon2-variants.ts";
import { argon2id } from "../../src/password/argon2id.ts";
import { bcryptVariants } from "../../src/password/bcrypt-variants.ts";
import { passwordHashing } from "../../src/password/hashing.ts";
import { pbkdf2Variants } from "../../src/password/pbkdf2-variants.ts";
import { scrypt } from "../../src/password/scrypt.ts";
import { passwordThreads } from "../../src/password/threads.ts";
import { foreign } from "./fixtures/foreign.ts";

const threads = passwordThreads({ size: 1 });
afterAll(() => threads.close());

// The sample of github.com/firebase/scrypt, README.md, "Password Hashing".
const firebase = {
  signerKey: "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==",
  saltSeparator: "Bw==",
  rounds: 8,
  memCost: 14,
  passwordHash: "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
  salt: "42xEC+ixf3L2lw==",
};
const firebaseEncoded = encodeFirebaseHash(firebase) ?? "";

const hashers = foreignHashers({ firebaseSignerKey: firebase.signerKey });
const hashing = passwordHashing({ threads, hashers: [argon2id({ memoryKiB: 64, passes: 1 }), ...hashers] });

async function verify(password: string, encoded: string) {
  return hashing.verify(password, { encoded, normalization: "raw" });
}

test.each(foreign)("%s verifies the password %s", async (_maker, password, encoded) => {
  expect(await verify(password, encoded)).toMatchObject({ ok: true, needsRehash: true });
  expect((await verify(`${password}.`, encoded)).ok).toBe(false);
});

// As passlib's documentation prints them: passlib.readthedocs.io/en/stable/narr/quickstart.html and lib/passlib.hash.*.html
test.each([
  [
    "toomanysecrets",
    "$pbkdf2-sha256$29000$N2YMIWQsBWBMae09x1jrPQ$1t8iyB2A.WF/Z5JZv.lfCIhXXN33N23OSgQYThBYRfk",
  ],
  ["password", "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E"],
  ["password", "$bcrypt-sha256$v=2,t=2b,r=12$n79VH.0Q2TMWmt3Oqt9uku$Kq4Noyk3094Y2QlB8NdRT8SvGiI4ft2"],
  ["password", "$bcrypt-sha256$2b,12$LrmaIX5x4TRtAwEfwJZa1.$2ehnw6LvuIUTM0iz4iz9hTxv21B6KFO"],
  ["password", "$argon2i$v=19$m=512,t=2,p=2$aI2R0hpDyLm3ltLa+1/rvQ$LqPKjd6n8yniKtAithoR7A"],
])("passlib's documented example for %s: %s", async (password, encoded) => {
  expect((await verify(password, encoded)).ok).toBe(true);
  expect((await verify(`${password}s`, encoded)).ok).toBe(false);
});

describe("Firebase's modified scrypt", () => {
  test("the sample of its repository verifies", async () => {
    expect(await verify("user1password", firebaseEncoded)).toMatchObject({
      ok: true,
      format: "firebase_scrypt",
    });
    expect((await verify("user2password", firebaseEncoded)).ok).toBe(false);
  });

  test("what is stored does not hold the signer key", () => {
    expect(firebaseEncoded).toMatch(/^\$firebase-scrypt\$k=[0-9a-f]{8},r=8,m=14\$/);
    expect(firebaseEncoded).not.toContain(firebase.signerKey.slice(0, 16));
  });

  test("of another project's key nothing is recognised", () => {
    const other = firebaseScrypt({ signerKey: Buffer.alloc(64, 7).toString("base64") });
    expect(other.recognises(firebaseEncoded)).toBe(false);
    expect(other.recognises(other.dummy)).toBe(true);
  });

  test.each([
    ["a hash that is no base64", { passwordHash: "not base64" }],
    ["a salt that is no base64", { salt: "****" }],
    ["a separator that is no base64", { saltSeparator: "B" }],
    ["a signer key that is none", { signerKey: "short" }],
    ["no rounds", { rounds: 0 }],
    ["a cost of 31 bits", { memCost: 31 }],
  ])("%s gives no stored hash", (_name, part) => {
    expect(encodeFirebaseHash({ ...firebase, ...part })).toBeNull();
  });

  test("the cost has its bound", () => {
    const within = firebaseScrypt({ signerKey: firebase.signerKey });
    const costing = (memCost: number): string => encodeFirebaseHash({ ...firebase, memCost }) ?? "";
    expect([17, 18].map((memCost) => within.recognises(costing(memCost)))).toEqual([true, false]);
  });

  test("a signer key that is none is a mistake of the set-up", () => {
    for (const signerKey of ["", "short", "*".repeat(88)])
      expect(() => firebaseScrypt({ signerKey })).toThrow(TypeError);
  });
});

describe("a password counts as its product hashed it", () => {
  // "ﬁ" and "fi" are one under NFKC, which Better Auth and Lucia apply, and two under NFC.
  test.each([
    ["Better Auth and Lucia 3, over hashlib", true],
    ["Lucia 1, over hashlib", true],
    ["Werkzeug 3.1, its default", false],
    ["Django 5.2, ScryptPasswordHasher", false],
  ])("%s: a ligature written apart verifies: %s", async (maker, ok) => {
    const [, , encoded = ""] = foreign.filter(([name]) => name === maker)[1] ?? [];
    expect((await verify("pässwörd fix", encoded)).ok).toBe(ok);
  });

  test("what is typed in NFD verifies against a hash made of NFC", async () => {
    const [, password = "", encoded = ""] = foreign.filter(([name]) => name.startsWith("Tina4"))[1] ?? [];
    expect((await verify(password.normalize("NFD"), encoded)).ok).toBe(true);
  });
});

const hex64 = "0".repeat(64);
const hex128 = "0".repeat(128);
const key43 = "A".repeat(43);

describe("what one stored row may cost is bounded", () => {
  test.each<[string, string, boolean]>([
    ["the most iterations", `pbkdf2:sha256:5000000$salt$${hex64}`, true],
    ["more iterations", `pbkdf2:sha256:5000001$salt$${hex64}`, false],
    ["more in Tina4's spelling", `pbkdf2_sha256$5000001$salt$${hex64}`, false],
    ["more in passlib's", `$pbkdf2-sha256$5000001$c2FsdA$${key43}`, false],
    ["more in PHC's", `$pbkdf2-sha256$i=5000001$c2FsdA$${key43}`, false],
    ["iterations of nine digits", `pbkdf2:sha256:100000000$salt$${hex64}`, false],
    ["the most memory", `scrypt:131072:8:1$salt$${hex128}`, true],
    ["more memory", `scrypt:262144:8:1$salt$${hex128}`, false],
    ["more memory by larger blocks", `scrypt:131072:16:1$salt$${hex128}`, false],
    ["more memory by blocks that nobody makes", `scrypt:2:524288:4$salt$${hex128}`, false],
    ["more memory in PHC's", `$scrypt$ln=18,r=8,p=1$c2FsdA$${key43}`, false],
    ["a cost that is beyond numbers", `$scrypt$ln=99,r=8,p=1$c2FsdA$${key43}`, false],
    ["more memory in Django's", `scrypt$262144$salt$8$1$${"A".repeat(86)}==`, false],
    ["lanes that take four times as long", `scrypt:131072:8:4$salt$${hex128}`, true],
    ["lanes that take longer", `scrypt:131072:8:5$salt$${hex128}`, false],
    ["lanes without end", `scrypt:2:1:99999999$salt$${hex128}`, false],
    ["a cost of bcrypt within bounds", `bcrypt$$2b$14$${".".repeat(53)}`, true],
    ["a larger one", `bcrypt$$2b$15$${".".repeat(53)}`, false],
    ["a larger one under Django's digest", `bcrypt_sha256$$2b$15$${".".repeat(53)}`, false],
    ["a larger one in passlib's", `$bcrypt-sha256$v=2,t=2b,r=15$${".".repeat(22)}$${".".repeat(31)}`, false],
    ["a larger one in passlib's older", `$bcrypt-sha256$2b,15$${".".repeat(22)}$${".".repeat(31)}`, false],
    ["the most memory of Argon2", `$argon2i$v=19$m=262144,t=3,p=1$${"A".repeat(22)}$${key43}`, true],
    ["more of it", `$argon2i$v=19$m=262145,t=3,p=1$${"A".repeat(22)}$${key43}`, false],
    [
      "more of it behind Django's prefix",
      `argon2$argon2id$v=19$m=262145,t=3,p=1$${"A".repeat(22)}$${key43}`,
      false,
    ],
    ["more passes", `$argon2i$v=19$m=65536,t=17,p=1$${"A".repeat(22)}$${key43}`, false],
    ["more lanes", `$argon2i$v=19$m=65536,t=1,p=17$${"A".repeat(22)}$${key43}`, false],
    ["too little memory for its lanes", `$argon2i$v=19$m=15,t=1,p=2$${"A".repeat(22)}$${key43}`, false],
  ])("%s", (_name, encoded, isRecognised) => {
    expect(hashers.some((each) => each.recognises(encoded))).toBe(isRecognised);
  });

  test("the bounds can be moved, within bounds", () => {
    expect(pbkdf2Variants({ maxIterations: 10 }).recognises(`pbkdf2:sha256:11$salt$${hex64}`)).toBe(false);
    expect(scrypt({ maxMemoryKiB: 1024 }).recognises(`scrypt:2048:8:1$salt$${hex128}`)).toBe(false);
    expect(bcryptVariants({ maxCost: 4 }).recognises(`bcrypt$$2b$05$${".".repeat(53)}`)).toBe(false);
    expect(
      argon2Variants({ maxMemoryKiB: 1024 }).recognises(`$argon2i$m=1025,t=1,p=1$${"A".repeat(22)}$${key43}`),
    ).toBe(false);
    for (const make of [
      () => pbkdf2Variants({ maxIterations: 0 }),
      () => scrypt({ maxMemoryKiB: 1 }),
      () => bcryptVariants({ maxCost: 21 }),
      () => argon2Variants({ maxMemoryKiB: 0.5 }),
      () => firebaseScrypt({ signerKey: firebase.signerKey, maxMemoryKiB: 2_000_000 }),
    ])
      expect(make).toThrow(TypeError);
  });
});

describe("what is not exactly a hash of a known format is not recognised", () => {
  test.each([
    ["a cost that is no power of two", `scrypt:32767:8:1$salt$${hex128}`],
    ["a cost of one", `scrypt:1:8:1$salt$${hex128}`],
    ["a short key", `scrypt:1024:8:1$salt$${"0".repeat(126)}`],
    ["a short digest", `pbkdf2:sha256:1000$salt$${"0".repeat(62)}`],
    ["a digest that costs further runs", `pbkdf2:sha256:1000$salt$${hex128}`],
    ["SHA-1's length under SHA-256", `pbkdf2:sha256:1000$salt$${"0".repeat(40)}`],
    ["MD5", `pbkdf2:md5:1000$salt$${"0".repeat(32)}`],
    ["hex in capitals", `pbkdf2:sha256:1000$salt$${"A".repeat(64)}`],
    ["no iterations", `pbkdf2:sha256:0$salt$${hex64}`],
    ["bits beyond the last byte", `$pbkdf2-sha256$1000$c2FsdA$${"A".repeat(42)}B`],
    ["a plus where passlib writes a dot", `$pbkdf2-sha256$1000$c2Fsd+$${key43}`],
    ["a line break at the end", `pbkdf2:sha256:1000$salt$${hex64}\n`],
    ["a line break after Better Auth's", `${"0".repeat(32)}:${hex128}\n`],
    ["a salt of another length with Better Auth's colon", `${"0".repeat(31)}:${hex128}`],
    ["Lucia's unknown version", `s3:${"0".repeat(32)}:${hex128}`],
    ["bcrypt 2x, which PHP made wrongly", `bcrypt$$2x$10$${".".repeat(53)}`],
    ["an unknown Argon2", `$argon2x$v=19$m=65536,t=1,p=1$${"A".repeat(22)}$${key43}`],
    ["an Argon2 of a version to come", `$argon2id$v=20$m=65536,t=1,p=1$${"A".repeat(22)}$${key43}`],
    ["Django's mark for no password", "!XY1Wv3bJ"],
    ["MD5 of old", "5f4dcc3b5aa765d61d8327deb882cf99"],
    ["nothing", ""],
  ])("%s", (_name, encoded) => {
    expect(hashers.filter((each) => each.recognises(encoded)).map(({ id }) => id)).toEqual([]);
  });
});

test("every dummy is recognised by its own hasher, and no password matches it", async () => {
  for (const { dummy, id } of hashers)
    expect(await verify("", dummy)).toMatchObject({ ok: false, format: id });
});

test("a sample is a hash of its format, and taken as often as it says it costs a little more than the dummy", async () => {
  for (const { id, dummy, sample } of hashers.filter((each) => !each.canHash)) {
    const { encoded, share } = sample ?? { encoded: "", share: 0 };
    expect(await verify("", encoded), id).toMatchObject({ ok: false, format: id });
    const ratio = (workOf(encoded) * share) / workOf(dummy);
    expect(ratio, id).toBeGreaterThan(1);
    expect(ratio, id).toBeLessThan(1.6);
  }
});

/** What a hash's parameters multiply to. */
function workOf(encoded: string): number {
  const [, doublings] = /\$2b\$(\d\d)|,m=(\d+)\$/.exec(encoded)?.filter(Boolean) ?? [];
  if (doublings !== undefined) return 2 ** Number(doublings);
  const [, memory, passes] = /m=(\d+),t=(\d+)/.exec(encoded) ?? [];
  if (memory !== undefined) return Number(memory) * Number(passes);
  return Number(/(\d{4,})/.exec(encoded)?.[1]);
}

test("a stored hash is recognised by one hasher alone", () => {
  for (const [, , encoded] of foreign)
    expect(hashers.filter((each) => each.recognises(encoded)).length).toBe(1);
});
