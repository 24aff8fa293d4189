import { describe, expect, it } from "vitest";
import type { User } from "../../src/domain/user.ts";
import type { DirectoryStore } from "../../src/ports/directory-store.ts";
import type { StoreCall, Write } from "../../src/ports/store.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { cached } from "../../src/stores/cached.ts";
import { memory } from "../../src/stores/memory.ts";
import { memorySessions } from "../../src/stores/memory-sessions.ts";
import { repositories } from "../../src/stores/repositories.ts";
import { split } from "../../src/stores/split.ts";
import { userQuery } from "../../src/testing/queries.ts";
import { directoryContract, faulty, fixtures, testClock } from "../../src/testing/testing.ts";
import { bus } from "./cached-bus.ts";
import { memoryPair } from "./repositories-pairs.ts";

// What a store that stands before another directory has to keep of its contract: all that is no matter of sessions.
const isPassedOn =
  /key|linked account|account|way to sign in|issuer|uses|a use without|revoked token|tier|seal|checkpoint|cursor|mail|claim|due|dropped|page|search|role|handed out|counted|before a row|asked for/;

const wrappers: Readonly<Record<string, () => Stores>> = {
  split: () => split({ ...memory(), sessions: memorySessions() }),
  cached: () => cached(memory(), { channel: bus().channel() }),
  faulty: () => faulty(memory(), () => null),
};

describe.each(Object.entries(wrappers))("%s passes on what is no matter of sessions", (_, open) => {
  for (const { section, name, run } of directoryContract({ open: async () => open() })) {
    if (isPassedOn.test(name) && !name.includes("with all writes undone")) it(`${section}: ${name}`, run);
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

  it("list whom Latchkey has seen, by username, by the whole of an address, by what the companion keeps", async () => {
    const pair = memoryPair(() => clock.now());
    const { directory } = repositories({ ...pair, companion: memory() });
    const users = [make.user({ tier: "pro", roles: ["editor"] }), make.user({ username: "f0" }), make.user()];
    for (const user of users)
      expect((await directory.commit([{ kind: "user.insert", user }], call())).ok).toBe(true);
    const ids = async (asked: Parameters<typeof userQuery>[0]): Promise<readonly string[]> => {
      const page = await directory.users(userQuery(asked), call());
      for (const user of page.users) expect(user).toEqual(await directory.user(user.id, call()));
      return page.users.map(({ id }) => id).sort();
    };
    const [first, second] = users as [User, User];
    expect(await ids({})).toEqual(users.map(({ id }) => id).sort());
    expect(await ids({ tier: "pro", role: "editor" })).toEqual([first.id]);
    expect(await ids({ search: first.username })).toEqual([first.id]);
    expect(await ids({ search: `  ${first.email.toUpperCase()} ` })).toEqual([first.id]);
    expect(await ids({ search: first.email, tier: "free" })).toEqual([]);
    expect(await ids({ search: first.email, limit: 0 })).toEqual([]);
    expect(await ids({ search: first.email.slice(0, -1) })).toEqual([]);
    expect(await ids({ search: "nobody@example.com" })).toEqual([]);
    // What the companion holds in the place of addresses begins with such digits.
    for (const digit of "0123456789abcdef")
      expect(await ids({ search: digit })).toEqual(digit === "f" ? [second.id] : []);
    pair.removeUser(first.id);
    expect(await ids({ search: first.email })).toEqual([]);
    expect(await ids({})).not.toContain(first.id);
  });

  it("remember the revoked tokens of a user", async () => {
    const { directory, userId } = await house();
    const revokedTokens = [{ tokenId: "t", expiresAt: clock.now() }];
    const update = { kind: "user.update", userId, version: 1, changes: { revokedTokens } } as const;
    expect((await directory.commit([update], call())).ok).toBe(true);
    expect((await directory.user(userId, call()))?.revokedTokens).toEqual(revokedTokens);
  });
});
