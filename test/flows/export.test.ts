import { describe, expect, test } from "vitest";
import { anonymousEmail, anonymousUsername } from "../../src/domain/user.ts";
import { transfer } from "../../src/features/transfer.ts";
import type { ImportItem, ImportNote } from "../../src/flows/transfer/import-record.ts";
import type { ImportOptions } from "../../src/flows/transfer/import-users.ts";
import type { Stores } from "../../src/ports/stores.ts";
import { userQuery } from "../../src/testing/queries.ts";
import { backends } from "../support/backends.ts";
import { type World, world } from "../support/world.ts";

function housing(stores?: Stores) {
  const feature = transfer();
  const here = world({ features: [feature], ...(stores !== undefined && { stores }) });
  const api = here.auth.use(feature);
  return {
    here,
    /** The lines as they stand in a file. */
    async out(): Promise<string[]> {
      const lines: string[] = [];
      for await (const line of api.exportUsers()) lines.push(JSON.stringify(line));
      return lines;
    },
    in(lines: readonly string[], options: Partial<ImportOptions> = {}) {
      const items = lines.map((line, index) => api.readExport(index + 1, JSON.parse(line)));
      const wanted = items.filter((item): item is ImportItem => item !== null);
      const all = { source: "latchkey", allowsRoles: true, allowsSuperuser: true, ...options };
      return api.importUsers(wanted, all);
    },
    read: (line: unknown) => api.readExport(1, line),
  };
}

/** Accounts in every state, with everything that can belong to one. */
async function inhabited({ here }: ReturnType<typeof housing>): Promise<void> {
  const { make, clock } = here;
  const instant = new Date("2021-02-03T04:05:06.789Z");
  const times = { version: 3, createdAt: instant, updatedAt: clock.now() };
  await here.write({
    kind: "tier.insert",
    tier: {
      ...{ id: "0198aaaa-0000-7000-8000-000000000001", name: "pro", ...times },
      limits: [{ path: "/api/*", limit: 100, windowSeconds: 60 }],
    },
  });
  const data = JSON.parse('{"__proto__":{"plan":1},"a.b":[1,null,{"$where":"x"}],"constructor":""}');
  const root = await here.plant({
    ...{ name: "Zoë 𝒵", roles: ["editor"], permissions: ["invoice:read"], tier: "pro", isSuperuser: true },
    ...{ mustChangePassword: true, locale: "pt-BR", generation: 7, emailVerified: true, ...times, data },
    revokedTokens: [{ tokenId: "t1", expiresAt: new Date("2999-01-01T00:00:00.000Z") }],
  });
  await here.plant({ status: "disabled" }, { encoded: `$2b$10$${"a".repeat(53)}`, normalization: "raw" });
  await here.plant({ status: "deleted", deletedAt: instant });
  const erased = await here.plant();
  const bare = make.user();
  const key = make.apiKey(root, {
    ...{ name: "ci", permissions: ["invoice:read"], limits: { perMinute: 5, perDay: null }, ...times },
    ...{ allowedIps: ["192.0.2.0/24"], expiresAt: instant, rotatedFrom: "0123456789abcdef" },
  });
  await here.write(
    { kind: "user.erase", userId: erased.id, requires: "any" },
    { kind: "user.insert", user: bare },
    {
      kind: "linked_account.insert",
      account: make.linkedAccount(bare, {
        email: "b@example.com",
        sealedTokens: "sealed",
        lastUsedAt: instant,
      }),
    },
    { kind: "linked_account.insert", account: make.linkedAccount(bare, { provider: "other" }) },
    { kind: "api_key.insert", key },
    { kind: "api_key.insert", key: make.apiKey(root) },
  );
}

/** All rows about accounts, read past the export. */
async function rows({ services, call }: World) {
  const { directory } = services.stores;
  const { users } = await directory.users(userQuery({ limit: 200 }), call());
  const accounts = users.map(async ({ id }) => [
    await directory.userWithPassword({ kind: "id", key: id }, call()),
    await directory.linkedAccounts(id, call()),
    await directory.apiKeys(id, call()),
  ]);
  return { tiers: await directory.tiers(call()), accounts: await Promise.all(accounts) };
}

describe.each(backends)("on $backend", ({ open }) => {
  test("what is exported and imported again is the same, row by row, versions included", async () => {
    const [from, to] = [housing(await open()), housing(await open())];
    await inhabited(from);
    const lines = await from.out();
    expect(await to.in(lines)).toMatchObject({ imported: 5, present: 0, refused: 0 });
    expect(await rows(to.here)).toEqual(await rows(from.here));
    expect((await to.out()).slice(1)).toEqual(lines.slice(1));
    expect(await to.in(lines)).toMatchObject({ imported: 0, present: 5, refused: 0 });
  });

  test("every account is given, past the first page", async () => {
    const from = housing(await open());
    for (let n = 0; n < 205; n += 1)
      await from.here.write({ kind: "user.insert", user: from.here.make.user() });
    const lines = (await from.out()).map((line) => JSON.parse(line));
    expect(new Set(lines.map(({ user }) => user?.id)).size - 1).toBe(205);
    expect(lines.at(0)).toMatchObject({ kind: "export", format: 1 });
    expect(lines.at(-1)).toEqual({ kind: "end", accounts: 205 });
  });
});

test("the account signs in where it was brought, under its id", async () => {
  const [from, to] = [housing(), housing()];
  const ana = await from.here.registered();
  await to.in(await from.out());
  const there = to.here.browser();
  const body = { username: "ana@example.com", password: "correct horse battery staple" };
  expect((await there.post("/api/v1/auth/login", body)).status).toBe(200);
  expect((await there.get("/api/v1/users/me")).body).toMatchObject({ id: ana.userId });
});

test("the event says how many accounts were given, also where whoever reads stops early", async () => {
  const { here, out } = housing();
  await here.plant();
  await out();
  const feature = transfer();
  const early = here.again({ features: [feature] });
  for await (const line of early.auth.use(feature).exportUsers()) if (line.kind === "export") break;
  expect((await here.audit("export.finished")).map(({ payload }) => JSON.parse(payload))).toEqual([
    { what: "accounts", exported: 1 },
    { what: "accounts", exported: 0 },
  ]);
});

test("without the flags no rights, plans or superusers come with an export", async () => {
  const [from, to] = [housing(), housing()];
  await inhabited(from);
  expect(await to.in(await from.out(), { allowsRoles: false, allowsSuperuser: false })).toMatchObject({
    imported: 5,
  });
  const { tiers, accounts } = await rows(to.here);
  expect(tiers).toEqual([]);
  for (const [found] of accounts)
    expect(found).toMatchObject({ user: { roles: [], permissions: [], tier: null, isSuperuser: false } });
});

test("an account whose plan is not there is not imported without it", async () => {
  const [from, to] = [housing(), housing()];
  await inhabited(from);
  const lines = (await from.out()).filter((line) => !line.startsWith('{"kind":"tier"'));
  const notes: unknown[] = [];
  const onNote = (note: unknown): void => void notes.push(note);
  expect(await to.in(lines, { onNote })).toMatchObject({ imported: 4, refused: 1 });
  expect(notes).toMatchObject([{ reason: "tier_unknown" }]);
});

test("an export of accounts that others have the names of is reported", async () => {
  const [from, to] = [housing(), housing()];
  // Two worlds draw the same ids in the same order.
  await from.here.plant();
  await from.here.plant({ email: "ann@example.com" });
  await to.here.plant({ email: "ann@example.com", username: "somebody" });
  const notes: unknown[] = [];
  await to.in(await from.out(), { onNote: (note) => void notes.push(note) });
  expect(notes).toMatchObject([{ row: 2, reason: "email_taken", email: "ann@example.com" }]);
});

interface Spoilt {
  readonly user: object;
  readonly password: object;
  readonly api_keys: readonly [object];
}

describe("an account of an export is held to what everybody else's accounts are", () => {
  /** Brings one account with some of it changed in the file. */
  async function bring(
    spoil: (line: Spoilt & { readonly user: { readonly id: string } }) => void,
    options: Partial<ImportOptions> = {},
    state: "active" | "anonymized" = "active",
  ) {
    const [from, to] = [housing(), housing()];
    const ann = await from.here.plant({ email: "ann@example.com", username: "ann", name: "Ann" });
    if (state === "anonymized")
      await from.here.write({ kind: "user.erase", userId: ann.id, requires: "any" });
    const lines = (await from.out()).map((text) => JSON.parse(text));
    spoil(lines.find(({ kind }) => kind === "account"));
    const notes: ImportNote[] = [];
    const onNote = (note: ImportNote): void => void notes.push(note);
    const result = await to.in(
      lines.map((line) => JSON.stringify(line)),
      { onNote, ...options },
    );
    const { users } = await to.here.services.stores.directory.users(userQuery({}), to.here.call());
    return { result, notes, user: users[0] };
  }

  test.each<[string, object, string]>([
    ["two addresses in the place of one", both("a@example.com, b@example.com"), "email_invalid"],
    ["a name with its address", both("Ann <ann@example.com>"), "email_invalid"],
    ["an address with a line break", both("a@example.com\nbcc:b@example.com"), "email_invalid"],
    ["the key of another address", { email_key: "boss@example.com" }, "email_invalid"],
    ["a key in another spelling", { email_key: "Ann@example.com" }, "email_invalid"],
    ["an erased account's address", both("x@anonymized.invalid"), "email_invalid"],
  ])("%s is refused", async (_, change, reason) => {
    const { result, notes } = await bring(({ user }) => void Object.assign(user, change));
    expect(result).toMatchObject({ imported: 0, refused: 1 });
    expect(notes).toMatchObject([{ reason, isImported: false }]);
  });

  test.each([
    ["in no known format", "md5$whatever"],
    ["that is a plain password", "hunter2"],
    ["beyond all bounds", `$argon2id$v=19$m=4194304,t=9,p=1$${"A".repeat(22)}$${"A".repeat(43)}`],
  ])("a hash %s is refused", async (_, encoded) => {
    const { result, notes } = await bring(({ password }) => void Object.assign(password, { encoded }));
    expect(result).toMatchObject({ imported: 0, refused: 1 });
    expect(notes).toMatchObject([{ reason: "password_hash_refused", email: "ann@example.com" }]);
  });

  test.each<[string, object, Partial<ImportOptions>, string]>([
    [
      "a name that speaks for the service",
      { username: "admin" },
      { allowsRoles: false },
      "username_replaced",
    ],
    ["a name that is a route", { username: "login" }, {}, "username_replaced"],
    ["a name as erased accounts have it", { username: `x${"0".repeat(31)}` }, {}, "username_replaced"],
    ["a display name with control characters", { name: "x\u001b[2J\r\nBcc: y" }, {}, "name_dropped"],
    ["a display name without end", { name: "n".repeat(201) }, {}, "name_dropped"],
    ["a role that cannot be one", { roles: ["edi tor"] }, {}, "rights_dropped"],
    ["a permission that cannot be one", { permissions: ["a,b"] }, {}, "rights_dropped"],
    [
      "permissions without end",
      { permissions: [...Array(201).keys()].map((n) => `a:${n}`) },
      {},
      "rights_dropped",
    ],
  ])("%s is left out", async (_, change, options, reason) => {
    const { result, notes, user } = await bring(({ user }) => void Object.assign(user, change), options);
    expect(result).toMatchObject({ imported: 1, refused: 0 });
    expect(notes).toMatchObject([{ reason, isImported: true }]);
    expect(user).toMatchObject({
      username: reason === "username_replaced" ? expect.stringMatching(/^u[0-9a-z]{12}$/) : "ann",
      name: reason === "name_dropped" ? null : "Ann",
      roles: [],
    });
    expect(user?.permissions.length).not.toBe(201);
  });

  test("a name that speaks for the service comes with the roles", async () => {
    const { notes, user } = await bring(({ user }) => void Object.assign(user, { username: "admin" }));
    expect(notes).toEqual([]);
    expect(user?.username).toBe("admin");
  });

  test("a language that is none is none", async () => {
    const { user } = await bring(({ user }) => void Object.assign(user, { locale: '"><script>' }));
    expect(user?.locale).toBeNull();
  });

  test("an erased account keeps the names that are made of its id, and has no others", async () => {
    const whole = await bring(() => undefined, {}, "anonymized");
    expect(whole).toMatchObject({ notes: [], user: { status: "anonymized" } });
    const other = "0198aaaa-0000-7000-8000-000000000009";
    for (const change of [
      both(anonymousEmail(other)),
      both("ann@example.com"),
      { username: anonymousUsername(other) },
      { username: "admin" },
    ]) {
      const spoilt = await bring(({ user }) => void Object.assign(user, change), {}, "anonymized");
      expect(spoilt.notes).toMatchObject([{ reason: "email_invalid", isImported: false }]);
    }
  });
});

function both(email: string): object {
  return { email, email_key: email };
}

describe("a line that is not exactly as an export has it is unreadable, and nothing of it is told", () => {
  const good = async () => {
    const from = housing();
    await inhabited(from);
    const lines = (await from.out()).map((line) => JSON.parse(line));
    return { read: from.read, account: lines.find(({ api_keys }) => api_keys?.length > 0), tier: lines[1] };
  };

  test.each<[string, (line: Spoilt) => void]>([
    ["no user", (line) => Object.assign(line, { user: undefined })],
    ["an id that is none", (line) => Object.assign(line.user, { id: "1" })],
    ["a status of its own", (line) => Object.assign(line.user, { status: "root" })],
    ["a superuser flag that is no boolean", (line) => Object.assign(line.user, { is_superuser: "true" })],
    ["roles that are no list", (line) => Object.assign(line.user, { roles: "admin" })],
    ["a version that is no number", (line) => Object.assign(line.user, { version: 1.5 })],
    [
      "an instant that is none",
      (line) => Object.assign(line.user, { created_at: "2021-02-31T25:00:00.000Z" }),
    ],
    ["data that is a list", (line) => Object.assign(line.user, { data: [] })],
    ["data that is nothing", (line) => Object.assign(line.user, { data: null })],
    ["a field that nobody knows", (line) => Object.assign(line.user, { secret_field: 1 })],
    ["a password in clear", (line) => Object.assign(line.password, { password: "secret-word" })],
    ["a network that is none", (line) => Object.assign(line.api_keys[0], { allowed_ips: ["everywhere"] })],
    [
      "a key's name with control characters",
      (line) => Object.assign(line.api_keys[0], { name: "a\u001b[2J" }),
    ],
    [
      "a key's permission that cannot be one",
      (line) => Object.assign(line.api_keys[0], { permissions: ["a b"] }),
    ],
    ["a digest of another length", (line) => Object.assign(line.api_keys[0], { secret_sha256: "00" })],
    ["a kind of its own", (line) => Object.assign(line, { kind: "secret_kind" })],
    ["another format", (line) => Object.assign(line, { kind: "export", format: 2 })],
  ])("%s", async (_name, spoil) => {
    const { read, account } = await good();
    expect(read(account)).toHaveProperty("account");
    const spoilt = structuredClone(account);
    spoil(spoilt);
    const item = read(spoilt);
    expect(item).toHaveProperty("unreadable");
    expect(JSON.stringify(item)).not.toMatch(/secret-word|secret_field|example\.com/);
  });

  test.each([[null], [1], ["text"], [[]], [{}]])("%j", async (line) => {
    expect((await good()).read(line)).toHaveProperty("unreadable");
  });

  test("a plan without a window", async () => {
    const { read, tier } = await good();
    expect(read(tier)).toHaveProperty("tier");
    tier.limits[0].window_seconds = 0;
    expect(read(tier)).toHaveProperty("unreadable");
  });
});
