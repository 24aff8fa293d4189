import { deepStrictEqual, doesNotReject, ok, strictEqual } from "node:assert/strict";
import { mostRevokedTokens, type User } from "../../domain/user.ts";
import { hostileTexts, withNul } from "./hostile.ts";
import { same, scribble } from "./same.ts";
import { addUser, committed, refused, write } from "./steps.ts";
import type { Rules, Trial } from "./trial.ts";

/** A user with something in every field. */
function fullUser({ make, clock }: Trial): User {
  return make.user({
    email: "Ärger+tag@Exämple.com",
    emailVerified: true,
    name: 'Ana "🔑" O\'Neil \u202e\n, n\u0303 \u00f1',
    roles: ["admin", "editor"],
    permissions: ["invoice:read", "invoice:write"],
    tier: "pro",
    isSuperuser: true,
    mustChangePassword: true,
    locale: "pt-BR",
    generation: 7,
    version: 3,
    revokedTokens: [
      { tokenId: 'jti "🔑"', expiresAt: new Date(clock.now().getTime() + 1) },
      { tokenId: "b", expiresAt: new Date(clock.now().getTime() + 3_600_000) },
    ],
    data: JSON.parse('{"__proto__":{"admin":true},"b":[],"a":{"n":null,"x":1.5,"s":"é\\u0000"}}'),
    createdAt: new Date(clock.now().getTime() - 86_400_123),
    updatedAt: new Date(clock.now().getTime() - 1),
    deletedAt: new Date(clock.now().getTime() - 7),
  });
}

/** Users and passwords, one call at a time. */
export const userRules: Rules = {
  "ping resolves, and close may be called twice": async ({ stores, call }) => {
    await stores.directory.ping(call());
    await stores.directory.close();
    await doesNotReject(async () => stores.directory.close());
  },

  "a user comes back as inserted": async (trial) => {
    const { stores, call } = trial;
    for (const user of [trial.make.user(), fullUser(trial)]) {
      await committed(trial, [write.user(user)]);
      same(await stores.directory.user(user.id, call()), user);
    }
  },

  "a key named __proto__ in a user's data stays data": async (trial) => {
    const user = fullUser(trial);
    await committed(trial, [write.user(user)]);
    const read = await trial.stores.directory.user(user.id, trial.call());
    ok(Object.hasOwn(read?.data ?? {}, "__proto__"));
    strictEqual(Reflect.get(read?.data ?? {}, "admin"), undefined);
  },

  "a user is found by id, by address key and by username, with or without a password": async (trial) => {
    const { stores, call, make } = trial;
    const user = make.user();
    const password = make.password(user, {
      encoded: "$argon2id$v=19$m=19456,t=2,p=1$é$x",
      normalization: "raw",
    });
    const lookups = [
      { kind: "id", key: user.id },
      { kind: "email", key: user.emailKey },
      { kind: "username", key: user.username },
    ] as const;
    await committed(trial, [write.user(user)]);
    for (const by of lookups)
      same(await stores.directory.userWithPassword(by, call()), { user, password: null });
    await committed(trial, [{ kind: "password.insert", credential: password }]);
    for (const by of lookups) same(await stores.directory.userWithPassword(by, call()), { user, password });
  },

  "what names nobody is null, however hostile": async (trial) => {
    const { stores, call } = trial;
    const user = await addUser(trial);
    const own = [user.id, user.emailKey, user.username];
    const strangers = [...hostileTexts, ...hostileTexts.map(withNul), ...own.map(withNul), `${user.id} `];
    for (const key of strangers) {
      strictEqual(await stores.directory.user(key, call()), null);
      for (const kind of ["id", "email", "username"] as const) {
        strictEqual(await stores.directory.userWithPassword({ kind, key }, call()), null);
      }
    }
    for (const kind of ["email", "username"] as const) {
      strictEqual(await stores.directory.userWithPassword({ kind, key: user.id }, call()), null);
    }
    const { emailKey, username } = user;
    strictEqual(await stores.directory.userWithPassword({ kind: "email", key: username }, call()), null);
    strictEqual(await stores.directory.userWithPassword({ kind: "username", key: emailKey }, call()), null);
  },

  "the directory is empty until the first user": async (trial) => {
    const { stores, call } = trial;
    strictEqual(await stores.directory.isEmpty(call()), true);
    const user = await addUser(trial);
    strictEqual(await stores.directory.isEmpty(call()), false);
    await committed(trial, [write.erase(user.id)]);
    strictEqual(await stores.directory.isEmpty(call()), false, "an erased user is still a row");
  },

  "an update changes the named fields alone and counts the version": async (trial) => {
    const { stores, call, clock, make } = trial;
    const user = fullUser(trial);
    await committed(trial, [write.user(user)]);
    clock.advance(60);
    const changes = { name: null, roles: [], data: { kept: "no" } as User["data"], tier: null, locale: null };
    await committed(trial, [write.update(user, changes)]);
    const expected = { ...user, ...changes, version: user.version + 1, updatedAt: clock.now() };
    same(await stores.directory.user(user.id, call()), expected);
    const { email, emailKey, username } = make.user({ email: "new@example.com" });
    await committed(trial, [write.update(expected, { email, emailKey, username })]);
    const renamed = { ...expected, email, emailKey, username, version: expected.version + 1 };
    same((await stores.directory.userWithPassword({ kind: "email", key: emailKey }, call()))?.user, renamed);
    strictEqual(await stores.directory.userWithPassword({ kind: "email", key: user.emailKey }, call()), null);
    strictEqual(
      await stores.directory.userWithPassword({ kind: "username", key: user.username }, call()),
      null,
    );
  },

  "a field given as undefined is not changed": async (trial) => {
    const user = fullUser(trial);
    await committed(trial, [write.user(user)]);
    const nothing = {
      name: undefined,
      email: undefined,
      roles: undefined,
      data: undefined,
      deletedAt: undefined,
    };
    await committed(trial, [write.update(user, { ...nothing, tier: "free" })]);
    const expected = { ...user, tier: "free", version: user.version + 1, updatedAt: trial.clock.now() };
    same(await trial.stores.directory.user(user.id, trial.call()), expected);
  },

  "every field that may change does": async (trial) => {
    const { stores, call } = trial;
    const user = await addUser(trial);
    const { id, generation, slotTag, version, createdAt, updatedAt, ...changes } = fullUser(trial);
    await committed(trial, [write.update(user, { ...changes, status: "disabled" })]);
    const expected = { ...user, ...changes, status: "disabled", version: 2 };
    same(await stores.directory.user(user.id, call()), expected);
  },

  "as many revoked tokens as a row remembers are remembered": async (trial) => {
    const user = await addUser(trial);
    const revokedTokens = Array.from({ length: mostRevokedTokens }, (_, index) => ({
      tokenId: `${index}`.padStart(36, "t"),
      expiresAt: new Date(trial.clock.now().getTime() + index),
    }));
    await committed(trial, [write.update(user, { revokedTokens })]);
    same((await trial.stores.directory.user(user.id, trial.call()))?.revokedTokens, revokedTokens);
    await committed(trial, [write.update({ ...user, version: 2 }, { revokedTokens: [] })]);
    same((await trial.stores.directory.user(user.id, trial.call()))?.revokedTokens, []);
  },

  "an address and a username that were given up are free": async (trial) => {
    const user = await addUser(trial);
    const { email, emailKey, username } = user;
    await committed(trial, [write.update(user, trial.make.user({ email: "new@example.com", id: user.id }))]);
    await addUser(trial, { email, emailKey, username });
  },

  "an address that one user gives up another takes in the same transaction": async (trial) => {
    const [holder, taker] = [await addUser(trial), await addUser(trial)];
    const other = { email: "other@x.example", emailKey: "other@x.example" };
    const { email, emailKey } = holder;
    await committed(trial, [write.update(holder, other), write.update(taker, { email, emailKey })]);
    const { directory } = trial.stores;
    for (const [key, id] of [
      [emailKey, taker.id],
      [other.emailKey, holder.id],
    ] as const) {
      const found = await directory.userWithPassword({ kind: "email", key }, trial.call());
      strictEqual(found?.user.id, id);
    }
  },

  "a user may keep their own address and username": async (trial) => {
    const user = await addUser(trial);
    const { email, emailKey, username } = user;
    await committed(trial, [write.update(user, { email, emailKey, username, name: "Ana" })]);
  },

  "a generation advances by one, counts the version and changes nothing else": async (trial) => {
    const { stores, call, clock } = trial;
    const user = fullUser(trial);
    await committed(trial, [write.user(user)]);
    clock.advance(60);
    await committed(trial, [write.advance(user)]);
    const counted = { generation: user.generation + 1, version: user.version + 1, updatedAt: clock.now() };
    same(await stores.directory.user(user.id, call()), { ...user, ...counted });
  },

  "a replaced password is the one that counts": async (trial) => {
    const { stores, call, clock, make } = trial;
    const user = await addUser(trial);
    const first = make.password(user);
    await committed(trial, [{ kind: "password.insert", credential: first }]);
    clock.advance(60);
    const credential = { ...first, encoded: "$none$new", version: 2, updatedAt: clock.now() };
    await committed(trial, [{ kind: "password.replace", credential }]);
    same(await stores.directory.userWithPassword({ kind: "id", key: user.id }, call()), {
      user,
      password: credential,
    });
  },

  "deleted users are listed oldest first, up to an instant that is not included": async (trial) => {
    const { stores, call, clock } = trial;
    const ids: string[] = [];
    for (const seconds of [30, 10, 20]) {
      const deletedAt = new Date(clock.now().getTime() + seconds * 1000);
      ids.push((await addUser(trial, { status: "deleted", deletedAt })).id);
    }
    await addUser(trial, { status: "anonymized", deletedAt: clock.now() });
    await addUser(trial);
    const [third, first, second] = ids;
    const at = (seconds: number): Date => new Date(clock.now().getTime() + seconds * 1000);
    deepStrictEqual([...(await stores.directory.deletedBefore(at(60), 9, call()))], [first, second, third]);
    deepStrictEqual([...(await stores.directory.deletedBefore(at(60), 2, call()))], [first, second]);
    deepStrictEqual([...(await stores.directory.deletedBefore(at(20), 9, call()))], [first]);
    deepStrictEqual([...(await stores.directory.deletedBefore(at(10), 9, call()))], []);
  },

  "a user who was restored or erased is no longer listed as deleted": async (trial) => {
    const { stores, call, clock } = trial;
    const [restored, erased] = [
      await addUser(trial, { status: "deleted", deletedAt: clock.now() }),
      await addUser(trial, { status: "deleted", deletedAt: clock.now() }),
    ];
    clock.advance(1);
    strictEqual((await stores.directory.deletedBefore(clock.now(), 9, call())).length, 2);
    await committed(trial, [
      write.update(restored, { status: "active", deletedAt: null }),
      write.erase(erased.id, "deleted"),
    ]);
    deepStrictEqual([...(await stores.directory.deletedBefore(clock.now(), 9, call()))], []);
  },

  "what a reader does to its copy changes nothing in the store": async (trial) => {
    const { stores, call } = trial;
    const user = await addUser(trial, { data: { list: [1] } as User["data"], roles: ["editor"] });
    const read = await stores.directory.user(user.id, call());
    scribble(read?.data);
    scribble(read?.roles);
    same(await stores.directory.user(user.id, call()), { ...user, data: { list: [1] }, roles: ["editor"] });
  },

  "forgetting a user is fine, known or not": async (trial) => {
    const user = await addUser(trial);
    await trial.stores.directory.forget(user.id, trial.call());
    await trial.stores.directory.forget("nobody", trial.call());
    same(await trial.stores.directory.user(user.id, trial.call()), user);
  },

  "a user is required to be active and of the generation": async (trial) => {
    const user = await addUser(trial);
    await committed(trial, [write.require(user)]);
    await refused(trial, [write.require({ ...user, generation: 0 })], "stale");
    await refused(trial, [write.require({ ...user, generation: 2 })], "stale");
    await refused(trial, [write.require({ ...user, id: "nobody" })], "stale");
    for (const status of ["disabled", "deleted", "anonymized"] as const) {
      const unusable = await addUser(trial, { status });
      await refused(trial, [write.require(unusable)], "stale");
    }
  },

  "another active superuser is required where the user is one": async (trial) => {
    const other = (user: User) => ({ kind: "directory.require_other_superuser", userId: user.id }) as const;
    const first = await addUser(trial, { isSuperuser: true });
    const plain = await addUser(trial);
    await addUser(trial, { isSuperuser: true, status: "disabled" });
    await refused(trial, [other(first)], "last_superuser");
    await committed(trial, [other(plain)]);
    const second = await addUser(trial, { isSuperuser: true });
    await committed(trial, [other(first)]);
    await committed(trial, [write.update(second, { isSuperuser: false })]);
    await refused(trial, [other(first)], "last_superuser");
  },

  "later writes of a transaction see the earlier ones": async (trial) => {
    const { make } = trial;
    const user = make.user();
    const session = make.session(user);
    await committed(trial, [
      { kind: "directory.require_empty" },
      write.user(user),
      write.require(user),
      write.session(session),
      write.advance(user),
      write.require({ ...user, generation: 2 }),
      write.update({ ...user, version: 2 }, { name: "Ana" }),
      write.end(session.id),
    ]);
    const read = await trial.stores.directory.user(user.id, trial.call());
    deepStrictEqual([read?.generation, read?.version, read?.name], [2, 3, "Ana"]);
    await refused(trial, [write.user(make.user()), { kind: "directory.require_empty" }], "first_user_exists");
  },

  "an empty transaction is accepted": async (trial) => {
    same(await committed(trial, []), { ok: true, ended: [], reported: [] });
  },
};
