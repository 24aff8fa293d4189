import { pbkdf2Sync, randomBytes } from "node:crypto";
import { hashRawSync } from "@node-rs/argon2";
import type { Strategy } from "latchkey";
import { foreignHashers } from "latchkey/foreign-hashes";
import { describe, expect, onTestFinished, test } from "vitest";
import { sourceOf } from "../../server/cli/import/sources.ts";
import { type Auth, type AuthOptions, createAuth } from "../../src/auth.ts";
import { passwords } from "../../src/features/passwords.ts";
import { transfer } from "../../src/features/transfer.ts";
import type { ImportRecord } from "../../src/flows/transfer/import-record.ts";
import { anyone } from "../../src/guards/guards.ts";
import { argon2id } from "../../src/password/argon2id.ts";
import { browserOn } from "../support/browser.ts";
import { programsOf } from "./programs.ts";
import { password, settings } from "./recipe.ts";

const email = "ana@example.com";

/** An application into which somebody was imported. */
async function withAccount(
  more: Partial<ImportRecord>,
  options: AuthOptions = settings(),
): Promise<{ readonly auth: Auth; readonly userId: string }> {
  const accounts = transfer();
  const features = [passwords({ hashers: [argon2id(), ...foreignHashers()] }), accounts];
  const auth = createAuth({ ...options, features });
  onTestFinished(() => auth.close());
  const record: ImportRecord = {
    ...{ sourceId: "1", email, emailVerified: true, username: null, name: null, locale: null },
    ...{ isActive: true, passwordHash: null, createdAt: null, isSuperuser: false },
    ...{ roles: [], permissions: [], linkedAccounts: [] },
    ...more,
  };
  await auth.use(accounts).importUsers([{ row: 1, record }], { source: "there" });
  return { auth, userId: (await auth.users.findByIdentifier(email))?.id ?? "" };
}

describe("docs/moving.md", async () => {
  using programs = programsOf("docs/moving.md");
  const { formerSession } = await programs.import<{
    formerSession(
      cookie: string,
      lookUp: (token: string) => Promise<{ email: string; expiresAt: Date } | null>,
      auth: () => Auth,
      switchedAt: Date,
      now: () => Date,
    ): Strategy;
  }>("app.ts");

  async function moved() {
    const given = settings();
    const expiresAt = new Date(given.clock.now().getTime() + 3_600_000);
    const former = new Map([
      ["s%3Aold", email],
      ["s%3Alate", "late@example.com"],
    ]);
    const lookUp = async (token: string) => {
      const address = former.get(token);
      return address === undefined ? null : { email: address, expiresAt };
    };
    const switchedAt = new Date(given.clock.now().getTime() + 60_000);
    const strategy = formerSession(
      "connect.sid",
      lookUp,
      () => auth,
      switchedAt,
      () => given.clock.now(),
    );
    const { auth, userId } = await withAccount({}, { ...given, strategies: [strategy] });
    const page = auth.protect((_request, principal) => Response.json({ via: principal.via }), anyone());
    const browser = browserOn(
      async (request, client) => (await auth.handle(request, client)) ?? page(request, client),
      given.origin,
      [["connect.sid", "s%3Aold"]],
    );
    const call = { now: given.clock.now(), signal: new AbortController().signal };
    const move = (id: string, address: string) => {
      const changes = { email: address, emailKey: address };
      return given.stores.directory.commit([{ kind: "user.update", userId: id, version: 1, changes }], call);
    };
    return { auth, browser, clock: given.clock, move, userId };
  }

  test("the cookie of before is good for as long as its session, and is never fresh", async () => {
    const { browser, clock } = await moved();
    expect((await browser.get("/")).body.via).toBe("former");
    expect((await browser.delete("/api/v1/users/me", { csrf: false })).body.code).toBe("csrf_required");
    const { csrf_token: token } = (await browser.get("/api/v1/auth/csrf")).body;
    const headers = { "X-CSRF-Token": String(token) };
    expect((await browser.delete("/api/v1/users/me", { headers })).status).toBe(403);
    await clock.advance(3_601);
    expect((await browser.get("/")).body.via).toBe("anonymous");
  });

  test("it is void once every proof of its person was ended, and unknown ones are nobody", async () => {
    const { auth, browser, userId } = await moved();
    await auth.sessions.revokeAll(userId);
    expect((await browser.get("/")).body.via).toBe("anonymous");
    browser.jar.set("connect.sid", "s%3Aguessed");
    expect((await browser.get("/")).body.via).toBe("anonymous");
  });

  test("it is void once its person has another address, which may be somebody else's by then", async () => {
    const { auth, browser, move, userId } = await moved();
    const bo = await auth.users.create({ email: "bo@example.com", password });
    await move(userId, "ana@elsewhere.example");
    await move(bo.id, email);
    expect((await browser.get("/")).body.via).toBe("anonymous");
  });

  test("it opens no account that was registered after the switch", async () => {
    const { auth, browser, clock } = await moved();
    await clock.advance(61);
    await auth.users.create({ email: "late@example.com", password });
    browser.jar.set("connect.sid", "s%3Alate");
    expect((await browser.get("/")).body.via).toBe("anonymous");
  });
});

describe("docs/moving/keycloak.md", async () => {
  using programs = programsOf("docs/moving/keycloak.md");
  const { genericOf, hashOf } = await programs.import<{
    genericOf(user: object): Readonly<Record<string, unknown>>;
    hashOf(credential: object): string | null;
  }>("keycloak.ts");
  const salt = randomBytes(16);

  /** As Keycloak writes a credential into an export. */
  function credential(algorithm: string, hashIterations: number, value: Buffer, more: object = {}) {
    return {
      type: "password",
      secretData: JSON.stringify({ value: value.toString("base64"), salt: salt.toString("base64") }),
      credentialData: JSON.stringify({ algorithm, hashIterations, additionalParameters: more }),
    };
  }

  const argon2 = hashRawSync(password, {
    // Argon2id, version 1.3: as numbers, since the package has them as a const enum.
    ...{ algorithm: 2, version: 1, salt, outputLen: 32 },
    ...{ memoryCost: 7168, timeCost: 5, parallelism: 1 },
  });
  const parameters = {
    hashLength: ["32"],
    memory: ["7168"],
    type: ["id"],
    version: ["1.3"],
    parallelism: ["1"],
  };

  test.each([
    ["argon2", credential("argon2", 5, argon2, parameters)],
    ["pbkdf2-sha512", credential("pbkdf2-sha512", 2_100, pbkdf2Sync(password, salt, 2_100, 64, "sha512"))],
    ["pbkdf2-sha256", credential("pbkdf2-sha256", 2_750, pbkdf2Sync(password, salt, 2_750, 32, "sha256"))],
    [
      "pbkdf2-sha256, 512 bits",
      credential("pbkdf2-sha256", 2_750, pbkdf2Sync(password, salt, 2_750, 64, "sha256")),
    ],
    ["pbkdf2, 512 bits", credential("pbkdf2", 2_000, pbkdf2Sync(password, salt, 2_000, 64, "sha1"))],
  ])("a hash by %s verifies", async (_name, given) => {
    const { auth, userId } = await withAccount({ passwordHash: hashOf(given) });
    expect(await auth.users.verifyPassword(userId, password)).toBe(true);
    expect(await auth.users.verifyPassword(userId, "another password")).toBe(false);
  });

  test("a user comes with address, roles and linked accounts, and what is Keycloak's own stays there", () => {
    const user = {
      ...{ id: "f3a1", username: "ana", email, emailVerified: true, enabled: false },
      ...{ firstName: "Ana", lastName: "Lima", createdTimestamp: 1_700_000_000_000 },
      realmRoles: ["editor", "default-roles-main", "offline_access", "uma_authorization"],
      federatedIdentities: [{ identityProvider: "google", userId: "10769150350006150715113082367" }],
    };
    expect(genericOf(user)).toEqual({
      ...{ id: "f3a1", email, email_verified: true, username: "ana", name: "Ana Lima", disabled: true },
      ...{ created_at: 1_700_000_000_000, roles: ["editor"], password_hash: null },
      linked_accounts: [{ provider: "google", subject: "10769150350006150715113082367" }],
    });
  });

  test("an algorithm that is not known here gives no hash, so that its row says so", () => {
    expect(hashOf(credential("md5", 1, salt))).toBeNull();
  });
});

describe("what the queries of the pages print comes in whole", () => {
  const hash = "$2a$04$abcdefghijklmnopqrstuuTBYBsZRo2UQfAeeaBMmVgI3Aua3l3Wy";
  const google = { provider: "google", subject: "1234" };

  test.each([
    [
      "auth-js",
      { id: 2, email, name: "Ana", email_verified: false, linked_accounts: [{ ...google, email }] },
      { sourceId: "2", emailVerified: false, linkedAccounts: [expect.objectContaining(google)] },
    ],
    [
      "laravel",
      {
        ...{ id: 1, email, name: "Ana", email_verified: 1, password_hash: hash },
        ...{ created_at: "2026-01-02 03:04:05", roles: ["editor"] },
      },
      {
        emailVerified: true,
        passwordHash: hash,
        createdAt: new Date("2026-01-02T03:04:05Z"),
        roles: ["editor"],
      },
    ],
    [
      "ory",
      {
        ...{ id: "691ba095", email, username: "ana", name: null, disabled: false, email_verified: true },
        ...{ created_at: "2026-01-02T03:04:05", password_hash: hash, linked_accounts: [google] },
      },
      { isActive: true, username: "ana", passwordHash: hash, createdAt: new Date("2026-01-02T03:04:05Z") },
    ],
    [
      "supertokens",
      {
        ...{ id: "a2be7abb", email, password_hash: null, created_at: 1_789_185_756_222, roles: null },
        ...{ email_verified: false, linked_accounts: [{ ...google, email }] },
      },
      { passwordHash: null, createdAt: new Date(1_789_185_756_222), roles: [] },
    ],
  ])("%s", async (_name, row, expected) => {
    const generic = await sourceOf("generic");
    const record = generic?.read(row, { now: new Date(), firebase: null });
    expect(record).toMatchObject({ email, isSuperuser: false, ...expected });
    const { auth, userId } = await withAccount(record as Partial<ImportRecord>);
    expect((await auth.users.find(userId))?.status).toBe("active");
  });
});
