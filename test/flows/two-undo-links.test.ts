import { expect, test } from "vitest";
import type { Stores } from "../../src/ports/stores.ts";
import { gate } from "../support/gate.ts";
import { mailWorld } from "../support/mail.ts";

const base = "/api/v1/auth";
const email = "ana@example.com";

/** Holds up the first record of a change that was undone. */
function heldUp(stores: Stores, here: ReturnType<typeof gate>): Stores {
  let isFirst = true;
  const { ephemeral } = stores;
  const put: typeof ephemeral.put = async (key, ...rest) => {
    if (key.startsWith("undone:") && isFirst) {
      isFirst = false;
      await here.pass();
    }
    return ephemeral.put(key, ...rest);
  };
  return { ...stores, ephemeral: Object.assign(Object.create(ephemeral), { put }) };
}

test("of two links that are redeemed at once one waits: the owner's makes the thief's void, whoever came first", async () => {
  const atRecord = gate();
  const here = mailWorld({ wrap: (stores) => heldUp(stores, atRecord) });
  const ana = await here.registered(email);
  await here.delivered();
  await ana.post(`${base}/email/verify`, { token: here.sink.token(email) });
  // A thief in Ana's session changes the address twice, and so has a link to the first of theirs.
  for (const theirs of ["thief@example.net", "thief2@example.net"]) {
    await ana.patch("/api/v1/users/me", { email: theirs });
    await here.delivered();
    expect((await ana.post(`${base}/email/verify`, { token: here.sink.token(theirs) })).status).toBe(200);
    await here.delivered();
  }
  const undo = async (token: string, new_password: string) =>
    (await here.browser().post(`${base}/email/undo`, { token, new_password })).status;
  const owners = (): Promise<number> => undo(here.sink.token(email), "nine yellow teapots");
  const thiefs = (): Promise<number> => undo(here.sink.token("thief@example.net"), "seven green kettles");

  const first = thiefs();
  await atRecord.reached;
  expect(await owners()).toBe(409);
  atRecord.open();
  expect(await first).toBe(204);
  expect(await owners()).toBe(204);
  expect(await thiefs()).toBe(400);
  expect((await here.user(ana.userId)).email).toBe(email);
});

test("one that was cut off holds the others up for a minute, no longer", async () => {
  const here = mailWorld();
  const ana = await here.registered(email);
  await here.delivered();
  await ana.post(`${base}/email/verify`, { token: here.sink.token(email) });
  await ana.patch("/api/v1/users/me", { email: "new@example.com" });
  await here.delivered();
  await ana.post(`${base}/email/verify`, { token: here.sink.token("new@example.com") });
  await here.delivered();
  await here.recorder.stores.ephemeral.add(`undoing:${ana.userId}`, 60, here.call());
  const undo = { token: here.sink.token(email), new_password: "nine yellow teapots" };
  expect((await here.browser().post(`${base}/email/undo`, undo)).status).toBe(409);
  here.clock.advance(60);
  expect((await here.browser().post(`${base}/email/undo`, undo)).status).toBe(204);
});
