import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sqlite } from "../../src/stores/sqlite/sqlite.ts";
import { temporaryDirectory } from "../support/backends.ts";
import { fickleProvider } from "./fickle-provider.ts";
import { begin, bring, oauthWorld, signIn } from "./steps.ts";

test("a provider's tokens are not kept unless that is asked for", async () => {
  const provider = await fickleProvider();
  const at = oauthWorld([provider]);
  const { body } = await signIn(at.browser(), provider);
  const userId = String(body.user?.id);
  const [account] = await at.services.stores.directory.linkedAccounts(userId, at.call());
  expect(account?.sealedTokens).toBeNull();
  expect(await at.auth.use(at.oauth).tokens(userId, "fickle")).toBeNull();
});

test("they are kept sealed, as of the last sign-in, and of the link that they belong to", async () => {
  const provider = await fickleProvider();
  const given: string[] = [];
  provider.defect = {
    token(honest) {
      given.push(String(honest.access_token));
      return honest;
    },
  };
  const at = oauthWorld([provider], { feature: { keepTokens: true } });
  const { body } = await signIn(at.browser(), provider);
  const userId = String(body.user?.id);
  const tokens = () => at.auth.use(at.oauth).tokens(userId, "fickle");
  expect(await tokens()).toEqual({
    accessToken: given[0],
    refreshToken: `refresh-${given[0]}`,
    scope: "openid email profile",
    expiresAt: new Date(at.clock.now().getTime() + 3_600_000),
  });
  await signIn(at.browser(), provider);
  expect((await tokens())?.accessToken).toBe(given[1]);

  provider.person = { sub: "2002", email: "eve@example.com" };
  const eve = String((await signIn(at.browser(), provider)).body.user?.id);
  const { directory } = at.services.stores;
  const [anas] = await directory.linkedAccounts(userId, at.call());
  const [eves] = await directory.linkedAccounts(eve, at.call());
  await at.write({
    kind: "linked_account.update",
    accountId: eves?.id ?? "",
    version: eves?.version ?? 0,
    changes: { sealedTokens: anas?.sealedTokens ?? null },
  });
  expect(await at.auth.use(at.oauth).tokens(eve, "fickle")).toBeNull();
  expect(await tokens()).not.toBeNull();
});

test("they are dropped at the next sign-in once they are not asked for any more", async () => {
  const provider = await fickleProvider();
  const at = oauthWorld([provider], { feature: { keepTokens: true } });
  const { body } = await signIn(at.browser(), provider);
  const without = oauthWorld([provider], { stores: at.services.stores });
  await signIn(without.browser(), provider);
  const [account] = await at.services.stores.directory.linkedAccounts(String(body.user?.id), at.call());
  expect(account?.sealedTokens).toBeNull();
});

test("no secret of a sign-in lies in the database: state, nonce, verifier, code, tokens", async () => {
  const directory = temporaryDirectory();
  const provider = await fickleProvider();
  const secrets: string[] = [];
  provider.defect = {
    token(honest) {
      secrets.push(String(honest.access_token), String(honest.refresh_token), String(honest.id_token));
      return honest;
    },
  };
  const stores = sqlite({ path: join(directory, "latchkey.db") });
  const at = oauthWorld([provider], { stores, feature: { keepTokens: true } });
  const pending = at.browser();
  const unused = new URL(await begin(pending)).searchParams;
  const browser = at.browser();
  const url = await begin(browser);
  const answer = provider.authorize(url);
  await bring(browser, answer);
  const [form] = provider.redeemed;
  const stateSecret = (text: string | null): string => text?.split(".")[1] ?? "";
  secrets.push(
    stateSecret(unused.get("state")),
    stateSecret(answer.get("state")),
    unused.get("nonce") ?? "",
    answer.get("code") ?? "",
    form?.get("code_verifier") ?? "",
    browser.jar.get("latchkey")?.split(".")[1] ?? "",
  );
  await at.settle();
  expect(secrets.filter((each) => each.length < 16)).toEqual([]);
  const files = readdirSync(directory).map((name) => readFileSync(join(directory, name)));
  const found = secrets.filter((each) => files.some((bytes) => bytes.includes(each)));
  expect(files.some((bytes) => bytes.includes("ana@example.com"))).toBe(true);
  expect(found).toEqual([]);
});
