import { generateKeyPairSync } from "node:crypto";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { exportJWK, SignJWT } from "jose";
import { expect, onTestFinished, test } from "vitest";
import { signingKeyFile } from "../../src/jwt/key-file.ts";
import { type VerifierOptions, verifier } from "../../src/jwt/verifier.ts";
import { testClock } from "../../src/testing/clock.ts";
import { temporaryDirectory } from "../support/backends.ts";
import { tokenClient, tokensOf, tokenWorld } from "../support/token-client.ts";

/** A server on this machine. */
async function listening(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Signer {
  readonly jwk: object;
  sign(claims?: object, header?: object): Promise<string>;
}

const issuer = "https://issuer.example";

async function signer(kid: string): Promise<Signer> {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    jwk: { ...(await exportJWK(publicKey)), kid, alg: "EdDSA", use: "sig" },
    sign: (claims, header) =>
      new SignJWT({ iss: issuer, aud: issuer, sub: "ana", exp: 2_000_000_000, ...claims })
        .setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid, ...header })
        .sign(privateKey),
  };
}

/** A key set on this machine that tests may change, and how often it was asked for. */
async function published(keys: readonly object[]) {
  const state = { keys, asked: 0, status: 200 };
  const origin = await listening((_request, response) => {
    state.asked++;
    response.writeHead(state.status, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ keys: state.keys }));
  });
  const clock = testClock();
  const make = (options: Partial<VerifierOptions> = {}) =>
    verifier({ issuer, jwksUrl: `${origin}/jwks`, now: () => clock.now(), ...options });
  return { state, clock, make };
}

test("a token of a Latchkey is verified elsewhere, by its public keys alone, also across a rotation", async () => {
  const path = join(temporaryDirectory(), "keys.json");
  const here = tokenWorld({ origin: "http://localhost:3000" }, { keys: signingKeyFile({ path }) });
  const origin = await listening(async (request, response) => {
    const answer = await here.auth.handle(new Request(`http://localhost:3000${request.url}`), { ip: null });
    response.writeHead(answer?.status ?? 404).end(await answer?.text());
  });
  const { verify } = verifier({
    issuer: "http://localhost:3000",
    jwksUrl: `${origin}/.well-known/jwks.json`,
    now: () => here.clock.now(),
  });
  const ana = await tokenClient(here);
  expect(await verify(ana.tokens.access_token)).toMatchObject({ sub: ana.userId, gen: 1 });
  here.clock.advance(60);
  await tokensOf(here).rotateSigningKey({ publishSeconds: 10 });
  here.clock.advance(10);
  await ana.refresh();
  expect(await verify(ana.tokens.access_token)).toMatchObject({ sub: ana.userId });
  await here.auth.sessions.revokeAll(ana.userId);
  expect(await verify(ana.tokens.access_token)).toMatchObject({ sub: ana.userId });
  here.clock.advance(930);
  expect(await verify(ana.tokens.access_token)).toBeNull();
});

test("what is forged, foreign or for somebody else is null", async () => {
  const key = await signer("1");
  const { make } = await published([key.jwk]);
  const { verify } = make();
  expect(await verify(await key.sign())).toMatchObject({ sub: "ana" });
  const [header, , signature] = (await key.sign()).split(".");
  const bad = [
    await (await signer("1")).sign(),
    await key.sign({ iss: "https://other.example" }),
    await key.sign({ aud: "https://other.example" }),
    await key.sign({ exp: 1_000_000_000 }),
    await key.sign({ sub: 7 }),
    await key.sign({}, { typ: "JWT" }),
    `${header}.e30.${signature}`,
    "a.b.c",
    "",
  ];
  for (const token of bad) expect(await verify(token)).toBeNull();
});

test("keys are asked for once, however many tokens come at once", async () => {
  const key = await signer("1");
  const { state, make } = await published([key.jwk]);
  const { verify } = make();
  const token = await key.sign();
  const all = await Promise.all(Array.from({ length: 20 }, () => verify(token)));
  expect(all.every((claims) => claims?.sub === "ana")).toBe(true);
  expect(state.asked).toBe(1);
});

test("made-up names of keys cause at most one fetch in 30 s", async () => {
  const [key, next] = [await signer("1"), await signer("2")];
  const { state, clock, make } = await published([key.jwk]);
  const { verify } = make();
  await verify(await key.sign());
  for (let each = 0; each < 10; each++)
    expect(await verify(await key.sign({}, { kid: `made up ${each}` }))).toBeNull();
  expect(state.asked).toBe(1);
  state.keys = [key.jwk, next.jwk];
  clock.advance(30);
  expect(await verify(await next.sign())).toMatchObject({ sub: "ana" });
  expect(state.asked).toBe(2);
});

test("keys that cannot be fetched again go on for a day, and then nothing is known of any token", async () => {
  const key = await signer("1");
  const { state, clock, make } = await published([key.jwk]);
  const { verify } = make();
  const token = await key.sign();
  await verify(token);
  state.status = 500;
  clock.advance(86_399);
  expect(await verify(token)).toMatchObject({ sub: "ana" });
  clock.advance(1);
  await expect(verify(token)).rejects.toThrow(/cannot be had/);
});

test("a key that is withdrawn verifies no more after ten minutes, also what was verified before", async () => {
  const [key, other] = [await signer("1"), await signer("2")];
  const { state, clock, make } = await published([key.jwk]);
  const { verify } = make();
  const token = await key.sign();
  await verify(token);
  state.keys = [other.jwk];
  clock.advance(600);
  // Fetched beside the answer, so that nobody waits for it; known to the next.
  await verify(token);
  await expect.poll(() => verify(token)).toBeNull();
});

test.each<[string, RequestListener]>([
  ["leads elsewhere", (_request, response) => response.writeHead(302, { Location: "/other" }).end()],
  ["is no JSON", (_request, response) => response.end("<html>")],
  ["has a key twice", (_request, response) => response.end('{"keys":[],"keys":[]}')],
  ["holds no key", (_request, response) => response.end('{"keys":[]}')],
  [
    "holds a secret",
    (_request, response) => response.end(`{"keys":[{"kty":"oct","alg":"HS256","k":"${"A".repeat(43)}"}]}`),
  ],
  ["fails", (_request, response) => response.writeHead(500).end()],
  ["breaks off", (request) => request.socket.destroy()],
])("a set that %s says nothing of a token", async (_name, listener) => {
  const origin = await listening(listener);
  const { verify } = verifier({ issuer, jwksUrl: `${origin}/jwks` });
  await expect(verify(await (await signer("1")).sign())).rejects.toThrow(/cannot be had/);
});

test("a set that is larger than any has to be is not read", async () => {
  const key = await signer("1");
  for (const [length, isRead] of [
    [60_000, true],
    [70_000, false],
  ] as const) {
    const text = JSON.stringify({ keys: [key.jwk], padding: "x".repeat(length) });
    const origin = await listening((_request, response) => response.end(text));
    const asked = verifier({ issuer, jwksUrl: `${origin}/jwks` }).verify(await key.sign());
    await expect(
      asked.then(
        () => true,
        () => false,
      ),
    ).resolves.toBe(isRead);
  }
});

test("a set that never comes is given up", async () => {
  const hanging = (_url: string, { signal }: { readonly signal: AbortSignal }): Promise<never> =>
    new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const { verify } = verifier({ issuer, fetch: hanging });
  await expect(verify(await (await signer("1")).sign())).rejects.toThrow(/cannot be had/);
});

test("keys come by https, or from this machine", () => {
  expect(() => verifier({ issuer: "http://issuer.example" })).toThrow(TypeError);
  expect(() => verifier({ issuer: "http://localhost:3000" })).not.toThrow();
});
