import type { Feature } from "../../src/features/feature.ts";
import { type OAuthOptions, oauth } from "../../src/features/oauth.ts";
import type { Answer, Browser } from "../support/browser.ts";
import { type World, type WorldOptions, world } from "../support/world.ts";
import type { FickleProvider } from "./fickle-provider.ts";

/** An origin on which providers of this machine may be used. */
export const origin = "http://localhost:3000";
/** Names of its cookies. */
export const sessionCookie = "latchkey";
export const attemptCookie = "latchkey-oauth";

const base = "/api/v1/auth/oauth";

/** A world in which people sign in with these providers. */
export function oauthWorld(
  providers: readonly FickleProvider[],
  {
    feature = {},
    beside = [],
    ...options
  }: WorldOptions & {
    readonly feature?: Partial<OAuthOptions>;
    readonly beside?: readonly Feature<unknown>[];
  } = {},
): World & { readonly oauth: ReturnType<typeof oauthFeature> } {
  const added = oauthFeature(providers, feature);
  return Object.assign(world({ origin, ...options, features: [added, ...beside] }), { oauth: added });
}

function oauthFeature(providers: readonly FickleProvider[], options: Partial<OAuthOptions>) {
  return oauth({
    providers: providers.map((each) => each.provider()),
    calls: { timeoutMs: 10_000 },
    ...options,
  });
}

/** Begins a sign-in; the address at the provider. */
export async function begin(browser: Browser, query = "", name = "fickle"): Promise<string> {
  const { status, body, text } = await browser.get(`${base}/${name}${query}`);
  if (status !== 200) throw new Error(`the start answered ${status}: ${text}`);
  return String(body.url);
}

/** Begins to link; the address at the provider. */
export async function beginLink(browser: Browser, name = "fickle"): Promise<string> {
  const { status, body, text } = await browser.post(`${base}/${name}/link`);
  if (status !== 200) throw new Error(`the start answered ${status}: ${text}`);
  return String(body.url);
}

/** Brings an answer back. */
export function bring(
  browser: Browser,
  parameters: URLSearchParams,
  { name = "fickle", page = false }: { readonly name?: string; readonly page?: boolean } = {},
): Promise<Answer> {
  const headers = {
    "Sec-Fetch-Site": "cross-site",
    ...(page && { "Sec-Fetch-Mode": "navigate", Accept: "text/html" }),
  };
  return browser.get(`${base}/callback/${name}?${parameters}`, { headers });
}

/** The whole way: start, provider, callback. */
export async function signIn(
  browser: Browser,
  provider: FickleProvider,
  options: { readonly query?: string; readonly page?: boolean } = {},
): Promise<Answer> {
  const url = await begin(browser, options.query);
  return bring(browser, provider.authorize(url), options);
}

/** Reasons of the refusals that are on record, in order. */
export async function refusals(of: World): Promise<readonly string[]> {
  const rows = await of.audit("oauth.refused");
  return rows.map(({ payload }) => String((JSON.parse(payload) as { reason: unknown }).reason));
}
