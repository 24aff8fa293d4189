import type { Auth } from "../auth.ts";
import { type CookieJar, cookieJar, type TestCookie } from "./cookie-jar.ts";
import { asking, type TestApp } from "./test-app.ts";
import { worldOf } from "./worlds.ts";

/** Where a client's requests go, and where they come from. */
export interface ClientOptions {
  /** Default: Latchkey's own routes alone. */
  readonly app?: TestApp;
  /** Address of the client, where the application is a handler. Default `192.0.2.10`. */
  readonly ip?: string;
  /** Default `TestClient/1.0`. */
  readonly userAgent?: string;
}

/** What a request carries besides what the client sends by itself. */
export interface TestRequest {
  /** Sent in place of the client's own; null leaves one out. */
  readonly headers?: Readonly<Record<string, string | null>>;
  /** `follow`: up to 20 redirects within the origin. Default `manual`: the redirect is the answer. */
  readonly redirect?: "follow" | "manual";
  readonly signal?: AbortSignal;
}

/** What is sent: text, forms and bytes as they are, anything else as JSON. */
export type TestBody = string | URLSearchParams | FormData | Blob | Uint8Array<ArrayBuffer> | object;

/** A `Response` whose JSON is said to be a `T`; nothing checks it. */
export interface TestAnswer<T> extends Response {
  json(): Promise<T>;
}

/** A browser with a page of the site open: cookies are kept, scripts send the CSRF token, and redirects are seen. */
export interface TestClient {
  readonly origin: string;
  /** The cookies that it holds now. */
  cookies(): readonly TestCookie[];
  /** Sends any request. @throws TypeError for an address of another origin */
  fetch<T = unknown>(
    path: string,
    request?: TestRequest & { readonly method?: string; readonly body?: TestBody },
  ): Promise<TestAnswer<T>>;
  get<T = unknown>(path: string, request?: TestRequest): Promise<TestAnswer<T>>;
  delete<T = unknown>(path: string, request?: TestRequest): Promise<TestAnswer<T>>;
  post<T = unknown>(path: string, body?: TestBody, request?: TestRequest): Promise<TestAnswer<T>>;
  put<T = unknown>(path: string, body?: TestBody, request?: TestRequest): Promise<TestAnswer<T>>;
  patch<T = unknown>(path: string, body?: TestBody, request?: TestRequest): Promise<TestAnswer<T>>;
  /** The cookies as Playwright's `storageState` takes them. */
  storageState(): StorageState;
}

/** A file of Playwright's `storageState`. */
export interface StorageState {
  readonly cookies: readonly {
    readonly name: string;
    readonly value: string;
    readonly domain: string;
    readonly path: string;
    /** Seconds since 1970; -1 for one that ends with the browser. */
    readonly expires: number;
    readonly httpOnly: boolean;
    readonly secure: boolean;
    readonly sameSite: "Strict" | "Lax" | "None";
  }[];
  readonly origins: readonly never[];
}

/** Where requests of clients come from, unless something else is said. */
export const usualPeer = { ip: "192.0.2.10", userAgent: "TestClient/1.0" } as const;
const mostRedirects = 20;

/** A client whom nobody knows. @throws TypeError for an `app` that cannot be asked */
export function visitor(auth: Auth, options: ClientOptions = {}): TestClient {
  return clientOf(auth, options);
}

/** A client with cookies and headers to begin with. */
export function clientOf(
  auth: Auth,
  options: ClientOptions,
  own: { readonly setCookies?: readonly string[]; readonly headers?: Readonly<Record<string, string>> } = {},
): TestClient {
  const { app = auth.handle, ip = usualPeer.ip, userAgent = usualPeer.userAgent } = options;
  const { origin, cookie } = auth.config;
  const ask = asking(app);
  const jar = cookieJar();
  jar.keep(own.setCookies ?? []);

  async function once(method: string, url: URL, body: TestBody | undefined, request: TestRequest) {
    const headers = headersOf(jar, { method, origin, path: url.pathname, csrfCookie: `${cookie.name}-csrf` });
    headers.set("User-Agent", userAgent);
    const [content, type] = contentOf(body);
    if (type !== null) headers.set("Content-Type", type);
    for (const [name, value] of Object.entries({ ...own.headers, ...request.headers })) {
      if (value === null) headers.delete(name);
      else headers.set(name, value);
    }
    const { signal } = request;
    const init = {
      method,
      headers,
      ...(content !== undefined && { body: content }),
      ...(signal && { signal }),
    };
    const answer = await ask(new Request(url, init), ip);
    jar.keep(answer.headers.getSetCookie());
    await worldOf(auth)?.answered();
    return answer;
  }

  const client: TestClient = {
    origin,
    cookies: () => jar.all(),
    async fetch(path, { method = "GET", body, ...request } = {}) {
      let [to, how, what] = [within(origin, path), method, body];
      for (let hops = 0; ; hops++) {
        const answer = await once(how, to, what, request);
        const next = request.redirect === "follow" ? nextOf(answer, to) : null;
        if (next === null || hops === mostRedirects) return answer as TestAnswer<never>;
        to = next;
        if (isTurnedIntoGet(answer.status, how)) [how, what] = ["GET", undefined];
      }
    },
    get: (path, request) => client.fetch(path, request),
    delete: (path, request) => client.fetch(path, { ...request, method: "DELETE" }),
    post: (path, body, request) => client.fetch(path, { ...request, method: "POST", body }),
    put: (path, body, request) => client.fetch(path, { ...request, method: "PUT", body }),
    patch: (path, body, request) => client.fetch(path, { ...request, method: "PATCH", body }),
    storageState: () => ({ cookies: jar.all().map((each) => storedCookie(each, origin)), origins: [] }),
  };
  return client;
}

interface Sending {
  readonly method: string;
  readonly origin: string;
  readonly path: string;
  readonly csrfCookie: string;
}

// What a browser sends by itself, and the token that a script of the site sends with what changes something.
function headersOf(jar: CookieJar, { method, origin, path, csrfCookie }: Sending): Headers {
  const headers = new Headers({ "Sec-Fetch-Site": "same-origin" });
  const cookies = jar.header(path);
  if (cookies !== null) headers.set("Cookie", cookies);
  if (method === "GET" || method === "HEAD") return headers;
  headers.set("Origin", origin);
  const token = jar.value(csrfCookie);
  if (token !== null) headers.set("X-CSRF-Token", token);
  return headers;
}

function contentOf(body: TestBody | undefined): [RequestInit["body"], string | null] {
  if (body === undefined || typeof body === "string") return [body, null];
  const isReady =
    body instanceof URLSearchParams ||
    body instanceof FormData ||
    body instanceof Blob ||
    body instanceof Uint8Array;
  return isReady ? [body, null] : [JSON.stringify(body), "application/json"];
}

function within(origin: string, path: string): URL {
  const url = new URL(path, origin);
  if (url.origin === origin) return url;
  throw new TypeError(`this client knows ${origin} alone, and not ${url.origin}`);
}

/** Where a redirect leads within the origin; null where the answer is none. */
function nextOf({ status, headers }: Response, from: URL): URL | null {
  const location = headers.get("location");
  if (location === null || ![301, 302, 303, 307, 308].includes(status)) return null;
  const to = new URL(location, from);
  return to.origin === from.origin ? to : null;
}

/** @see WHATWG Fetch, section 4.4, "HTTP-redirect fetch" */
function isTurnedIntoGet(status: number, method: string): boolean {
  if (status === 303) return method !== "GET" && method !== "HEAD";
  return (status === 301 || status === 302) && method === "POST";
}

function storedCookie(
  { domain, maxAgeSeconds, ...cookie }: TestCookie,
  origin: string,
): StorageState["cookies"][number] {
  // A real browser reads it, in its own time.
  const expires = maxAgeSeconds === null ? -1 : Math.floor(Date.now() / 1000) + maxAgeSeconds;
  return { ...cookie, domain: domain === null ? new URL(origin).hostname : `.${domain}`, expires };
}
