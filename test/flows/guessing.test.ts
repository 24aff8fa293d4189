import { hashSync } from "bcryptjs";
import { describe, expect, test } from "vitest";
import { argon2id } from "../../src/password/argon2id.ts";
import { bcrypt } from "../../src/password/bcrypt.ts";
import { password, type World, world } from "../support/world.ts";

const login = "/api/v1/auth/login";

async function guess(
  here: World,
  body: Readonly<Record<string, string>>,
  ip = "192.0.2.10",
): Promise<number> {
  const browser = here.browser();
  browser.ip = ip;
  return (await browser.post(login, { password: "a wrong guess of mine", ...body })).status;
}

describe("guessing", () => {
  test("counts address and username of one account as one", async () => {
    const here = world();
    await here.plant({ email: "ana@example.com", username: "ana" });
    for (let tries = 0; tries < 3; tries++) expect(await guess(here, { email: "ana@example.com" })).toBe(401);
    for (let tries = 0; tries < 2; tries++) expect(await guess(here, { username: "ana" })).toBe(401);
    expect(await guess(here, { username: "ana" })).toBe(429);
    expect(await guess(here, { email: "ana@example.com" })).toBe(429);
  });

  test("one password on a hundred accounts ends for the address that does it, and for no other", async () => {
    const here = world();
    for (let account = 0; account < 100; account++) {
      expect(await guess(here, { email: `nobody${account}@example.com` })).toBe(401);
    }
    const hashes = here.threads.hashes();
    expect(await guess(here, { email: "one.more@example.com" })).toBe(429);
    expect(here.threads.hashes()).toBe(hashes);
    expect(here.heard("rate_limit.hit")[0]?.payload).toMatchObject({ limit: "login_ip" });
    expect(await guess(here, { email: "one.more@example.com" }, "192.0.2.11")).toBe(401);
  });

  test("a success uses up nothing of what its address may still get wrong", async () => {
    const here = world();
    await here.plant({ email: "ana@example.com" });
    for (let signIn = 0; signIn < 101; signIn++) {
      expect(await guess(here, { email: "ana@example.com", password })).toBe(200);
    }
  });

  test("a password that can be none is refused before anything is looked up or counted", async () => {
    const here = world();
    await here.plant({ email: "ana@example.com" });
    here.recorder.calls.length = 0;
    expect(await guess(here, { email: "ana@example.com", password: "x".repeat(1_025) })).toBe(400);
    expect(here.recorder.trace()).toEqual([]);
  });
});

test("a password in an outdated format is changed at the first try", async () => {
  const here = world({ passwords: { hashers: [argon2id({ memoryKiB: 8, passes: 1 }), bcrypt()] } });
  const user = await here.plant({ email: "ana@example.com" });
  const browser = here.browser();
  await browser.post(login, { email: "ana@example.com", password });
  const credential = await here.credential(user.id);
  const outdated = {
    encoded: hashSync(password, 4),
    normalization: "raw",
    version: credential.version + 1,
  } as const;
  await here.write({ kind: "password.replace", credential: { ...credential, ...outdated } });
  const change = { current_password: password, new_password: `${password} and more` };
  expect((await browser.put("/api/v1/users/me/password", change)).status).toBe(200);
});
