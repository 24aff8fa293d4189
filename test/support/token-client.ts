import { type Tokens, type TokensOptions, tokens } from "../../src/features/tokens.ts";
import type { Answer, Browser } from "./browser.ts";
import { password, type World, type WorldOptions, world } from "./world.ts";

const apis = new WeakMap<World, Tokens>();

/** A world with the feature `tokens`. */
export function tokenWorld(options: WorldOptions = {}, settings: TokensOptions = {}): World {
  const feature = tokens(settings);
  const here = world({ ...options, features: [feature, ...(options.features ?? [])] });
  apis.set(here, here.auth.use(feature));
  return here;
}

/** The same stores under another `createAuth` with the feature, as the next process has them. */
export function tokenAgain(here: World, options: WorldOptions = {}, settings: TokensOptions = {}): World {
  const feature = tokens(settings);
  const again = here.again({ ...options, features: [feature] });
  apis.set(again, again.auth.use(feature));
  return again;
}

/** What the feature `tokens` of a world offers. */
export function tokensOf(here: World): Tokens {
  const api = apis.get(here);
  if (api === undefined) throw new Error("made by tokenWorld alone");
  return api;
}

/** Tokens as the wire has them. */
export interface WireTokens {
  readonly access_token: string;
  readonly token_type: string;
  readonly expires_in: number;
  readonly refresh_token?: string;
}

/** A program that signs in for tokens and sends them; it has no cookies. */
export interface TokenClient {
  readonly userId: string;
  tokens: WireTokens;
  /** Sends a request with the access token, or the one given. */
  send(method: string, path: string, json?: unknown, token?: string): Promise<Answer>;
  /** Redeems the refresh token, or the one given, and keeps what comes back. */
  refresh(token?: string): Promise<Answer>;
}

/** Asks for tokens with a password. */
export async function askForTokens(here: World, email = "ana@example.com"): Promise<Answer> {
  return program(here).post("/api/v1/auth/token", { email, password });
}

/** Somebody new, and a program of theirs that has signed in for tokens. */
export async function tokenClient(here: World, email = "ana@example.com"): Promise<TokenClient> {
  const { userId } = await here.registered(email);
  return signedInClient(here, userId, email);
}

/** Another program of somebody who is registered. */
export async function signedInClient(
  here: World,
  userId: string,
  email = "ana@example.com",
): Promise<TokenClient> {
  const answer = await askForTokens(here, email);
  if (answer.status !== 200) throw new Error(`/auth/token answered ${answer.status}: ${answer.text}`);
  const client: TokenClient = {
    userId,
    tokens: wireTokens(answer),
    send: (method, path, json, token = client.tokens.access_token) =>
      program(here).send(method, path, { ...(json !== undefined && { json }), headers: bearer(token) }),
    async refresh(token = client.tokens.refresh_token) {
      const got = await program(here).post("/api/v1/auth/token/refresh", { refresh_token: token });
      if (got.status === 200) client.tokens = wireTokens(got);
      return got;
    },
  };
  return client;
}

/** The tokens of an answer. */
export function wireTokens({ body }: Pick<Answer, "body">): WireTokens {
  return body as unknown as WireTokens;
}

/** The header that carries an access token. */
export function bearer(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}

// No browser: neither cookies nor the headers that browsers add.
function program(here: World): Browser {
  const browser = here.browser();
  const plain = { "Sec-Fetch-Site": null, Origin: null };
  const send: Browser["send"] = (method, path, options) =>
    browser.send(method, path, { ...options, headers: { ...plain, ...options?.headers } });
  return { ...browser, send, post: (path, json, options) => send("POST", path, { json, ...options }) };
}
