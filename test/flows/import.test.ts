import { describe, expect, test } from "vitest";
import { anonymousUsername, type User } from "../../src/domain/user.ts";
import { transfer } from "../../src/features/transfer.ts";
import type { ImportItem, ImportNote, ImportRecord } from "../../src/flows/transfer/import-record.ts";
import type { ImportOptions } from "../../src/flows/transfer/import-users.ts";
import { foreignHashers } from "../../src/foreign-hashes.ts";
import { argon2id } from "../../src/password/argon2id.ts";
import type { Hashers } from "../../src/password/hashing.ts";
import { faulty } from "../../src/testing/faulty.ts";
import { auditQuery, userQuery } from "../../src/testing/queries.ts";
import { foreign } from "../password/fixtures/foreign.ts";
import { backends } from "../support/backends.ts";
import { secret, type World, type WorldOptions, world } from "../support/world.ts";

const hashers: Hashers = [argon2id({ memoryKiB: 8, passes: 1 }), ...foreignHashers()];
const known = "$2b$04$......................OFozeos6d2lMGDeQ3d5irLzOX9aUXQa"; // "U*U", made with libxcrypt

/** A world that takes accounts in. */
function receiving(options: WorldOptions = {}, before: World | null = null) {
  const feature = transfer();
  const all = { ...options, features: [feature], passwords: { hashers } };
  const here = before === null ? world(all) : before.again(all);
  const notes: ImportNote[] = [];
  const bring = (
    items: Iterable<ImportItem> | AsyncIterable<ImportItem>,
    more: Partial<ImportOptions> = {},
  ) =>
    here.auth
      .use(feature)
      .importUsers(items, { source: "generic", onNote: (note) => void notes.push(note), ...more });
  return { here, feature, notes, bring };
}

function record(overrides: Partial<ImportRecord> = {}): ImportRecord {
  return {
    ...{
      sourceId: null,
      email: "ann@example.com",
      emailVerified: false,
      username: null,
      name: null,
      locale: null,
    },
    ...{
      isActive: true,
      passwordHash: null,
      createdAt: null,
      roles: [],
      permissions: [],
      isSuperuser: false,
    },
    linkedAccounts: [],
    ...overrides,
  };
}

function rows(...records: Partial<ImportRecord>[]): ImportItem[] {
  return records.map((each, index) => ({ row: index + 1, record: record(each) }));
}

function people(count: number): ImportItem[] {
  return rows(
    ...[...Array(count).keys()].map((n) => ({
      sourceId: String(n),
      email: `p${n}@example.com`,
      passwordHash: known,
    })),
  );
}

async function everybody({ services }: World): Promise<readonly User[]> {
  const { users } = await services.stores.directory.users(userQuery({ limit: 200 }), services.call());
  return users;
}

async function login(here: World, identifier: string, password: string) {
  return (await here.browser().post("/api/v1/auth/login", { username: identifier, password })).status;
}

describe("an imported account", () => {
  test("has what the record says, and its person signs in with the password of there", async () => {
    const { here, bring } = receiving();
    const createdAt = new Date("2019-03-04T05:06:07.000Z");
    const result = await bring(
      rows({
        ...{
          sourceId: "17",
          email: " Ann@Example.com ",
          emailVerified: true,
          username: "Ann.K",
          name: " Ann Kling ",
        },
        ...{ locale: "pt_BR", passwordHash: known, createdAt },
      }),
    );
    expect(result).toEqual({ imported: 1, present: 0, refused: 0, withoutPassword: 0, stoppedAt: null });
    const [user] = await everybody(here);
    expect(user).toMatchObject({
      ...{ email: "Ann@Example.com", emailKey: "ann@example.com", emailVerified: true, username: "ann.k" },
      ...{
        name: "Ann Kling",
        locale: "pt-BR",
        status: "active",
        createdAt,
        generation: 1,
        isSuperuser: false,
      },
    });
    expect(await login(here, "ann.k", "U*U")).toBe(200);
    expect(await login(here, "ann@example.com", "u*u")).toBe(401);
  });

  test("its foreign hash is replaced whole at the first sign-in", async () => {
    const { here, bring } = receiving();
    await bring(rows({ passwordHash: known }));
    const [user] = await everybody(here);
    expect(await here.credential(user?.id ?? "")).toMatchObject({ encoded: known, normalization: "raw" });
    expect(await login(here, "ann@example.com", "U*U")).toBe(200);
    const upgraded = await here.credential(user?.id ?? "");
    expect(upgraded).toMatchObject({ normalization: "nfc-1", version: 2 });
    expect(upgraded.encoded).toMatch(/^\$argon2id\$/);
    expect(here.heard("password.rehashed")).toHaveLength(1);
  });

  test.each(foreign.filter((_, index) => index < foreign.length / 2))(
    "signs in by a hash of %s",
    async (_maker, password, hash) => {
      const { here, bring } = receiving();
      expect(await bring(rows({ passwordHash: hash }))).toMatchObject({ imported: 1 });
      expect(await login(here, "ann@example.com", `${password}!`)).toBe(401);
      expect(await login(here, "ann@example.com", password)).toBe(200);
    },
  );

  test("without a password nobody signs in to it by one", async () => {
    const { here, bring } = receiving();
    expect(await bring(rows({}))).toMatchObject({ imported: 1, withoutPassword: 1 });
    for (const guess of ["", "null", "undefined", "password"])
      expect(await login(here, "ann@example.com", guess)).not.toBe(200);
  });

  test("that was disabled there is disabled here", async () => {
    const { here, bring } = receiving();
    await bring(rows({ isActive: false, passwordHash: known }));
    expect((await everybody(here))[0]).toMatchObject({ status: "disabled" });
    expect(await login(here, "ann@example.com", "U*U")).toBe(401);
  });

  test("keeps its accounts at providers", async () => {
    const { here, bring } = receiving();
    const link = { provider: "google", issuer: "https://accounts.google.com", subject: "g-1", email: null };
    await bring(rows({ linkedAccounts: [link] }));
    const found = await here.services.stores.directory.linkedAccount(link, here.call());
    expect(found).toMatchObject({
      user: { email: "ann@example.com" },
      account: { ...link, sealedTokens: null },
    });
  });

  test("is as old as the record says, and never from the future", async () => {
    const { here, bring } = receiving();
    await bring(rows({ createdAt: new Date("2999-01-01") }));
    expect((await everybody(here))[0]?.createdAt).toEqual(here.clock.now());
  });

  test("has its event in the transaction that writes it, and the import one at its end", async () => {
    const { here, bring } = receiving();
    await bring(people(3), { source: "django" });
    const registered = await here.audit("user.registered");
    expect(registered.map(({ payload }) => payload)).toEqual(
      Array(3).fill('{"by":"operator","isSuperuser":false}'),
    );
    expect(new Set(registered.map(({ userId }) => userId))).toEqual(
      new Set((await everybody(here)).map(({ id }) => id)),
    );
    expect((await here.audit("import.finished")).map(({ payload }) => JSON.parse(payload))).toEqual([
      { source: "django", imported: 3, present: 0, refused: 0 },
    ]);
  });
});

describe("a row that cannot be imported is reported, and the others are imported", () => {
  test.each<[string, Partial<ImportRecord>, string]>([
    ["no address", { email: null }, "email_missing"],
    ["a blank one", { email: "  " }, "email_missing"],
    ["no address at all", { email: "ann" }, "email_invalid"],
    ["an address with a line break", { email: "a\nb@example.com" }, "email_invalid"],
    ["an erased account's address", { email: "x@anonymized.invalid" }, "email_invalid"],
    ["an unknown hash", { passwordHash: "5f4dcc3b5aa765d61d8327deb882cf99" }, "password_hash_refused"],
    ["a hash that costs too much", { passwordHash: `$2b$31$${".".repeat(53)}` }, "password_hash_refused"],
    ["a plain password", { passwordHash: "hunter2" }, "password_hash_refused"],
    ["an empty hash", { passwordHash: "" }, "password_hash_refused"],
  ])("%s", async (_name, bad, reason) => {
    const { here, notes, bring } = receiving();
    const result = await bring(
      rows({ email: "first@example.com" }, { sourceId: "2", ...bad }, { email: "third@example.com" }),
    );
    expect(result).toMatchObject({ imported: 2, refused: 1 });
    expect(notes).toMatchObject([{ row: 2, sourceId: "2", reason, isImported: false }]);
    expect(await everybody(here)).toHaveLength(2);
  });

  test("an address that somebody has, however it is written", async () => {
    const { here, notes, bring } = receiving();
    await here.plant({ email: "ann@example.com" });
    expect(await bring(rows({ email: "ＡＮＮ@example.com", passwordHash: known }))).toMatchObject({
      refused: 1,
    });
    expect(notes).toMatchObject([{ reason: "email_taken" }]);
    expect(await login(here, "ann@example.com", "U*U")).toBe(401);
  });

  test("a username that somebody has", async () => {
    const { here, notes, bring } = receiving();
    await here.plant({ username: "ann" });
    await bring(rows({ username: "ANN" }));
    expect(notes).toMatchObject([{ reason: "username_taken", email: "ann@example.com" }]);
  });

  test("an account at a provider that somebody has", async () => {
    const { here, notes, bring } = receiving();
    const link = { provider: "google", issuer: "https://accounts.google.com", subject: "g-1", email: null };
    await here.write({
      kind: "linked_account.insert",
      account: here.make.linkedAccount(await here.plant(), link),
    });
    await bring(rows({ linkedAccounts: [link] }));
    expect(notes).toMatchObject([{ reason: "linked_account_taken" }]);
  });

  test("what two rows of one file both want goes to the first", async () => {
    const { here, notes, bring } = receiving();
    const link = { provider: "google", issuer: "https://accounts.google.com", subject: "g-1", email: null };
    const result = await bring(
      rows(
        { sourceId: "1", email: "a@example.com", username: "one-name", linkedAccounts: [link] },
        { sourceId: "2", email: "A@example.com" },
        { sourceId: "3", email: "c@example.com", username: "One-Name" },
        { sourceId: "4", email: "d@example.com", linkedAccounts: [link] },
      ),
    );
    expect(result).toMatchObject({ imported: 1, refused: 3 });
    expect(notes.map(({ row, reason }) => [row, reason])).toEqual([
      [2, "email_taken"],
      [3, "username_taken"],
      [4, "linked_account_taken"],
    ]);
    expect(await everybody(here)).toHaveLength(1);
  });

  test("with `fail` the import stops before it, and a run later goes on", async () => {
    const { here, bring } = receiving();
    const items = rows({ email: "a@example.com" }, { email: "bad" }, { email: "c@example.com" });
    const stopped = await bring(items, { onConflict: "fail" });
    expect(stopped).toMatchObject({
      imported: 1,
      refused: 1,
      stoppedAt: { row: 2, reason: "email_invalid" },
    });
    expect((await everybody(here)).map(({ email }) => email)).toEqual(["a@example.com"]);
    expect(await here.audit("import.finished")).toEqual([]);
    expect(await bring(items)).toMatchObject({ imported: 1, present: 1, refused: 1, stoppedAt: null });
  });
});

describe("what is left out of an account is reported too", () => {
  test.each<[string, Partial<ImportRecord>, string]>([
    ["a username of another alphabet", { username: "Ünïcode name" }, "username_replaced"],
    ["a reserved username", { username: "admin" }, "username_replaced"],
    [
      "a username as erased accounts have it",
      { username: anonymousUsername("0198aaaa-0000-7000-8000-000000000000") },
      "username_replaced",
    ],
    ["a name with control characters", { name: "a\u0007b" }, "name_dropped"],
    ["a name without end", { name: "n".repeat(201) }, "name_dropped"],
  ])("%s", async (_name, odd, reason) => {
    const { here, notes, bring } = receiving();
    expect(await bring(rows(odd))).toMatchObject({ imported: 1, refused: 0 });
    const [user] = await everybody(here);
    if (reason === "name_dropped") expect(user?.name).toBeNull();
    else expect(user?.username).toMatch(/^u[0-9a-z]{12}$/);
    expect(notes).toMatchObject([{ reason, isImported: true }]);
  });

  test("an address in the place of a username is no loss", async () => {
    const { notes, bring } = receiving();
    await bring(rows({ username: "Ann@Example.com" }));
    expect(notes).toEqual([]);
  });

  test("rights are for the flags: none without, never superuser by the other", async () => {
    const wanted = { roles: ["editor", "bad name"], permissions: ["invoice:read"], isSuperuser: true };
    const without = receiving();
    await without.bring(rows(wanted));
    expect((await everybody(without.here))[0]).toMatchObject({
      roles: [],
      permissions: [],
      isSuperuser: false,
    });
    expect(without.notes.map(({ reason }) => reason)).toEqual(["rights_dropped", "superuser_dropped"]);

    const roles = receiving();
    await roles.bring(rows(wanted), { allowsRoles: true });
    expect((await everybody(roles.here))[0]).toMatchObject({
      ...{ roles: ["editor"], permissions: ["invoice:read"], isSuperuser: false },
    });

    const superuser = receiving();
    await superuser.bring(rows(wanted), { allowsSuperuser: true });
    expect((await everybody(superuser.here))[0]).toMatchObject({
      roles: [],
      permissions: [],
      isSuperuser: true,
    });
    expect((await superuser.here.audit("user.registered"))[0]?.payload).toContain('"isSuperuser":true');
  });
});

describe("run again", () => {
  test("nothing is brought twice, and what its owner changed meanwhile stays", async () => {
    const { here, bring } = receiving();
    const items = people(5);
    await bring(items);
    const before = await everybody(here);
    const ann = before[0] as User;
    await here.write({
      kind: "user.update",
      userId: ann.id,
      version: ann.version,
      changes: { email: "new@example.com", emailKey: "new@example.com", username: "renamed" },
    });
    here.clock.advance(86_400_000);
    expect(await bring(items)).toMatchObject({ imported: 0, present: 5, refused: 0 });
    expect((await everybody(here)).map(({ id }) => id)).toEqual(before.map(({ id }) => id));
  });

  test("an account that was erased meanwhile stays erased", async () => {
    const { here, bring } = receiving();
    await bring(people(1));
    const [ann] = await everybody(here);
    await here.write({ kind: "user.erase", userId: ann?.id ?? "", requires: "any" });
    expect(await bring(people(1))).toMatchObject({ imported: 0, present: 1 });
    expect(await everybody(here)).toMatchObject([{ status: "anonymized" }]);
  });

  test("the file may have grown", async () => {
    const { bring } = receiving();
    await bring(people(3));
    expect(await bring(people(5))).toMatchObject({ imported: 2, present: 3 });
  });

  test("under a new secret, with the former one still verifying", async () => {
    const { here, bring } = receiving();
    await bring(people(2));
    const secrets = ["another secret of at least thirty-two bytes", secret] as const;
    expect(await receiving({ secrets }, here).bring(people(3))).toMatchObject({ imported: 1, present: 2 });
  });

  test("the ids of one product are not those of another, nor of another address", async () => {
    const { bring, notes } = receiving();
    await bring(rows({ sourceId: "1", email: "a@example.com" }), { source: "django" });
    expect(await bring(rows({ sourceId: "1", email: "b@example.com" }), { source: "django" })).toMatchObject({
      imported: 1,
    });
    expect(await bring(rows({ sourceId: "1", email: "a@example.com" }), { source: "laravel" })).toMatchObject(
      { refused: 1 },
    );
    expect(notes).toMatchObject([{ reason: "email_taken" }]);
  });

  test("nobody without our key can tell whose address an id was made of", async () => {
    const [one, other] = [
      receiving(),
      receiving({ secrets: ["another secret of at least thirty-two bytes"] }),
    ];
    await one.bring(people(1));
    await other.bring(people(1));
    expect((await everybody(one.here))[0]?.id).not.toBe((await everybody(other.here))[0]?.id);
  });
});

describe("a dry run", () => {
  test("writes nothing, and says what would become of every row", async () => {
    const { here, notes, bring } = receiving();
    await here.plant({ email: "p1@example.com" });
    const items = [...people(250), { row: 251, record: record({ email: "p7@example.com", sourceId: "x" }) }];
    const before = await here.audit();
    expect(await bring(items, { isDryRun: true })).toMatchObject({ imported: 249, present: 0, refused: 2 });
    expect(notes.map(({ row, reason }) => [row, reason])).toEqual([
      [2, "email_taken"],
      [251, "email_taken"],
    ]);
    expect(await everybody(here)).toHaveLength(1);
    expect(await here.audit()).toEqual(before);
  });

  test("and the real one agree", async () => {
    const items = rows(
      { email: "a@example.com" },
      { email: "bad" },
      { email: "A@example.com", sourceId: "3" },
      {},
    );
    const [dry, real] = [receiving(), receiving()];
    expect(await dry.bring(items, { isDryRun: true })).toEqual(await real.bring(items));
    expect(dry.notes).toEqual(real.notes);
  });
});

describe.each(backends)("on $backend", ({ open }) => {
  test.each(["email_taken", "username_taken", "linked_account_taken"] as const)(
    "somebody who takes the %s while a batch is on its way keeps what they have, and the rest is imported",
    async (reason) => {
      const stores = await open();
      const link = { provider: "google", issuer: "https://accounts.google.com", subject: "g-1", email: null };
      const race = { isOver: false };
      const { here, notes, bring } = receiving({
        stores,
        wrap: (inner) => ({
          ...inner,
          directory: {
            ...inner.directory,
            async commit(writes, call) {
              if (!race.isOver && writes.some(({ kind }) => kind === "user.insert")) {
                race.isOver = true;
                const user = here.make.user(
                  reason === "email_taken"
                    ? { email: "p1@example.com" }
                    : { username: reason === "username_taken" ? "ann" : "bob" },
                );
                const account = here.make.linkedAccount(user, reason === "linked_account_taken" ? link : {});
                await inner.directory.commit(
                  [
                    { kind: "user.insert", user },
                    { kind: "linked_account.insert", account },
                  ],
                  call,
                );
              }
              return inner.directory.commit(writes, call);
            },
          },
        }),
      });
      const items = people(3).with(1, {
        row: 2,
        record: record({ email: "p1@example.com", username: "ann", linkedAccounts: [link] }),
      });
      expect(await bring(items)).toMatchObject({ imported: 2, present: 0, refused: 1 });
      expect(notes).toMatchObject([{ row: 2, reason }]);
      expect(await everybody(here)).toHaveLength(3);
    },
  );

  test("a store that fails at any commit, its answer lost or not: run again, everybody is there once", async () => {
    for (const fault of ["refuse", "lose_answer"] as const) {
      const stores = await open();
      let commits = 0;
      let failsAt = 0;
      const { here, bring } = receiving({
        stores,
        storeTimeoutMs: 50,
        wrap: (inner) =>
          faulty(inner, ({ method }) => (method === "commit" && ++commits === failsAt ? fault : null)),
      });
      const items = people(250);
      for (failsAt = 1; failsAt <= 4; failsAt += 1) {
        commits = 0;
        await bring(items).catch((error: unknown) =>
          expect(error).toMatchObject({ code: "store_unavailable" }),
        );
      }
      failsAt = 0;
      const last = await bring(items);
      expect(last.imported + last.present).toBe(250);
      const { rows: audit } = {
        rows: await stores.directory.auditRows(
          auditQuery({ types: ["user.registered"], limit: 1_000 }),
          here.call(),
        ),
      };
      expect(audit).toHaveLength(250);
      expect(new Set(audit.map(({ userId }) => userId)).size).toBe(250);
    }
  });
});

test("a source or a size of batches that cannot be one is a mistake of the caller", async () => {
  const { bring } = receiving();
  for (const source of ["", "Django", "a".repeat(33), "a b"])
    await expect(bring([], { source })).rejects.toThrow(TypeError);
  for (const batchSize of [0, 1001, 1.5]) await expect(bring([], { batchSize })).rejects.toThrow(TypeError);
});

test("each batch is one transaction", async () => {
  const { here, bring } = receiving();
  const sizes = async (batchSize?: number): Promise<number[]> => {
    const progress: number[] = [];
    await bring(people(250), {
      ...(batchSize !== undefined && { batchSize }),
      source: `by-${batchSize ?? 100}`,
      isDryRun: true,
      onProgress: ({ imported }) => void progress.push(imported),
    });
    return progress;
  };
  expect(await sizes()).toEqual([100, 200, 250]);
  expect(await sizes(120)).toEqual([120, 240, 250]);
  expect(await everybody(here)).toEqual([]);
});
