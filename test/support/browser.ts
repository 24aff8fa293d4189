import type { ClientInfo, RouteRequest } from "../../src/ports/request.ts";

/** What a browser talks to: `auth.handle`, or a bound handler. */
export type Answering = (request: Request, client: ClientInfo) => Promise<Response | null>;

/** A cookie as an answer sets it; attribute names in lower case. */
export interface SetCookie {
  readonly name: string;
  readonly value: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** What routes answer, as far as tests look. */
export interface WireBody {
  readonly [name: string]: unknown;
  readonly code?: string;
  readonly detail?: string;
  readonly errors?: readonly { readonly field: string; readonly code: string; readonly message: string }[];
  readonly user?: Readonly<Record<string, unknown>>;
  readonly items?: readonly Readonly<Record<string, unknown>>[];
  readonly csrf_token?: string | null;
}

/** An answer, read to its end. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly cookies: readonly SetCookie[];
  readonly text: string;
  /** The JSON of the body, `{}` where there is none. */
  readonly body: WireBody;
}

/** How one request differs from what a browser sends by itself. */
export interface Send {
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  /** Raw body; give its content type in `headers`. */
  readonly body?: BodyInit;
  /** Added to the browser's own; null leaves a header out. */
  readonly headers?: Readonly<Record<string, string | null>>;
  /** False: without the CSRF header that scripts of the site add to unsafe requests. */
  readonly csrf?: boolean;
}

/** A browser with one site open: it keeps cookies, names itself, and its scripts send the CSRF header. */
export interface Browser {
  readonly jar: Map<string, string>;
  ip: string;
  send(method: string, path: string, options?: Send): Promise<Answer>;
  get(path: string, options?: Send): Promise<Answer>;
  post(path: string, json?: unknown, options?: Send): Promise<Answer>;
  patch(path: string, json?: unknown, options?: Send): Promise<Answer>;
  put(path: string, json?: unknown, options?: Send): Promise<Answer>;
  delete(path: string, options?: Send): Promise<Answer>;
  /** The request that `send` would make. */
  request(method: string, path: string, options?: Send): Request;
  /** Another browser with the same cookies: a thief's, or the same one before a change. */
  copy(): Browser;
}

/** Opens a browser on `origin`. */
export function browserOn(
  answering: Answering,
  origin: string,
  cookies: readonly (readonly [string, string])[] = [],
): Browser {
  const jar = new Map<string, string>(cookies);

  function request(
    method: string,
    path: string,
    { json, form, body, headers = {}, csrf = true }: Send = {},
  ): Request {
    const isUnsafe = method !== "GET" && method !== "HEAD";
    const all = new Headers({ "User-Agent": "ExampleBrowser/1.0", "Sec-Fetch-Site": "same-origin" });
    if (isUnsafe) all.set("Origin", origin);
    if (jar.size > 0) all.set("Cookie", [...jar].map(([name, value]) => `${name}=${value}`).join("; "));
    const token = [...jar].find(([name]) => name.endsWith("-csrf"))?.[1];
    if (isUnsafe && csrf && token !== undefined) all.set("X-CSRF-Token", token);
    if (json !== undefined) all.set("Content-Type", "application/json");
    if (form !== undefined) all.set("Content-Type", "application/x-www-form-urlencoded");
    for (const [name, value] of Object.entries(headers)) {
      if (value === null) all.delete(name);
      else all.set(name, value);
    }
    const sent =
      json !== undefined
        ? JSON.stringify(json)
        : form !== undefined
          ? String(new URLSearchParams(form))
          : body;
    const init: RequestInit & { duplex?: "half" } = { method, headers: all, duplex: "half" };
    return new Request(new URL(path, origin), sent === undefined ? init : { ...init, body: sent });
  }

  const browser: Browser = {
    jar,
    ip: "192.0.2.10",
    request,
    async send(method, path, options) {
      const response = await answering(request(method, path, options), { ip: browser.ip });
      if (response === null) throw new Error(`${method} ${path} is nobody's route`);
      const answer = await readAnswer(response);
      keep(jar, answer.cookies);
      return answer;
    },
    get: (path, options) => browser.send("GET", path, options),
    post: (path, json, options) => browser.send("POST", path, { json, ...options }),
    patch: (path, json, options) => browser.send("PATCH", path, { json, ...options }),
    put: (path, json, options) => browser.send("PUT", path, { json, ...options }),
    delete: (path, options) => browser.send("DELETE", path, options),
    copy: () => browserOn(answering, origin, [...jar]),
  };
  return browser;
}

/** Reads a response to its end. */
export async function readAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    cookies: response.headers.getSetCookie().map(parseSetCookie),
    text,
    body:
      /[/+]json\b/.test(response.headers.get("content-type") ?? "") && text !== "" ? JSON.parse(text) : {},
  };
}

/** Takes a `Set-Cookie` value apart. */
export function parseSetCookie(header: string): SetCookie {
  const [pair = "", ...attributes] = header.split("; ");
  const at = pair.indexOf("=");
  const split = attributes.map((each): [string, string] => {
    const [name = "", value = ""] = each.split("=");
    return [name.toLowerCase(), value];
  });
  return { name: pair.slice(0, at), value: pair.slice(at + 1), attributes: Object.fromEntries(split) };
}

function keep(jar: Map<string, string>, cookies: readonly SetCookie[]): void {
  for (const { name, value, attributes } of cookies) {
    if (attributes["max-age"] === "0") jar.delete(name);
    else jar.set(name, value);
  }
}

/** A request by its parts alone, for what no `Request` can be built of. */
export function bareRequest(parts: {
  readonly method?: string;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: ReadableStream<Uint8Array> | null;
}): RouteRequest {
  const headers = new Map(
    Object.entries(parts.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
  return {
    method: parts.method ?? "GET",
    url: parts.url ?? "/",
    headers: { get: (name) => headers.get(name.toLowerCase()) },
    body: parts.body ?? null,
  };
}
