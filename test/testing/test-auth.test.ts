import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { createAuth } from "../../src/auth.ts";
import { apiKeys } from "../../src/features/api-keys.ts";
import { mail } from "../../src/features/mail.ts";
import { passwords } from "../../src/features/passwords.ts";
import { tokens } from "../../src/features/tokens.ts";
import { fresh } from "../../src/guards/fresh.ts";
import { anyone, guard, via } from "../../src/guards/guards.ts";
import { owner, permission, role, superuser } from "../../src/guards/rights.ts";
import { memory } from "../../src/stores/memory.ts";
import { actingAs } from "../../src/testing/acting-as.ts";
import {
  decide,
  faulty,
  mockPrincipal,
  mockUser,
  signedIn,
  type TestAuthOptions,
  testAuth,
  testClock,
  testPassword,
  testPasswords,
  testSecret,
  virtualClock,
  visitor,
} from "../../src/testing/testing.ts";

const me = "/api/v1/users/me";
const ana = { email: "ana@example.com" };

function world(options: TestAuthOptions = {}) {
  const here = testAuth(options);
  onTestFinished(() => here.auth.close());
  const seconds = (): number => (here.clock.now().getTime() - Date.UTC(2026, 0, 1)) / 1000;
  return { ...here, seconds };
}

describe("a test's world", () => {
  test("has mailed what was to be mailed by the time of the answer, and a link in it works", async () => {
    const { auth, mail } = world({ registration: "confirm" });
    const client = visitor(auth);
    const person = { ...ana, password: testPassword };
    expect((await client.post("/api/v1/auth/register", person)).status).toBe(202);
    const token = mail.token(ana.email);
    expect((await client.post("/api/v1/auth/email/verify", { token })).status).toBe(201);
    expect((await client.get(me)).status).toBe(200);
  });

  test("has a policy that is as strict as in earnest", async () => {
    const { auth } = world();
    const answer = await visitor(auth).post("/api/v1/auth/register", { ...ana, password: "password123" });
    expect(await answer.json()).toMatchObject({ code: "password_rejected" });
  });

  test("answers a stranger as a server does, to the letter", async () => {
    const features = [apiKeys(), tokens()];
    const { auth } = world({ features });
    const server = createAuth({
      origin: auth.config.origin,
      secrets: [testSecret],
      stores: memory(),
      features,
    });
    onTestFinished(() => server.close());
    const asked = async (from: typeof auth) => {
      const answer = await visitor(from).get(me, { headers: { "X-Request-Id": "1" } });
      const { request_id: _, ...body } = (await answer.json()) as Record<string, unknown>;
      return [answer.status, answer.headers.get("www-authenticate"), body];
    };
    expect(await asked(auth)).toEqual(await asked(server));
  });

  test("takes the features that are listed in place of its own", async () => {
    const { auth } = world({ features: [testPasswords({ minLength: 30 })] });
    const answer = await visitor(auth).post("/api/v1/auth/register", { ...ana, password: testPassword });
    expect(await answer.json()).toMatchObject({ errors: [{ code: "too_short" }] });
  });

  test("ends sessions by its clock, sweeping at the interval, without a second of real time", async () => {
    const { auth, clock, events } = world({ session: { sweepIntervalSeconds: 900 } });
    const client = await signedIn(auth, { user: ana });
    const startedAt = performance.now();
    await clock.advance(1_799);
    expect((await client.get(me)).status).toBe(200);
    await clock.advance(1_800.5);
    expect(events.filter(({ type }) => type === "session.expired")).toHaveLength(0);
    await clock.advance(0.5);
    expect(events.filter(({ type }) => type === "session.expired")).toHaveLength(1);
    expect((await client.get(me)).status).toBe(401);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  test("tries a mail again when it is time, and notes what went wrong", async () => {
    const { auth, mail, clock, log, faults } = world();
    const client = await signedIn(auth, { user: ana });
    const end = faults.add("refuse", { port: "directory", method: "claimMail" });
    expect((await client.post("/api/v1/auth/email/verify/request")).status).toBe(202);
    await clock.advance(0.5);
    expect(mail.sent).toEqual([]);
    expect(log.map(({ message }) => message)).toContain("the outbox was not read");
    end();
    await clock.advance(1);
    expect(mail.newest(ana.email).subject).not.toBe("");
  });

  test("looks for mails at the configured interval, of its clock", async () => {
    const sentAt: number[] = [];
    const mailer = { send: async () => void sentAt.push(here.seconds()) };
    const here = world({ features: [mail({ mailer, from: "no-reply@app.example", pollSeconds: 15 })] });
    const client = await signedIn(here.auth, { user: ana });
    const end = here.faults.add("refuse", { method: "claimMail" });
    await client.post("/api/v1/auth/password/forgot", ana);
    await here.clock.advance(1);
    end();
    await here.clock.advance(60);
    expect(sentAt).toEqual([15]);
  });

  test("no time passes while a database of one's own takes its own", async () => {
    const slow = { waitFor: () => delay(3) };
    const { auth, clock, log } = world({ stores: faulty(memory(), () => slow) });
    const client = await signedIn(auth);
    expect((await client.get(me)).status).toBe(200);
    await clock.advance(1_200);
    await clock.advance(1_200);
    expect((await client.get(me)).status).toBe(401);
    expect(log).toEqual([]);
  });

  test("a database of one's own that does not answer is given up nevertheless", async () => {
    const stores = faulty(memory(), ({ method }) => (method === "sweep" ? "hang" : null));
    const { clock, log } = world({ stores, session: { sweepIntervalSeconds: 900 } });
    await clock.advance(1_000);
    expect(log).toMatchObject([{ fields: { task: "sweep" } }]);
  });

  test("an expired link opens nothing", async () => {
    const { auth, mail, clock } = world();
    await signedIn(auth, { user: ana });
    const client = visitor(auth);
    await client.post("/api/v1/auth/password/forgot", ana);
    const token = mail.token(ana.email);
    await clock.advance(3_600);
    const reset = await client.post("/api/v1/auth/password/reset", {
      token,
      new_password: "another one entirely",
    });
    expect(await reset.json()).toMatchObject({ code: "token_invalid" });
  });

  test("is another with another seed, and begins when it is said to", async () => {
    const startsAt = new Date("2030-05-05T05:05:05Z");
    const { auth, clock } = world({ startsAt, seed: "another" });
    expect(clock.now()).toEqual(startsAt);
    const [here, there] = [await signedIn(auth), await signedIn(world({ startsAt }).auth)];
    expect(here.user.createdAt).toEqual(startsAt);
    expect(here.user.id).not.toBe(there.user.id);
    expect(here.cookies()[0]?.value).not.toBe(there.cookies()[0]?.value);
  });
});

describe("failures of a test's world", () => {
  test("a store that refuses is 503, and no longer once the failure is ended", async () => {
    const { auth, faults } = world();
    const client = await signedIn(auth);
    for (const end of [faults.add("refuse"), () => faults.clear()]) {
      faults.add("refuse", { port: "sessions" });
      expect((await client.get(me)).status).toBe(503);
      end();
      if (end.length === 0) faults.clear();
      expect((await client.get(me)).status).toBe(200);
    }
  });

  test("goes wrong where and as often as it is said, the newest of several", async () => {
    const { auth, faults } = world();
    const client = await signedIn(auth);
    faults.add("refuse", { port: "ephemeral" });
    expect((await client.get(me)).status).toBe(200);
    faults.add("refuse", { method: "find", times: 2 });
    faults.add("refuse", { port: "sessions", times: 0 });
    const statuses = [];
    for (let turn = 0; turn < 3; turn++) statuses.push((await client.get(me)).status);
    expect(statuses).toEqual([503, 503, 200]);
    const end = faults.add("refuse", { port: "sessions" });
    faults.add({ latencyMs: 0 }, { port: "sessions" });
    expect((await client.get(me)).status).toBe(200);
    end();
  });

  test("a store that hangs is given up after the configured time, of the clock and not of the wall", async () => {
    const { auth, faults, seconds } = world({ storeTimeoutMs: 20_000 });
    const client = await signedIn(auth);
    faults.add("hang");
    const startedAt = performance.now();
    expect((await client.get(me)).status).toBe(503);
    expect(seconds()).toBe(20);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  test("a store that is slow answers later, and not at all past the configured time", async () => {
    const { auth, faults, seconds } = world({ storeTimeoutMs: 2_000 });
    const client = await signedIn(auth);
    faults.add({ latencyMs: 1_500 }, { port: "sessions" });
    expect((await client.get(me)).status).toBe(200);
    expect(seconds()).toBe(1.5);
    faults.add({ latencyMs: 2_500 }, { port: "sessions" });
    expect((await client.get(me)).status).toBe(503);
    expect(seconds()).toBe(3.5);
  });

  test("a request can be overtaken while its store is slow", async () => {
    const { auth, faults } = world();
    const client = await signedIn(auth);
    faults.add({ latencyMs: 1_000 }, { port: "sessions", method: "find", times: 1 });
    const order: string[] = [];
    await Promise.all([
      client.get(me).then(() => order.push("slow")),
      client.get(me).then(() => order.push("quick")),
    ]);
    expect(order).toEqual(["quick", "slow"]);
  });
});

describe("somebody without an account", () => {
  test("passes the guards that their rights open, and no store is asked", async () => {
    const { auth, actAs, faults } = world({ roles: { editor: ["post:write"] } });
    faults.add("refuse");
    const staff = auth.protect((_, { displayName }) => new Response(displayName), role("admin"));
    const write = auth.protect(() => new Response("written"), permission("post:write"));
    const open = auth.protect((_, { displayName }) => new Response(displayName), anyone());
    const post = new Request("http://localhost:3000/", { method: "POST" });
    const ask = async (handler: typeof staff) => {
      const answer = await handler(post.clone(), { ip: null });
      return answer.status === 200 ? answer.text() : answer.status;
    };
    expect([await ask(staff), await ask(write), await ask(open)]).toEqual([401, 401, "Anonymous"]);
    actAs(mockPrincipal({ username: "boss", name: "The boss", roles: ["admin"] }));
    expect([await ask(staff), await ask(write), await ask(open)]).toEqual(["The boss", 403, "The boss"]);
    actAs(mockPrincipal({ roles: ["editor"] }));
    expect([await ask(staff), await ask(write), await ask(open)]).toEqual([403, "written", "test"]);
    actAs(null);
    expect([await ask(staff), await ask(write), await ask(open)]).toEqual([401, 401, "Anonymous"]);
  });

  test("has the proof that is wanted: its kind, its age, its restriction", async () => {
    const { auth, actAs, clock } = world();
    const at = async (guard: Parameters<typeof auth.protect>[1]): Promise<number> =>
      (await auth.protect(() => new Response(), guard)(new Request("http://localhost:3000/"), { ip: null }))
        .status;
    actAs(mockPrincipal());
    expect([await at(fresh()), await at(via("session")), await at(via("api-key"))]).toEqual([200, 200, 401]);
    await clock.advance(601);
    expect(await at(fresh())).toBe(403);
    actAs(mockPrincipal({}, { authTime: clock.now() }));
    expect(await at(fresh())).toBe(200);
    const rich = { permissions: ["a:read", "a:write"] };
    actAs(mockPrincipal(rich, { via: "api-key", scopes: ["a:read"] }));
    expect([await at(permission("a:read")), await at(permission("a:write"))]).toEqual([200, 403]);
    expect([await at(via("api-key")), await at(fresh())]).toEqual([200, 403]);
  });

  test("is one and the same under one name, and another under another", () => {
    expect(mockUser()).toEqual(mockUser());
    expect(mockUser({ roles: ["a"] }).id).toBe(mockUser().id);
    expect(mockUser({ username: "other" }).id).not.toBe(mockUser().id);
    expect(mockUser({ email: "A@Example.com" })).toMatchObject({
      emailKey: "a@example.com",
      status: "active",
    });
  });

  test("a guard decides about them by itself", async () => {
    const allowed = async (...args: Parameters<typeof decide>): Promise<boolean | string> => {
      const decision = await decide(...args);
      return decision.allow || decision.code;
    };
    const nobody = {
      isAuthenticated: false,
      user: null,
      via: "anonymous",
      displayName: "Anonymous",
    } as const;
    const editor = mockPrincipal({ roles: ["editor"] });
    expect(await allowed(permission("a:write"), editor)).toBe("forbidden");
    expect(await allowed(permission("a:write"), editor, { roles: { editor: ["a:write"] } })).toBe(true);
    expect(await allowed(permission("a:write"), nobody)).toBe("not_authenticated");
    expect(
      await allowed(
        guard("anybody", () => true),
        nobody,
      ),
    ).toBe("not_authenticated");
    expect(await allowed(anyone(), nobody)).toBe(true);
    expect(await allowed(superuser(), mockPrincipal({ isSuperuser: true }))).toBe(true);
    expect(
      await allowed(
        owner(() => editor.user.id),
        editor,
      ),
    ).toBe(true);
    expect(
      await allowed(
        owner(() => editor.user.id),
        mockPrincipal({ username: "other" }),
      ),
    ).not.toBe(true);
    expect(await allowed(fresh(), editor)).toBe(true);
    expect(await allowed(fresh(), editor, { now: new Date("2026-01-01T00:10:01Z") })).not.toBe(true);
    expect(await allowed(fresh(), mockPrincipal({}, { via: "jwt" }))).not.toBe(true);
  });
});

describe("what is for tests alone", () => {
  const options = { origin: "http://localhost:3000", secrets: [testSecret], stores: memory() } as const;

  test.each([
    ["testPasswords", testPasswords()],
    ["actAs", actingAs()],
  ])("%s is refused by createAuth on any clock but a virtual one", (name, feature) => {
    for (const clock of [undefined, testClock(), { ...virtualClock() }])
      expect(() => createAuth({ ...options, features: [feature], ...(clock && { clock }) })).toThrow(
        `${name}: only for tests`,
      );
    expect(() => createAuth({ ...options, features: [feature], clock: virtualClock() })).not.toThrow();
  });

  test("whom a world acts as is nobody to another auth on the same stores", async () => {
    const { stores, actAs } = world();
    actAs(mockPrincipal({ isSuperuser: true }));
    const auth = createAuth({ ...options, stores, features: [passwords()] });
    const { principal } = await auth.authenticate(new Request("http://localhost:3000/"), { ip: null });
    expect(principal.isAuthenticated).toBe(false);
  });
});
