import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Browser } from "../support/browser.ts";
import { type ChildServer, startServer } from "./support/child-server.ts";
import { command, type Ran } from "./support/command.ts";

const secret = "q8Zr1mVt6WxkP0sYd3HuJfLb7NcGeA2T";
const password = "seven green kettles";
const me = "/api/v1/users/me";
const variables = { SESSION_STORAGE: "stateless" };

let [one, other]: ChildServer[] = [];
/** Signed in at one server before the other was started. */
let ana: Browser;

beforeAll(async () => {
  const settings = { SECRET_KEY: secret, HASH_THREADS: "1", ...variables };
  one = await startServer(settings);
  ana = await registered("ana");
  other = await startServer({ ...settings, DATABASE_URL: `sqlite://${one.folder}/data/latchkey.db` });
}, 60_000);

afterAll(async () => {
  for (const server of [other, one]) await server?.remove();
});

describe("a server with SESSION_STORAGE=stateless", () => {
  test("knows the sessions of another that ran before it, on the same database and secret; no row has them", async () => {
    expect((await ana.get(me)).status).toBe(200);
    expect((await at(other, ana).get(me)).body.username).toBe("ana");
    const { body } = await ana.get(`${me}/sessions`);
    expect([body.items, rows("sessions")]).toEqual([[], 0]);
    expect(rows("users")).toBe(1);
  });

  test("ends every copy of a cookie, at every server, with signing out everywhere and not before", async () => {
    const bea = await registered("bea");
    const copies = [at(one, bea), at(other, bea)];
    expect((await bea.post("/logout", undefined, { form: { everywhere: "" }, csrf: false })).status).toBe(
      403,
    );
    expect((await bea.post("/api/v1/auth/logout")).body.ended).toBe(false);
    expect(bea.jar.has("latchkey")).toBe(false);
    expect(await statuses(copies)).toEqual([200, 200]);
    const answer = await at(other, copies[0]).post("/logout", undefined, { form: { everywhere: "on" } });
    expect([answer.status, answer.headers.get("location")]).toEqual([
      303,
      "/login?done=signed-out-everywhere",
    ]);
    expect(await statuses(copies)).toEqual([401, 401]);
  });

  test("keeps the sessions of tokens, five of a user, and says at the command line that those are not all", async () => {
    const cleo = await registered("cleo");
    for (let count = 0; count < 6; count++)
      expect((await browser(one).post("/api/v1/auth/token", { username: "cleo", password })).status).toBe(
        200,
      );
    const list = await latchkey("list", "cleo", "--json");
    const items: readonly { readonly id: string }[] = JSON.parse(list.out).items;
    expect([items.length, list.code]).toEqual([5, 0]);
    expect(list.err).toContain("Cookies hold the sessions of browsers (SESSION_STORAGE=stateless)");

    expect((await latchkey("revoke", "cleo", items[0]?.id ?? "")).out).toBe("Ended 1 session of cleo.\n");
    const own = String((await cleo.get("/api/v1/auth/session")).body.session_id);
    const missed = await latchkey("revoke", "cleo", own);
    expect(missed).toMatchObject({ code: 1, out: "" });
    expect(missed.err).toContain(`cleo has no session ${own} in the store.`);
    expect(missed.err).toContain("`session revoke <user> --all` ends them all");
    expect((await cleo.get(me)).status).toBe(200);

    expect((await latchkey("revoke", "cleo", "--all")).out).toBe(
      "Ended every session of cleo: 4 sessions in the store, and all that cookies hold, which nobody counts.\n",
    );
    expect((await cleo.get(me)).status).toBe(401);
    expect((await latchkey("list", "cleo")).out).toBe("cleo has no sessions in the store.\n");
  });
});

function browser(server: ChildServer | undefined): Browser {
  if (server === undefined) throw new Error("the server did not start");
  return server.browser();
}

async function registered(username: string): Promise<Browser> {
  const person = browser(one);
  const account = { email: `${username}@example.com`, username, password };
  const { status } = await person.post("/api/v1/auth/register", account);
  if (status !== 201) throw new Error(`registering answered ${status}`);
  return person;
}

/** A copy of somebody's cookies of this moment, at one of the servers. */
function at(server: ChildServer | undefined, person: Browser | undefined): Browser {
  const copy = browser(server);
  for (const [name, value] of person?.jar ?? []) copy.jar.set(name, value);
  return copy;
}

async function statuses(people: readonly Browser[]): Promise<readonly number[]> {
  return Promise.all(people.map(async (each) => (await each.get(me)).status));
}

function latchkey(...args: readonly string[]): Promise<Ran> {
  if (one === undefined) throw new Error("the server did not start");
  return command(one, secret, ["session", ...args], variables);
}

function rows(table: string): number {
  const db = new DatabaseSync(join(one?.folder ?? "", "data/latchkey.db"), { readOnly: true });
  const { count } = db.prepare(`SELECT count(*) AS count FROM ${table}`).get() ?? {};
  db.close();
  return Number(count);
}
