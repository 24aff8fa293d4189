import { describe, expect, test } from "vitest";
import { signText } from "../../src/jwt/algorithms.ts";
import { readCompact } from "../../src/jwt/compact.ts";
import { type Jwk, signingKey, thumbprint, verifyingKey } from "../../src/jwt/keys.ts";
import { isSigned } from "./signed.ts";

// RFC 7520's signatures are cases 345 to 352 of Wycheproof's set.
const claims =
  "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

const examples: readonly [name: string, key: Jwk, token: string][] = [
  [
    "RFC 7515, A.1: HS256",
    {
      kty: "oct",
      alg: "HS256",
      k: "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    },
    `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${claims}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`,
  ],
  [
    "RFC 7515, A.2: RS256",
    {
      kty: "RSA",
      alg: "RS256",
      n: "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
      e: "AQAB",
    },
    `eyJhbGciOiJSUzI1NiJ9.${claims}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw`,
  ],
  [
    "RFC 7515, A.3: ES256",
    {
      kty: "EC",
      crv: "P-256",
      x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
      y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    },
    `eyJhbGciOiJFUzI1NiJ9.${claims}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q`,
  ],
  [
    "RFC 8037, A.4: Ed25519",
    { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" },
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
  ],
];

describe.each(examples)("%s", (_name, jwk, token) => {
  test("is verified", () => {
    expect(isSigned(token, [verifyingKey(jwk)])).toBe(true);
  });

  test("is refused with any one character changed", () => {
    const key = verifyingKey(jwk);
    for (let at = 0; at < token.length; at++) {
      const letter = token[at] === "A" ? "B" : "A";
      expect(isSigned(token.slice(0, at) + letter + token.slice(at + 1), [key])).toBe(false);
    }
  });
});

test("RFC 7515, A.5: an unsecured token is refused, whatever the key", () => {
  const token = `eyJhbGciOiJub25lIn0.${claims}.`;
  expect(readCompact(token)?.header.algorithm).toBe("none");
  for (const [, jwk] of examples) expect(isSigned(token, [verifyingKey(jwk)])).toBe(false);
});

test("RFC 7515, appendix E: an extension that is critical is refused", () => {
  const header = Buffer.from('{"alg":"none","crit":["http://example.invalid/UNDEFINED"]}').toString(
    "base64url",
  );
  expect(readCompact(`${header}.RkFJTA.`)).toBeNull();
});

test("RFC 8037, A.4: the same key signs the same", () => {
  const [, , , example] = examples;
  if (example === undefined) throw new Error("no example");
  const [, jwk, token] = example;
  const key = signingKey({ ...jwk, d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A" });
  const end = token.lastIndexOf(".");
  expect(signText(key, token.slice(0, end)).toString("base64url")).toBe(token.slice(end + 1));
});

test("RFC 7638, 3.1 and RFC 8037, A.3: thumbprints", () => {
  const rsa = {
    kty: "RSA",
    n: "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    e: "AQAB",
    alg: "RS256",
    kid: "2011-04-29",
  };
  expect(thumbprint(verifyingKey(rsa).key)).toBe("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
  const okp = { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" };
  expect(thumbprint(verifyingKey(okp).key)).toBe("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
});
