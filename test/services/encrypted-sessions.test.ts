import { describe, expect, test } from "vitest";
import { encryptedSessions } from "../../src/services/encrypted-sessions.ts";
import { textBox } from "../../src/services/text-box.ts";
import { memory } from "../../src/stores/memory.ts";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";
import { testRandom } from "../../src/testing/random.ts";
import { sessionContract } from "../../src/testing/testing.ts";
import { secret, type WorldOptions, world } from "../support/world.ts";

const email = "ana@example.com";
const other = "another secret of at least thirty-two bytes here";
const encrypt = { encrypt: true };

function encrypted(options: WorldOptions = {}) {
  return world({ ...options, session: { ...encrypt, ...options.session } });
}

/** Sessions of somebody as the store has them, past every wrapper. */
async function atRest(here: ReturnType<typeof world>, stores: ReturnType<typeof memory>) {
  const [user] = (await stores.directory.users({ ...everybody }, here.call())).users;
  return stores.sessions.list(user?.id ?? "", here.call());
}

const everybody = {
  search: null,
  status: null,
  role: null,
  tier: null,
  isSuperuser: null,
  after: null,
  limit: 10,
};

describe("encrypted sessions in memory keep the session contract", () => {
  const random = testRandom("contract");
  const box = textBox([random.bytes(32)], random);
  const harness = { open: async () => encryptedSessions(memory(), box) };
  for (const { section, name, run } of sessionContract(harness)) test(`${section}: ${name}`, run);
});

describe("sessions at rest, encrypted", () => {
  test("the store holds nothing readable of bag, address and browser, and the application all of it", async () => {
    const stores = memory();
    const here = encrypted({ stores });
    const ana = await here.registered(email);
    const bag = here.auth.protect(async (_request, _principal, session) => {
      await session.set("cart", "a marker in the bag");
      return Response.json(session.get("cart"));
    });
    const answer = await bag(ana.request("POST", "/cart"), { ip: "192.0.2.77" });
    expect(await answer.json()).toBe("a marker in the bag");
    const held = JSON.stringify(await atRest(here, stores));
    for (const readable of ["a marker in the bag", "cart", "192.0.2.10", "ExampleBrowser"]) {
      expect(held).not.toContain(readable);
    }
    const { body } = await ana.get("/api/v1/users/me/sessions");
    expect(body.items?.[0]).toMatchObject({ ip: "192.0.2.10", user_agent: "ExampleBrowser/1.0" });
  });

  test("a bag goes along through sign-in and rotation, and events name the address", async () => {
    const here = encrypted({ stores: sqlite({ path: ":memory:" }) });
    const ana = await here.registered(email);
    const put = here.auth.protect(async (_request, _principal, session) => {
      await session.set("cart", 1);
      return new Response();
    });
    const get = here.auth.protect((_request, _principal, session) => Response.json(session.get("cart")));
    await put(ana.request("POST", "/cart"), { ip: null });
    const again = await ana.post("/api/v1/auth/login", { email, password: "correct horse battery staple" });
    expect(again.status).toBe(200);
    expect(await (await get(ana.request("GET", "/cart"), { ip: null })).json()).toBe(1);
    expect(here.heard("user.logged_in").at(-1)?.ip).toBe("192.0.2.10");
  });

  test("binding compares what was decrypted", async () => {
    const here = encrypted({ session: { binding: "ip+user-agent" } });
    const ana = await here.registered(email);
    expect((await ana.get("/api/v1/users/me")).status).toBe(200);
    ana.ip = "203.0.113.1";
    expect((await ana.get("/api/v1/users/me")).status).toBe(401);
  });

  test("switched on, what lay there before is read; under a secret that is gone nobody is signed in", async () => {
    const stores = memory();
    const before = world({ stores });
    const ana = await before.registered(email);
    const cookies = [...ana.jar];
    const visit = async (options: WorldOptions) => {
      const browser = before.again(options).browser();
      for (const [name, value] of cookies) browser.jar.set(name, value);
      return browser.get("/api/v1/users/me");
    };
    expect((await visit({ session: encrypt })).status).toBe(200);

    const sealed = before.again({ session: encrypt }).browser();
    const signedIn = await sealed.post("/api/v1/auth/login", {
      email,
      password: "correct horse battery staple",
    });
    expect(signedIn.status).toBe(200);
    cookies.splice(0, cookies.length, ...sealed.jar);
    expect((await visit({ session: encrypt, secrets: [other, secret] })).status).toBe(200);
    expect((await visit({ session: encrypt, secrets: [other] })).body.code).toBe("session_expired");
  });

  test("what was moved from one place of the store to another opens as nothing", () => {
    const random = testRandom("box");
    const [key, older] = [random.bytes(32), random.bytes(32)];
    const box = textBox([key, older], random);
    const sealed = box.seal("192.0.2.1", "ip one");
    expect(box.open(sealed, "ip one")).toBe("192.0.2.1");
    expect(box.open(sealed, "ip two")).toBeNull();
    expect(textBox([older], random).open(sealed, "ip one")).toBeNull();
    expect(textBox([older, key], random).open(sealed, "ip one")).toBe("192.0.2.1");
    const flipped = sealed.slice(0, -2) + (sealed.at(-2) === "A" ? "B" : "A") + sealed.at(-1);
    expect(box.open(flipped, "ip one")).toBeNull();
    for (const text of ["", "~", "192.0.2.1", `${sealed.slice(0, 12)}`, "~aaaaaaaa.AAAA"]) {
      expect(box.open(text, "ip one")).toBeNull();
    }
    expect(box.seal("same", "x")).not.toBe(box.seal("same", "x"));
  });

  test("a bag or a browser that only looks sealed harms nobody", async () => {
    const here = world();
    const browser = here.browser();
    const headers = { "User-Agent": `~abcdefgh.${"A".repeat(60)}` };
    const json = { email, password: "correct horse battery staple" };
    expect((await browser.post("/api/v1/auth/register", json, { headers })).status).toBe(201);
    expect((await browser.get("/api/v1/users/me")).status).toBe(200);
  });
});
