import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import type { Auth, AuthOptions } from "../../auth.ts";
import type { Guard, Open } from "../../ports/guard.ts";
import type { ContractCase } from "./trial.ts";

/** How the contract gets at the adapter that it is to prove. */
export interface AdapterHarness {
  /**
   * Puts an application of the framework together and listens on 127.0.0.1. It makes
   * `createAuth({ ...parts.options, stores: memory(), features: [passwords()] })`, hands Latchkey's own routes to it, and has these
   * routes of its own:
   *
   * - `GET /hello`, signed in: `Hello, <displayName>` as text, with a cookie of its own, `shop=open`, and for caches to keep:
   *   `Cache-Control: public, max-age=60`; also at `<prefix>/hello`, where `/hello` is mounted below `parts.prefix` by the framework's own
   *   means
   * - `GET /maybe`, open to anyone: `Hello, <displayName>`, for caches to keep as well
   * - `GET /staff`, behind `parts.staff`: `staff`
   * - `POST /note`, signed in: JSON `{ "text": <text of the JSON body> }`
   * - `POST /visit`, open to anyone: sets `seen` to true in the session's data, answers `ok` with a cookie of its own, `shop=open`,
   *   for caches to keep as well
   * - `GET /stream`, signed in: `one`, and half a second later `two`, unbuffered
   * - `GET /fails`, signed in: throws `new Error("a secret of the application")`
   * - `GET` and `POST /board`, a group behind `parts.policy`: `board`
   * - `POST /board/letters`, below that group's path and open to anyone: `letters`
   * - `GET /board/drafts`, below it and signed in: `drafts`
   *
   * Where `parts.parsesFirst` is set, the framework's body parser runs before Latchkey's own routes.
   */
  start(parts: AdapterParts): Promise<AdapterScene>;
  /** False where the framework gives nobody the chance to parse a body first. Default true. */
  readonly canParseFirst?: boolean;
}

/** What an application under test is made of. */
export interface AdapterParts {
  readonly options: Pick<AuthOptions, "origin" | "secrets" | "session" | "basePath" | "log">;
  readonly trustedProxies: readonly string[];
  readonly staff: Guard;
  /** For a group of routes: reads are open, writes closed. */
  readonly policy: Open;
  /** Path below which routes are mounted once more: `/shop`. */
  readonly prefix: string;
  readonly parsesFirst: boolean;
}

/** An application that listens. */
export interface AdapterScene {
  readonly auth: Auth;
  readonly port: number;
  /** Stops listening and closes `auth`. */
  close(): Promise<void>;
}

/** Somebody's browser on the application: it keeps cookies and sends what scripts of the site would. */
export interface Visitor {
  readonly cookies: Map<string, string>;
  ask(method: string, path: string, options?: Asking): Promise<Asked>;
}

/** How a request differs from the usual one. */
export interface Asking {
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** False: without the CSRF header. */
  readonly csrf?: boolean;
}

/** An answer, its body read as it comes. */
export interface Asked {
  readonly status: number;
  /** A header by its name in lower case; empty where there is none. */
  header(name: string): string;
  /** The cookies that it sets, by name. */
  readonly sets: ReadonlyMap<string, string>;
  readonly body: AsyncIterable<Buffer>;
  text(): Promise<string>;
  json(): Promise<Record<string, unknown>>;
}

/** What one rule works with. */
export interface AdapterTrial extends AdapterScene {
  /** What the application's log was told. */
  readonly logged: readonly { readonly message: string; readonly cause: unknown }[];
  visitor(): Visitor;
  /** A visitor who has registered; `Hello, Ada`. */
  ada(): Promise<Visitor>;
}

/** Rules by their words. */
export type AdapterRules = Readonly<Record<string, (trial: AdapterTrial) => Promise<void>>>;

/** The origin that applications under test are configured with; what a request says of hosts decides nothing. */
export const adapterOrigin = "http://localhost:3000";

// Lets on who says that they are, within a limit: what is left of it is to be told in every answer.
const staff: Guard = {
  name: "staff",
  asksAnonymous: false,
  async decide(_, context) {
    const turn = await context.takeTurn({ name: "staff", limit: 2, windowSeconds: 60 });
    if (!turn.ok) {
      const { retryAfterSeconds } = turn;
      return { allow: false, code: "rate_limited", because: "too often", retryAfterSeconds };
    }
    return context.request.headers.get("x-staff") === "yes"
      ? { allow: true, because: "says so" }
      : { allow: false, code: "forbidden", because: "does not say so" };
  },
};

const readsAreOpen: Open = {
  name: "reads are open",
  asksAnonymous: true,
  decide: ({ isAuthenticated }, { request }) =>
    isAuthenticated || request.method === "GET" || request.method === "HEAD"
      ? { allow: true, because: "a read, or signed in" }
      : { allow: false, code: "not_authenticated", because: "a write" },
};

/** The cases of some rules. */
export function adapterCases(
  harness: AdapterHarness,
  section: ContractCase["section"],
  rules: AdapterRules,
  parts: Partial<Pick<AdapterParts, "parsesFirst" | "trustedProxies"> & Pick<AuthOptions, "basePath">> = {},
): readonly ContractCase[] {
  return Object.entries(rules).map(([name, rule]) => ({
    section,
    name,
    run: () => attempt(harness, rule, parts),
  }));
}

async function attempt(
  harness: AdapterHarness,
  rule: AdapterRules[string],
  { basePath, parsesFirst = false, trustedProxies = [] }: Parameters<typeof adapterCases>[3] & object,
): Promise<void> {
  const logged: { message: string; cause: unknown }[] = [];
  const scene = await harness.start({
    options: {
      origin: adapterOrigin,
      secrets: ["a secret of at least thirty-two bytes for the contract"],
      session: { sweepIntervalSeconds: 0 },
      log: {
        error: (message, _fields, cause) => void logged.push({ message, cause }),
        warn: () => undefined,
      },
      ...(basePath !== undefined && { basePath }),
    },
    trustedProxies,
    staff,
    policy: readsAreOpen,
    prefix: "/shop",
    parsesFirst,
  });
  const visitor = () => visitorOf(scene.port);
  const ada = async (): Promise<Visitor> => {
    const person = visitor();
    const json = { email: "ada@example.com", password: "correct horse battery staple", name: "Ada" };
    const { status } = await person.ask("POST", `${basePath ?? "/api/v1"}/auth/register`, { json });
    if (status !== 201) throw new Error(`registering answered ${status}`);
    return person;
  };
  try {
    await rule({ ...scene, logged, visitor, ada });
  } finally {
    await scene.close();
  }
}

function visitorOf(port: number): Visitor {
  const cookies = new Map<string, string>();
  return {
    cookies,
    async ask(method, path, options = {}) {
      const { headers, body } = wireOf(method, options, cookies);
      // Not `fetch`: it writes headers of its own beside those that a browser's navigation has.
      const sent = request({ host: "127.0.0.1", port, path, method, headers, signal: options.signal });
      sent.end(body);
      const [response] = (await once(sent, "response")) as [IncomingMessage];
      const sets = new Map((response.headers["set-cookie"] ?? []).map(nameAndValue));
      for (const [name, value] of sets) {
        if (value === "") cookies.delete(name);
        else cookies.set(name, value);
      }
      const text = async (): Promise<string> => {
        let all = "";
        for await (const chunk of response.setEncoding("utf8")) all += chunk;
        return all;
      };
      return {
        status: response.statusCode ?? 0,
        header: (name) => response.headers[name]?.toString() ?? "",
        sets,
        body: response,
        text,
        json: async () => JSON.parse(await text()),
      };
    },
  };
}

function wireOf(
  method: string,
  { json, headers = {}, csrf = true }: Asking,
  cookies: ReadonlyMap<string, string>,
): { readonly headers: Record<string, string>; readonly body: string | undefined } {
  const isUnsafe = method !== "GET" && method !== "HEAD";
  const token = [...cookies].find(([name]) => name.endsWith("-csrf"))?.[1];
  const body = json === undefined ? undefined : JSON.stringify(json);
  return {
    body,
    headers: {
      "sec-fetch-site": "same-origin",
      ...(cookies.size > 0 && { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") }),
      ...(isUnsafe && csrf && token !== undefined && { "x-csrf-token": token }),
      ...(body !== undefined && {
        "content-type": "application/json",
        "content-length": String(Buffer.byteLength(body)),
      }),
      ...headers,
    },
  };
}

function nameAndValue(line: string): [string, string] {
  const [pair = ""] = line.split(";");
  const at = pair.indexOf("=");
  return [pair.slice(0, at), pair.slice(at + 1)];
}
