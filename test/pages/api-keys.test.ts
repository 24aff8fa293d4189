import { describe, expect, test } from "vitest";
import { apiKeys } from "../../src/features/api-keys.ts";
import { faulty } from "../../src/testing/faulty.ts";
import { password, type WorldOptions, world } from "../support/world.ts";
import { registered, visitor } from "./visitor.ts";

/** Ana's account page, where she holds two permissions. */
async function account(options: WorldOptions = {}) {
  const feature = apiKeys();
  const here = world({ ...options, features: [feature] });
  const keys = here.auth.use(feature);
  await registered(here);
  const user = await here.auth.users.findByIdentifier("ana");
  if (user === null) throw new Error("nobody is registered");
  const changes = { permissions: ["invoice:read", "<b>:write"] };
  await here.write({ kind: "user.update", userId: user.id, version: user.version, changes });
  const ana = visitor(here, { apiKeys: keys });
  await ana.submit("/login", { username: "ana", password });
  const stored = () => here.services.stores.directory.apiKeys(user.id, here.call());
  return { here, keys, ana, stored, userId: user.id };
}

/** The key that a page shows. */
function shown(text: string): string {
  return /lk_live_\w+/.exec(text)?.[0] ?? "";
}

describe("the API keys of an account", () => {
  test("are made with what was ticked, and shown once", async () => {
    const { here, ana, stored } = await account();
    const made = await ana.submit("/account", { key_name: " CI <1> ", "may-<b>:write": "on" }, "new-key");
    expect(made.status).toBe(201);
    expect(made.headers.get("cache-control")).toBe("no-store");
    const key = shown(made.text);
    expect(await stored()).toMatchObject([{ name: "CI <1>", permissions: ["<b>:write"] }]);
    const used = await here.browser().get("/api/v1/users/me", { headers: { "X-API-Key": key } });
    expect(used.status).toBe(200);
    const page = await ana.open("/account");
    expect(page.text).not.toContain(key);
    expect(page.text).toContain("CI &lt;1&gt;");
    expect(page.text).toContain("may &lt;b&gt;:write");
    expect(made.text + page.text).not.toContain("<b>:");
    expect(here.heard("api_key.created")).toMatchObject([
      { ip: ana.browser.ip, userAgent: "ExampleBrowser/1.0" },
    ]);
  });

  test("are not made twice by one form", async () => {
    const { ana, stored } = await account();
    const page = await ana.open("/account");
    const form = { ...page.hidden("new-key"), key_name: "CI" };
    expect((await ana.post("/account", form)).status).toBe(201);
    const again = await ana.post("/account", form);
    expect([again.status, shown(again.text)]).toEqual([403, ""]);
    expect(again.summary).toContain("Invalid form token");
    expect(await stored()).toHaveLength(1);
  });

  test("are not made by another site's form", async () => {
    const { ana, stored } = await account();
    expect((await ana.post("/account", { form: "keys", key_name: "CI" })).status).toBe(403);
    expect(await stored()).toEqual([]);
  });

  test("need a name, and the form keeps what was ticked", async () => {
    const { ana, stored } = await account();
    const page = await ana.submit("/account", { key_name: " ", "may-invoice:read": "on" }, "new-key");
    expect([page.status, page.messageOf("key_name")]).toEqual([400, "Name is required"]);
    expect(page.messageOf("name")).toBeNull();
    expect(page.text).toContain('name="may-invoice:read" type="checkbox" value="on" checked');
    const form = { ...page.hidden("new-key"), key_name: "CI" };
    expect((await ana.post("/account", form)).status).toBe(201);
    expect(await stored()).toHaveLength(1);
  });

  test("may no more than their owner, whatever the form says", async () => {
    const { ana, stored } = await account();
    await ana.submit("/account", { key_name: "CI", "may-user:delete": "on" }, "new-key");
    expect(await stored()).toMatchObject([{ permissions: [] }]);
  });

  test("are revoked, each by its own button, and once", async () => {
    const { ana, stored } = await account();
    await ana.submit("/account", { key_name: "first" }, "new-key");
    await ana.submit("/account", { key_name: "second" }, "new-key");
    const [first, second] = await stored();
    const page = await ana.open("/account");
    const form = { ...page.hidden("keys"), revoke: String(first?.id) };
    const done = await ana.post("/account", form);
    expect(done).toMatchObject({ status: 303, location: "/account?done=key#keys" });
    expect((await ana.open("/account?done=key")).text).toContain("The API key is revoked.");
    expect(await stored()).toMatchObject([{ id: second?.id }]);
    expect((await ana.post("/account", form)).status).toBe(404);
  });

  test("of somebody else are not there", async () => {
    const { here, keys, ana, stored } = await account();
    await ana.submit("/account", { key_name: "CI" }, "new-key");
    await registered(here, { email: "eve@example.com", username: "eve" });
    const [key] = await stored();
    const other = visitor(here, { apiKeys: keys });
    await other.submit("/login", { username: "eve", password });
    const page = await other.open("/account");
    expect(page.text).not.toContain(key?.id);
    const form = { ...page.hidden("sessions"), form: "keys", revoke: String(key?.id) };
    expect((await other.post("/account", form)).status).toBe(404);
    expect(await stored()).toHaveLength(1);
  });

  test("say when they are no use any more", async () => {
    const { here, ana, userId } = await account();
    const expiresAt = new Date(here.clock.now().getTime() + 60_000);
    await here.write({ kind: "api_key.insert", key: here.make.apiKey({ id: userId }, { expiresAt }) });
    expect((await ana.open("/account")).text).not.toContain("Expired");
    here.clock.advance(60);
    expect((await ana.open("/account")).text).toContain("Expired");
  });

  test("that cannot be read are an error page, and no empty list", async () => {
    const { ana } = await account({
      wrap: (stores) => faulty(stores, ({ method }) => (method === "apiKeys" ? "refuse" : null)),
    });
    expect((await ana.open("/account")).status).toBe(503);
  });
});

test("a set-up without keys does not speak of them", async () => {
  const ana = await registered(world());
  expect((await ana.open("/account")).text).not.toContain("API key");
  const page = await ana.open("/account");
  const form = { ...page.hidden("profile"), form: "keys", key_name: "CI" };
  expect((await ana.post("/account", form)).status).toBe(400);
});

test("no page of an account opens to a key", async () => {
  const { here, ana } = await account();
  const made = await ana.submit("/account", { key_name: "CI" }, "new-key");
  const program = visitor(here);
  const headers = { "X-API-Key": shown(made.text) };
  for (const path of ["/account", "/account/delete", "/app/dashboard"])
    expect([path, (await program.open(path, { headers })).status]).toEqual([path, 403]);
  const posted = await program.post("/account", { form: "sessions" }, { headers });
  expect(posted.status).toBe(403);
});
