import { createSecretKey } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hasDuplicateKeys } from "../../src/domain/duplicate-keys.ts";
import { signText } from "../../src/jwt/algorithms.ts";
import { decodeBase64url } from "../../src/jwt/base64url.ts";
import { readCompact, tokenMaxBytes } from "../../src/jwt/compact.ts";
import { own, readJsonObject } from "../../src/jwt/json-object.ts";
import type { VerifyingKey } from "../../src/jwt/keys.ts";
import { recentTokens } from "../../src/jwt/recent-tokens.ts";
import { signToken } from "../../src/jwt/sign-token.ts";
import { tokenReader } from "../../src/jwt/token-reader.ts";

const encode = (text: string) => Buffer.from(text).toString("base64url");
const header = encode('{"alg":"HS256"}');

describe("base64url", () => {
  test("bytes have one spelling", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 64 }),
        fc.nat(),
        fc.constantFrom(..."Aa-_+/= \n."),
        (bytes, at, letter) => {
          const text = Buffer.from(bytes).toString("base64url");
          expect(decodeBase64url(text)).toEqual(Buffer.from(bytes));
          const place = at % (text.length + 1);
          const longer = text.slice(0, place) + letter + text.slice(place);
          const read = decodeBase64url(longer);
          if (read !== null) expect(read).not.toEqual(Buffer.from(bytes));
        },
      ),
    );
  });

  test.each(["A", "AB", "AAB", "AA==", "AA\n", "A-+A", " AAA", "A\u0000AA", "\u0410AAA"])(
    "%j is none",
    (text) => {
      expect(decodeBase64url(text)).toBeNull();
    },
  );
});

describe("a JSON object", () => {
  test.each([
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '{"x":{"b":1,"b":2}}',
    "[]",
    '"a"',
    "null",
    "1",
    "",
    "{",
    "\ufeff{}",
  ])("%s is none", (text) => expect(readJsonObject(Buffer.from(text))).toBeNull());

  test("is UTF-8", () => {
    expect(readJsonObject(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toBeNull();
  });

  test("has what is its own alone", () => {
    const object = readJsonObject(Buffer.from('{"__proto__":{"admin":true}}'));
    if (object === null) throw new Error("not read");
    expect([own(object, "admin"), own(object, "constructor")]).toEqual([undefined, undefined]);
  });

  test("written by JSON.stringify has no key twice, and with one more of its keys has", () => {
    const isSame = fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 });
    fc.assert(
      fc.property(isSame, (object) => {
        const text = JSON.stringify(object);
        expect(hasDuplicateKeys(text)).toBe(false);
        const [key = ""] = Object.keys(JSON.parse(text));
        expect(hasDuplicateKeys(`${text.slice(0, -1)},${JSON.stringify(key)}:0}`)).toBe(true);
      }),
    );
  });
});

describe("a compact token", () => {
  test.each([
    ["nothing", ""],
    ["two parts", `${header}.e30`],
    ["four parts", `${header}.e30.AA.AA`],
    ["no header", ".e30.AA"],
    ["a header that is no object", `${encode("[]")}.e30.AA`],
    ["no alg", `${encode("{}")}.e30.AA`],
    ["an alg that is no text", `${encode('{"alg":["HS256"]}')}.e30.AA`],
    ["crit, though empty", `${encode('{"alg":"HS256","crit":[]}')}.e30.AA`],
    ["b64", `${encode('{"alg":"HS256","b64":false}')}.e30.AA`],
    ["a kid that is no text", `${encode('{"alg":"HS256","kid":1}')}.e30.AA`],
    ["alg twice", `${encode('{"alg":"none","alg":"HS256"}')}.e30.AA`],
    ["more than 8 KiB", `${header}.${"A".repeat(tokenMaxBytes)}.AA`],
  ])("with %s is not read", (_name, token) => {
    expect(readCompact(token)).toBeNull();
  });

  test("of any text reads or does not, and never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.base64String(), fc.string(), (one, two, three) => {
        for (const text of [one, `${header}.${two}.${three}`, `${encode(one)}.${two}.`]) {
          expect([null, "object"]).toContain(readCompact(text) === null ? null : "object");
        }
      }),
    );
  });

  test("with a key of its own is not verified by that", () => {
    const jwk = `{"alg":"HS256","jwk":{"kty":"oct","k":"${"A".repeat(43)}"},"jku":"https://evil.example"}`;
    expect(readCompact(`${encode(jwk)}.e30.AA`)?.header).toEqual({
      algorithm: "HS256",
      type: null,
      keyId: null,
    });
  });
});

describe("a reader", () => {
  const key = (byte: number, keyId: string | null = null): VerifyingKey => ({
    keyId,
    algorithm: "HS256",
    key: createSecretKey(Buffer.alloc(32, byte)),
  });
  const rules = { issuer: null, audience: null, type: null, content: () => true as const };

  test("forgets what it verified when the keys change", () => {
    let keys = [key(1)];
    const reader = tokenReader({ ...rules, keys: () => keys });
    const token = signToken("JWT", { exp: 100 }, key(1));
    expect([reader.read(token, 0).kind, reader.read(token, 0).kind]).toEqual(["good", "good"]);
    keys = [key(2)];
    expect(reader.read(token, 0).kind).toBe("bad");
  });

  test("asks for the content once and verifies once, and looks at the expiry each time", () => {
    let asked = 0;
    const content = () => {
      asked++;
      return true as const;
    };
    const list = [key(1)];
    const reader = tokenReader({ ...rules, content, keys: () => list });
    const token = signToken("JWT", { exp: 100 }, key(1));
    for (const at of [0, 0, 129_999]) expect(reader.read(token, at).kind).toBe("good");
    expect([reader.read(token, 130_000).kind, asked]).toEqual(["bad", 1]);
  });

  test("says that a key is unknown where the token names one that is not there, and only then", () => {
    const list = [key(1, "one")];
    const reader = tokenReader({ ...rules, keys: () => list });
    const unknown = (token: string) => {
      const reading = reader.read(token, 0);
      return reading.kind === "bad" && reading.isKeyUnknown;
    };
    expect(unknown(signToken("JWT", { exp: 100 }, key(1, "two")))).toBe(true);
    expect(unknown(signToken("JWT", { exp: 100 }, key(2, "one")))).toBe(false);
    expect(unknown(signToken("JWT", { exp: 100 }, key(2)))).toBe(false);
  });

  test("tells what is signed and is no JSON object from what nobody signed", () => {
    const list = [key(1)];
    const reader = tokenReader({ ...rules, issuer: "https://issuer.example", keys: () => list });
    const token = (byte: number, payload: string): string => {
      const signed = `${header}.${encode(payload)}`;
      return `${signed}.${signText(key(byte), signed).toString("base64url")}`;
    };
    for (const payload of ["words", "[]", '{"exp":100,"exp":100}']) {
      const why = "what is signed is no JSON object";
      expect(reader.read(token(1, payload), 0)).toEqual({ kind: "bad", why, isKeyUnknown: false });
      expect(reader.read(token(2, payload), 0)).toMatchObject({ why: "none of the keys has signed it" });
    }
  });

  test("with many keys and no kid tries those of the algorithm", () => {
    const list = [key(1, "one"), key(2, "two")];
    const reader = tokenReader({ ...rules, keys: () => list });
    expect(reader.read(signToken("JWT", { exp: 100 }, key(2)), 0).kind).toBe("good");
  });
});

test("a token that nobody would read is not signed", () => {
  const key = { keyId: null, algorithm: "HS256", key: createSecretKey(Buffer.alloc(32)) } as const;
  expect(() => signToken("JWT", { text: "x".repeat(tokenMaxBytes) }, key)).toThrow(TypeError);
});

test("what was seen is remembered while it is in use, in bounded memory", () => {
  const recent = recentTokens<number>(100);
  recent.add("kept", 0);
  for (let each = 0; each < 10_000; each++) {
    recent.add(`${each}`, each);
    expect(recent.get("kept")).toBe(0);
  }
  const known = Array.from({ length: 10_000 }, (_, each) => recent.get(`${each}`)).filter(
    (each) => each !== undefined,
  );
  expect(known.length).toBeLessThanOrEqual(200);
  recent.clear();
  expect(recent.get("kept")).toBeUndefined();
});
