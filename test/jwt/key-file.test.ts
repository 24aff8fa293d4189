import { chmodSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  importJWK,
  type JSONWebKeySet,
  jwtVerify,
  SignJWT,
} from "jose";
import { describe, expect, test } from "vitest";
import { createSigningKeyFile, signingKeyFile } from "../../src/jwt/key-file.ts";
import { faulty } from "../../src/testing/faulty.ts";
import { temporaryDirectory } from "../support/backends.ts";
import { signedInClient, tokenAgain, tokenClient, tokensOf, tokenWorld } from "../support/token-client.ts";
import { until } from "../support/until.ts";
import type { World } from "../support/world.ts";

const origin = "http://localhost:3000";

function fileWorld(path: string, algorithm: "ES256" | "EdDSA" = "EdDSA", origin_ = origin): World {
  return tokenWorld({ origin: origin_ }, { keys: signingKeyFile({ path, algorithm }) });
}

function place(): string {
  return join(temporaryDirectory(), "keys", "signing-keys.json");
}

/** The token under the name of a key that nobody has. */
function nobodys(token: string): string {
  const [header = "", ...rest] = token.split(".");
  const named = JSON.parse(Buffer.from(header, "base64url").toString());
  const other = Buffer.from(JSON.stringify({ ...named, kid: "nobody's" })).toString("base64url");
  return [other, ...rest].join(".");
}

async function published(here: World): Promise<JSONWebKeySet> {
  return (await here.browser().get("/.well-known/jwks.json")).body as unknown as JSONWebKeySet;
}

describe.each(["ES256", "EdDSA"] as const)("tokens signed with %s", (algorithm) => {
  test("are verified by jose with the published keys", async () => {
    const here = fileWorld(place(), algorithm);
    const ana = await tokenClient(here);
    const set = await published(here);
    expect(set.keys).toMatchObject([{ alg: algorithm, use: "sig" }]);
    expect(JSON.stringify(set)).not.toContain('"d"');
    expect(set.keys[0]?.kid).toBe(await calculateJwkThumbprint(set.keys[0] ?? {}));
    const { payload } = await jwtVerify(ana.tokens.access_token, createLocalJWKSet(set), {
      algorithms: [algorithm],
      typ: "at+jwt",
      issuer: origin,
      audience: origin,
      currentDate: here.clock.now(),
    });
    expect(payload.sub).toBe(ana.userId);
    expect((await ana.send("GET", "/api/v1/users/me")).status).toBe(200);
  });
});

test("the published keys are there for everybody, whatever proof is sent along, while every store hangs", async () => {
  const path = place();
  const before = fileWorld(path);
  const ana = await tokenClient(before);
  const here = before.again({ wrap: (inner) => faulty(inner, () => "hang"), storeTimeoutMs: 50 });
  const sent = { headers: { Authorization: `Bearer ${nobodys(ana.tokens.access_token)}` } };
  expect((await here.browser().get("/api/v1/users/me", sent)).status).not.toBe(200);
  const answer = await here.browser().get("/.well-known/jwks.json", sent);
  expect([answer.status, answer.body]).toEqual([200, await published(before)]);
});

describe("a key file", () => {
  test("is made on loopback, for its owner alone, and is the same for every process", async () => {
    const path = place();
    const [one, two] = [fileWorld(path), fileWorld(path)];
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await published(one)).toEqual(await published(two));
  });

  test("is needed where the origin is not loopback", () => {
    const path = place();
    expect(() => fileWorld(path, "EdDSA", "https://app.example")).toThrow(/latchkey signing-key create/);
    expect(createSigningKeyFile({ path })).toBe(true);
    expect(createSigningKeyFile({ path })).toBe(false);
    expect(() => fileWorld(path, "EdDSA", "https://app.example")).not.toThrow();
  });

  test.each([
    ["others can read it", (path: string) => chmodSync(path, 0o644), /chmod 600/],
    ["it is no key file", (path: string) => writeFileSync(path, "{}"), /no key file/],
    ["it holds no key", (path: string) => writeFileSync(path, '{"version":1,"keys":[]}'), /no signing key/],
    [
      "it holds half of one",
      (path: string) => writeFileSync(path, readFileSync(path).subarray(0, 200)),
      /no key file/,
    ],
  ])("is refused at start where %s", (_name, spoil, message) => {
    const path = place();
    createSigningKeyFile({ path });
    spoil(path);
    expect(() => fileWorld(path)).toThrow(message);
  });

  test("that is a link is refused", () => {
    const [path, other] = [place(), place()];
    createSigningKeyFile({ path: other });
    createSigningKeyFile({ path });
    const link = `${path}.link`;
    symlinkSync(other, link);
    expect(() => fileWorld(link)).toThrow(/cannot be opened/);
  });

  test("that is spoiled while it is in use changes nothing, and is told", async () => {
    const path = place();
    const keys = signingKeyFile({ path, pollSeconds: 0.01 });
    const here = tokenWorld({ origin }, { keys });
    const ana = await tokenClient(here);
    writeFileSync(path, "{}");
    await until(() => here.log.some(({ message }) => message.includes("signing keys")));
    expect((await ana.send("GET", "/api/v1/users/me")).status).toBe(200);
  });
});

describe("a token of a key that a process does not know", () => {
  /** One process that has rotated and signs with its new key, and one that has not looked at the file since. */
  async function apart() {
    const path = place();
    const here = tokenWorld({ origin }, { keys: signingKeyFile({ path, pollSeconds: 3_600 }) });
    const asleep = tokenAgain(here, {}, { keys: signingKeyFile({ path, pollSeconds: 3_600 }) });
    const ana = await tokenClient(here);
    const old = ana.tokens.access_token;
    await tokensOf(here).rotateSigningKey({ publishSeconds: 10 });
    here.clock.advance(10);
    await ana.refresh();
    const token = ana.tokens.access_token;
    const use = async (text: string) =>
      asleep.browser().get("/api/v1/users/me", { headers: { Authorization: `Bearer ${text}` } });
    return { path, here, asleep, ana, old, token, use };
  }

  test.each([
    ["cannot be read", (path: string) => chmodSync(path, 0o644)],
    ["is half written", (path: string) => writeFileSync(path, readFileSync(path).subarray(0, 300))],
    ["is not there", (path: string) => renameSync(path, `${path}.away`)],
  ])("is 503 while the key file %s, and not 401; those of known keys go on", async (_name, spoil) => {
    const { path, asleep, old, token, use } = await apart();
    const whole = readFileSync(path);
    spoil(path);
    for (let times = 0; times < 3; times++) {
      expect(await use(token)).toMatchObject({ status: 503, body: { code: "store_unavailable" } });
    }
    expect((await use(old)).status).toBe(200);
    await expect(tokensOf(asleep).verify(token)).rejects.toMatchObject({ code: "store_unavailable" });
    expect(asleep.log.filter(({ message }) => message.includes("signing keys could not"))).toHaveLength(1);
    rmSync(path, { force: true });
    writeFileSync(path, whole, { mode: 0o600 });
    expect((await use(token)).status).toBe(200);
    expect(await tokensOf(asleep).verify(token)).toMatchObject({ iss: origin });
    expect((await use(nobodys(token))).status).toBe(401);
    rmSync(path);
    expect((await use(nobodys(token))).status).toBe(503);
    expect(asleep.log.filter(({ message }) => message.includes("signing keys could not"))).toHaveLength(2);
  });

  test("is 401 where the file can be read and has no such key", async () => {
    const { asleep, token, use } = await apart();
    const { status, body } = await use(nobodys(token));
    expect([status, body.code]).toEqual([401, "token_invalid"]);
    expect(asleep.log).toEqual([]);
  });

  test("is revoked by it all the same", async () => {
    const { here, asleep, ana, token } = await apart();
    const { status } = await asleep.browser().post("/api/v1/auth/token/revoke", { token });
    expect(status).toBe(200);
    expect((await ana.send("GET", "/api/v1/users/me")).status).toBe(401);
    expect(await here.audit("token.revoked")).toHaveLength(1);
  });

  test("is not said to be revoked while the key file cannot be read", async () => {
    const { path, asleep, ana, token } = await apart();
    chmodSync(path, 0o644);
    const { status } = await asleep.browser().post("/api/v1/auth/token/revoke", { token });
    expect(status).toBe(503);
    expect((await ana.send("GET", "/api/v1/users/me")).status).toBe(200);
    chmodSync(path, 0o600);
    await tokensOf(asleep).revoke(token);
    expect((await ana.send("GET", "/api/v1/users/me")).status).toBe(401);
  });
});

describe("a rotation of the signing key", () => {
  test("publishes, signs, overlaps and retires, and is on record", async () => {
    const here = fileWorld(place());
    const kids = async () => (await published(here)).keys.map(({ kid }) => kid);
    const signsWith = async () => {
      const { accessToken } = await tokensOf(here).issue((await here.plant()).id);
      return JSON.parse(String(Buffer.from(accessToken.split(".")[0] ?? "", "base64url"))).kid;
    };
    const [first] = await kids();
    const { keyId, signsFrom, formerRetiresAt } = await tokensOf(here).rotateSigningKey({
      publishSeconds: 600,
    });
    expect(await kids()).toEqual([first, keyId]);
    expect(await signsWith()).toBe(first);
    here.clock.advance(599.999);
    expect(await signsWith()).toBe(first);
    here.clock.advance(0.001);
    expect([await signsWith(), here.clock.now()]).toEqual([keyId, signsFrom]);
    here.clock.advance(900 + 30 + 59.999);
    expect(await kids()).toEqual([first, keyId]);
    here.clock.advance(0.001);
    expect([await kids(), here.clock.now()]).toEqual([[keyId], formerRetiresAt]);
    expect(await here.audit("signing_key.rotated")).toMatchObject([{ payload: JSON.stringify({ keyId }) }]);
  });

  test("a retired key signs nobody in, also with a token that was seen before", async () => {
    const path = place();
    const here = fileWorld(path);
    const ana = await tokenClient(here);
    const [key] = JSON.parse(readFileSync(path, "utf8")).keys;
    expect((await ana.send("GET", "/api/v1/users/me")).status).toBe(200);
    await tokensOf(here).rotateSigningKey({ publishSeconds: 10 });
    here.clock.advance(10 + 990);
    const claims = tokensOf(here).decodeUnverified(ana.tokens.access_token);
    const forged = await new SignJWT({ ...claims, exp: here.clock.now().getTime() / 1000 + 900 })
      .setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid: key.jwk.kid })
      .sign(await importJWK(key.jwk));
    expect((await ana.send("GET", "/api/v1/users/me", undefined, forged)).status).toBe(401);
  });

  test("is refused too soon, too late and twice at once", async () => {
    const path = place();
    const here = fileWorld(path);
    for (const publishSeconds of [0, 9, 1.5, 3_000_000]) {
      await expect(tokensOf(here).rotateSigningKey({ publishSeconds })).rejects.toThrow(TypeError);
    }
    writeFileSync(`${path}.lock`, "");
    await expect(tokensOf(here).rotateSigningKey()).rejects.toThrow(/another rotation/);
  });

  test("is picked up by other processes by themselves, and by a token that names a key that they do not know", async () => {
    const path = place();
    const here = tokenWorld({ origin }, { keys: signingKeyFile({ path, pollSeconds: 3_600 }) });
    const polling = tokenAgain(here, {}, { keys: signingKeyFile({ path, pollSeconds: 0.01 }) });
    const asleep = tokenAgain(here, {}, { keys: signingKeyFile({ path, pollSeconds: 3_600 }) });
    const ana = await tokenClient(here);
    const { keyId } = await tokensOf(here).rotateSigningKey({ publishSeconds: 10 });
    await until(() =>
      tokensOf(polling)
        .publicKeys()
        .some(({ kid }) => kid === keyId),
    );
    expect(tokensOf(asleep).publicKeys()).toHaveLength(1);
    here.clock.advance(10);
    await ana.refresh();
    const request = { headers: { Authorization: `Bearer ${ana.tokens.access_token}` } };
    expect((await asleep.browser().get("/api/v1/users/me", request)).status).toBe(200);
  });

  test("twice under load answers not one 401, in any of three processes", { timeout: 60_000 }, async () => {
    const path = place();
    const here = tokenWorld(
      { origin, session: { maxPerUser: 0 } },
      { keys: signingKeyFile({ path, pollSeconds: 0.01 }) },
    );
    const others = [0, 1].map(() =>
      tokenAgain(here, {}, { keys: signingKeyFile({ path, pollSeconds: 0.01 }) }),
    );
    const all = [here, ...others];
    const first = await tokenClient(here);
    const clients = [first, ...(await Promise.all([1, 2, 3].map(() => signedInClient(here, first.userId))))];
    const statuses = new Map<number, number>();
    const kids = new Set<string>();
    const count = (status: number) => statuses.set(status, (statuses.get(status) ?? 0) + 1);
    let isOver = false;
    const load = clients.map(async (client, index) => {
      let turn = index;
      while (!isOver) {
        const at = all[turn % all.length] as World;
        const headers = { Authorization: `Bearer ${client.tokens.access_token}` };
        count((await at.browser().get("/api/v1/users/me", { headers })).status);
        kids.add(
          String(
            JSON.parse(String(Buffer.from(client.tokens.access_token.split(".")[0] ?? "", "base64url"))).kid,
          ),
        );
        if (turn % 5 === 0) count((await client.refresh()).status);
        turn++;
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    for (let rotation = 0; rotation < 2; rotation++) {
      await tokensOf(all[rotation] as World).rotateSigningKey({ publishSeconds: 10 });
      const goal = (statuses.get(200) ?? 0) + 300;
      await until(() => all.every((each) => tokensOf(each).signingKeys().length >= 2));
      // Through publication, takeover and overlap, at a pace at which tokens are refreshed before they expire.
      for (let step = 0; step < 40; step++) {
        here.clock.advance(30);
        const next = (statuses.get(200) ?? 0) + 40;
        await until(() => (statuses.get(200) ?? 0) >= next || statuses.size > 1);
      }
      expect(statuses.get(200)).toBeGreaterThan(goal);
    }
    isOver = true;
    await Promise.all(load);
    expect([...statuses.keys()]).toEqual([200]);
    expect(kids.size).toBe(3);
    expect(tokensOf(here).publicKeys()).toHaveLength(1);
  });
});

describe("fixed keys", () => {
  test("sign with the first, verify with all, and are not rotated", async () => {
    const path = place();
    createSigningKeyFile({ path });
    createSigningKeyFile({ path: `${path}2` });
    const [one, two] = [path, `${path}2`].map((each) => JSON.parse(readFileSync(each, "utf8")).keys[0].jwk);
    const old = tokenWorld({}, { keys: [two] });
    const ana = await tokenClient(old);
    const here = tokenAgain(old, {}, { keys: [one, two] });
    expect(await tokensOf(here).verify(ana.tokens.access_token)).toMatchObject({ sub: ana.userId });
    const { accessToken } = await tokensOf(here).issue(ana.userId);
    expect(await tokensOf(old).verify(accessToken)).toBeNull();
    expect(tokensOf(here).publicKeys()).toHaveLength(2);
    await expect(tokensOf(here).rotateSigningKey()).rejects.toThrow(/fixed/);
  });

  test("that are public, secrets or of one name are refused", () => {
    const path = place();
    createSigningKeyFile({ path });
    const { d: _, ...half } = JSON.parse(readFileSync(path, "utf8")).keys[0].jwk;
    expect(() => tokenWorld({}, { keys: [half] })).toThrow(/private key/);
    expect(() => tokenWorld({}, { keys: [{ kty: "oct", alg: "HS256", k: "A".repeat(43) }] })).toThrow(
      /private key/,
    );
    expect(() => tokenWorld({}, { keys: [] })).toThrow(/no signing key/);
  });
});
