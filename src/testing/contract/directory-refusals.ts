import type { PasswordCredential } from "../../domain/credential.ts";
import type { Refusal, Write } from "../../ports/store.ts";
import { changes, type Scene, scene, unchanged } from "./scene.ts";
import { addUser, refused, write } from "./steps.ts";
import type { Rules, Trial } from "./trial.ts";

/** A write that is refused after the scene's writes were run. */
type Refused = readonly [words: string, refusal: Refusal, write: (scene: Scene, trial: Trial) => Write];

const replace = (credential: PasswordCredential): Write => ({ kind: "password.replace", credential });
const taken = "root@taken.example";

const table: readonly Refused[] = [
  ["a required generation is another", "stale", ({ root }) => write.require({ ...root, generation: 2 })],
  ["a required user is not active", "stale", ({ disabled }) => write.require(disabled)],
  ["a required user is unknown", "stale", (_, { make }) => write.require(make.user())],
  ["the generation to advance is another", "stale", ({ root }) => write.advance({ ...root, generation: 2 })],
  ["the generation was advanced by an earlier write", "stale", ({ ana }) => write.require(ana)],
  ["the user to advance is unknown", "stale", (_, { make }) => write.advance(make.user())],
  [
    "the row to update has another version",
    "conflict",
    ({ root }) => write.update({ ...root, version: 2 }, { name: "x" }),
  ],
  ["the row was updated by an earlier write", "conflict", ({ ana }) => write.update(ana, { name: "x" })],
  ["the row to update is unknown", "conflict", (_, { make }) => write.update(make.user(), { name: "x" })],
  [
    "the password to replace has another version",
    "conflict",
    ({ rootPassword }) => replace({ ...rootPassword, version: 3 }),
  ],
  [
    "the password to replace has the same version",
    "conflict",
    ({ rootPassword }) => replace({ ...rootPassword, version: 1 }),
  ],
  [
    "the password to replace is unknown",
    "conflict",
    ({ root }, { make }) => replace(make.password(root, { version: 2 })),
  ],
  [
    "the user has a password already",
    "conflict",
    ({ root }, { make }) => ({ kind: "password.insert", credential: make.password(root) }),
  ],
  [
    "there is an API key of this id",
    "conflict",
    ({ rootKey, disabled }, { make }) => write.apiKey(make.apiKey(disabled, { id: rootKey.id })),
  ],
  [
    "the API key to change has another version",
    "conflict",
    ({ rootKey }) => write.updateKey({ ...rootKey, version: 2 }, { name: "x" }),
  ],
  [
    "the API key to change is another user's",
    "conflict",
    ({ rootKey, disabled }) => write.updateKey({ ...rootKey, userId: disabled.id }, { name: "x" }),
  ],
  [
    "the API key to change is unknown",
    "conflict",
    ({ root }, { make }) => write.updateKey(make.apiKey(root), { name: "x" }),
  ],
  [
    "the API key to delete is another user's",
    "conflict",
    ({ rootKey, disabled }) => write.deleteKey({ ...rootKey, userId: disabled.id }),
  ],
  [
    "the API key to delete is unknown",
    "conflict",
    ({ root }, { make }) => write.deleteKey(make.apiKey(root)),
  ],
  [
    "the account at the provider is linked to somebody else",
    "conflict",
    ({ rootAccount: { issuer, subject }, disabled }, { make }) =>
      write.link(make.linkedAccount(disabled, { issuer, subject })),
  ],
  [
    "the account at the provider is linked to the user already",
    "conflict",
    ({ rootAccount: { issuer, subject }, root }, { make }) =>
      write.link(make.linkedAccount(root, { issuer, subject })),
  ],
  [
    "the linked account to change has another version",
    "conflict",
    ({ rootAccount }) => write.updateLink({ ...rootAccount, version: 2 }, { email: "x" }),
  ],
  [
    "the linked account to change is unknown",
    "conflict",
    ({ root }, { make }) => write.updateLink(make.linkedAccount(root), { email: "x" }),
  ],
  [
    "the linked account to remove is another user's",
    "conflict",
    ({ rootAccount, ana }) => write.unlink({ ...rootAccount, userId: ana.id }),
  ],
  [
    "the linked account to remove is unknown",
    "conflict",
    ({ root }, { make }) => write.unlink(make.linkedAccount(root)),
  ],
  [
    "the linked account to remove is the last way to sign in",
    "last_credential",
    ({ loneAccount }) => write.unlink(loneAccount),
  ],
  [
    "the session to rotate is gone",
    "conflict",
    ({ root }, { make }) => ({ kind: "session.rotate", from: "gone", session: make.session(root) }),
  ],
  [
    "the session to rotate is another user's",
    "conflict",
    ({ rootSession, disabled }, { make }) => write.rotate(rootSession.id, make.session(disabled)),
  ],
  ["the user to erase was restored", "conflict", ({ root }) => write.erase(root.id, "deleted")],
  ["the deleted user to erase is unknown", "conflict", () => write.erase("nobody", "deleted")],
  [
    "the data has another version",
    "conflict",
    ({ rootSession }) => ({
      kind: "session.set_data",
      sessionId: rootSession.id,
      dataVersion: 1,
      data: { x: 1 },
    }),
  ],
  [
    "the session of the data is gone",
    "conflict",
    () => ({ kind: "session.set_data", sessionId: "gone", dataVersion: 0, data: { x: 1 } }),
  ],
  [
    "a new user's address is taken",
    "email_taken",
    ({ root }, { make }) => write.user(make.user({ emailKey: root.emailKey })),
  ],
  [
    "a changed address is taken",
    "email_taken",
    ({ disabled, root }) => write.update(disabled, { email: taken, emailKey: root.emailKey }),
  ],
  [
    "a new user's name is taken",
    "username_taken",
    ({ root }, { make }) => write.user(make.user({ username: root.username })),
  ],
  [
    "a changed name is taken",
    "username_taken",
    ({ disabled, root }) => write.update(disabled, { username: root.username }),
  ],
  ["there is a tier of this name", "conflict", (_, { make }) => write.tier(make.tier({ name: "pro" }))],
  [
    "the tier to change has another version",
    "conflict",
    (_, { make }) => write.updateTier(make.tier({ name: "pro", version: 1 }), []),
  ],
  ["the tier to change is unknown", "conflict", (_, { make }) => write.updateTier(make.tier(), [])],
  ["the tier to delete is unknown", "conflict", () => write.deleteTier("idle")],
  ["the required tier is unknown", "conflict", () => write.requireTier("idle")],
  ["the cursor to move stands elsewhere", "conflict", () => write.move("follower", 1, 3)],
  ["the cursor to move is there already", "conflict", () => write.move("follower", null, 3)],
  ["the cursor to move is gone", "conflict", () => write.move("gone", 0, 1)],
  [
    "the row of the checkpoint has another digest",
    "conflict",
    (_, { clock }) =>
      write.checkpoint({ seq: 3, chainHash: "another", createdAt: clock.now(), signature: "s" }),
  ],
  ["there are users already", "first_user_exists", () => ({ kind: "directory.require_empty" })],
  [
    "there is no other superuser",
    "last_superuser",
    ({ root }) => ({ kind: "directory.require_other_superuser", userId: root.id }),
  ],
];

/** Refusals, each at the end of a list that changes everything. */
export const refusalRules: Rules = {
  ...Object.fromEntries(
    table.map(([words, refusal, last]) => [
      `${refusal}, with all writes undone, where ${words}`,
      rule(refusal, last),
    ]),
  ),

  "a transaction that is not refused keeps all its writes": async (trial) =>
    changes(trial, await scene(trial)),

  "the list goes no further than the write that is refused": async (trial) => {
    const set = await scene(trial);
    const handles = [trial.stores, await trial.another()];
    const last: Write = { kind: "directory.require_empty" };
    for (let at = 0; at < set.writes.length; at++) {
      const writes = [...set.writes.slice(0, at), last, ...set.writes.slice(at)];
      await unchanged(set, () => refused(trial, writes, "first_user_exists"), handles);
    }
    await changes(trial, set);
  },

  "what a refused transaction claimed is free": async (trial) => {
    const user = trial.make.user();
    const session = trial.make.session(user);
    await addUser(trial);
    const claims = [write.user(user), write.session(session)];
    await refused(trial, [...claims, { kind: "directory.require_empty" }], "first_user_exists");
    const result = await trial.stores.directory.commit(claims, trial.call());
    if (!result.ok) throw new Error(`still claimed: ${result.refused}`);
  },
};

function rule(refusal: Refusal, last: Refused[2]): Rules[string] {
  return async (trial) => {
    const set = await scene(trial);
    const handles = [trial.stores, await trial.another()];
    await unchanged(set, () => refused(trial, [...set.writes, last(set, trial)], refusal), handles);
  };
}
