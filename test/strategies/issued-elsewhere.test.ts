import { createHmac, generateKeyPairSync } from "node:crypto";
import { exportJWK, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { type JwtOptions, jwt } from "../../src/features/jwt.ts";
import { tokens } from "../../src/features/tokens.ts";
import { anyone } from "../../src/guards/guards.ts";
import type { Jwk } from "../../src/jwt/keys.ts";
import { notingReads } from "../support/api-keys.ts";
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

  test("asks for its user past any cache where something is to be changed", async () => {
    const { calls, wrap } = notingReads("user");
    const here = world({ features: [jwt({ key })], wrap });
    const { id } = await here.plant();
    const headers = { authorization: `Bearer ${handmade({ sub: id, exp: soon(here) })}` };
    for (const method of ["GET", "POST"])
      expect((await here.auth.check(bareRequest({ method, headers }), client)).ok).toBe(true);
    expect(calls).toEqual([undefined, true]);
  });

  test.each([
    ["says nothing", undefined, 0],
    ["says when", -60, -60],
    ["says when it is to come", 1_800, "now"],
    ["says when it is to come, and lasts for ever", 1e290, "now"],
    ["says what is no time", "1", 0],
    ["says what was before all time", -1e20, 0],
  ] as const)("is as fresh as it says that its person is: %s", async (_what, fromNow, wanted) => {
    const here = start({ key });
    const { id } = await here.plant();
    const now = here.clock.now().getTime();
    const authTime = typeof fromNow === "number" ? now / 1000 + fromNow : fromNow;
    const token = handmade({ sub: id, exp: 1e295, iat: soon(here, 0), auth_time: authTime });
    const headers = { authorization: `Bearer ${token}` };
    const { principal } = await here.auth.authenticate(bareRequest({ headers }), client);
    const at = wanted === "now" ? now : wanted === 0 ? 0 : now + wanted * 1000;
    expect(principal).toMatchObject({ isAuthenticated: true, authTime: new Date(at) });
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

  test.each(["session", "ticket", "api-key", "anonymous"])("is not called %s, which may do more", (name) => {
    expect(() => jwt({ key, name })).toThrow(/another kind/);
  });

  test("with keys that cannot be used, nothing starts", () => {
    expect(() => jwt({})).toThrow(TypeError);
    expect(() => jwt({ key, keys: [] })).toThrow(TypeError);
    expect(() => jwt({ keys: [] })).toThrow(TypeError);
    expect(() => jwt({ key: "too short" })).toThrow(/32 bytes/);
    expect(() => jwt({ keys: [{ kty: "RSA", n: "AQ", e: "AQAB" }] })).toThrow(TypeError);
  });
});

describe("a token that a proxy adds by itself", () => {
  const own = { "sec-fetch-site": "same-origin", origin: "https://app.example" };
  const me = "/api/v1/users/me";

  async function behindProxy(isAmbient = true) {
    const here = start({ key, name: "proxy", isAmbient });
    const ana = await here.plant();
    const bearer = (userId: string) => ({
      authorization: `Bearer ${handmade({ sub: userId, exp: soon(here) })}`,
    });
    const csrfOf = async (userId: string): Promise<string> => {
      const { body } = await here.browser().get("/api/v1/auth/csrf", { headers: bearer(userId) });
      return String(body.csrf_token);
    };
    return { here, ana, bearer, csrfOf };
  }

  test("changes something from a page of this origin, with the CSRF token of who it stands for", async () => {
    const { here, ana, bearer, csrfOf } = await behindProxy();
    const headers = { ...bearer(ana.id), ...own, "x-csrf-token": await csrfOf(ana.id) };
    expect((await here.browser().patch(me, { name: "Ana" }, { headers })).status).toBe(200);
    expect((await here.user(ana.id)).name).toBe("Ana");
  });

  test.each([
    [
      "from another site's page",
      { "sec-fetch-site": "cross-site", origin: "https://evil.example" },
      "origin_rejected",
    ],
    [
      "from a page of a sibling domain",
      { "sec-fetch-site": "same-site", origin: "https://x.app.example" },
      "origin_rejected",
    ],
    ["without a token", { ...own, "x-csrf-token": "" }, "csrf_required"],
    [
      "with a token that nobody handed out",
      { ...own, "x-csrf-token": `c1.${"A".repeat(86)}` },
      "csrf_failed",
    ],
  ])("changes nothing %s", async (_name, other, code) => {
    const { here, ana, bearer, csrfOf } = await behindProxy();
    const headers = { ...bearer(ana.id), "x-csrf-token": await csrfOf(ana.id), ...other };
    const { status, body } = await here.browser().patch(me, { name: "Eve" }, { headers });
    expect([status, body.code]).toEqual([403, code]);
    expect((await here.user(ana.id)).name).not.toBe("Eve");
    expect(here.heard("csrf.refused")).toHaveLength(1);
  });

  test("takes no CSRF token of another user, nor one from before every proof was ended", async () => {
    const { here, ana, bearer, csrfOf } = await behindProxy();
    const eve = await here.plant();
    const patch = async (token: string) => {
      const headers = { ...bearer(ana.id), ...own, "x-csrf-token": token };
      return (await here.browser().patch(me, { name: "Eve" }, { headers })).body.code;
    };
    expect(await patch(await csrfOf(eve.id))).toBe("csrf_failed");
    const before = await csrfOf(ana.id);
    await here.auth.sessions.revokeAll(ana.id);
    expect(await patch(before)).toBe("csrf_failed");
  });

  test("lets a form of a page be posted, once", async () => {
    const { here, ana, bearer } = await behindProxy();
    const request = bareRequest({ headers: bearer(ana.id) });
    const { token, change } = await here.auth.forms.token("profile", { request, client });
    expect(change).toBeNull();
    const headers = { ...bearer(ana.id), ...own, "x-csrf-token": token };
    const post = bareRequest({ method: "POST", headers });
    expect(await here.auth.check(post, client)).toMatchObject({ ok: true });
    await here.auth.forms.spend("profile", token, { request: post, client });
    await expect(here.auth.forms.spend("profile", token, { request: post, client })).rejects.toMatchObject({
      code: "form_token_stale",
    });
  });

  test("gives way to a proof that the page sends itself", async () => {
    const token = tokens();
    const here = world({
      features: [jwt({ key, name: "proxy", header: "X-Proxy", isAmbient: true }), token],
    });
    const [ana, proxied] = [await here.plant(), await here.plant()];
    const { accessToken } = await here.auth.use(token).issue(ana.id);
    const headers = {
      authorization: `Bearer ${accessToken}`,
      "x-proxy": `Bearer ${handmade({ sub: proxied.id, exp: soon(here) })}`,
    };
    const verdict = await here.auth.check(bareRequest({ method: "POST", headers }), client);
    expect(verdict).toMatchObject({ ok: true, principal: { user: { id: ana.id }, via: "jwt" } });
  });

  test("has no CSRF token where it is not said to be one of those", async () => {
    const { here, ana, bearer, csrfOf } = await behindProxy(false);
    expect(await csrfOf(ana.id)).toBe("null");
    const headers = { ...bearer(ana.id), "sec-fetch-site": "cross-site", origin: "https://evil.example" };
    expect((await here.browser().patch(me, { name: "Ana" }, { headers })).status).toBe(200);
  });
});
