import { bearerProof, memoryTokens, type TokenStorage } from "./bearer.ts";
import { cookieProof } from "./csrf.ts";
import type { Proof } from "./proof.ts";
import { failed, ok, type Result, readResult } from "./result.ts";
import { cell, type Subscribable } from "./subscribable.ts";
import type {
  ClientUser,
  LoginInput,
  ProfileInput,
  RegisterInput,
  SessionAnswer,
  SignedInAnswer,
  TokenAnswer,
} from "./wire.ts";

export type { StoredTokens, TokenStorage } from "./bearer.ts";
export { memoryTokens } from "./bearer.ts";
export type { ClientError, LocalCode, Result } from "./result.ts";
export type { Subscribable } from "./subscribable.ts";
export type { ClientUser, LoginInput, ProfileInput, RegisterInput } from "./wire.ts";

/** Settings of {@link createClient}; each has a default in a browser. */
export interface ClientOptions {
  /** Where Latchkey's routes lie. Default `/api/v1` of the page; outside of browsers an absolute URL. */
  readonly baseUrl?: string;
  /** `cookie`: the browser's session. `tokens`: access and refresh tokens, for programs and apps. Default `cookie`. */
  readonly proof?: "cookie" | "tokens";
  /** Where tokens lie. Default {@link memoryTokens}. */
  readonly tokens?: TokenStorage;
  /** Milliseconds that an answer may take. Default 15,000. */
  readonly timeoutMs?: number;
  /** Default the platform's. */
  readonly fetch?: typeof fetch;
}

/** Who is signed in, as far as this client knows. */
export interface SessionState {
  /** `unknown` until the server was asked, or has answered. */
  readonly status: "unknown" | "signed-in" | "signed-out";
  readonly user: ClientUser | null;
}

/** What a request of the application's own may say besides its body. */
export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The way to a Latchkey server from a browser or from Node. Nothing of it rejects: see {@link Result}. */
export interface Client {
  /** Who is signed in. Other tabs of the page signing in or out change it as well. */
  readonly session: Subscribable<SessionState>;
  /** Asks the server who is signed in; call it once at start. */
  load(): Promise<Result<SessionState>>;
  /** Creates an account; where that signs in, it has signed in. */
  register(input: RegisterInput): Promise<Result<ClientUser | null>>;
  login(input: LoginInput): Promise<Result<ClientUser>>;
  /** Ends the session. Signed out on this side in any case; the error says whether the server knows. */
  logout(): Promise<Result<null>>;
  /** Ends every session of the user. */
  logoutAll(): Promise<Result<null>>;
  /** Confirms the password, for what needs a fresh proof (`fresh_auth_required`). */
  reauthenticate(password: string): Promise<Result<ClientUser>>;
  changePassword(passwords: { readonly current: string; readonly next: string }): Promise<Result<ClientUser>>;
  updateProfile(changes: ProfileInput): Promise<Result<ClientUser>>;
  /** Requests of the application's own, with the proof: `path` is of the server's origin, `/orders`. Bodies are JSON. */
  get<T>(path: string, options?: RequestOptions): Promise<Result<T>>;
  post<T>(path: string, body?: unknown, options?: RequestOptions): Promise<Result<T>>;
  put<T>(path: string, body?: unknown, options?: RequestOptions): Promise<Result<T>>;
  patch<T>(path: string, body?: unknown, options?: RequestOptions): Promise<Result<T>>;
  delete<T>(path: string, options?: RequestOptions): Promise<Result<T>>;
  /** A request with the proof, as it is: for streams, files and forms. @throws as `fetch`; TypeError for another origin */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Stops hearing other tabs. */
  close(): void;
}

const unknown: SessionState = Object.freeze({ status: "unknown", user: null });
const signedOut: SessionState = Object.freeze({ status: "signed-out", user: null });

/**
 * Makes a client.
 *
 * ```ts
 * const client = createClient();
 * const { data, error } = await client.login({ email, password });
 * if (error) show(error.message);
 * await client.post("/orders", { item: 1 });
 * ```
 *
 * @throws TypeError where there is no page and `baseUrl` is not absolute
 */
export function createClient(options: ClientOptions = {}): Client {
  const page = (globalThis as { location?: { href: string; origin: string } }).location;
  const base = new URL(`${(options.baseUrl ?? "/api/v1").replace(/\/$/, "")}/`, page?.href);
  const timeoutMs = options.timeoutMs ?? 15_000;
  const doFetch = options.fetch ?? fetch;
  const state = cell<SessionState>(unknown);
  const proof = proofOf(options, base, page?.origin);
  const tabs = openTabs(`latchkey ${base.href}`, () => load());
  /** Counts what signs in or out, so that an answer to an older question never overwrites a newer truth. */
  let turn = 0;

  async function send(url: string, init: RequestInit): Promise<Response> {
    const limit = AbortSignal.timeout(timeoutMs);
    const signal = init.signal ? AbortSignal.any([init.signal, limit]) : limit;
    return doFetch(url, { ...init, signal });
  }

  // The proof goes to its own server and nowhere else, whatever a path was made of.
  function urlOf(path: string, from: URL | string): string {
    const url = new URL(path, from);
    if (url.origin === base.origin) return url.href;
    throw new TypeError(`${url.origin} is not the server of this client`);
  }

  async function ask<T>(url: string, init: RequestInit): Promise<Result<T>> {
    try {
      return await readResult<T>(await proof.send(url, init, send));
    } catch (thrown) {
      if (thrown instanceof Error && thrown.name === "TimeoutError") {
        return failed("timeout", "The server did not answer in time.");
      }
      if (init.signal?.aborted) return failed("aborted", "The request was given up.");
      return failed("network_error", "The server cannot be reached.");
    }
  }

  /** One of Latchkey's own routes. */
  async function own<T>(method: string, path: string, body?: unknown): Promise<Result<T>> {
    const result = await ask<T>(urlOf(path, base), withJson(method, body));
    if (result.error === null) proof.heard(result.data);
    return result;
  }

  function become(next: SessionState): void {
    turn++;
    state.set(next);
    tabs.tell();
  }

  async function load(): Promise<Result<SessionState>> {
    const asked = turn;
    const { data, error } = await own<SessionAnswer>("GET", "auth/session");
    if (error !== null) return { data: null, error };
    const next = data.user === null ? signedOut : ({ status: "signed-in", user: data.user } as const);
    if (asked === turn && !isSame(state.get(), next)) state.set(next);
    return ok(state.get());
  }

  async function signIn(path: string, body: unknown): Promise<Result<ClientUser>> {
    const { data, error } = await own<SignedInAnswer>("POST", path, body);
    if (error !== null) return { data: null, error };
    become({ status: "signed-in", user: data.user });
    return ok(data.user);
  }

  async function signInByTokens({ remember: _, ...body }: LoginInput): Promise<Result<ClientUser>> {
    proof.forget();
    const issued = await own<TokenAnswer>("POST", "auth/token", body);
    if (issued.error !== null) return issued;
    const { data, error } = await own<ClientUser>("GET", "users/me");
    if (error !== null) return { data: null, error };
    become({ status: "signed-in", user: data });
    return ok(data);
  }

  async function signOut(path: string, body?: unknown): Promise<Result<null>> {
    const { error } = await own("POST", path, body);
    // Who is signed out already has what they asked for.
    const isOver = error === null || error.status === 401;
    proof.forget();
    become(signedOut);
    return isOver ? ok(null) : { data: null, error };
  }

  /** A request of the application's own. */
  async function request<T>(
    method: string,
    path: string,
    body: unknown,
    { headers, signal }: RequestOptions = {},
  ): Promise<Result<T>> {
    const init = withJson(method, body, headers);
    const result = await ask<T>(urlOf(path, base), signal === undefined ? init : { ...init, signal });
    // One route may want another proof than the one that the client has: the server says whether it is still good.
    if (result.error?.status === 401 && state.get().status === "signed-in") await load();
    return result;
  }

  const usesTokens = options.proof === "tokens";
  return {
    session: { get: state.get, subscribe: state.subscribe },
    load,
    async register(input) {
      if (usesTokens) {
        const made = await own<Partial<SignedInAnswer>>("POST", "auth/register", input);
        return made.error === null ? signInByTokens(input) : made;
      }
      const { data, error } = await own<Partial<SignedInAnswer>>("POST", "auth/register", input);
      if (error !== null) return { data: null, error };
      // Without a session the answer says nothing of when it ends.
      const user = data?.user ?? null;
      if (user !== null && data?.expires_at != null) become({ status: "signed-in", user });
      return ok(user);
    },
    login: (input) => (usesTokens ? signInByTokens(input) : signIn("auth/login", input)),
    logout: () => signOut("auth/logout"),
    logoutAll: () => signOut("auth/logout-all"),
    reauthenticate: (password) => signIn("auth/reauthenticate", { password }),
    async changePassword({ current, next }) {
      const body = { current_password: current, new_password: next };
      const { data, error } = await own<SignedInAnswer>("PUT", "users/me/password", body);
      if (error !== null) return { data: null, error };
      become({ status: "signed-in", user: data.user });
      return ok(data.user);
    },
    async updateProfile(changes) {
      const result = await own<ClientUser>("PATCH", "users/me", changes);
      if (result.data !== null) become({ status: "signed-in", user: result.data });
      return result;
    },
    get: (path, more) => request("GET", path, undefined, more),
    post: (path, body, more) => request("POST", path, body, more),
    put: (path, body, more) => request("PUT", path, body, more),
    patch: (path, body, more) => request("PATCH", path, body, more),
    delete: (path, more) => request("DELETE", path, undefined, more),
    fetch: async (path, init = {}) => proof.send(urlOf(path, base), init, send),
    close: tabs.close,
  };
}

function proofOf(options: ClientOptions, base: URL, pageOrigin: string | undefined): Proof {
  if (options.proof === "tokens") {
    return bearerProof({
      refreshUrl: new URL("auth/token/refresh", base).href,
      storage: options.tokens ?? memoryTokens(),
      alone: (work) => aloneInBrowser(`latchkey ${base.href}`, work),
      now: () => Date.now(),
    });
  }
  return cookieProof({
    csrfUrl: new URL("auth/csrf", base).href,
    credentials: pageOrigin === base.origin ? "same-origin" : "include",
    cookies: () =>
      pageOrigin === base.origin
        ? ((globalThis as { document?: { cookie: string } }).document?.cookie ?? "")
        : "",
  });
}

// Where there are no locks there is one tab, or each has tokens of its own.
async function aloneInBrowser<T>(name: string, work: () => Promise<T>): Promise<T> {
  const { locks } = (globalThis.navigator ?? {}) as Partial<Navigator>;
  return locks === undefined ? work() : ((await locks.request(name, work)) as T);
}

function withJson(method: string, body: unknown, more: RequestOptions["headers"] = {}): RequestInit {
  const headers = { Accept: "application/json", ...more };
  if (body === undefined) return { method, headers };
  return { method, headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body) };
}

// The same object as long as nothing changed, so that a page is not drawn anew for nothing.
function isSame(one: SessionState, other: SessionState): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The other tabs of the page; in a browser alone, since an open channel keeps Node running. */
function openTabs(name: string, changed: () => unknown): { tell(): void; close(): void } {
  if (!("document" in globalThis) || typeof BroadcastChannel === "undefined")
    return { tell() {}, close() {} };
  const channel = new BroadcastChannel(name);
  channel.onmessage = () => changed();
  return { tell: () => channel.postMessage("changed"), close: () => channel.close() };
}
