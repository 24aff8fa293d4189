import { describe, expect, it } from "vitest";
import type { DirectoryStore } from "../../src/ports/directory-store.ts";
import type { StoreCall, Write } from "../../src/ports/store.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { cached } from "../../src/stores/cached.ts";
import { memory } from "../../src/stores/memory.ts";
import { memorySessions } from "../../src/stores/memory-sessions.ts";
import { repositories } from "../../src/stores/repositories.ts";
import { split } from "../../src/stores/split.ts";
import { directoryContract, faulty, fixtures, testClock } from "../../src/testing/testing.ts";
import { bus } from "./cached-bus.ts";
import { memoryPair } from "./repositories-pairs.ts";

// What a store that stands before another directory has to keep of its contract: all that is no matter of sessions.
const isAboutCredentials =
  /key|linked account|an account|way to sign in|issuer|uses|a use without|revoked token/;

const wrappers: Readonly<Record<string, () => Stores>> = {
  split: () => split({ ...memory(), sessions: memorySessions() }),
  cached: () => cached(memory(), { channel: bus().channel() }),
  faulty: () => faulty(memory(), () => null),
};

describe.each(Object.entries(wrappers))("%s passes on API keys and linked accounts", (_, open) => {
  for (const { section, name, run } of directoryContract({ open: async () => open() })) {
    if (isAboutCredentials.test(name) && !name.includes("with all writes undone"))
      it(`${section}: ${name}`, run);
  }
});

describe("repositories have no place for API keys and linked accounts", () => {
  const clock = testClock();
  const make = fixtures(clock);
  const call = (): StoreCall => ({ now: clock.now(), signal: new AbortController().signal });

  async function house(): Promise<{ readonly directory: DirectoryStore; readonly userId: string }> {
    const pair = memoryPair(() => clock.now());
    const { directory } = repositories({ ...pair, companion: memory() });
    const user = make.user();
    expect((await directory.commit([{ kind: "user.insert", user }], call())).ok).toBe(true);
    return { directory, userId: user.id };
  }

  it("refuse every write about them, and what comes with it", async () => {
    const { directory, userId } = await house();
    const [key, account] = [make.apiKey({ id: userId }), make.linkedAccount({ id: userId })];
    const writes: readonly Write[] = [
      { kind: "api_key.insert", key },
      { kind: "api_key.update", keyId: key.id, userId, version: 1, changes: {} },
      { kind: "api_key.delete", keyId: key.id, userId },
      { kind: "linked_account.insert", account },
      { kind: "linked_account.update", accountId: account.id, version: 1, changes: {} },
      { kind: "linked_account.delete", accountId: account.id, userId },
    ];
    const changes = { name: "x" };
    for (const write of writes) {
      const update = { kind: "user.update", userId, version: 1, changes } as const;
      expect(await directory.commit([update, write], call())).toEqual({ ok: false, refused: "unsupported" });
    }
    expect((await directory.user(userId, call()))?.name).toBeNull();
  });

  it("answer that there is none", async () => {
    const { directory, userId } = await house();
    const key = make.apiKey({ id: userId });
    await directory.recordApiKeyUses([{ keyId: key.id, lastUsedAt: clock.now(), usage: [] }], call());
    expect(await directory.apiKey(key.id, call())).toBeNull();
    expect(await directory.apiKeys(userId, call())).toEqual([]);
    expect(await directory.apiKeyUsage({ keyId: key.id, from: new Date(0), limit: 9 }, call())).toEqual([]);
    expect(await directory.linkedAccount(make.linkedAccount({ id: userId }), call())).toBeNull();
    expect(await directory.linkedAccounts(userId, call())).toEqual([]);
  });

  it("remember the revoked tokens of a user", async () => {
    const { directory, userId } = await house();
    const revokedTokens = [{ tokenId: "t", expiresAt: clock.now() }];
    const update = { kind: "user.update", userId, version: 1, changes: { revokedTokens } } as const;
    expect((await directory.commit([update], call())).ok).toBe(true);
    expect((await directory.user(userId, call()))?.revokedTokens).toEqual(revokedTokens);
  });
});
