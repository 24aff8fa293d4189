import { describe, expect, it } from "vitest";
import { parseSessionToken } from "../../src/domain/session.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { memory } from "../../src/stores/memory.ts";
import { type RepositoriesOptions, repositories } from "../../src/stores/repositories.ts";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";
import { faulty, sessionContract, testClock } from "../../src/testing/testing.ts";
import { type Browser, bareRequest } from "../support/browser.ts";
import { until } from "../support/until.ts";
import { cookieName, password, type World, world } from "../support/world.ts";
import { memoryPair, sqlPair, type TestPair } from "./repositories-pairs.ts";

const email = "ana@example.com";
const next = "another correct horse battery";

interface House extends World {
  readonly pair: TestPair;
  readonly companion: Stores;
}

function house(
  makePair: (now: () => Date) => TestPair,
  companion: Stores = memory(),
  change: (pair: TestPair) => Partial<RepositoriesOptions> = () => ({}),
): House {
  let now = (): Date => new Date();
  const pair = makePair(() => now());
  const here = world({ stores: repositories({ ...pair, companion, ...change(pair) }) });
  now = () => here.clock.now();
  return Object.assign(here, { pair, companion });
}

const statusOf = async (browser: Browser): Promise<number> =>
  (await browser.copy().get("/api/v1/users/me")).status;

async function signIn(here: World, as = password): Promise<Browser & { status: number }> {
  const browser = here.browser();
  const { status } = await browser.post("/api/v1/auth/login", { email, password: as });
  return Object.assign(browser, { status });
}

const changePassword = (browser: Browser, current: string, to: string) =>
  browser.put("/api/v1/users/me/password", { current_password: current, new_password: to });

const pairs = { "two maps": memoryPair, "two tables": sqlPair };

describe.each(Object.entries(pairs))("an application's pair of %s", (_, makePair) => {
  it("registers, signs in, says who it is, and signs out", async () => {
    const here = house(makePair);
    const { userId } = await here.registered(email);
    expect(here.pair.hashOf(userId)).toMatch(/^\$argon2id\$/);
    const ana = await signIn(here);
    expect(ana.status).toBe(200);
    expect((await ana.get("/api/v1/users/me")).body).toMatchObject({ id: userId, email });
    const sid = parseSessionToken(ana.jar.get(cookieName) ?? "")?.id ?? "";
    expect(await here.pair.sessions.getUserId(sid)).toBe(userId);
    expect((await ana.copy().post("/api/v1/auth/logout")).body).toEqual({ ended: true });
    expect(await here.pair.sessions.getUserId(sid)).toBeNull();
    expect(await statusOf(ana)).toBe(401);
    expect((await signIn(here, "wrong password")).status).toBe(401);
  });

  it("changes a password: the old one and every other session end", async () => {
    const here = house(makePair);
    const ana = await here.registered(email);
    const other = await signIn(here);
    expect((await changePassword(ana, password, next)).status).toBe(200);
    expect([await statusOf(ana), await statusOf(other)]).toEqual([200, 401]);
    expect(here.pair.liveSessions()).toBe(1);
    expect((await signIn(here)).status).toBe(401);
    expect((await signIn(here, next)).status).toBe(200);
  });

  it("refuses a second account with the address, and leaves nothing of it", async () => {
    const here = house(makePair);
    await here.registered(email);
    const { status, body } = await here
      .browser()
      .post("/api/v1/auth/register", { email: "ANA@example.com", password, username: "ana" });
    expect([status, body.code]).toEqual([409, "email_taken"]);
    await here.registered("ben@example.com");
  });

  it("of two registrations at once with one address, one is refused, and its name is free", async () => {
    const here = house(makePair);
    const both = ["one", "two"].map((username) =>
      here.browser().post("/api/v1/auth/register", { email, password, username }),
    );
    const answers = await Promise.all(both);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    const loser = answers[0]?.status === 409 ? "one" : "two";
    const again = { email: "ben@example.com", password, username: loser };
    expect((await here.browser().post("/api/v1/auth/register", again)).status).toBe(201);
  });

  it("has the last word: what it revokes, or whom it deletes, is refused at once", async () => {
    const here = house(makePair);
    const { userId } = await here.registered(email);
    const [ana, other] = [await signIn(here), await signIn(here)];
    const sid = parseSessionToken(ana.jar.get(cookieName) ?? "")?.id ?? "";
    await here.pair.sessions.revoke(sid);
    expect([await statusOf(ana), await statusOf(other)]).toEqual([401, 200]);
    const { body } = await other.get("/api/v1/users/me/sessions");
    expect(body.items?.map(({ id }) => id)).not.toContain(sid);
    here.pair.removeUser(userId);
    expect(await statusOf(other)).toBe(401);
    expect((await other.copy().get("/api/v1/auth/session")).body).toMatchObject({ authenticated: false });
    expect((await signIn(here)).status).toBe(401);
  });

  it("knows no secret", async () => {
    const here = house(makePair);
    const ana = await here.registered(email);
    const { id, secret } = parseSessionToken(ana.jar.get(cookieName) ?? "") ?? { id: "?", secret: "?" };
    expect(here.pair.dump()).not.toContain(secret);
    expect(here.pair.dump()).not.toContain(id);
  });

  it("is told of the sessions that a cap ends, and that expire", async () => {
    const here = house(makePair);
    await here.registered(email);
    for (let count = 0; count < 7; count++) {
      here.clock.advance(1);
      await signIn(here);
    }
    expect(here.pair.liveSessions()).toBe(5);
    here.clock.advance(1_800);
    await here.auth.sessions.sweep();
    expect(here.pair.liveSessions()).toBe(0);
  });

  it("signs in somebody whom it had before, and replaces an outdated hash", async () => {
    const here = house(makePair);
    const encoded = await legacyHash();
    await here.pair.users.createUser({ id: "17", email: "Ana@Example.com", passwordHash: encoded });
    const ana = await signIn(here);
    expect(ana.status).toBe(200);
    expect((await ana.get("/api/v1/users/me")).body).toMatchObject({ id: "17", email: "Ana@Example.com" });
    expect(here.pair.hashOf("17")).toMatch(/^\$argon2id\$/);
    expect((await signIn(here)).status).toBe(200);
    expect((await changePassword(ana, password, next)).status).toBe(200);
    expect((await signIn(here, next)).status).toBe(200);
    expect((await signIn(here)).status).toBe(401);
  });

  it("may write its hash column itself", async () => {
    const here = house(makePair);
    const { userId } = await here.registered(email);
    here.pair.setHash(userId, await legacyHash());
    expect((await signIn(here)).status).toBe(200);
    expect((await signIn(here)).status).toBe(200);
  });

  it("may change an address itself, which nobody has verified then", async () => {
    const here = house(makePair);
    const ana = await here.registered(email);
    const verified = { emailVerified: true };
    await here.write({ kind: "user.update", userId: ana.userId, version: 1, changes: verified });
    expect(await here.user(ana.userId)).toMatchObject({ email, emailVerified: true });
    here.pair.setEmail(ana.userId, "new@example.com");
    expect(await here.user(ana.userId)).toMatchObject({ email: "new@example.com", emailVerified: false });
    expect((await ana.get("/api/v1/users/me")).body).toMatchObject({ email: "new@example.com" });
    expect((await signIn(here)).status).toBe(401);
    await here.registered(email);
  });

  it("refuses what it has no way to take, before anything is done", async () => {
    const here = house(makePair);
    const ana = await here.registered(email);
    const changed = await ana.patch("/api/v1/users/me", { email: "new@example.com" });
    expect([changed.status, changed.body.code]).toEqual([403, "forbidden"]);
    expect((await ana.get("/api/v1/users/me")).body).toMatchObject({ email });
    const erased = await ana.delete("/api/v1/users/me?erase=now");
    expect([erased.status, erased.body.code]).toEqual([403, "forbidden"]);
    expect(await statusOf(ana)).toBe(200);
    expect((await ana.patch("/api/v1/users/me", { name: "Ana" })).body).toMatchObject({ name: "Ana" });
    expect(await here.auth.users.issueSetupToken()).toBeNull();
    // Also before Latchkey has seen anybody: the application may have users.
    const { directory } = house(makePair).services.stores;
    const first = await directory.commit([{ kind: "directory.require_empty" }], here.call());
    expect(first).toEqual({ ok: false, refused: "first_user_exists" });
  });

  it("locks an account that was deleted", async () => {
    const here = house(makePair);
    const ana = await here.registered(email);
    expect((await ana.copy().delete("/api/v1/users/me")).status).toBeLessThan(300);
    expect(await statusOf(ana)).toBe(401);
    expect((await signIn(here)).status).toBe(401);
  });
});

/** A hash of {@link password} in another format. */
async function legacyHash(): Promise<string> {
  const { hash } = await import("bcryptjs");
  return hash(password, 4);
}

describe("a process that dies between companion and repositories", () => {
  const dies = (): never => {
    throw new Error("died here");
  };

  it("before the session was added: nobody is signed in", async () => {
    let isDead = false;
    const here = house(memoryPair, memory(), ({ sessions }) => ({
      sessions: { ...sessions, insert: (session) => (isDead ? dies() : sessions.insert(session)) },
    }));
    await here.registered(email);
    isDead = true;
    expect((await signIn(here)).status).toBe(503);
    isDead = false;
    expect((await signIn(here)).status).toBe(200);
  });

  it("before the new hash was written: the change counts, and the column is made up for", async () => {
    let isDead = false;
    const here = house(memoryPair, memory(), ({ users }) => ({
      users: {
        ...users,
        updatePasswordHash: (id, hash) => (isDead ? dies() : users.updatePasswordHash(id, hash)),
      },
    }));
    const ana = await here.registered(email);
    const before = here.pair.hashOf(ana.userId);
    isDead = true;
    expect((await changePassword(ana, password, next)).status).toBe(503);
    expect(here.pair.hashOf(ana.userId)).toBe(before);
    isDead = false;
    expect((await signIn(here)).status).toBe(401);
    expect((await signIn(here, next)).status).toBe(200);
    expect(here.pair.hashOf(ana.userId)).not.toBe(before);
    // A write that comes late brings no old password back.
    here.pair.setHash(ana.userId, before ?? "");
    expect((await signIn(here)).status).toBe(401);
    expect((await signIn(here, next)).status).toBe(200);
  });

  it("before the session was revoked: it is refused, and the next sign-out tells the application", async () => {
    let isDead = false;
    const here = house(memoryPair, memory(), ({ sessions }) => ({
      sessions: { ...sessions, revoke: (sid) => (isDead ? dies() : sessions.revoke(sid)) },
    }));
    const ana = await here.registered(email);
    const sid = parseSessionToken(ana.jar.get(cookieName) ?? "")?.id ?? "";
    isDead = true;
    expect((await ana.copy().post("/api/v1/auth/logout")).status).toBe(503);
    expect(await statusOf(ana)).toBe(401);
    isDead = false;
    await here.auth.sessions.revoke(ana.userId, sid);
    expect(await here.pair.sessions.getUserId(sid)).toBeNull();
  });

  it("in the companion: the repositories are not asked for anything", async () => {
    const companion = memory();
    let isDead = false;
    const broken = faulty(companion, () => (isDead ? { beforeWrite: 0 } : null));
    const here = house(memoryPair, broken);
    const ana = await here.registered(email);
    isDead = true;
    expect((await changePassword(ana, password, next)).status).toBe(503);
    isDead = false;
    expect(await statusOf(ana)).toBe(200);
    expect((await signIn(here)).status).toBe(200);
  });
});

describe("a sign-in that races a password change", () => {
  it("leaves no session of the old password, however the column lags behind", async () => {
    const held: (() => void)[] = [];
    let isHeld = false;
    const here = house(memoryPair, memory(), ({ users }) => ({
      users: {
        ...users,
        async updatePasswordHash(id, hash) {
          if (isHeld) await new Promise<void>((go) => held.push(go));
          await users.updatePasswordHash(id, hash);
        },
      },
    }));
    const ana = await here.registered(email);
    isHeld = true;
    const change = changePassword(ana, password, next);
    await until(() => held.length > 0);
    // Committed, with the old hash in the column still.
    isHeld = false;
    expect((await signIn(here)).status).toBe(401);
    for (const release of held) release();
    expect((await change).status).toBe(200);
    expect((await signIn(here, next)).status).toBe(200);
  });
});

describe("two password changes, of which the first is written last", () => {
  it("leave the second in the column", async () => {
    const held: (() => void)[] = [];
    let isHeld = true;
    const here = house(memoryPair, memory(), ({ users }) => ({
      users: {
        ...users,
        async updatePasswordHash(id, hash) {
          if (isHeld) await new Promise<void>((go) => held.push(go));
          await users.updatePasswordHash(id, hash);
        },
      },
    }));
    const ana = await here.registered(email);
    const first = changePassword(ana, password, next);
    await until(() => held.length > 0);
    isHeld = false;
    // The answer with the new cookie is still held back, so it is by another door that the password changes again.
    const token = await here.auth.users.issueResetToken(ana.userId);
    const visit = { request: bareRequest({ method: "POST" }), client: { ip: null } };
    const last = "yet another battery staple";
    await here.auth.users.resetPassword({ token, password: last }, visit);
    const written = here.pair.hashOf(ana.userId);
    for (const release of held) release();
    expect((await first).status).toBe(200);
    expect(here.pair.hashOf(ana.userId)).toBe(written);
    expect((await signIn(here, next)).status).toBe(401);
    expect((await signIn(here, last)).status).toBe(200);
  });
});

describe("repositories over two maps keep the session contract", () => {
  // An application's own tables have no way to erase anybody.
  const isAsked = (name: string): boolean => !/eras/.test(name);
  const clock = testClock();
  const harness = {
    open: async () => repositories({ ...memoryPair(() => clock.now()), companion: memory() }),
  };
  for (const { section, name, run } of sessionContract(harness))
    if (isAsked(name)) it(`${section}: ${name}`, run);
});

describe("repositories refuse what cannot work", () => {
  it("a pair that lacks a method, or a companion in pieces", () => {
    const pair = memoryPair(() => new Date());
    const { revoke: _, ...lacking } = pair.sessions;
    const wrong = { ...pair, sessions: lacking as TestPair["sessions"], companion: memory() };
    expect(() => repositories(wrong)).toThrow(/sessions lacks revoke/);
    const pieces = { ...memory(), sessions: sqlite({ path: ":memory:" }).sessions };
    expect(() => repositories({ ...pair, companion: pieces })).toThrow(TypeError);
  });

  it("a row of somebody else", async () => {
    const here = house(memoryPair, memory(), ({ users }) => ({
      users: { ...users, getUserById: async () => ({ id: "other", email }) },
    }));
    await expect(async () => here.services.stores.directory.user("one", here.call())).rejects.toMatchObject({
      code: "store_unavailable",
    });
  });

  it("a repository that gives a new user another id", async () => {
    const here = house(memoryPair, memory(), ({ users }) => ({
      users: { ...users, createUser: (user) => users.createUser({ ...user, id: "1" }) },
    }));
    const { status } = await here.browser().post("/api/v1/auth/register", { email, password });
    expect([status, here.log.at(-1)?.cause]).toMatchObject([
      503,
      { message: expect.stringContaining("keep the id") },
    ]);
  });

  it("an address that only a collation takes for the same", async () => {
    const here = house(memoryPair, memory(), ({ users }) => ({
      users: { ...users, getUserByEmail: async () => users.getUserByEmail("ana@example.com") },
    }));
    await here.pair.users.createUser({ id: "17", email, passwordHash: await legacyHash() });
    expect((await signIn(here)).status).toBe(200);
    const { status } = await here
      .browser()
      .post("/api/v1/auth/login", { email: "anä@example.com", password });
    expect(status).toBe(401);
  });
});
