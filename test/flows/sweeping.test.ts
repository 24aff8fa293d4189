import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { anonymousEmail, anonymousUsername } from "../../src/domain/user.ts";
import { password, world } from "../support/world.ts";

const me = "/api/v1/users/me";

test("names of erased accounts can be taken by nobody, so that no erasure can be stopped", async () => {
  const here = world();
  const ana = await here.registered();
  const squat = (body: object) =>
    here.browser().post("/api/v1/auth/register", { email: "squat@example.com", password, ...body });
  expect((await squat({ username: anonymousUsername(ana.userId) })).status).toBe(400);
  expect((await squat({ email: anonymousEmail(ana.userId) })).status).toBe(400);
  expect((await squat({ email: anonymousEmail(ana.userId).toUpperCase() })).status).toBe(400);
  expect((await ana.delete(`${me}?erase=now`)).status).toBe(204);
});

test("an account that cannot be anonymised keeps neither the others nor the sweep of sessions", async () => {
  const here = world();
  const [ana, bob] = [await here.registered(), await here.registered("bob@example.com")];
  await here.registered("cleo@example.com");
  // Past every flow, as an older version might have let it in.
  await here.plant({ email: "squat@example.com", username: anonymousUsername(ana.userId) });
  await ana.delete(me);
  here.clock.advance(1);
  await bob.delete(me);
  here.clock.advance(31 * 86_400);
  expect(await here.auth.sessions.sweep()).toBe(1);
  expect((await here.user(bob.userId)).status).toBe("anonymized");
  expect((await here.user(ana.userId)).status).toBe("deleted");
  expect(here.log).toMatchObject([
    { level: "error", fields: { userId: ana.userId, refused: "username_taken" } },
  ]);
});

test("a sweep lets requests in between its batches", async () => {
  const here = world();
  const sessions = Array.from({ length: 1_000 }, () => here.make.session(null));
  await here.write(
    ...sessions.map((session) => ({ kind: "session.insert" as const, session, cap: 0, evicted: () => [] })),
  );
  here.clock.advance(40 * 86_400);
  let turns = 0;
  let isSwept = false;
  const sweeping = here.auth.sessions.sweep().finally(() => {
    isSwept = true;
  });
  while (!isSwept) {
    await setImmediate();
    turns++;
  }
  expect(await sweeping).toBe(1_000);
  expect(turns).toBeGreaterThanOrEqual(4);
});
