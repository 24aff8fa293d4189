import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { compactVerify, createLocalJWKSet, importJWK, type JSONWebKeySet, type JWK } from "jose";
import { describe, expect, test } from "vitest";
import { type Jwk, verifyingKeys } from "../../src/jwt/keys.ts";
import { isSigned } from "./signed.ts";

const root = join(import.meta.dirname, "../..");
const folder = join(process.env.VECTORS_PATH ?? join(root, "../shared/vectors"), "wycheproof");

/** A case of the set: a token, a key or key set, and whether the two are to go together. */
interface Case {
  readonly id: number;
  readonly token: string;
  readonly key: Jwk | { readonly keys: readonly Jwk[] };
  readonly isValid: boolean;
}

/** Where our answer is another than the set's, and why. */
const differences: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  json_web_signature_test: {
    346: "the key says PS256 and the token PS384: an algorithm is pinned to its key",
    347: "the key says ES521, which is no algorithm; ES512 is meant",
    350: "as 346",
    351: "as 347",
    367: "the padding that it is about was lost in the set: it is the valid case 357 byte for byte",
    370: "as 367",
    372: "a character that is not of the alphabet: one token has one spelling",
    373: "as 372",
  },
  json_web_key_test: {
    7: "the key's primes come from a broken generator (ROCA): no library of ours looks for that, and nobody gives us keys",
  },
};

/** Where our answer is another than that of jose 6, and why. */
const unlikeJose: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  json_web_signature_test: {
    360: "jose skips white space within a part: one token has one spelling",
    365: "as 360",
    368: "as 360",
    375: "jose ignores bits of the last character that mean nothing: one token has one spelling",
  },
  json_web_key_test: {
    1: "a secret beside a public key in one set: jose was given the secret alone, as it takes no such set",
    4: "two keys of one kid: jose was given the first alone, as it takes no set of secrets",
    9: "jose leaves an RSA exponent of 1 to its caller",
    10: "jose leaves the length of a secret to its caller",
    11: "as 10",
    12: "as 10",
    25: "jose does not ask what a secret is for when a caller hands it over",
    26: "as 25",
  },
};

const sets = Object.keys(differences);
const isThere = existsSync(folder);
if (!isThere) console.warn(`SKIPPED: ${sets.length} sets of Wycheproof (${sets.join(", ")}): no ${folder}`);

describe.skipIf(!isThere).each(sets)("Wycheproof's %s", (name) => {
  const cases = isThere ? read(name) : [];

  test("has the cases that this test was written for", () => {
    expect(cases.length).toBe(name === "json_web_signature_test" ? 401 : 26);
  });

  test("every case is answered as it asks, or the difference has a reason", () => {
    const found = cases.filter((each) => accepts(each) !== each.isValid).map(({ id }) => id);
    expect(found).toEqual(Object.keys(differences[name] ?? {}).map(Number));
  });

  test("every case is answered as jose answers it, or the difference has a reason", async () => {
    const found: number[] = [];
    for (const each of cases) if (accepts(each) !== (await joseAccepts(each))) found.push(each.id);
    expect(found).toEqual(Object.keys(unlikeJose[name] ?? {}).map(Number));
  });
});

function read(name: string): Case[] {
  const set = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));
  type Group = { public?: Case["key"]; private: Case["key"]; tests: readonly Row[] };
  type Row = { tcId: number; jws: string; result: string };
  return set.testGroups.flatMap((group: Group) =>
    group.tests.map(({ tcId, jws, result }) => ({
      id: tcId,
      token: jws,
      key: group.public ?? group.private,
      isValid: result === "valid",
    })),
  );
}

function keysOf({ key }: Case): readonly Jwk[] {
  return "keys" in key ? (key.keys as readonly Jwk[]) : [key];
}

function accepts(each: Case): boolean {
  try {
    return isSigned(each.token, verifyingKeys(keysOf(each)));
  } catch (error) {
    // A key that cannot be used verifies nothing.
    expect(error).toBeInstanceOf(TypeError);
    return false;
  }
}

async function joseAccepts(each: Case): Promise<boolean> {
  const [first = {}] = keysOf(each);
  try {
    if ("keys" in each.key) {
      const isSecret = first.kty === "oct";
      const key = isSecret ? await importJWK(first as JWK) : createLocalJWKSet(each.key as JSONWebKeySet);
      await compactVerify(each.token, key as Parameters<typeof compactVerify>[1]);
    } else
      await compactVerify(each.token, await importJWK(first as JWK), { algorithms: [String(first.alg)] });
    return true;
  } catch {
    return false;
  }
}
