import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { LinkedAccount, LinkedAccountChanges } from "../../domain/linked-account.ts";
import { hostileTexts, withNul } from "./hostile.ts";
import { same } from "./same.ts";
import { addApiKey, addLinkedAccount, addUser, committed, refused, write } from "./steps.ts";
import type { Rules, Trial } from "./trial.ts";

/** A linked account with something in every field. */
function fullAccount({ make, clock }: Trial, user: { readonly id: string }): LinkedAccount {
  const at = (ms: number): Date => new Date(clock.now().getTime() + ms);
  return make.linkedAccount(user, {
    provider: "corporate-sso",
    issuer: "https://sso.example/realms/Ünïcode?tenant='1'",
    subject: `auth0|${"s".repeat(249)}`,
    email: "Ärger+tag@Exämple.com",
    sealedTokens: `v1.${"A-_".repeat(7_000)}`,
    lastUsedAt: at(-1),
    version: 3,
    createdAt: at(-86_400_123),
    updatedAt: at(-7),
  });
}

async function ids({ stores, call }: Trial, userId: string): Promise<readonly string[]> {
  return (await stores.directory.linkedAccounts(userId, call())).map(({ id }) => id);
}

/** Accounts at providers, one call at a time. */
export const linkedAccountRules: Rules = {
  "a linked account comes back as inserted, together with whom it is linked to": async (trial) => {
    const { stores, call, make } = trial;
    const user = await addUser(trial, { roles: ["editor"] });
    for (const account of [make.linkedAccount(user), fullAccount(trial, user)]) {
      await committed(trial, [write.link(account)]);
      same(await stores.directory.linkedAccount(account, call()), { account, user });
    }
  },

  "what names no linked account is null, however hostile": async (trial) => {
    const { directory } = trial.stores;
    const named = { issuer: "https://provider.example/a", subject: "Bc" };
    const { userId } = await addLinkedAccount(trial, await addUser(trial), named);
    const { issuer, subject } = named;
    const strange = [...hostileTexts, ...hostileTexts.map(withNul)];
    const near = [
      { issuer: subject, subject: issuer },
      { issuer: `${issuer}B`, subject: "c" },
      { issuer: issuer.slice(0, -1), subject: `a${subject}` },
      { issuer: `${issuer}/`, subject },
      { issuer: issuer.toUpperCase(), subject },
      ...[subject.toLowerCase(), `${subject} `, ` ${subject}`, withNul(subject), ""].map((other) => ({
        issuer,
        subject: other,
      })),
      ...strange.flatMap((text) => [
        { issuer: text, subject },
        { issuer, subject: text },
      ]),
    ];
    for (const by of near) strictEqual(await directory.linkedAccount(by, trial.call()), null);
    for (const id of [...strange, withNul(userId)]) deepStrictEqual(await ids(trial, id), []);
  },

  "issuer and subject name an account to the letter": async (trial) => {
    const user = await addUser(trial);
    const long = "x".repeat(255);
    const pairs = [
      ["https://a.example", "1"],
      ["https://a.example/", "1"],
      ["https://A.example", "1"],
      ["https://a.example", "1 "],
      ["https://a.example", "01"],
      ["https://a.example", "é"],
      ["https://a.example", "e\u0301"],
      ["https://a.example", "É"],
      ["https://a.example1", ""],
      [long, long],
      [long, `${long.slice(1)}y`],
    ] as const;
    const accounts: LinkedAccount[] = [];
    for (const [issuer, subject] of pairs) {
      accounts.push(await addLinkedAccount(trial, user, { issuer, subject }));
    }
    for (const account of accounts) {
      const found = await trial.stores.directory.linkedAccount(account, trial.call());
      strictEqual(found?.account.id, account.id);
    }
  },

  "an account is found whatever the status of whom it is linked to": async (trial) => {
    for (const status of ["disabled", "deleted", "anonymized"] as const) {
      const user = await addUser(trial, { status });
      const account = await addLinkedAccount(trial, user);
      same(await trial.stores.directory.linkedAccount(account, trial.call()), { account, user });
    }
  },

  "linked accounts are listed oldest first, those of one user alone": async (trial) => {
    const [user, other] = [await addUser(trial), await addUser(trial)];
    const now = trial.clock.now().getTime();
    const accounts: LinkedAccount[] = [];
    for (const seconds of [20, 10, 30]) {
      accounts.push(await addLinkedAccount(trial, user, { createdAt: new Date(now + seconds * 1000) }));
    }
    await addLinkedAccount(trial, other);
    const [second, first, third] = accounts;
    same(await trial.stores.directory.linkedAccounts(user.id, trial.call()), [first, second, third]);
    same(await trial.stores.directory.linkedAccounts((await addUser(trial)).id, trial.call()), []);
  },

  "an account is linked to one user, and once": async (trial) => {
    const [user, other] = [await addUser(trial), await addUser(trial)];
    const account = await addLinkedAccount(trial, user);
    const again = { issuer: account.issuer, subject: account.subject };
    for (const to of [user, other]) {
      await refused(trial, [write.link(trial.make.linkedAccount(to, again))], "conflict");
    }
    same(await trial.stores.directory.linkedAccount(account, trial.call()), { account, user });
    deepStrictEqual(await ids(trial, other.id), []);
  },

  "an update of a linked account changes the named fields alone and counts the version": async (trial) => {
    const user = await addUser(trial);
    const account = fullAccount(trial, user);
    await committed(trial, [write.link(account)]);
    trial.clock.advance(60);
    const changes: LinkedAccountChanges = { email: null, lastUsedAt: trial.clock.now() };
    await committed(trial, [write.updateLink(account, { ...changes, sealedTokens: undefined })]);
    const after = { ...account, ...changes, version: 4, updatedAt: trial.clock.now() };
    same(await trial.stores.directory.linkedAccount(account, trial.call()), { account: after, user });
  },

  "every field of a linked account that may change does, and no other": async (trial) => {
    const user = await addUser(trial);
    const account = await addLinkedAccount(trial, user);
    const { email, sealedTokens, lastUsedAt, ...fixed } = fullAccount(trial, await addUser(trial));
    const changes = { email, sealedTokens, lastUsedAt };
    await committed(trial, [write.updateLink(account, { ...fixed, ...changes } as LinkedAccountChanges)]);
    const after = { ...account, ...changes, version: 2 };
    same(await trial.stores.directory.linkedAccounts(user.id, trial.call()), [after]);
  },

  "a linked account that is not the last way to sign in can be removed, and is free": async (trial) => {
    const [byPassword, byAnother] = [await addUser(trial), await addUser(trial)];
    await committed(trial, [write.password(trial.make.password(byPassword))]);
    const account = await addLinkedAccount(trial, byPassword);
    const [first, second] = [
      await addLinkedAccount(trial, byAnother),
      await addLinkedAccount(trial, byAnother),
    ];
    await committed(trial, [write.unlink(account)]);
    await committed(trial, [write.unlink(first)]);
    deepStrictEqual(await ids(trial, byPassword.id), []);
    deepStrictEqual(await ids(trial, byAnother.id), [second.id]);
    strictEqual(await trial.stores.directory.linkedAccount(first, trial.call()), null);
    const { issuer, subject } = first;
    await addLinkedAccount(trial, byPassword, { issuer, subject });
    // An id that comes back stands for what it is given with, not for what it was.
    await committed(trial, [write.link({ ...account, subject: "another" })]);
    strictEqual(await trial.stores.directory.linkedAccount(account, trial.call()), null);
  },

  "the last way to sign in stays: an API key is none": async (trial) => {
    const [user, other] = [await addUser(trial), await addUser(trial)];
    const account = await addLinkedAccount(trial, user);
    await addApiKey(trial, user);
    // Those of somebody else do not count.
    await committed(trial, [write.password(trial.make.password(other))]);
    await addLinkedAccount(trial, other);
    await refused(trial, [write.unlink(account)], "last_credential");
    await refused(trial, [write.update(user, { name: "x" }), write.unlink(account)], "last_credential");
    same(await trial.stores.directory.linkedAccount(account, trial.call()), { account, user });
  },

  "an account is removed by whom it is linked to alone": async (trial) => {
    const [user, other] = [await addUser(trial), await addUser(trial)];
    for (const each of [user, other]) {
      await committed(trial, [write.password(trial.make.password(each))]);
    }
    const account = await addLinkedAccount(trial, user);
    await refused(trial, [write.unlink({ ...account, userId: other.id })], "conflict");
    await refused(trial, [write.unlink({ ...account, userId: "nobody" })], "conflict");
    deepStrictEqual(await ids(trial, user.id), [account.id]);
  },

  "later writes of a transaction see the earlier ones of a linked account": async (trial) => {
    const user = trial.make.user();
    const [first, second] = [trial.make.linkedAccount(user), trial.make.linkedAccount(user)];
    const both = [write.user(user), write.link(first), write.link(second)];
    await refused(trial, [...both, write.unlink(first), write.unlink(second)], "last_credential");
    await refused(trial, [...both, write.unlink(first), write.unlink(first)], "conflict");
    const password = write.password(trial.make.password(user));
    await committed(trial, [
      ...both,
      write.updateLink(first, { email: "a@x.example" }),
      write.updateLink({ ...first, version: 2 }, { email: "b@x.example" }),
      write.unlink(second),
      password,
      write.unlink(first),
      write.link(second),
    ]);
    same(await trial.stores.directory.linkedAccounts(user.id, trial.call()), [second]);
  },

  "an account whose user is gone is linked to nobody": async (trial) => {
    if (trial.removeUser === null) return;
    const user = await addUser(trial);
    const account = await addLinkedAccount(trial, user);
    await trial.removeUser(user.id);
    await trial.stores.directory.forget(user.id, trial.call());
    strictEqual(await trial.stores.directory.linkedAccount(account, trial.call()), null);
    const { issuer, subject } = account;
    await addLinkedAccount(trial, await addUser(trial), { issuer, subject });
  },

  "erasing a user frees their linked accounts, and nobody else's": async (trial) => {
    const [user, other] = [await addUser(trial), await addUser(trial)];
    const [account, kept] = [await addLinkedAccount(trial, user), await addLinkedAccount(trial, other)];
    await committed(trial, [write.erase(user.id)]);
    strictEqual(await trial.stores.directory.linkedAccount(account, trial.call()), null);
    deepStrictEqual(await ids(trial, user.id), []);
    same(await trial.stores.directory.linkedAccount(kept, trial.call()), { account: kept, user: other });
    const { issuer, subject } = account;
    await addLinkedAccount(trial, other, { issuer, subject });
  },
};
