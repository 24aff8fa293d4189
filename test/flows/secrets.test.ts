import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { parseSessionToken } from "../../src/domain/session.ts";
import { apiKeys } from "../../src/features/api-keys.ts";
import { anyone } from "../../src/guards/guards.ts";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";
import { temporaryDirectory } from "../support/backends.ts";
import type { Browser } from "../support/browser.ts";
import { cookieName, secret, world } from "../support/world.ts";

const email = "ana@example.com";
const client = { ip: "192.0.2.10" };

test("no secret that was ever handed out or typed is kept: not in the database, not in logs, not in events", async () => {
  const directory = temporaryDirectory();
  const here = world({
    stores: sqlite({ path: join(directory, "latchkey.db") }),
    features: [apiKeys()],
    listeners: [() => Promise.reject(new Error("loud"))],
  });
  const words = ["first canary phrase", "second canary phrase", "third canary phrase", "wrong canary phrase"];
  const [first = "", second = "", third = "", wrong = ""] = words;
  const handedOut = new Set<string>([secret, ...words, "typed-into-the-wrong-field"]);
  const remember = (browser: Browser): void => {
    const token = parseSessionToken(browser.jar.get(cookieName) ?? "");
    if (token !== null)
      handedOut.add(token.secret).add(Buffer.from(token.secret, "base64url").toString("hex"));
    const csrf = browser.jar.get(`${cookieName}-csrf`);
    if (csrf !== undefined) handedOut.add(csrf);
  };

  const ana = here.browser();
  const visit = { request: ana.request("POST", "/x"), client };
  const setup = String(await here.auth.users.issueSetupToken());
  await here.auth.users.setUp(setup, { email: "root@example.com", password: first }, visit);
  handedOut.add(setup.slice(23));
  await ana.post("/api/v1/auth/register", { email, password: first });
  remember(ana);
  await ana.post("/api/v1/auth/login", { email, password: first, remember: true });
  remember(ana);
  await here
    .browser()
    .post("/api/v1/auth/login", { username: "typed-into-the-wrong-field", password: wrong });
  await here.browser().post("/api/v1/auth/login", { email, password: wrong });
  await ana.post("/api/v1/auth/reauthenticate", { password: wrong });
  await ana.post("/api/v1/auth/reauthenticate", { password: first });
  remember(ana);
  await ana.put("/api/v1/users/me/password", { current_password: first, new_password: second });
  remember(ana);
  const { token: form } = await here.auth.forms.token("f", { request: ana.request("GET", "/x"), client });
  await here.auth.forms.spend("f", form, { request: ana.request("POST", "/x"), client });
  handedOut.add(form);
  handedOut.add(String((await ana.get("/api/v1/auth/csrf")).body.csrf_token));
  const { body: made } = await ana.post("/api/v1/api-keys", { name: "CI" });
  const { body: rotated } = await ana.post(`/api/v1/api-keys/${made.id}/rotate`, {});
  for (const key of [String(made.key), String(rotated.key)]) {
    handedOut.add(key.slice(-49)).add(key.slice(-49, -6));
    await here.browser().get("/api/v1/users/me", { headers: { "X-API-Key": key } });
    await here.browser().get("/api/v1/users/me", { headers: { "X-API-Key": `${key}x` } });
  }
  const { userId } = here.heard("user.logged_in")[0] ?? {};
  const reset = await here.auth.users.issueResetToken(String(userId));
  await here.auth.users.resetPassword({ token: reset, password: third }, visit);
  handedOut.add(reset.slice(23));
  const unspent = await here.auth.users.issueResetToken(String(userId));
  handedOut.add(unspent.slice(23));
  const broken = here.auth.protect(() => Promise.reject(new Error("the handler broke")), anyone());
  await broken(ana.request("POST", "/x", { csrf: false }), client);
  await here.settle();

  const files = readdirSync(directory).map((name) => readFileSync(join(directory, name)));
  expect(files.some((bytes) => bytes.includes(email))).toBe(true);
  const told = inspect([here.log, here.events], { depth: 10, maxArrayLength: null, maxStringLength: null });
  expect(told).toContain("user.login_failed");
  expect(handedOut.size).toBeGreaterThan(15);
  for (const canary of handedOut) {
    expect([canary, files.some((bytes) => bytes.includes(canary)), told.includes(canary)]).toEqual([
      canary,
      false,
      false,
    ]);
  }
});
