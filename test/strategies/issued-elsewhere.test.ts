import { createHmac, generateKeyPairSync } from "node:crypto";
import { exportJWK, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { type JwtOptions, jwt } from "../../src/features/jwt.ts";
import { tokens } from "../../src/features/tokens.ts";
import { anyone } from "../../src/guards/guards.ts";
import type { Jwk } from "../../src/jwt/keys.ts";
import { bareRequest } from "../support/browser.ts";
import { type World, world } from "../support/world.ts";

const key = "my-super-secret-key-at-least-32-chars";
const client = { ip: "192.0.2.10" };

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token as the libraries of other languages write it, by hand. */
function handmade(claims: object, secret = key, header: object = { typ: "JWT", alg: "HS256" }): string {
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

async function asked(here: World, token: string, header = "authorization", prefix = "Bearer ") {
  const request = bareRequest({ headers: { [header]: prefix + token } });
  const verdict = await here.auth.check(request, client, anyone());
  return verdict.ok
    ? { user: verdict.principal.user?.id ?? null, via: verdict.principal.via }
    : { code: verdict.error.code, status: verdict.error.status };
}

const start = (...all: readonly JwtOptions[]) => world({ features: all.map((each) => jwt(each)) });
const soon = (here: World, seconds = 3_600) => here.clock.now().getTime() / 1000 + seconds;
const refused = { code: "token_invalid", status: 401 };

/** How a token differs from a good one. */
interface Made {
  readonly claims?: object;
  readonly secret?: string;
  readonly header?: object;
}

describe("a token of another program", () => {
  test("with the user's id in `user_id` signs its user in, by one read", async () => {
    const here = start({ key, userIdClaim: "user_id" });
    const { id } = await here.plant();
    here.recorder.calls.length = 0;
    const token = handmade({ user_id: id, username: "ana", exp: soon(here), iat: soon(here, 0) });
    expect(await asked(here, token)).toEqual({ user: id, via: "jwt" });
    expect(here.recorder.trace()).toEqual(["directory.user"]);
  });

  test("may name its user by a number", async () => {
    const here = start({ key, userIdClaim: "user_id" });
    const { id } = await here.plant({ id: "42" });
    expect(await asked(here, handmade({ user_id: 42, exp: soon(here) }))).toMatchObject({ user: id });
    expect(await asked(here, handmade({ user_id: 42.5, exp: soon(here) }))).toEqual(refused);
    expect(await asked(here, handmade({ user_id: [42], exp: soon(here) }))).toEqual(refused);
  });

  test.each<[string, (seconds: (from: number) => number) => Made]>([
    ["another secret", () => ({ secret: "another secret that is long enough, yes" })],
    ["no exp", () => ({ claims: { exp: undefined } })],
    ["an exp that is past", (from) => ({ claims: { exp: from(-30) } })],
    ["an exp that is no number", () => ({ claims: { exp: "9999999999" } })],
    ["an nbf that lies ahead", (from) => ({ claims: { nbf: from(31) } })],
    ["an audience, though none is expected", () => ({ claims: { aud: "x" } })],
    ["an iat that is no time", () => ({ claims: { iat: "now" } })],
    ["no user's id", () => ({ claims: { sub: undefined } })],
    ["crit", () => ({ header: { alg: "HS256", crit: ["exp"] } })],
    ["another algorithm", () => ({ header: { alg: "HS512" } })],
    ["a typ that is no text", () => ({ header: { alg: "HS256", typ: 1 } })],
  ])("with %s is refused, on a public route too", async (_name, change) => {
    const here = start({ key });
    const { id } = await here.plant();
    const good = { sub: id, exp: soon(here) };
    expect(await asked(here, handmade(good))).toMatchObject({ user: id });
    const { claims, secret, header } = change((seconds) => soon(here, seconds));
    expect(await asked(here, handmade({ ...good, ...claims }, secret, header))).toEqual(refused);
  });

  test("with a key twice in its JSON is refused", async () => {
    const here = start({ key });
    const { id } = await here.plant();
    const payload = `{"sub":"${id}","exp":${soon(here)},"s\\u0075b":"${id}"}`;
    const signed = `${encode({ alg: "HS256" })}.${Buffer.from(payload).toString("base64url")}`;
    const signature = createHmac("sha256", key).update(signed).digest("base64url");
    expect(await asked(here, `${signed}.${signature}`)).toEqual(refused);
  });

  test("of a user who is unknown, disabled or gone is refused", async () => {
    const here = start({ key });
    const { id, version } = await here.plant();
    const token = handmade({ sub: id, exp: soon(here) });
    expect(await asked(here, handmade({ sub: "nobody", exp: soon(here) }))).toEqual(refused);
    expect(await asked(here, token)).toMatchObject({ user: id });
    await here.write({ kind: "user.update", userId: id, version, changes: { status: "disabled" } });
    expect(await asked(here, token)).toEqual(refused);
  });

  test("of issuer, audience and type that fit is taken; of others it is refused or left alone", async () => {
    const rules = { issuer: "https://issuer.example", audience: "us", type: "JWT" };
    const here = start({ key, ...rules });
    const { id } = await here.plant();
    const claims = { sub: id, exp: soon(here), iss: rules.issuer, aud: ["them", "us"] };
    const nobody = { user: null, via: "anonymous" };
    expect(await asked(here, handmade(claims))).toMatchObject({ user: id });
    expect(await asked(here, handmade(claims, key, { typ: "application/jwt", alg: "HS256" }))).toMatchObject({
      user: id,
    });
    expect(await asked(here, handmade({ ...claims, aud: "them" }))).toEqual(refused);
    expect(await asked(here, handmade({ ...claims, iss: "https://other.example" }))).toEqual(nobody);
    expect(await asked(here, handmade(claims, key, { typ: "at+jwt", alg: "HS256" }))).toEqual(nobody);
    expect(await asked(here, handmade(claims, key, { alg: "HS256" }))).toEqual(nobody);
  });

  test("is judged by the first strategy that it fits, and by the last where none does", async () => {
    const other = "the secret of somebody else, long enough";
    const here = start({ key, name: "partner", issuer: "partner" }, { key: other, name: "old" });
    const { id } = await here.plant();
    const claims = { sub: id, exp: soon(here) };
    expect(await asked(here, handmade({ ...claims, iss: "partner" }))).toEqual({ user: id, via: "partner" });
    expect(await asked(here, handmade(claims, other))).toEqual({ user: id, via: "old" });
    expect(await asked(here, handmade({ ...claims, iss: "partner" }, other))).toEqual(refused);
  });

  test("lives beside our own access tokens", async () => {
    const own = tokens();
    const here = world({ features: [own, jwt({ key, name: "old" })] });
    const { id } = await here.plant();
    const { accessToken } = await here.auth.use(own).issue(id);
    expect(await asked(here, accessToken)).toEqual({ user: id, via: "jwt" });
    expect(await asked(here, handmade({ sub: id, exp: soon(here) }))).toEqual({ user: id, via: "old" });
  });

  test("travels in a header and behind a word of one's choice", async () => {
    const here = start({ key, header: "X-Auth", prefix: "Token" });
    const { id } = await here.plant();
    const token = handmade({ sub: id, exp: soon(here) });
    expect(await asked(here, token, "x-auth", "token ")).toMatchObject({ user: id });
    expect(await asked(here, token)).toMatchObject({ user: null });
  });

  test("may be refused by the application, at every use", async () => {
    let isTaken = true;
    const here = start({
      key,
      validateClaims: async ({ role }, user) => isTaken && role === "admin" && user.id !== "",
    });
    const { id } = await here.plant();
    const token = handmade({ sub: id, exp: soon(here), role: "admin" });
    expect(await asked(here, token)).toMatchObject({ user: id });
    isTaken = false;
    expect(await asked(here, token)).toEqual(refused);
  });

  test.each(["ES256", "EdDSA", "RS256", "PS256"])(
    "signed by jose with %s is verified by the public key",
    async (algorithm) => {
      const { privateKey, publicKey } =
        algorithm === "EdDSA"
          ? generateKeyPairSync("ed25519")
          : algorithm === "ES256"
            ? generateKeyPairSync("ec", { namedCurve: "P-256" })
            : generateKeyPairSync("rsa", { modulusLength: 2_048 });
      const jwk = { ...(await exportJWK(publicKey)), kid: "1", alg: algorithm } as Jwk;
      const here = start({ keys: [jwk] });
      const { id } = await here.plant();
      const token = await new SignJWT({ sub: id, exp: soon(here) })
        .setProtectedHeader({ alg: algorithm, kid: "1" })
        .sign(privateKey);
      expect(await asked(here, token)).toMatchObject({ user: id });
      // The public key is no secret: whoever signs with it as one signs nothing.
      const confused = handmade(
        { sub: id, exp: soon(here) },
        publicKey.export({ type: "spki", format: "pem" }) as string,
        { alg: "HS256", kid: "1" },
      );
      expect(await asked(here, confused)).toEqual(refused);
    },
  );

  test("with keys that cannot be used, nothing starts", () => {
    expect(() => jwt({})).toThrow(TypeError);
    expect(() => jwt({ key, keys: [] })).toThrow(TypeError);
    expect(() => jwt({ keys: [] })).toThrow(TypeError);
    expect(() => jwt({ key: "too short" })).toThrow(/32 bytes/);
    expect(() => jwt({ keys: [{ kty: "RSA", n: "AQ", e: "AQAB" }] })).toThrow(TypeError);
  });
});
