import { deepStrictEqual, doesNotMatch, match, ok, strictEqual } from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, type RequestListener, request } from "node:http";
import { type NextParts, next } from "../../src/adapters/next.ts";
import { type Auth, createAuth } from "../../src/auth.ts";
import type { AuthEvent } from "../../src/domain/event.ts";
import { passwords } from "../../src/features/passwords.ts";
import { anyone, guard, signedIn, skipIfAuthenticated } from "../../src/guards/guards.ts";
import { argon2id } from "../../src/password/argon2id.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { memory } from "../../src/stores/memory.ts";
import type { NextCase } from "./next-cases.ts";
import { listening, share } from "./next-harness.ts";

const password = "correct horse battery staple";
const email = "ada@example.com";
const page = { accept: "text/html", "sec-fetch-mode": "navigate", "sec-fetch-site": "same-origin" };

interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: FormData | string;
}

interface Got {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  readonly cookies: ReadonlyMap<string, string>;
}

/** One application: its pages and actions, and somebody who has registered. */
interface Site {
  readonly auth: Auth;
  readonly heard: string[];
  readonly events: AuthEvent[];
  /** How often a session was looked up. */
  lookups(): number;
  readonly ada: Map<string, string>;
  ask(path: string, jar: Map<string, string>, sent?: Sent): Promise<Got>;
  /** Posts a form of the page `/site`; by script, as Next's client does, or as a browser without. */
  act(form: string, jar: Map<string, string>, how: Acting): Promise<Got>;
}

interface Acting {
  readonly fields?: Readonly<Record<string, string>>;
  readonly byScript: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** Which page posts it. Default `/site`. */
  readonly at?: string;
}

// Next loads the modules of the application once; what they hold leads to whichever auth a case has made.
let current: Auth | null = null;
const heard: string[] = [];
share("latchkey.next-app.test", {
  auth: new Proxy({}, { get: (_, key) => Reflect.get(whichever(), key) }),
  heard,
  open: anyone(),
  staff: guard("staff", () => false),
  pages: {
    "/site/members": [signedIn()],
    "/site/login": [skipIfAuthenticated("/site/members")],
  },
});
share("latchkey.next-app.site", (parts: NextParts) =>
  next(new Proxy({} as Auth, { get: (_, key) => Reflect.get(whichever(), key) }), parts),
);

// Next's server loads them before there is any case.
function whichever(): Auth {
  current ??= authOn(memory(), 0, []);
  return current;
}

/** What the pages, actions and proxy of an application on Next keep to. */
export function pageCases(listener: () => RequestListener): readonly NextCase[] {
  return Object.entries(rules).map(([name, rule]) => ({ name, run: () => onSite(listener(), rule) }));
}

type Rule = (site: Site) => Promise<void>;

const rules: Readonly<Record<string, Rule>> = {
  "a page knows who it is for, and asks the store once however many ask": async ({ ask, ada, lookups }) => {
    match((await ask("/site", new Map())).text, /Hello, <!-- -->Anonymous/);
    const before = lookups();
    match((await ask("/site", ada)).text, /Hello, <!-- -->Ada/);
    strictEqual(lookups() - before, 1);
  },

  "a page that needs somebody sends others to the sign-in page": async ({ ask, ada }) => {
    const sent = await ask("/site/outside", new Map(), { headers: page });
    deepStrictEqual([sent.status, sent.headers.location], [307, "/login"]);
    match((await ask("/site/outside", ada)).text, /Inside: Ada/);
  },

  "a guard's refusal shows nothing of the page and nothing of the reason": async ({ ask, ada }) => {
    const refused = await ask("/site/staff", ada);
    strictEqual(refused.status, 500);
    doesNotMatch(refused.text, /Staff:|not staff/);
  },

  "an action by script runs for who is signed in": async ({ act, ada, heard, auth }) => {
    const { status } = await act("rename", ada, { byScript: true, fields: { name: "Grace" } });
    const user = await auth.users.findByIdentifier(email);
    deepStrictEqual([status, heard], [200, [`${user?.id} Ada becomes Grace`]]);
  },

  "an action of a form without scripts needs the form's token": async ({ act, ada, heard }) => {
    const token = ada.get("latchkey-csrf") ?? "";
    const done = await act("rename", ada, { byScript: false, fields: { _token: token, name: "Grace" } });
    deepStrictEqual([done.status, heard.length], [200, 1]);
    for (const fields of [{ _token: "" }, { _token: "c1.someoneelses" }] as const) {
      const { status } = await act("rename", ada, { byScript: false, fields });
      deepStrictEqual([status, heard.length], [500, 1]);
    }
  },

  "an action that another site posts does nothing, whether it says so or hides it": async ({
    act,
    ada,
    heard,
  }) => {
    const token = ada.get("latchkey-csrf") ?? "";
    const foreign: readonly Readonly<Record<string, string>>[] = [
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
      { "sec-fetch-site": "", origin: "https://evil.example" },
      { "sec-fetch-site": "", origin: "null" },
    ];
    for (const headers of foreign) {
      for (const byScript of [true, false])
        await act("rename", ada, { byScript, headers, fields: { _token: token } });
    }
    deepStrictEqual(heard, []);
  },

  "an action for who is not signed in leads to the sign-in page": async ({ act, heard }) => {
    const sent = await act("rename", new Map(), { byScript: false });
    deepStrictEqual([sent.status, sent.headers.location, heard], [303, "/login", []]);
  },

  "an action that signs in sets the cookies, and what is rendered after it knows who it is": async ({
    act,
  }) => {
    const jar = new Map<string, string>();
    const signedIn = await act("signIn", jar, { byScript: false, fields: { email, password } });
    strictEqual(signedIn.status, 200);
    match(signedIn.text, /Hello, <!-- -->Ada/);
    deepStrictEqual([...signedIn.cookies.keys()].sort(), ["latchkey", "latchkey-csrf", "latchkey-device"]);
    const lines = signedIn.headers["set-cookie"] ?? [];
    match(lines.find((line) => line.startsWith("latchkey=")) ?? "", /HttpOnly; SameSite=lax$/i);
    ok(!lines.some((line) => line.startsWith("latchkey-csrf=") && /HttpOnly/i.test(line)));
    const out = await act("signOut", jar, { byScript: false });
    match(out.text, /Hello, <!-- -->Anonymous/);
    strictEqual(out.cookies.get("latchkey"), "");
  },

  "an action that signs in and leads on keeps its cookies": async ({ act }) => {
    const jar = new Map<string, string>();
    const sent = await act("signIn", jar, { byScript: false, fields: { email, password, leave: "yes" } });
    deepStrictEqual([sent.status, sent.headers.location], [303, "/site/members"]);
    ok(sent.cookies.get("latchkey"));
  },

  "a visitor's first data is kept from an action, and not from a page": async ({ ask, act, events }) => {
    const jar = new Map<string, string>();
    const late = await ask("/site?set=1", jar);
    match(late.text, /Said: TypeError: session.set: the headers were sent/);
    deepStrictEqual(
      events.filter(({ type }) => type === "session.started"),
      [],
    );
    await act("choose", jar, { byScript: true });
    ok(jar.get("latchkey"));
    match((await ask("/site", jar)).text, /Said: blue/);
  },

  "what Next throws for itself passes through, with the session that the handler began": async ({
    ask,
    ada,
  }) => {
    const sent = await ask("/site/go", new Map(), {
      method: "POST",
      headers: { "sec-fetch-site": "same-origin" },
    });
    deepStrictEqual([sent.status, sent.headers.location], [307, "/site"]);
    ok(sent.cookies.get("latchkey"));
    strictEqual((await ask("/site/missing", ada)).status, 404);
    strictEqual((await ask("/site/missing", new Map())).status, 401);
  },

  "the proxy sends pages to the sign-in page and back, and tells programs": async ({ ask, ada }) => {
    const sent = await ask("/site/members?a=1", new Map(), { headers: page });
    strictEqual(sent.status, 302);
    match(sent.headers.location ?? "", /\/login\?next=%2Fsite%2Fmembers%3Fa%3D1$/);
    const told = await ask("/site/members", new Map());
    deepStrictEqual([told.status, told.headers["content-type"]], [401, "application/problem+json"]);
    const shown = await ask("/site/members", ada, { headers: page });
    deepStrictEqual([shown.status, shown.headers["cache-control"]?.includes("no-store")], [200, true]);
    match(shown.text, /Member: Ada/);
  },

  "the proxy sends who is signed in on from the sign-in page": async ({ ask, ada }) => {
    strictEqual((await ask("/site/login", new Map(), { headers: page })).status, 200);
    const sent = await ask("/site/login", ada, { headers: page });
    deepStrictEqual([sent.status, sent.headers.location?.endsWith("/site/members")], [302, true]);
  },

  "the proxy clears a stale cookie": async ({ ask, ada, auth }) => {
    const user = await auth.users.findByIdentifier(email);
    await auth.sessions.revokeAll(user?.id ?? "");
    const sent = await ask("/site/members", ada, { headers: page });
    deepStrictEqual([sent.status, sent.cookies.get("latchkey")], [302, ""]);
  },

  "the proxy lets an action on whose form it guards": async ({ act, ada, heard }) => {
    const at = "/site/members";
    strictEqual((await act("rename", ada, { at, byScript: true })).status, 200);
    const fields = { _token: ada.get("latchkey-csrf") ?? "" };
    strictEqual((await act("rename", ada, { at, byScript: false, fields })).status, 200);
    strictEqual(heard.length, 2);
    strictEqual((await act("rename", ada, { at, byScript: false })).status, 403);
  },

  "no spelling of a path comes past the proxy": async ({ ask }) => {
    const disguises: readonly Readonly<Record<string, string>>[] = [
      {},
      { rsc: "1" },
      { "x-middleware-subrequest": "proxy:proxy:proxy:proxy:proxy" },
    ];
    for (const path of [
      "/site/%6dembers",
      "/site//members",
      "//site/members",
      "/site/members/",
      "/site/./members",
      "/site/x/../members",
      "/site%2Fmembers",
      "/SITE/members",
      "/site/members.rsc",
      "/site/members.segments/_tree.segment.rsc",
      "/_next/data/x/site/members.json",
    ]) {
      for (const headers of disguises) {
        const { text } = await ask(path, new Map(), { headers });
        ok(!text.includes("Member:"), `${path} was shown`);
      }
    }
  },

  "whose address nobody tells is nobody's, whatever the request claims": async ({ auth, events }) => {
    const parts = partsOf({ "x-forwarded-for": "203.0.113.9" });
    const input = { identifier: "nobody@example.com", password };
    const attempt = async (options: Parameters<typeof next>[2]) => {
      const { visit } = next(auth, parts, options);
      await auth.users.login(input, await visit()).catch(() => null);
      return events.at(-1)?.ip;
    };
    const untold = { remoteAddress: () => undefined };
    strictEqual(await attempt(untold), null);
    strictEqual(await attempt({ ...untold, trustedProxies: ["0.0.0.0/0"] }), null);
    strictEqual(await attempt({ remoteAddress: () => "192.0.2.3" }), "192.0.2.3");
    const trusted = { remoteAddress: () => "192.0.2.3", trustedProxies: ["192.0.2.3"] };
    strictEqual(await attempt(trusted), "203.0.113.9");
  },

  "below a basePath a redirect is Next's to prefix, once": async ({ auth }) => {
    const sent: string[] = [];
    const below = { ...auth, config: { ...auth.config, loginPath: "/shop/login" } } as Auth;
    const parts = partsOf({}, (path) => sent.push(path));
    for (const basePath of ["/shop", "/sho", ""]) {
      await next(below, parts, { basePath })
        .current()
        .catch(() => null);
    }
    deepStrictEqual(sent, ["/login", "/shop/login", "/shop/login"]);
  },

  "a proxy's path has to begin with a slash": async ({ auth }) => {
    let said = "";
    try {
      next(auth, partsOf({})).proxy({ admin: [signedIn()] });
    } catch (thrown) {
      said = String(thrown);
    }
    match(said, /TypeError: proxy: admin has to begin with a slash/);
  },
};

/** What Next would hand in, for a request that never was on a wire. */
function partsOf(
  sent: Readonly<Record<string, string>>,
  redirected: (path: string) => unknown = () => null,
): NextParts {
  const all = new Headers(sent);
  return {
    headers: async () => all,
    cookies: async () => ({ get: () => undefined, set: () => undefined }),
    redirect: (path) => {
      redirected(path);
      throw new Error("redirected");
    },
    NextResponse: { next: () => new Response(null) },
  };
}

async function onSite(listener: RequestListener, rule: Rule): Promise<void> {
  const stores = memory();
  const events: AuthEvent[] = [];
  let lookups = 0;
  const sessions = new Proxy(stores.sessions, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      return (...given: unknown[]) => {
        if (key === "find") lookups++;
        return Reflect.apply(value, target, given);
      };
    },
  });
  const { port, close } = await listening(listener);
  const auth = authOn({ ...stores, sessions }, port, events);
  current = auth;
  heard.length = 0;
  try {
    const ada = await registered(auth);
    events.length = 0;
    const ask: Site["ask"] = (path, jar, sent = {}) => asked(port, path, jar, sent);
    const act: Site["act"] = (form, jar, how) => acted(ask, form, jar, how);
    await rule({ auth, heard, events, lookups: () => lookups, ada, ask, act });
  } finally {
    await close();
    await auth.close();
  }
}

function authOn(stores: Stores, port: number, events: AuthEvent[]): Auth {
  return createAuth({
    origin: `http://localhost:${port}`,
    secrets: ["a secret of at least thirty-two bytes for pages"],
    stores,
    features: [passwords({ hashers: [argon2id({ memoryKiB: 8, passes: 1 })] })],
    listeners: [(event) => void events.push(event)],
    session: { sweepIntervalSeconds: 0 },
    log: { error: () => undefined, warn: () => undefined },
  });
}

/** The cookies of somebody who has registered. */
async function registered(auth: Auth): Promise<Map<string, string>> {
  const request = { method: "POST", url: "/", headers: new Headers() };
  const { signIn } = await auth.users.register(
    { email, password, name: "Ada" },
    { request, client: { ip: null } },
  );
  const jar = new Map<string, string>();
  const response = auth.seal(new Response(null), signIn?.change ?? {});
  for (const line of response.headers.getSetCookie()) keep(jar, line);
  return jar;
}

async function asked(
  port: number,
  path: string,
  jar: Map<string, string>,
  { method = "GET", headers = {}, body }: Sent,
): Promise<Got> {
  const bytes = body === undefined ? undefined : new Response(body);
  const type = bytes?.headers.get("content-type");
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
  const all = { ...(cookie !== "" && { cookie }), ...(type && { "content-type": type }), ...headers };
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
  const payload = bytes === undefined ? undefined : Buffer.from(await bytes.arrayBuffer());
  const length = payload === undefined ? {} : { "content-length": payload.length };
  const sent = request({
    host: "127.0.0.1",
    port,
    path,
    method,
    headers: { host: `localhost:${port}`, ...given, ...length },
  });
  sent.end(payload);
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of answer.setEncoding("utf8")) text += chunk;
  const cookies = new Map<string, string>();
  for (const line of answer.headers["set-cookie"] ?? []) {
    keep(cookies, line, false);
    keep(jar, line);
  }
  return { status: answer.statusCode ?? 0, headers: answer.headers, text, cookies };
}

function keep(jar: Map<string, string>, line: string, dropsEmpty = true): void {
  const [pair = ""] = line.split(";");
  const at = pair.indexOf("=");
  const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
  if (value === "" && dropsEmpty) jar.delete(name);
  else jar.set(name, value);
}

async function acted(
  ask: Site["ask"],
  form: string,
  jar: Map<string, string>,
  { fields = {}, byScript, headers = {}, at = "/site" }: Acting,
): Promise<Got> {
  const { text } = await ask("/site", jar);
  const [, action = ""] =
    new RegExp(`<form id="${form}"[^>]*>.*?name="\\$ACTION_ID_([0-9a-f]+)"`).exec(text) ?? [];
  ok(action !== "", `no form ${form} in ${text}`);
  const body = new FormData();
  // Next's client sends the arguments of an action as parts of a form, the first of which says where the others are.
  for (const [name, value] of Object.entries(fields)) body.set(byScript ? `_1_${name}` : name, value);
  if (byScript) body.set("0", JSON.stringify(["$K1"]));
  else body.set(`$ACTION_ID_${action}`, "");
  return ask(at, jar, {
    method: "POST",
    body,
    headers: { ...page, ...(byScript && { accept: "text/x-component", "next-action": action }), ...headers },
  });
}
