import { createReadStream } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { createGunzip, gzipSync } from "node:zlib";
import { describe, expect, inject, test } from "vitest";
import { CommandFailure } from "../../server/cli/failure.ts";
import { openText } from "../../server/cli/import/text-chunks.ts";
import { withAuth } from "../../server/cli/open.ts";
import { newMysql, newPostgres } from "./support/databases.ts";
import { type FolderCommands, folderCommands } from "./support/folder-commands.ts";

const fixtures = join(import.meta.dirname, "fixtures/import");
const password = "seven green kettles";
// Of github.com/firebase/scrypt, README.md.
const signerKey = "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==";
const born = "2019-03-04T05:06:07.123Z";

interface ExportedAccount {
  readonly user: Readonly<Record<string, unknown>> & { readonly id: string; readonly email: string };
  readonly password: { readonly encoded: string } | null;
  readonly linked_accounts: readonly Readonly<Record<string, unknown>>[];
}

let exports = 0;

/** Everybody in the directory by address, as an export has them. */
async function everybody({ run, path }: FolderCommands): Promise<Record<string, ExportedAccount>> {
  const file = path(`export-${++exports}.ndjson`);
  expect(await run("export", file)).toMatchObject({ code: 0 });
  const lines = (await readFile(file, "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return Object.fromEntries(
    lines.filter(({ kind }) => kind === "account").map((each) => [each.user.email, each]),
  );
}

async function isPassword(
  { terminal }: FolderCommands,
  { user }: ExportedAccount,
  typed: string,
): Promise<boolean> {
  return withAuth(terminal, ({ auth }) => auth.users.verifyPassword(user.id, typed));
}

async function report(here: FolderCommands): Promise<readonly Record<string, unknown>[]> {
  const text = await readFile(here.path("report.ndjson"), "utf8");
  return text.trim() === ""
    ? []
    : text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
}

async function bring(here: FolderCommands, from: string, file: string, ...more: readonly string[]) {
  const args = ["import", "--from", from, "--json", "--report", here.path("report.ndjson"), ...more, file];
  const ran = await here.run(...args);
  return { ...ran, result: ran.out === "" ? null : JSON.parse(ran.out) };
}

async function fileOf(here: FolderCommands, name: string, text: string | Uint8Array): Promise<string> {
  await writeFile(here.path(name), text);
  return here.path(name);
}

const google = {
  provider: "google",
  issuer: "https://accounts.google.com",
  subject: "108123456789012345678",
};
const github = { provider: "github", issuer: "https://github.com/login/oauth", subject: "583231" };

// Each file is written as its product writes it; the hashes were made by that product or by another implementation.
describe.each<{
  readonly from: string;
  readonly file: string;
  readonly imported: number;
  readonly refused?: Readonly<Record<string, number>>;
  readonly ann: Readonly<Record<string, unknown>>;
  readonly links?: readonly object[];
  readonly bob?: Readonly<Record<string, unknown>>;
  readonly hasNoPassword?: true;
}>([
  ...["django.json", "django.ndjson"].map((file) => ({
    ...{ from: "django", file, imported: 4, refused: { email_missing: 1 } },
    ann: {
      username: "ann",
      name: "Ann Kling",
      roles: ["editors", "staff"],
      permissions: ["auth.add_group"],
      created_at: born,
    },
    bob: { username: "bob.b", status: "disabled" },
  })),
  {
    ...{ from: "devise", file: "devise.csv", imported: 2, links: [google] },
    ann: { username: "ann", email_verified: true, created_at: born },
    bob: { username: "bob.b", email_verified: false },
  },
  {
    ...{ from: "laravel", file: "laravel.csv", imported: 2 },
    ann: { name: 'Kling, Ann "A"', email_verified: true, created_at: "2019-03-04T05:06:07.000Z" },
    bob: { email_verified: false, status: "active" },
  },
  ...["firebase.json", "firebase.csv"].map((file) => ({
    ...{
      from: "firebase",
      file,
      imported: 2,
      refused: { email_missing: 1 },
      links: [google],
      hasNoPassword: true as const,
    },
    ann: { name: "Ann Kling", email_verified: true, created_at: "2019-03-04T05:06:07.123Z" },
  })),
  {
    ...{ from: "auth0", file: "auth0.ndjson", imported: 3 },
    ann: { email_verified: true },
    bob: { email_verified: false },
  },
  {
    ...{ from: "supabase", file: "supabase.ndjson", imported: 2, links: [github] },
    ann: { name: "Ann Kling", email_verified: true, created_at: born },
    bob: { status: "disabled" },
  },
  {
    ...{ from: "better-auth", file: "better-auth.ndjson", imported: 2, links: [github] },
    ann: { name: "Ann Kling", email_verified: true, roles: ["admin"], is_superuser: false, created_at: born },
    bob: { status: "disabled", created_at: born },
  },
  {
    ...{ from: "lucia", file: "lucia.ndjson", imported: 2, links: [github] },
    ann: { username: "ann" },
    bob: { email_verified: true },
  },
  {
    ...{ from: "nexios", file: "nexios.csv", imported: 2 },
    ann: { username: "ann", status: "active", created_at: born },
    bob: { status: "disabled" },
  },
  {
    ...{ from: "tina4", file: "tina4.csv", imported: 2 },
    ann: { name: "Ann Kling", roles: ["admin"], is_superuser: false },
    bob: { roles: ["user"] },
  },
  {
    ...{ from: "generic", file: "generic.csv", imported: 2 },
    ann: {
      username: "ann",
      locale: "de-DE",
      roles: ["editor", "author"],
      permissions: ["invoice:read"],
      email_verified: true,
    },
    bob: { status: "disabled", is_superuser: false },
  },
  {
    ...{ from: "generic", file: "generic.ndjson", imported: 2, refused: { unreadable: 1 } },
    ann: { username: "ann", roles: ["editor"] },
    links: [
      google,
      { provider: "work", issuer: "https://id.example.com", subject: "ann", email: "ann@example.com" },
    ],
    bob: { status: "active" },
  },
])(
  "import --from $from $file",
  ({ from, file, imported, refused = {}, ann, bob, links = [], hasNoPassword }) => {
    test("brings the accounts, their passwords and their accounts at providers", async () => {
      const here = await folderCommands({ FIREBASE_SIGNER_KEY: signerKey });
      const { code, result, err } = await bring(here, from, join(fixtures, file), "--allow-roles");
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(result).toMatchObject({
        imported,
        present: 0,
        refused: Object.values(refused)[0] ?? 0,
        reasons: refused,
      });
      const all = await everybody(here);
      const found = all["ann@example.com"] as ExportedAccount;
      expect(found.user).toMatchObject(ann);
      // Made at one instant, they stand in no order.
      expect(found.linked_accounts).toEqual(
        expect.arrayContaining(links.map((each) => expect.objectContaining(each))),
      );
      expect(found.linked_accounts).toHaveLength(links.length);
      expect(await isPassword(here, found, password)).toBe(hasNoPassword !== true);
      expect(await isPassword(here, found, `${password}.`)).toBe(false);
      if (bob !== undefined) expect(all["bob@example.com"]?.user).toMatchObject(bob);
    });

    test("a second time it brings nobody", async () => {
      const here = await folderCommands({ FIREBASE_SIGNER_KEY: signerKey });
      await bring(here, from, join(fixtures, file));
      expect((await bring(here, from, join(fixtures, file))).result).toMatchObject({
        imported: 0,
        present: imported,
      });
    });
  },
);

test("a person of Firebase's documented example signs in", async () => {
  for (const file of ["firebase.json", "firebase.csv"]) {
    const here = await folderCommands({ FIREBASE_SIGNER_KEY: signerKey });
    await bring(here, "firebase", join(fixtures, file));
    const found = (await everybody(here))["user1@test.com"] as ExportedAccount;
    expect(await isPassword(here, found, "user1password")).toBe(true);
    expect(await isPassword(here, found, "user2password")).toBe(false);
  }
});

test("Firebase's hashes are not imported without the project's key, nor with parameters that are none", async () => {
  const without = await folderCommands();
  const ran = await bring(without, "firebase", join(fixtures, "firebase.json"));
  expect(ran).toMatchObject({ code: 1, out: "" });
  expect(ran.err).toContain("FIREBASE_SIGNER_KEY");
  const here = await folderCommands({ FIREBASE_SIGNER_KEY: signerKey });
  const odd = await bring(here, "firebase", join(fixtures, "firebase.json"), "--firebase-mem-cost", "30");
  expect(odd.result).toMatchObject({ imported: 1, reasons: { password_hash_refused: 1 } });
});

describe("the report", () => {
  const rows = [
    { id: 1, email: "ann@example.com", password_hash: "hunter2" },
    { id: 2, email: "not an address" },
    { id: 3, email: "taken@example.com" },
    { id: 4, email: "dan@example.com", username: "Dan the Man" },
    { id: 5 },
    { id: 6, email: "eve@example.com", roles: ["admin"], is_superuser: true },
    { id: 7, email: "DAN@example.com" },
  ];

  test("says of every row what is wrong with it, and is for its owner's eyes", async () => {
    const here = await folderCommands();
    await here.run("user", "create", "--email", "taken@example.com");
    const lines = [...rows.map((each) => JSON.stringify(each)), "[]", "{", ""];
    const file = await fileOf(here, "users.ndjson", lines.join("\r\n"));
    const { code, result } = await bring(here, "generic", file);
    expect(code).toBe(0);
    expect(result).toMatchObject({ imported: 2, refused: 7, without_password: 2, stopped_at: null });
    const told = (await report(here)).map(({ row, imported, reason, source_id }) => [
      row,
      imported,
      reason,
      source_id,
    ]);
    expect(told.toSorted(([a], [b]) => Number(a) - Number(b))).toEqual([
      [1, false, "password_hash_refused", "1"],
      [2, false, "email_invalid", "2"],
      [3, false, "email_taken", "3"],
      [4, true, "username_replaced", "4"],
      [5, false, "email_missing", "5"],
      [6, true, "rights_dropped", "6"],
      [6, true, "superuser_dropped", "6"],
      [7, false, "email_taken", "7"],
      [8, false, "unreadable", null],
      [9, false, "unreadable", null],
    ]);
    const text = await readFile(here.path("report.ndjson"), "utf8");
    expect(text).not.toContain("hunter2");
    expect((await stat(here.path("report.ndjson"))).mode & 0o777).toBe(0o600);
  });

  test("one that others could read is closed to them", async () => {
    const here = await folderCommands();
    await writeFile(here.path("report.ndjson"), "old", { mode: 0o644 });
    await bring(here, "generic", await fileOf(here, "users.ndjson", "[]"));
    expect((await stat(here.path("report.ndjson"))).mode & 0o777).toBe(0o600);
    expect(await readFile(here.path("report.ndjson"), "utf8")).not.toContain("old");
  });

  test("without it the reasons are counted", async () => {
    const here = await folderCommands();
    const file = await fileOf(here, "users.ndjson", rows.map((each) => JSON.stringify(each)).join("\n"));
    const { out } = await here.run("import", "--from", "generic", file);
    expect(out).toContain("Imported 3 accounts; 0 were there already, 4 cannot be imported.");
    expect(out).toContain("email_invalid: 1");
    expect(out).toContain("--report <file>");
  });

  test("--on-conflict fail stops there with exit code 1", async () => {
    const here = await folderCommands();
    const file = await fileOf(
      here,
      "users.ndjson",
      '{"email":"a@example.com"}\n{"email":"b"}\n{"email":"c@example.com"}',
    );
    const ran = await bring(here, "generic", file, "--on-conflict", "fail");
    expect(ran).toMatchObject({ code: 1, result: { imported: 1, refused: 1, stopped_at: 2 } });
    expect(ran.err).toContain("Stopped before row 2: email_invalid");
    expect(Object.keys(await everybody(here))).toEqual(["a@example.com"]);
  });

  test("--dry-run writes nobody", async () => {
    const here = await folderCommands();
    const ran = await bring(here, "django", join(fixtures, "django.json"), "--dry-run");
    expect(ran.result).toMatchObject({ dry_run: true, imported: 4, refused: 1 });
    expect(await everybody(here)).toEqual({});
  });
});

test("a superuser comes with --allow-superuser alone", async () => {
  const file = join(fixtures, "django.json");
  for (const [flags, isSuperuser] of [
    [[], false],
    [["--allow-roles"], false],
    [["--allow-superuser"], true],
  ] as const) {
    const here = await folderCommands();
    await bring(here, "django", file, ...flags);
    expect((await everybody(here))["root@example.com"]?.user.is_superuser).toBe(isSuperuser);
  }
});

describe("the file", () => {
  test("may be packed", async () => {
    const here = await folderCommands();
    const packed = gzipSync(await readFile(join(fixtures, "nexios.csv")));
    expect((await bring(here, "nexios", await fileOf(here, "nexios.csv.gz", packed))).result).toMatchObject({
      imported: 2,
    });
  });

  test("may be called whatever with --format", async () => {
    const here = await folderCommands();
    const file = await fileOf(here, "users.txt", await readFile(join(fixtures, "nexios.csv")));
    expect((await bring(here, "nexios", file, "--format", "csv")).result).toMatchObject({ imported: 2 });
  });

  test("is shown as it is read", async () => {
    const here = await folderCommands();
    const lines = [...Array(250).keys()].map((n) => JSON.stringify({ id: n, email: `p${n}@example.com` }));
    await bring(here, "generic", await fileOf(here, "users.ndjson", lines.join("\n")));
    expect(here.shown.at(-1)).toBe(`[${"=".repeat(24)}] 100 %, 250 rows`);
  });

  test.each([
    ["a file that is not there", ["--from", "generic", "nowhere.ndjson"], 1],
    ["an unknown product", ["--from", "myspace", "x.ndjson"], 2],
    ["no product", ["x.ndjson"], 2],
    ["an unknown format", ["--from", "generic", "--format", "xml", "x.ndjson"], 2],
    [
      "a conflict that is dealt with otherwise",
      ["--from", "generic", "--on-conflict", "overwrite", "x.ndjson"],
      2,
    ],
  ])("%s: exit code", async (_name, args, code) => {
    const here = await folderCommands();
    expect(await here.run("import", ...args)).toMatchObject({ code, out: "" });
  });

  test("a packed file that is broken says so, and what came before is kept for the next run", async () => {
    const here = await folderCommands();
    const lines = [...Array(3000).keys()]
      .map((n) => JSON.stringify({ id: n, email: `p${n}@example.com` }))
      .join("\n");
    const packed = gzipSync(lines);
    const broken = await bring(
      here,
      "generic",
      await fileOf(here, "users.ndjson.gz", packed.subarray(0, packed.length - 2000)),
    );
    expect(broken).toMatchObject({ code: 1, out: "" });
    expect(broken.err).toMatch(/^latchkey: \S+users\.ndjson\.gz cannot be read: .+\n$/);
    const whole = await bring(here, "generic", await fileOf(here, "users.ndjson.gz", packed));
    expect(whole.result.imported + whole.result.present).toBe(3000);
  });
});

test.each<[string, string, string | null]>([
  ["packed by name alone", "users.ndjson.gz", '{"email":"ann@example.com"}'],
  ["of nothing, packed by name", "users.ndjson.gz", ""],
  ["that is a folder", "users.ndjson", null],
])(
  "a file %s ends the command with a line that names it, and nothing is imported",
  async (_, name, content) => {
    const here = await folderCommands();
    const file = content === null ? here.folder : await fileOf(here, name, content);
    const ran = await bring(here, "generic", file);
    expect(ran).toMatchObject({ code: 1, out: "" });
    expect(ran.err).toMatch(/^latchkey: \S+ cannot be read: .+\n$/);
    expect(ran.err).toContain(file);
  },
);

test("a file that is broken has time until somebody reads it", async () => {
  const here = await folderCommands();
  const path = await fileOf(here, "users.ndjson.gz", "not packed");
  const file = await openText(path);
  // As long as somebody else needs to find out.
  await expect(pipeline(createReadStream(path), createGunzip(), text)).rejects.toThrow("header");
  expect(file.position()).toBe(0);
  await expect(text(file.chunks)).rejects.toThrow(CommandFailure);
  await file.close();
});

describe.each([
  ["postgres", newPostgres, inject("postgresUrl")],
  ["mysql", newMysql, inject("mysqlUrl")],
] as const)("on %s", (_engine, newDatabase, url) => {
  test.skipIf(url === null)("accounts come in, are known again, and go out the same", async () => {
    const here = await folderCommands({ DATABASE_URL: await newDatabase() });
    const rows = [...Array(250).keys()].map((n) =>
      JSON.stringify({ id: n, email: `p${n}@example.com`, name: "Zoë 𝒵" }),
    );
    const file = await fileOf(
      here,
      "users.ndjson",
      [...rows, '{"email":"P7@example.com","id":"x"}'].join("\n"),
    );
    expect((await bring(here, "generic", file)).result).toMatchObject({ imported: 250, refused: 1 });
    expect((await bring(here, "generic", file)).result).toMatchObject({
      imported: 0,
      present: 250,
      refused: 1,
    });
    const fixture = join(fixtures, "better-auth.ndjson");
    expect((await bring(here, "better-auth", fixture, "--allow-roles")).result).toMatchObject({
      imported: 2,
    });
    expect(
      await isPassword(here, (await everybody(here))["ann@example.com"] as ExportedAccount, password),
    ).toBe(true);
    const all = here.path("all.ndjson");
    expect(await here.run("export", all)).toMatchObject({ code: 0 });
    const there = await folderCommands({ DATABASE_URL: await newDatabase() });
    expect((await bring(there, "latchkey", all, "--allow-roles", "--allow-superuser")).result).toMatchObject({
      imported: 252,
    });
    expect(await everybody(there)).toEqual(await everybody(here));
  });
});
