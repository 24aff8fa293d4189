import type { OwnedLinkedAccount } from "../../../src/ports/directory-store.ts";
import type { Committed, StoreCall, Write } from "../../../src/ports/store.ts";
import type { Stores } from "../../../src/ports/stores.ts";
import { type Broken, brokenDirectory as broken, insisting, rewriting, yieldOnce } from "./broken.ts";

const undone = (refusal: string, words: string): string =>
  `${refusal}, with all writes undone, where ${words}`;

/** A directory that answers linked accounts changed by `change`. */
function misreading(
  mistake: string,
  caughtBy: string,
  change: (found: OwnedLinkedAccount) => OwnedLinkedAccount | null,
): Broken {
  return broken(mistake, caughtBy, ({ linkedAccount }) => ({
    async linkedAccount(by, call) {
      const found = await linkedAccount(by, call);
      return found === null ? null : change(found);
    },
  }));
}

/** A directory that links an account that is taken under another name. */
function squeezing(mistake: string, caughtBy: string): Broken {
  let made = 0;
  return broken(mistake, caughtBy, ({ commit }) => ({
    async commit(writes, call) {
      const result = await commit(writes, call);
      if (result.ok || result.refused !== "conflict") return result;
      const renamed = writes.map((write): Write => {
        if (write.kind !== "linked_account.insert") return write;
        const { account } = write;
        return { ...write, account: { ...account, subject: `${account.subject}-${++made}` } };
      });
      return commit(renamed, call);
    },
  }));
}

/** A directory with another word on who may remove an account. */
function unlinking(mistake: string, caughtBy: string, answer: (result: Committed) => Committed): Broken {
  return broken(mistake, caughtBy, ({ commit }) => ({
    async commit(writes, call) {
      const result = await commit(writes, call);
      return writes.some(({ kind }) => kind === "linked_account.delete") ? answer(result) : result;
    },
  }));
}

/** Removes what the user had before the transaction, and nothing else. */
async function ofTheirs(write: Write, { directory }: Stores, call: StoreCall): Promise<readonly Write[]> {
  if (write.kind !== "linked_account.delete") return [write];
  const theirs = await directory.linkedAccounts(write.userId, call);
  return theirs.some(({ id }) => id === write.accountId) ? [write] : [];
}

const done: Committed = { ok: true, ended: [], reported: [] };

/** Mistakes with linked accounts. */
export const brokenLinkedAccounts: readonly Broken[] = [
  misreading(
    "addresses are kept in lower case",
    "a linked account comes back as inserted, together with whom it is linked to",
    ({ account, user }) => ({ account: { ...account, email: account.email?.toLowerCase() ?? null }, user }),
  ),
  broken(
    "subjects are looked up without blanks",
    "what names no linked account is null, however hostile",
    ({ linkedAccount }) => ({
      linkedAccount: ({ issuer, subject }, call) => linkedAccount({ issuer, subject: subject.trim() }, call),
    }),
  ),
  broken(
    "issuers are looked up without a slash at the end",
    "what names no linked account is null, however hostile",
    ({ linkedAccount }) => ({
      linkedAccount: ({ issuer, subject }, call) =>
        linkedAccount({ issuer: issuer.replace(/\/$/, ""), subject }, call),
    }),
  ),
  rewriting("subjects are kept in lower case", "issuer and subject name an account to the letter", (write) =>
    write.kind === "linked_account.insert"
      ? [{ ...write, account: { ...write.account, subject: write.account.subject.toLowerCase() } }]
      : [write],
  ),
  misreading(
    "the account of a user who is not active is not found",
    "an account is found whatever the status of whom it is linked to",
    (found) => (found.user.status === "active" ? found : null),
  ),
  broken(
    "linked accounts are listed newest first",
    "linked accounts are listed oldest first, those of one user alone",
    ({ linkedAccounts }) => ({
      linkedAccounts: async (id, call) => (await linkedAccounts(id, call)).toReversed(),
    }),
  ),
  squeezing("an account that is linked is linked again", "an account is linked to one user, and once"),
  squeezing(
    "an account that is linked meanwhile is linked again",
    "of many who link one account at a provider exactly one does",
  ),
  rewriting(
    "changes of a linked account are forgotten",
    "an update of a linked account changes the named fields alone and counts the version",
    (write) => (write.kind === "linked_account.update" ? [] : [write]),
  ),
  rewriting(
    "the provider's tokens cannot be changed",
    "every field of a linked account that may change does, and no other",
    (write) => {
      if (write.kind !== "linked_account.update") return [write];
      const { sealedTokens, ...changes } = write.changes;
      return [{ ...write, changes }];
    },
  ),
  unlinking(
    "no account can be removed",
    "a linked account that is not the last way to sign in can be removed, and is free",
    () => ({ ok: false, refused: "last_credential" }),
  ),
  unlinking(
    "the last account can be removed",
    "the last way to sign in stays: an API key is none",
    (result) => (!result.ok && result.refused === "last_credential" ? done : result),
  ),
  unlinking(
    "an account that is gone counts as removed",
    "of many who remove one linked account exactly one does",
    (result) => (!result.ok && result.refused === "conflict" ? done : result),
  ),
  unlinking(
    "the last account can be removed beside other writes",
    undone("last_credential", "the linked account to remove is the last way to sign in"),
    (result) => (!result.ok && result.refused === "last_credential" ? done : result),
  ),
  rewriting("anybody may remove an account", "an account is removed by whom it is linked to alone", ofTheirs),
  rewriting(
    "whether an account is there is asked before the transaction",
    "later writes of a transaction see the earlier ones of a linked account",
    ofTheirs,
  ),
  rewriting(
    "an erased user keeps their linked accounts",
    "erasing a user frees their linked accounts, and nobody else's",
    async (write, { directory }, call) => {
      if (write.kind !== "user.erase") return [write];
      const kept = await directory.linkedAccounts(write.userId, call);
      return [write, ...kept.map((account) => ({ kind: "linked_account.insert", account }) as const)];
    },
  ),
  rewriting(
    "whether another account is left is asked before the transaction",
    "of two who remove the last two linked accounts at once one is refused",
    async (write, { directory }, call) => {
      if (write.kind !== "linked_account.delete") return [write];
      const before = await directory.linkedAccounts(write.userId, call);
      await yieldOnce();
      const [first] = before;
      if (before.length < 2 || first === undefined) return [write];
      const other = { ...first, id: `${write.accountId}-other`, subject: `${write.accountId}-other` };
      return [{ kind: "linked_account.insert", account: other }, write];
    },
  ),
  insisting(
    "the last change of a linked account wins",
    "of many concurrent changes of one key, or of one linked account, exactly one succeeds",
    async (write) =>
      write.kind === "linked_account.update" ? { ...write, version: write.version + 1 } : write,
  ),
  rewriting(
    "any version of a linked account may be changed",
    undone("conflict", "the linked account to change has another version"),
    (write) => (write.kind === "linked_account.update" ? [{ ...write, version: 1 }] : [write]),
  ),
  broken(
    "a linked account and its user are read one after the other",
    "a reader never sees a key, or a linked account, of one instant with the user of another",
    ({ linkedAccount, user }) => ({
      async linkedAccount(by, call) {
        const found = await linkedAccount(by, call);
        await yieldOnce();
        const owner = found === null ? null : await user(found.account.userId, call);
        return found === null || owner === null ? null : { account: found.account, user: owner };
      },
    }),
  ),
];
