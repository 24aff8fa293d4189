import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "./support/child-server.ts";
import { shared } from "./support/shared.ts";
import { canRunTwo, type TwoServers, twoServers } from "./support/two-servers.ts";

const password = "seven green kettles";
const minute = 60_000;

const accountOf = (name: string) => ({ email: `${name}@example.com`, username: name, password });
const me = "/api/v1/users/me";

describe.skipIf(!canRunTwo)("two servers on PostgreSQL and a Redis cluster", { timeout: minute }, () => {
  const all = shared();
  let two: TwoServers;

  beforeAll(async () => {
    // Each test has people of its own. Few attempts for the one that counts them, sessions without end for the one that makes many.
    two = await twoServers({ LOGIN_MAX_ATTEMPTS: "4", MAX_SESSIONS_PER_USER: "0" }, all.cleanup);
  });
  afterAll(() => all.end());
  beforeEach(() => two.bothRun());

  test("whatever one of them was told the other knows at its next request", async () => {
    const [one, other] = two.servers;
    const ann = two.browser(one);
    expect((await ann.post("/api/v1/auth/register", accountOf("ann"))).status).toBe(201);
    for (let round = 0; round < 10; round++) {
      const phone = two.browser(other);
      const signedIn = await phone.post("/api/v1/auth/login", { username: "ann", password });
      expect(signedIn.status).toBe(200);
      const id = phone.jar.get("latchkey")?.split(".")[0];
      const elsewhere = at(two, phone, 0);
      // Both have seen it by now, and remember what they may.
      for (const each of [phone, elsewhere, phone, elsewhere]) expect((await each.get(me)).status).toBe(200);
      expect((await ann.delete(`/api/v1/users/me/sessions/${id}`)).status).toBe(204);
      expect((await phone.get(me)).status).toBe(401);
      expect((await elsewhere.get(me)).status).toBe(401);
    }
    expect((await at(two, ann, 1).get(me)).status).toBe(200);
  });

  test("a password that is changed at one ends the sessions at the other, and is the only one there", async () => {
    const [bob, phone] = [two.browser(two.servers[0]), two.browser(two.servers[1])];
    await bob.post("/api/v1/auth/register", accountOf("bob"));
    await phone.post("/api/v1/auth/login", { username: "bob", password });
    const change = { current_password: password, new_password: "nine yellow teapots" };
    expect((await bob.put("/api/v1/users/me/password", change)).status).toBe(200);
    expect((await phone.get(me)).status).toBe(401);
    expect((await phone.post("/api/v1/auth/login", { username: "bob", password })).status).toBe(401);
    const again = { username: "bob", password: change.new_password };
    expect((await phone.post("/api/v1/auth/login", again)).status).toBe(200);
  });

  test("attempts are counted over both", async () => {
    await two.browser().post("/api/v1/auth/register", accountOf("cleo"));
    const guess = { username: "cleo", password: "seven blue kettles" };
    const guesses = Array.from({ length: 8 }, (_, index) =>
      two.browser(two.servers[index % 2]).post("/api/v1/auth/login", guess),
    );
    const statuses = (await Promise.all(guesses)).map(({ status }) => status);
    expect(statuses.sort()).toEqual([401, 401, 401, 401, 429, 429, 429, 429]);
  });

  test("what an operator ends by command both refuse", async () => {
    const browsers = [two.browser(two.servers[0]), two.browser(two.servers[1])];
    await browsers[0]?.post("/api/v1/auth/register", accountOf("dora"));
    await browsers[1]?.post("/api/v1/auth/login", { username: "dora", password });
    for (const each of browsers) expect((await each.get(me)).status).toBe(200);
    const [id] = browsers[1]?.jar.get("latchkey")?.split(".") ?? [];
    expect((await two.latchkey("session", "revoke", "dora", id ?? "")).out).toBe(
      "Ended 1 session of dora.\n",
    );
    expect(await Promise.all(browsers.map(async (each) => (await each.get(me)).status))).toEqual([200, 401]);
    expect((await two.latchkey("session", "revoke", "dora", "--all")).out).toBe("Ended 1 session of dora.\n");
    for (const each of browsers) expect((await each.get(me)).status).toBe(401);
  });

  test("one is killed under load: the other goes on, and nothing that was acknowledged is lost", async () => {
    const earlier = new Map(two.proxy.answered);
    const bothAnswer = (): boolean =>
      two.proxy.ports.every((port) => (two.proxy.answered.get(port) ?? 0) > (earlier.get(port) ?? 0) + 5);
    const people = Array.from({ length: 6 }, (_, index) => comingAndGoing(two, `person${index}`));
    await eventually(() => people.every(({ live }) => live.length > 0) && bothAnswer());
    two.servers[0].child.kill("SIGKILL");
    await two.servers[0].ended;
    const before = people.map(({ turns }) => turns());
    await eventually(() => people.every(({ turns }, index) => turns() > (before[index] ?? 0) + 2));
    await Promise.all(people.map(({ stop }) => stop()));

    for (const { live, ended, name } of people) {
      for (const jar of live) expect(await statusOf(two, jar)).toBe(200);
      for (const jar of ended) expect(await statusOf(two, jar)).toBe(401);
      const { body } = await two.browser().post("/api/v1/auth/login", { username: name, password });
      expect(body.user).toMatchObject({ username: name });
    }
  });

  test("both end on SIGTERM while requests arrive, and the proxy's clients get answers", async () => {
    const emil = two.browser();
    await emil.post("/api/v1/auth/register", accountOf("emil"));
    const asking = Array.from({ length: 20 }, () => emil.get(me));
    await Promise.race(asking);
    for (const { child } of two.servers) child.kill("SIGTERM");
    for (const { ended } of two.servers) expect(await ended).toEqual({ code: 0, signal: null });
    for (const { status } of await Promise.all(asking)) expect([200, 502]).toContain(status);
  });
});

type Jar = ReadonlyMap<string, string>;

/** The same browser, with its cookies of this moment, at one of the servers. */
function at(two: TwoServers, { jar }: { readonly jar: Jar }, index: 0 | 1) {
  const copy = two.browser(two.servers[index]);
  for (const [name, value] of jar) copy.jar.set(name, value);
  return copy;
}

async function statusOf(two: TwoServers, jar: Jar): Promise<number> {
  const browser = two.browser();
  for (const [name, value] of jar) browser.jar.set(name, value);
  return (await browser.get(me)).status;
}

interface Person {
  readonly name: string;
  /** Cookies of sign-ins that were acknowledged and not ended. */
  readonly live: Jar[];
  /** Cookies of sessions whose end was acknowledged. */
  readonly ended: Jar[];
  turns(): number;
  stop(): Promise<void>;
}

/** Somebody who registers, and then signs in and every other time out again, until told to stop. */
function comingAndGoing(two: TwoServers, name: string): Person {
  const [live, ended]: [Jar[], Jar[]] = [[], []];
  let turns = 0;
  let isStopped = false;
  // An answer that the death of a server cut off acknowledges nothing.
  const living = passLife();
  return {
    ...{ name, live, ended },
    turns: () => turns,
    async stop() {
      isStopped = true;
      await living;
    },
  };

  async function passLife(): Promise<void> {
    const first = two.browser();
    if ((await first.post("/api/v1/auth/register", accountOf(name))).status === 201)
      live.push(new Map(first.jar));
    while (!isStopped) {
      const browser = two.browser();
      const signedIn = await browser
        .post("/api/v1/auth/login", { username: name, password })
        .catch(() => null);
      if (signedIn?.status !== 200) continue;
      const jar = new Map(browser.jar);
      turns++;
      if (turns % 2 === 0) live.push(jar);
      else if ((await browser.post("/api/v1/auth/logout").catch(() => null))?.status === 200) ended.push(jar);
    }
  }
}
