import { type Context, Hono } from "hono";
import { expect, test } from "vitest";
import { hono } from "../../src/adapters/hono.ts";
import { readAnswer } from "../support/browser.ts";
import { cookieName, world } from "../support/world.ts";

const form = "application/x-www-form-urlencoded";

async function usual() {
  const here = world();
  const ana = await here.registered();
  const { protect } = hono<Context>(here.auth);
  const app = new Hono();
  app.post(
    "/name",
    protect((c) => c.text("in")),
  );
  const token = ana.jar.get(`${cookieName}-csrf`) ?? "";
  const send = async (body: BodyInit, headers: Record<string, string>) => {
    const request = ana.request("POST", "/name", { csrf: false, body, headers });
    return readAnswer(await app.fetch(request));
  };
  return { here, token, send };
}

/** Endless; notes how much of it was taken. */
function endless() {
  let bytes = 0;
  const chunk = new Uint8Array(65_536);
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      bytes += chunk.length;
      controller.enqueue(chunk);
    },
  });
  return { body, bytes: () => bytes };
}

test("a form that declares no size is not read for its token", async () => {
  const { send, token } = await usual();
  const { body, bytes } = endless();
  expect((await send(body, { "content-type": form })).body.code).toBe("csrf_required");
  expect(bytes()).toBeLessThanOrEqual(65_536);
  expect((await send(`_token=${token}`, { "content-type": form })).body.code).toBe("csrf_required");
});

test("a form that declares more than maxBodyBytes is refused unread", async () => {
  const { send } = await usual();
  const { body, bytes } = endless();
  const { status, body: said } = await send(body, { "content-type": form, "content-length": "65537" });
  expect([status, said.code]).toEqual([413, "payload_too_large"]);
  expect(bytes()).toBeLessThanOrEqual(65_536);
});

test("a form of maxBodyBytes is read", async () => {
  const { send, token } = await usual();
  const text = `_token=${token}&pad=`.padEnd(65_536, "x");
  const { text: said } = await send(text, { "content-type": form, "content-length": "65536" });
  expect(said).toBe("in");
});

test("a form that cannot be parsed holds no token, and is no failure of the server", async () => {
  const { here, send } = await usual();
  const { status, body } = await send("garbage", {
    "content-type": "multipart/form-data; boundary=x",
    "content-length": "7",
  });
  expect([status, body.code]).toEqual([403, "csrf_required"]);
  expect(here.log).toEqual([]);
});

test.each(["", "-1", "1e3", "0x10", "10, 10"])("a form whose size is %j declares none", async (length) => {
  const { send } = await usual();
  const { body, bytes } = endless();
  const { body: said } = await send(body, { "content-type": form, "content-length": length });
  expect(said.code).toBe("csrf_required");
  expect(bytes()).toBeLessThanOrEqual(65_536);
});
