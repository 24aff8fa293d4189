import { generateKeyPairSync } from "node:crypto";
import { createLocalJWKSet, decodeProtectedHeader, exportJWK, importSPKI, jwtVerify } from "jose";
import { describe, expect, test } from "vitest";
import {
  apple,
  discord,
  github,
  gitlab,
  google,
  microsoft,
  oidc,
  type Provider,
} from "../../src/features/oauth.ts";

const credentials = { clientId: "id", clientSecret: "secret" };
const appleKey = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});
const appleOptions = { clientId: "com.example.app", teamId: "TEAM000000", keyId: "KEY0000000" };
const all: Readonly<Record<string, Provider>> = {
  google: google(credentials),
  github: github(credentials),
  microsoft: microsoft(credentials),
  apple: apple({ ...appleOptions, privateKey: appleKey.privateKey }),
  gitlab: gitlab(credentials),
  discord: discord(credentials),
  oidc: oidc({ ...credentials, issuer: "https://idp.example", authoritativeFor: ["Corp.Example"] }),
};

describe.each(Object.entries(all))("%s", (_name, provider) => {
  test("has nobody in claims that are none", () => {
    for (const claims of [{}, { sub: 7 }, { sub: " " }, { user: null }, { user: [] }, { user: { id: null } }])
      expect(provider.profile(claims)).toBeNull();
  });

  test("asks over https alone", () => {
    expect(JSON.stringify(provider.server)).not.toContain("http:");
  });
});

test.each<[string, Record<string, unknown>, boolean]>([
  ["google", { email_verified: true }, true],
  ["google", { email_verified: "true" }, false],
  ["google", {}, false],
  ["gitlab", { email_verified: true }, true],
  ["oidc", { email_verified: true }, true],
  ["apple", { email_verified: "true" }, true],
  ["apple", { email_verified: true }, true],
  ["apple", { email_verified: "false" }, false],
  // Administrators of any directory write any address.
  ["microsoft", { email_verified: true }, false],
  ["microsoft", { xms_edov: true }, true],
  ["microsoft", { xms_edov: "1" }, true],
  ["microsoft", { xms_edov: 0 }, false],
])("%s with %o: verified %s", (name, claims, verified) => {
  const profile = all[name]?.profile({ sub: "1", email: "ana@example.com", ...claims });
  expect(profile).toMatchObject({ subject: "1", email: "ana@example.com", isEmailVerified: verified });
});

test.each<[string, string, Record<string, unknown>, boolean]>([
  ["google", "ana@gmail.com", {}, true],
  ["google", "ana@GMAIL.com", {}, true],
  ["google", "ana@gmaıl.com", {}, false],
  ["google", "ana@gmail.com.evil.example", {}, false],
  ["google", "ana@googlemail.com", {}, false],
  ["google", "ana@corp.example", { hd: "corp.example" }, true],
  ["google", "ana@corp.example", { hd: "other.example" }, false],
  ["google", "ana@corp.example", {}, false],
  ["google", "ana@evil.example", { hd: "gmail.com" }, false],
  ["apple", "x@privaterelay.appleid.com", {}, true],
  ["apple", "ana@icloud.com", {}, true],
  ["apple", "ana@gmail.com", {}, false],
  ["oidc", "ana@corp.example", {}, true],
  ["oidc", "ana@sub.corp.example", {}, false],
])("%s is the last word on %s with %o: %s", (name, email, claims, authoritative) => {
  expect(all[name]?.isAuthoritative?.(email, claims)).toBe(authoritative);
});

test.each(["github", "microsoft", "gitlab", "discord"])("%s is the last word on no address", (name) => {
  expect(all[name]?.isAuthoritative).toBeNull();
});

test("Apple's client secret is a token of five minutes, signed anew", async () => {
  const provider = all.apple as Provider;
  if (typeof provider.clientSecret !== "function") throw new Error("a secret that stands still");
  const now = new Date("2026-11-21T12:00:00Z");
  const secret = await provider.clientSecret(now);
  expect(decodeProtectedHeader(secret)).toEqual({ alg: "ES256", kid: "KEY0000000" });
  const key = await importSPKI(appleKey.publicKey, "ES256", { extractable: true });
  const keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(key)), kid: "KEY0000000" }] });
  const { payload } = await jwtVerify(secret, keys, { currentDate: now });
  expect(payload).toEqual({
    iss: "TEAM000000",
    sub: "com.example.app",
    aud: "https://appleid.apple.com",
    iat: now.getTime() / 1000,
    exp: now.getTime() / 1000 + 300,
  });
  expect(provider.parameters).toEqual({ response_mode: "form_post" });
});

test("a directory of Microsoft's is part of the issuer, and nothing else", () => {
  const { server } = microsoft({ ...credentials, tenant: "../../evil" });
  expect(server.issuer).toBe("https://login.microsoftonline.com/..%2F..%2Fevil/v2.0");
});
