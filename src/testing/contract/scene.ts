import { notDeepStrictEqual } from "node:assert/strict";
import type { ApiKey } from "../../domain/api-key.ts";
import type { AuditRow } from "../../domain/audit.ts";
import type { PasswordCredential } from "../../domain/credential.ts";
import type { LinkedAccount } from "../../domain/linked-account.ts";
import type { Session } from "../../domain/session.ts";
import type { User } from "../../domain/user.ts";
import type { Report, Write } from "../../ports/store.ts";
import type { Stores } from "../../ports/stores.ts";
import { auditQuery } from "../queries.ts";
import { record } from "./api-key-uses.ts";
import { same } from "./same.ts";
import { checkpointAt, seal } from "./sealing.ts";
import { committed, write } from "./steps.ts";
import type { Trial } from "./trial.ts";

/** A directory with something of everything, and a list of writes that would change all of it. */
export interface Scene {
  /** The only active superuser; the writes leave her alone. */
  readonly root: User;
  readonly rootPassword: PasswordCredential;
  readonly rootKey: ApiKey;
  readonly rootAccount: LinkedAccount;
  readonly rootSession: Session;
  /** Whom the writes are about. */
  readonly ana: User;
  readonly disabled: User;
  /** The only way by which `disabled` signs in. */
  readonly loneAccount: LinkedAccount;
  /** Every kind of write that changes anything, accepted as a whole. */
  readonly writes: readonly Write[];
  /** Everything that can be read of the above, and of what the writes would add. */
  read(stores?: Stores): Promise<unknown>;
}

/** Fills an empty directory. */
export async function scene(trial: Trial): Promise<Scene> {
  const { make, clock, call } = trial;
  const root = make.user({ isSuperuser: true });
  const [ana, ben, disabled, newcomer] = [
    make.user(),
    make.user(),
    make.user({ status: "disabled" }),
    make.user(),
  ];
  const [rootPassword, anaPassword, benPassword] = [root, ana, ben].map((user) => make.password(user)) as [
    PasswordCredential,
    PasswordCredential,
    PasswordCredential,
  ];
  const [rootKey, changedKey, deletedKey, benKey] = [
    make.apiKey(root),
    make.apiKey(ana),
    make.apiKey(ana),
    make.apiKey(ben),
  ];
  const [rootAccount, changedAccount, deletedAccount] = [
    make.linkedAccount(root),
    make.linkedAccount(ana),
    make.linkedAccount(ana),
  ];
  const [benAccount, loneAccount] = [make.linkedAccount(ben), make.linkedAccount(disabled)];
  const rootSession = make.session(root);
  const [oldest, rotated, edited] = [make.session(ana), make.session(ana), make.session(ana)];
  const [bens, visitor] = [make.session(ben), make.session(null)];
  const replaced = make.session(null, { data: { cart: [2] } });
  await committed(trial, [
    ...[root, ana, ben, disabled].map(write.user),
    ...[rootPassword, anaPassword, benPassword].map(write.password),
    ...[rootKey, changedKey, deletedKey, benKey].map(write.apiKey),
    ...[rootAccount, changedAccount, deletedAccount, benAccount, loneAccount].map(write.link),
    ...[rootSession, oldest, rotated, edited, bens, visitor, replaced].map((session) =>
      write.session(session),
    ),
    ...[ana, ben, disabled].map(({ id }) => write.audit(make.auditRow({ userId: id }))),
  ]);
  await record(trial, [rootKey, changedKey, deletedKey, benKey]);
  const [tier, idleTier, newTier] = [make.tier({ name: "pro" }), make.tier({ name: "idle" }), make.tier()];
  await committed(trial, [
    ...[tier, idleTier].map(write.tier),
    ...[write.move("follower", null, 1), write.move("gone", null, 0)],
  ]);
  await seal(trial, 2);
  // The oldest is the least recently used from here on.
  const usedAt = new Date(clock.now().getTime() + 1_000);
  const touched = [rotated, edited].map(({ id, idleExpiresAt }) => ({
    sessionId: id,
    usedAt,
    idleExpiresAt,
  }));
  await trial.stores.sessions.touch(touched, call());
  clock.advance(2);

  const [added, successor] = [make.session(ana), make.session(ana, { rotatedFrom: rotated.id })];
  const replacing = make.session(newcomer, { rotatedFrom: replaced.id });
  const [newKey, newAccount] = [make.apiKey(newcomer), make.linkedAccount(newcomer)];
  const reported = new Map<string, AuditRow>();
  // One row for each session, the same one if the store runs the transaction again.
  const report: Report = (ended) =>
    ended.map(({ id }) => {
      const row = reported.get(id) ?? make.auditRow({ type: "session.revoked", sessionId: id });
      reported.set(id, row);
      return row;
    });
  const writes: readonly Write[] = [
    write.require(ana),
    write.user(newcomer),
    write.password(make.password(newcomer)),
    write.apiKey(newKey),
    write.link(newAccount),
    write.updateKey(changedKey, { name: "changed", permissions: ["invoice:read"] }),
    write.deleteKey(deletedKey),
    write.updateLink(changedAccount, { email: "ana@provider.example", lastUsedAt: clock.now() }),
    write.unlink(deletedAccount),
    write.session(added, 3, report),
    write.replace(replaced.id, replacing, { cap: 1, ended: report, evicted: report }),
    write.rotate(rotated.id, successor),
    { kind: "session.set_data", sessionId: edited.id, dataVersion: 0, data: { cart: [1] } },
    write.refresh(edited, make.refreshFamily()),
    write.end(visitor.id, report),
    write.update(ana, {
      name: "Ana",
      email: "ana@new.example",
      emailKey: "ana@new.example",
      username: "ana",
      revokedTokens: [{ tokenId: "t", expiresAt: clock.now() }],
    }),
    write.advance(ana),
    { kind: "password.replace", credential: { ...anaPassword, encoded: "$none$new", version: 2 } },
    write.audit(make.auditRow({ type: "password.changed", userId: ana.id })),
    write.tier(newTier),
    write.updateTier(tier, []),
    write.requireTier(tier.name),
    write.deleteTier(idleTier.name),
    write.checkpoint(await checkpointAt(trial, 2)),
    write.move("follower", 1, 2),
    write.move("newcomer", null, 1),
    write.unfollow("gone"),
    write.erase(ben.id),
    write.endAll(ben.id, null, report),
    write.endAll(ana.id, added.id, report),
  ];

  async function read({ directory, sessions }: Stores = trial.stores): Promise<unknown> {
    const keys = [
      ...[root, ana, ben, disabled, newcomer].map(({ id }) => ({ kind: "id", key: id }) as const),
      ...[ana, newcomer].map(({ emailKey }) => ({ kind: "email", key: emailKey }) as const),
      ...["ana", ana.username, newcomer.username].map((key) => ({ kind: "username", key }) as const),
    ];
    const owners = [root, ana, ben, disabled, newcomer];
    const keyIds = [rootKey, changedKey, deletedKey, benKey, newKey].map(({ id }) => id);
    const before = [rootSession, oldest, rotated, edited, bens, visitor, replaced];
    const ids = [...before, added, successor, replacing].map(({ id }) => id);
    return {
      users: await Promise.all(keys.map((by) => directory.userWithPassword(by, call()))),
      apiKeys: await Promise.all(owners.map(({ id }) => directory.apiKeys(id, call()))),
      uses: await Promise.all(
        keyIds.map((keyId) => directory.apiKeyUsage({ keyId, from: new Date(0), limit: 9 }, call())),
      ),
      accounts: await Promise.all(owners.map(({ id }) => directory.linkedAccounts(id, call()))),
      sessions: await Promise.all(ids.map((id) => sessions.find([id], call()))),
      lists: await Promise.all([root, ana, ben].map(({ id }) => sessions.list(id, call()))),
      tiers: await directory.tiers(call()),
      cursors: await Promise.all(
        ["follower", "newcomer", "gone"].map((name) => directory.cursor(name, call())),
      ),
      checkpoints: await directory.auditCheckpoints(call()),
      sealed: await directory.sealedAudit({ afterSeq: 0, limit: 100 }, call()),
      audit: await directory.auditRows(auditQuery({ limit: 100 }), call()),
    };
  }
  const roots = { root, rootPassword, rootKey, rootAccount, rootSession };
  return { ...roots, ana, disabled, loneAccount, writes, read };
}

/** Asserts that `work` leaves everything that can be read of a scene as it was. */
export async function unchanged(
  { read }: Scene,
  work: () => Promise<unknown>,
  handles: readonly Stores[],
): Promise<void> {
  const before = await Promise.all(handles.map(read));
  await work();
  for (const [index, stores] of handles.entries()) same(await read(stores), before[index]);
}

/** Asserts that the scene's writes are accepted and change what can be read: without that, `unchanged` would prove nothing. */
export async function changes(trial: Trial, { read, writes }: Scene): Promise<void> {
  const before = await read();
  await committed(trial, writes);
  notDeepStrictEqual(await read(), before);
}
