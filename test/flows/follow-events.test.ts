import { describe, expect, test, vi } from "vitest";
import type { AuthEvent } from "../../src/domain/event.ts";
import { audit } from "../../src/features/audit.ts";
import { type Follower, followOnce } from "../../src/flows/following/follow-events.ts";
import { gate } from "../support/gate.ts";
import { type World, world } from "../support/world.ts";

function follower(
  heard: AuthEvent[],
  change: Partial<Follower> = {},
  take: (event: AuthEvent) => unknown = () => undefined,
): Follower {
  return {
    name: "listener:test",
    types: null,
    from: "beginning",
    isStopping: () => false,
    async deliver(event) {
      heard.push(event);
      await take(event);
    },
    ...change,
  };
}

const wrong = (here: World, email = "nobody@example.com") =>
  here.browser().post("/api/v1/auth/login", { email, password: "not the password" });

const ids = (events: readonly { readonly id: string }[]): readonly string[] => events.map(({ id }) => id);

describe("a follower", () => {
  test("is told every event once, in the order of the log, and nothing again", async () => {
    const here = world();
    const heard: AuthEvent[] = [];
    await here.registered();
    expect(await followOnce(here.services, follower(heard))).toEqual({ kind: "done" });
    await wrong(here);
    await followOnce(here.services, follower(heard));
    await followOnce(here.services, follower(heard));
    expect(heard).toEqual(here.events);
  });

  test("that begins now is told what happens from then on", async () => {
    const here = world();
    const heard: AuthEvent[] = [];
    await here.registered();
    await followOnce(here.services, follower(heard, { from: "now" }));
    expect(heard).toEqual([]);
    await wrong(here);
    await followOnce(here.services, follower(heard, { from: "now" }));
    expect(heard.map(({ type }) => type)).toEqual(["user.login_failed"]);
  });

  test("of some types is told those alone, and comes past the others", async () => {
    const here = world();
    const heard: AuthEvent[] = [];
    await here.registered();
    await wrong(here);
    await here.registered("bea@example.com");
    await followOnce(here.services, follower(heard, { types: new Set(["user.login_failed"]) }));
    expect(heard.map(({ type }) => type)).toEqual(["user.login_failed"]);
    const { directory } = here.services.stores;
    const end = (await directory.sealedAudit({ afterSeq: 0, limit: 100 }, here.call())).at(-1)?.seq;
    expect(await directory.cursor("listener:test", here.call())).toBe(end);
  });

  test("that takes no event is told the same again, later and later, and nothing behind it", async () => {
    const here = world();
    const heard: AuthEvent[] = [];
    const failing = follower(heard, {}, () => {
      throw new Error("not now");
    });
    await here.registered();
    const waits: number[] = [];
    for (let tries = 1; tries <= 14; tries++) {
      const pass = await followOnce(here.services, failing);
      expect(pass).toMatchObject({ kind: "failed", attempts: tries, event: { id: heard[0]?.id } });
      if (pass.kind !== "failed") return;
      waits.push(pass.retryAfterSeconds);
      here.clock.advance(pass.retryAfterSeconds - 1);
      // Nobody asks before, whichever process it is.
      expect(await followOnce(here.again().services, failing)).toEqual({ kind: "elsewhere" });
      here.clock.advance(1);
    }
    expect(new Set(ids(heard)).size).toBe(1);
    for (const [index, wait] of waits.entries()) {
      const doubled = Math.min(3_600, 5 * 2 ** index);
      expect(wait).toBeGreaterThanOrEqual(0.75 * doubled);
      expect(wait).toBeLessThanOrEqual(doubled + 1);
    }
    heard.length = 0;
    await followOnce(here.services, follower(heard));
    expect(heard).toEqual(here.events);
  });

  test("that asks for patience gets it, up to an hour", async () => {
    const here = world();
    await here.registered();
    for (const [asked, least] of [
      [600, 600],
      [1_000_000, 3_600],
      [-1, 0],
    ] as const) {
      const failing = follower([], {}, () => {
        throw Object.assign(new Error("busy"), { retryAfterSeconds: asked });
      });
      const pass = await followOnce(here.services, failing);
      const wait = pass.kind === "failed" ? pass.retryAfterSeconds : null;
      expect(wait).toBeGreaterThanOrEqual(least);
      expect(wait).toBeLessThanOrEqual(3_600);
      here.clock.advance(3_600);
    }
  });

  test("is told by one process at a time", async () => {
    const here = world();
    const other = here.again();
    const heard: AuthEvent[] = [];
    await here.registered();
    await wrong(here);
    const passes = await Promise.all([
      followOnce(here.services, follower(heard)),
      followOnce(other.services, follower(heard)),
      followOnce(here.services, follower(heard)),
    ]);
    expect(passes.map(({ kind }) => kind).sort()).toEqual(["done", "elsewhere", "elsewhere"]);
    expect(heard).toEqual(here.events);
  });

  test("goes on where a process died that was telling it", async () => {
    const here = world();
    const heard: AuthEvent[] = [];
    await here.registered();
    // One that hangs in the middle of an event does nothing more, as one that died.
    const held = gate();
    const dead = followOnce(
      here.again().services,
      follower([], {}, () => held.pass()),
    );
    await held.reached;
    expect(await followOnce(here.services, follower(heard))).toEqual({ kind: "elsewhere" });
    here.clock.advance(60);
    expect(await followOnce(here.services, follower(heard))).toEqual({ kind: "done" });
    expect(heard).toEqual(here.events);
    held.open();
    expect(await dead).toEqual({ kind: "elsewhere" });
  });

  test("that is stopping is told no further event, and the rest afterwards", async () => {
    const here = world();
    const heard: AuthEvent[] = [];
    await here.registered();
    await followOnce(here.services, follower(heard, { isStopping: () => heard.length > 0 }));
    expect(heard).toHaveLength(1);
    await followOnce(here.services, follower(heard));
    expect(heard).toEqual(here.events);
  });

  test("costs no write while there is nothing to tell", async () => {
    const here = world();
    await here.registered();
    await followOnce(here.services, follower([]));
    here.recorder.calls.length = 0;
    await followOnce(here.services, follower([]));
    expect(here.recorder.trace().filter((call) => !/cursor|sealedAudit|sealAudit/.test(call))).toEqual([]);
  });
});

test("everybody who has a place in the log is told by name, with what they were not told, until they are forgotten", async () => {
  const feature = audit({ sealSeconds: 0 });
  const here = world({ features: [feature] });
  const log = here.auth.use(feature);
  expect(await log.followers()).toEqual([]);
  await here.registered();
  await followOnce(here.services, follower([], { name: "webhook:b" }));
  await wrong(here);
  await followOnce(here.services, follower([], { name: "listener:a", isStopping: () => true }));
  await log.seal();
  const end = (await log.verify()).lastSeq ?? 0;
  expect(await log.followers()).toEqual([
    { name: "listener:a", toldSeq: 0, untold: end },
    { name: "webhook:b", toldSeq: end - 1, untold: 1 },
  ]);
  await log.forget("listener:a");
  await log.forget("nobody");
  expect((await log.followers()).map(({ name }) => name)).toEqual(["webhook:b"]);
});

describe("auth.events.follow", () => {
  test("tells soon what this process did, and ends when asked", async () => {
    const here = world();
    const heard: AuthEvent[] = [];
    const end = here.auth.events.follow("mine", (event) => void heard.push(event), { from: "beginning" });
    await here.registered();
    await vi.waitFor(() => expect(heard).toEqual(here.events), { timeout: 5_000 });
    await end();
    await wrong(here);
    await here.settle();
    expect(heard).toHaveLength(here.events.length - 1);
  });

  test("takes a name once, and no bad one", async () => {
    const { events } = world().auth;
    const end = events.follow("mine", () => undefined);
    expect(() => events.follow("mine", () => undefined)).toThrow(TypeError);
    await end();
    await events.follow("mine", () => undefined)();
    for (const name of ["", "Mine", "a b", "x".repeat(65), "-a"]) {
      expect(() => events.follow(name, () => undefined)).toThrow(TypeError);
    }
  });

  test("unfollow lets the log go again", async () => {
    const here = world();
    const { directory } = here.services.stores;
    here.auth.events.follow("mine", () => undefined);
    await vi.waitFor(async () => expect(await directory.cursor("listener:mine", here.call())).not.toBeNull());
    await here.auth.events.unfollow("mine");
    expect(await directory.cursor("listener:mine", here.call())).toBeNull();
  });
});
