import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { type Answer, type Browser, browserOn } from "../support/browser.ts";
import { eventually, newFolder } from "./support/child-server.ts";
import { command } from "./support/command.ts";
import { type HereServer, serveHere } from "./support/here-server.ts";
import { type RoundRobin, roundRobin } from "./support/round-robin.ts";

const me = "/api/v1/users/me";
const password = "seven green kettles";
const patience = { timeout: 280_000 };

test(
  "two rotations of the secret of two running servers: nobody is signed out, and nothing that was handed out is refused",
  patience,
  async () => {
    const pair = await startPair();
    const [first, second, third] = [1, 2, 3].map(() => randomBytes(32).toString("base64url")) as [
      string,
      string,
      string,
    ];
    await pair.roll(first, []);
    const crowd = [...Array(3).keys()].map((number) => person(pair, number)).map((each) => each.live());
    const [forms, keeper] = [await formsOf(pair, 2), program(pair, "keeper")];
    await keeper.signIn();
    const before = { ...keeper.tokens };
    await settled(crowd);

    for (const [old, next, former] of [
      [first, second, []],
      [second, third, [first]],
    ] as const) {
      // Known to every server before any of them signs with it.
      await pair.roll(old, [next, ...former]);
      await settled(crowd);
      await pair.roll(next, [old, ...former]);
      await settled(crowd);
    }

    // What was handed out before both rotations: forms, an access token, a refresh token.
    for (const { browser, fields, page } of forms) {
      const sent = await browser.send("POST", page, { form: { ...fields, name: "Renamed" }, csrf: false });
      expect([sent.status, sent.headers.get("location")]).toEqual([303, expect.stringContaining("/account")]);
    }
    expect((await keeper.get(before.access)).status).toBe(200);
    expect((await keeper.refresh(before.refresh)).status).toBe(200);

    const problems = (await Promise.all(crowd.map(({ stop }) => stop()))).flat();
    expect(problems).toEqual([]);
    for (const { turns } of crowd) expect(turns()).toBeGreaterThan(20);

    const told = await pair.latchkey(third, [second, first], "secret", "reencrypt", "--json");
    // Sessions of the first secret live on, and nothing else needs it.
    expect(told).toMatchObject({ remaining: 0, unreadable: 0 });
    expect(told.sessions).toBeGreaterThan(0);
    expect(Date.parse(String(told.sessions_end_at))).toBeGreaterThan(Date.now());

    // The same way, with a secret that is dropped at once: what this test would see.
    await pair.roll(randomBytes(32).toString("base64url"), []);
    expect((await keeper.refresh()).status).toBe(401);
  },
);

/** Waits until everybody has done everything at least twice more. */
async function settled(crowd: readonly { readonly turns: () => number }[]): Promise<void> {
  const before = crowd.map(({ turns }) => turns());
  await eventually(() => crowd.every(({ turns }, index) => turns() > (before[index] ?? 0) + 1), 60_000);
}

interface Pair {
  readonly proxy: RoundRobin;
  /** Starts both servers anew, one after the other, with these secrets. */
  roll(secret: string, former: readonly string[]): Promise<void>;
  latchkey(
    secret: string,
    former: readonly string[],
    ...args: readonly string[]
  ): Promise<Record<string, unknown>>;
  browser(): Browser;
}

async function startPair(): Promise<Pair> {
  const [folder, proxy] = [await newFolder(), await roundRobin()];
  const servers: (HereServer | null)[] = [null, null];
  onTestFinished(async () => {
    for (const server of servers) await server?.stop();
    proxy.close();
    await rm(folder, { recursive: true, force: true });
  });
  const settings = (secret: string, former: readonly string[]) => ({
    ...{
      SECRET_KEY: secret,
      SECRET_KEY_PREVIOUS: former.join(),
      DATABASE_URL: `sqlite:${join(folder, "a.db")}`,
    },
    ...{ ORIGIN: proxy.origin, TRUSTED_PROXIES: "127.0.0.1/32", SESSION_ENCRYPT: "true" },
    ...{ MAX_SESSIONS_PER_USER: "0", LOGIN_MAX_ATTEMPTS: "1000", HASH_THREADS: "1" },
  });
  return {
    proxy,
    async roll(secret, former) {
      for (const index of [0, 1]) {
        proxy.ports = servers.flatMap((server, other) =>
          server === null || other === index ? [] : [server.port],
        );
        const old = servers[index] ?? null;
        servers[index] = null;
        if (old !== null) await proxy.drained(old.port);
        await old?.stop();
        const server = await serveHere(settings(secret, former), folder);
        servers[index] = server;
        proxy.ports = [...proxy.ports, server.port];
      }
    },
    async latchkey(secret, former, ...args) {
      const { code, out, err } = await command({ folder, port: 0 }, secret, args, settings(secret, former));
      if (code !== 0) throw new Error(err);
      return JSON.parse(out) as Record<string, unknown>;
    },
    browser: () => browserOn((sent) => fetch(new Request(sent), { redirect: "manual" }), proxy.origin),
  };
}

/** Somebody who reads, changes things with a CSRF token, sends forms, refreshes tokens, and signs in and out. */
function person(pair: Pair, number: number) {
  const name = `person${number}`;
  const problems: string[] = [];
  const expecting = (what: string, { status, text }: Answer, wanted: number): void => {
    if (status !== wanted) problems.push(`${what}: ${status} ${text.slice(0, 200)}`);
  };
  let turns = 0;
  let isOver = false;

  async function run(): Promise<void> {
    const browser = pair.browser();
    const tokens = program(pair, name);
    const account = { email: `${name}@example.com`, username: name, password };
    expecting("register", await browser.post("/api/v1/auth/register", account), 201);
    await tokens.signIn();
    while (!isOver) {
      expecting("read", await browser.get(me), 200);
      expecting("change", await browser.patch(me, { name: `Turn ${turns}` }), 200);
      const { page, fields } = await formOf(browser);
      const sent = await browser.send("POST", page, {
        form: { ...fields, name: `Form ${turns}` },
        csrf: false,
      });
      expecting("form", sent, 303);
      expecting("access token", await tokens.get(), 200);
      expecting("refresh token", await tokens.refresh(), 200);
      if (turns % 5 === 0) {
        const phone = pair.browser();
        expecting("sign in", await phone.post("/api/v1/auth/login", { username: name, password }), 200);
        expecting("sign out", await phone.post("/api/v1/auth/logout"), 200);
      }
      turns += 1;
      // A person, not a flood: what is tested is each answer, and servers start meanwhile.
      await delay(120);
    }
  }

  return {
    live() {
      const running = run().catch((error: unknown) => void problems.push(String(error)));
      return {
        turns: () => turns,
        async stop() {
          isOver = true;
          await running;
          return problems.map((problem) => `${name}, turn ${turns}: ${problem}`);
        },
      };
    },
  };
}

/** A program with tokens, and no cookies. */
function program(pair: Pair, username: string) {
  const tokens = { access: "", refresh: "" };
  const keep = (answer: Answer): Answer => {
    const { access_token: access, refresh_token: refresh } = answer.body;
    if (typeof access === "string" && typeof refresh === "string") Object.assign(tokens, { access, refresh });
    return answer;
  };
  return {
    tokens,
    async signIn() {
      const account = { email: `${username}@example.com`, username, password };
      await pair.browser().post("/api/v1/auth/register", account);
      const answer = keep(await pair.browser().post("/api/v1/auth/token", { username, password }));
      if (answer.status !== 200) throw new Error(answer.text);
    },
    get: (token = tokens.access) => pair.browser().get(me, { headers: { Authorization: `Bearer ${token}` } }),
    refresh: async (token = tokens.refresh) =>
      keep(await pair.browser().post("/api/v1/auth/token/refresh", { refresh_token: token })),
  };
}

/** The form for one's own name. */
async function formOf(browser: Browser): Promise<{ page: string; fields: Record<string, string> }> {
  const { text } = await browser.get("/account", { headers: { Accept: "text/html" } });
  const form = [...text.matchAll(/<form\b.*?<\/form>/gs)].find(([markup]) =>
    markup.includes('id="name"'),
  )?.[0];
  if (form === undefined) throw new Error(`there is no form for a name: ${text.slice(0, 300)}`);
  const hidden = [...form.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)];
  const shown = [...form.matchAll(/<input id="(username|email)"[^>]*?\svalue="([^"]*)"/g)];
  const fields = [...hidden, ...shown].map(([, field = "", value = ""]): [string, string] => [field, value]);
  const page = /action="([^"]+)"/.exec(form)?.[1] ?? "/account";
  return {
    page,
    fields: Object.fromEntries(fields),
  };
}

/** Forms that somebody has open meanwhile. */
async function formsOf(pair: Pair, count: number) {
  const open = async (index: number) => {
    const browser = pair.browser();
    const name = `form${index}`;
    await browser.post("/api/v1/auth/register", { email: `${name}@example.com`, username: name, password });
    return { browser, ...(await formOf(browser)) };
  };
  return Promise.all([...Array(count).keys()].map(open));
}
