import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { type AdapterHarness, type AdapterRules, type AdapterTrial, adapterCases } from "./adapter-trial.ts";
import type { ContractCase } from "./trial.ts";

/**
 * The rules that every framework adapter keeps: who is signed in reaches the handler, who may not is refused as the rest of Latchkey
 * refuses, cookies of both sides arrive, bodies stream and are read once, and whatever fails is answered.
 */
export function adapterContract(harness: AdapterHarness): readonly ContractCase[] {
  return [
    ...adapterCases(harness, "basics", basics),
    ...adapterCases(harness, "basics", proxies, { trustedProxies: ["127.0.0.1"] }),
    ...adapterCases(harness, "basics", mounted, { basePath: "/shop/api/v1" }),
    ...adapterCases(harness, "faults", faults),
    ...(harness.canParseFirst === false
      ? []
      : adapterCases(harness, "faults", parsedFirst, { parsesFirst: true })),
  ];
}

const page = { accept: "text/html", "sec-fetch-mode": "navigate" };
const sessionCookie = "latchkey";

const basics: AdapterRules = {
  "the handler knows who is signed in": async ({ ada }) => {
    const answer = await (await ada()).ask("GET", "/hello");
    strictEqual(await answer.text(), "Hello, Ada");
  },

  "no cache keeps what somebody who is signed in gets, nor a cookie of Latchkey's, whatever the handler says":
    async ({ ada, visitor }) => {
      const person = await ada();
      for (const path of ["/hello", "/maybe"])
        strictEqual((await person.ask("GET", path)).header("cache-control"), "no-store");
      strictEqual((await visitor().ask("POST", "/visit")).header("cache-control"), "no-store");
      const stale = visitor();
      stale.cookies.set(sessionCookie, `${"a".repeat(24)}.${"b".repeat(43)}`);
      const cleared = await stale.ask("GET", "/maybe");
      strictEqual(cleared.sets.get(sessionCookie), "");
      strictEqual(cleared.header("cache-control"), "no-store");
    },

  "of what everybody gets the handler says whether caches keep it": async ({ visitor }) => {
    strictEqual((await visitor().ask("GET", "/maybe")).header("cache-control"), "public, max-age=60");
  },

  "who is not signed in gets a problem document, and a page the way to the sign-in page": async ({
    visitor,
  }) => {
    const refused = await visitor().ask("GET", "/hello");
    strictEqual(refused.status, 401);
    match(refused.header("content-type"), /^application\/problem\+json/);
    match(refused.header("www-authenticate"), /Cookie/);
    strictEqual((await refused.json()).code, "not_authenticated");
    const sent = await visitor().ask("GET", "/hello?a=1", { headers: page });
    strictEqual(sent.status, 302);
    strictEqual(sent.header("location"), `/login?next=${encodeURIComponent("/hello?a=1")}`);
  },

  "a guard refuses with 403": async ({ ada }) => {
    const refused = await (await ada()).ask("GET", "/staff");
    strictEqual(refused.status, 403);
    strictEqual((await refused.json()).code, "forbidden");
  },

  "what is left of a limit is told, whether the guard lets on or not": async ({ ada }) => {
    const person = await ada();
    const answers = [
      await person.ask("GET", "/staff", { headers: { "x-staff": "yes" } }),
      await person.ask("GET", "/staff"),
      await person.ask("GET", "/staff", { headers: { "x-staff": "yes" } }),
    ];
    deepStrictEqual(
      answers.map(({ status }) => status),
      [200, 403, 429],
    );
    for (const [index, answer] of answers.entries()) {
      strictEqual(answer.header("ratelimit-policy"), '"staff";q=2;w=60');
      match(answer.header("ratelimit"), index === 0 ? /^"staff";r=1;t=\d+$/ : /^"staff";r=0;t=\d+$/);
      strictEqual(answer.header("retry-after") !== "", index === 2);
    }
  },

  "an open route greets both": async ({ ada, visitor }) => {
    strictEqual(await (await visitor().ask("GET", "/maybe")).text(), "Hello, Anonymous");
    strictEqual(await (await (await ada()).ask("GET", "/maybe")).text(), "Hello, Ada");
  },

  "a policy leaves the reads of a group open and closes its writes": async ({ ada, visitor }) => {
    const stranger = visitor();
    const person = await ada();
    strictEqual(await (await stranger.ask("GET", "/board")).text(), "board");
    strictEqual((await stranger.ask("HEAD", "/board")).status, 200);
    strictEqual((await stranger.ask("POST", "/board")).status, 401);
    strictEqual(await (await person.ask("POST", "/board")).text(), "board");
  },

  "a route opens or closes itself, whatever the policy of its group": async ({ ada, visitor }) => {
    strictEqual(await (await visitor().ask("POST", "/board/letters")).text(), "letters");
    strictEqual((await visitor().ask("GET", "/board/drafts")).status, 401);
    strictEqual(await (await (await ada()).ask("GET", "/board/drafts")).text(), "drafts");
  },

  "what changes something needs the CSRF token, and the handler reads the body": async ({ ada }) => {
    const person = await ada();
    const json = { text: "a note with an ü" };
    const refused = await person.ask("POST", "/note", { json, csrf: false });
    strictEqual(refused.status, 403);
    strictEqual((await refused.json()).code, "csrf_required");
    const noted = await person.ask("POST", "/note", { json });
    strictEqual(noted.status, 200);
    deepStrictEqual(await noted.json(), json);
  },

  "several cookies of one answer arrive, and so does one of the handler's own": async ({ ada, visitor }) => {
    const person = visitor();
    const json = { username: "ada@example.com", password: "correct horse battery staple" };
    await ada();
    const signedIn = await person.ask("POST", "/api/v1/auth/login", { json });
    strictEqual(signedIn.status, 200);
    ok(signedIn.sets.has(sessionCookie) && signedIn.sets.has(`${sessionCookie}-csrf`));
    strictEqual((await person.ask("GET", "/hello")).sets.get("shop"), "open");
  },

  "a visitor's first data makes a session, beside the handler's own cookie": async ({ visitor }) => {
    const answer = await visitor().ask("POST", "/visit");
    strictEqual(answer.status, 200);
    deepStrictEqual([...answer.sets.keys()].filter((name) => !name.endsWith("-csrf")).sort(), [
      sessionCookie,
      "shop",
    ]);
  },

  "a stale cookie is cleared on the way to the sign-in page": async ({ ada, auth }) => {
    const person = await ada();
    const user = await auth.users.findByIdentifier("ada@example.com");
    await auth.sessions.revokeAll(user?.id ?? "");
    const answer = await person.ask("GET", "/hello", { headers: page });
    strictEqual(answer.status, 302);
    strictEqual(answer.sets.get(sessionCookie), "");
  },

  "HEAD answers as GET does, without a body": async ({ ada }) => {
    const answer = await (await ada()).ask("HEAD", "/hello");
    strictEqual(answer.status, 200);
    strictEqual(await answer.text(), "");
  },

  "what the handler streams arrives as it is written": async ({ ada }) => {
    const { body } = await (await ada()).ask("GET", "/stream");
    const chunks: string[] = [];
    for await (const chunk of body) chunks.push(String(chunk));
    strictEqual(chunks.join(""), "onetwo");
    ok(chunks.length >= 2, "both parts came as one: something on the way has waited for the end");
  },

  "paths that nobody has are the framework's own 404": async ({ visitor }) => {
    const answer = await visitor().ask("GET", "/nowhere");
    strictEqual(answer.status, 404);
    ok(!(await answer.text()).includes("request_id"), "Latchkey has answered for somebody else's path");
  },

  "its own routes know their methods": async ({ visitor }) => {
    const answer = await visitor().ask("GET", "/api/v1/auth/login");
    strictEqual(answer.status, 405);
    strictEqual(answer.header("allow"), "POST");
  },

  "who claims an address of their own is not believed": async (trial) => {
    strictEqual(await addressOfFailure(trial, { "x-forwarded-for": "203.0.113.9" }), "127.0.0.1");
  },
};

const proxies: AdapterRules = {
  "behind a trusted proxy the client's address is what that says": async (trial) => {
    strictEqual(await addressOfFailure(trial, { "x-forwarded-for": "203.0.113.9" }), "203.0.113.9");
  },
};

const mounted: AdapterRules = {
  "its own routes answer below a prefix": async ({ ada }) => {
    const answer = await (await ada()).ask("GET", "/shop/api/v1/auth/session");
    strictEqual((await answer.json()).authenticated, true);
  },

  "a protected route below a prefix sends a page back to itself": async ({ ada, visitor }) => {
    strictEqual(await (await (await ada()).ask("GET", "/shop/hello")).text(), "Hello, Ada");
    const sent = await visitor().ask("GET", "/shop/hello", { headers: page });
    strictEqual(sent.header("location"), `/login?next=${encodeURIComponent("/shop/hello")}`);
  },
};

const faults: AdapterRules = {
  "a handler that throws is a 500 that says nothing of why": async ({ ada }) => {
    const answer = await (await ada()).ask("GET", "/fails");
    strictEqual(answer.status, 500);
    ok(!(await answer.text()).includes("a secret of the application"));
  },

  "whoever goes away in the middle harms nobody else": async ({ ada }) => {
    const person = await ada();
    const away = new AbortController();
    const { body } = await person.ask("GET", "/stream", { signal: away.signal });
    await rejects(async () => {
      for await (const _ of body) away.abort();
    });
    strictEqual(await (await person.ask("GET", "/hello")).text(), "Hello, Ada");
  },

  "a body that is cut off or too large is refused": async ({ visitor }) => {
    const json = { username: "ada", password: "x".repeat(100_000) };
    strictEqual((await visitor().ask("POST", "/api/v1/auth/login", { json })).status, 413);
  },
};

const parsedFirst: AdapterRules = {
  "a body parser that ran first is told by name": async ({ visitor, logged }) => {
    const json = { username: "ada", password: "correct horse battery staple" };
    const answer = await visitor().ask("POST", "/api/v1/auth/login", { json });
    strictEqual(answer.status, 500);
    const told = logged.map(({ message, cause }) => `${message} ${cause}`).join("\n");
    match(told, /before body parsers/);
  },
};

/** The address that an event says a failed sign-in came from. */
async function addressOfFailure(
  { auth, visitor }: AdapterTrial,
  headers: Readonly<Record<string, string>>,
): Promise<string | null> {
  const addresses: (string | null)[] = [];
  auth.events.on("user.login_failed", ({ ip }) => void addresses.push(ip));
  const json = { username: "nobody", password: "correct horse battery staple" };
  strictEqual((await visitor().ask("POST", "/api/v1/auth/login", { json, headers })).status, 401);
  strictEqual(addresses.length, 1);
  return addresses[0] ?? null;
}
