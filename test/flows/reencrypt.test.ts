import { describe, expect, test } from "vitest";
import { type Secrets, secrets } from "../../src/features/secrets.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { memory } from "../../src/stores/memory.ts";
import type { FickleProvider } from "../oauth/fickle-provider.ts";
import { fickleProvider } from "../oauth/fickle-provider.ts";
import { oauthWorld, signIn } from "../oauth/steps.ts";
import { backends } from "../support/backends.ts";
import { password, secret, type WorldOptions, world } from "../support/world.ts";

const second = "another secret of at least thirty-two bytes here";
const third = "a third secret of at least thirty-two bytes, too";

/** A world in which providers' tokens are kept, and secrets can be changed. */
function keeping(provider: FickleProvider, options: WorldOptions) {
  const feature = secrets();
  const at = oauthWorld([provider], { ...options, feature: { keepTokens: true }, beside: [feature] });
  const accountsOf = (userId: string) => at.services.stores.directory.linkedAccounts(userId, at.call());
  return {
    at,
    secrets: at.auth.use(feature) satisfies Secrets,
    tokens: (userId: string) => at.auth.use(at.oauth).tokens(userId, "fickle"),
    sealed: async (userId: string) => (await accountsOf(userId))[0]?.sealedTokens ?? null,
  };
}

/** So many people who have signed in with the provider; their ids. */
async function people(provider: FickleProvider, here: ReturnType<typeof keeping>, count: number) {
  const ids: string[] = [];
  for (let each = 0; each < count; each++) {
    provider.person = { sub: `person-${each}`, email: `person-${each}@example.com` };
    ids.push(String((await signIn(here.at.browser(), provider)).body.user?.id));
  }
  return ids;
}

const nothing = { resealed: 0, remaining: 0, unreadable: 0, sessions: 0, sessionsEndAt: null };

describe.each(backends)("secret reencrypt, on $backend", ({ open }) => {
  test("seals tokens of providers anew, says when nothing is left, and the old secret may go", async () => {
    const stores = await open();
    const provider = await fickleProvider();
    const before = keeping(provider, { stores, secrets: [secret] });
    const ids = await people(provider, before, 3);
    const [ana = ""] = ids;
    const kept = await before.tokens(ana);
    const rotated = keeping(provider, { stores, secrets: [second, secret] });
    const was = await rotated.sealed(ana);
    expect(await rotated.tokens(ana)).toEqual(kept);

    expect(await rotated.secrets.reencrypt()).toEqual({ ...nothing, resealed: 3 });
    expect(await rotated.sealed(ana)).not.toBe(was);
    expect(rotated.at.heard("secret.rotated")).toMatchObject([{ payload: { labels: ["provider-tokens"] } }]);
    // Run again there is nothing to do, and nothing is told of.
    expect(await rotated.secrets.reencrypt()).toEqual(nothing);
    expect(await rotated.at.audit("secret.rotated")).toHaveLength(1);

    const without = keeping(provider, { stores, secrets: [second] });
    expect(await without.tokens(ana)).toEqual(kept);
    expect(await without.secrets.reencrypt()).toEqual(nothing);
  });
});

describe("secret reencrypt", () => {
  test("tells of what no secret opens, and leaves it as it is", async () => {
    const stores = memory();
    const provider = await fickleProvider();
    const before = keeping(provider, { stores, secrets: [secret] });
    const [ana = ""] = await people(provider, before, 1);
    const was = await before.sealed(ana);
    const tooSoon = keeping(provider, { stores, secrets: [second] });
    expect(await tooSoon.secrets.reencrypt()).toEqual({ ...nothing, unreadable: 1 });
    expect(await tooSoon.sealed(ana)).toBe(was);
    // Put back, it is no loss.
    const back = keeping(provider, { stores, secrets: [second, third, secret] });
    expect(await back.secrets.reencrypt()).toEqual({ ...nothing, resealed: 1 });
    expect(await back.tokens(ana)).not.toBeNull();
  });

  test("a sign-in at the same moment loses nothing, and is not undone", async () => {
    const stores = memory();
    const provider = await fickleProvider();
    const before = keeping(provider, { stores, secrets: [secret] });
    const [ana = ""] = await people(provider, before, 1);
    const racing: WorldOptions = {
      secrets: [second, secret],
      // Between the look and the write of the first try somebody signs in.
      wrap: (inner) => oneBefore(inner, "linked_account.update", () => signIn(other.at.browser(), provider)),
    };
    const rotated = keeping(provider, { ...racing, stores });
    const other = keeping(provider, { stores, secrets: [second, secret] });
    // The sign-in sealed it under the first secret by itself.
    expect(await rotated.secrets.reencrypt()).toEqual(nothing);
    const alone = keeping(provider, { stores, secrets: [second] });
    expect(await alone.tokens(ana)).not.toBeNull();
  });

  test("says how many sessions lie under a former secret, and until when", async () => {
    const stores = memory();
    const feature = secrets();
    const session = { encrypt: true };
    const before = world({ stores, session });
    await before.registered();
    const rotated = before.again({ session, secrets: [second, secret], features: [feature] });
    const reencrypt = () => rotated.auth.use(feature).reencrypt();
    const sessionsEndAt = new Date(before.clock.now().getTime() + 86_400_000);
    expect(await reencrypt()).toEqual({ ...nothing, sessions: 1, sessionsEndAt });
    const browser = rotated.browser();
    await browser.post("/api/v1/auth/login", { email: "ana@example.com", password });
    expect((await reencrypt()).sessions).toBe(1);
    rotated.clock.advance(86_400);
    expect(await reencrypt()).toEqual(nothing);
  });
});

/** Does something once, right before the first transaction that has such a write. */
function oneBefore(inner: Stores, kind: string, work: () => Promise<unknown>): Stores {
  let isDone = false;
  return {
    ...inner,
    directory: {
      ...inner.directory,
      async commit(writes, call) {
        if (!isDone && writes.some((write) => write.kind === kind)) {
          isDone = true;
          await work();
        }
        return inner.directory.commit(writes, call);
      },
    },
  };
}
