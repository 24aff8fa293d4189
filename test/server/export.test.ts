import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { type FolderCommands, folderCommands } from "./support/folder-commands.ts";

const hash = "$2b$04$......................OFozeos6d2lMGDeQ3d5irLzOX9aUXQa";

/** A folder in which some people are. */
async function inhabited(): Promise<FolderCommands> {
  const here = await folderCommands();
  const rows = ["ann", "bob", "cleo"].map((name, id) =>
    JSON.stringify({
      id,
      // The first speaks for the service.
      username: id === 0 ? "support" : `${name}.x`,
      email: `${name}@example.com`,
      password_hash: hash,
      roles: ["editor"],
      is_superuser: id === 0,
    }),
  );
  await writeFile(here.path("users.ndjson"), rows.join("\n"));
  const all = ["--allow-roles", "--allow-superuser"];
  expect(await here.run("import", "--from", "generic", ...all, here.path("users.ndjson"))).toMatchObject({
    code: 0,
  });
  return here;
}

/** Every row of the tables of accounts. */
function rows({ path }: FolderCommands): unknown {
  const db = new DatabaseSync(path("latchkey.db"), { readOnly: true });
  const tables = ["users", "passwords", "linked_accounts", "api_keys", "tiers"];
  const found = tables.map((table) => db.prepare(`SELECT * FROM ${table} ORDER BY id`).all());
  db.close();
  return found;
}

test("what is exported and imported elsewhere is the same, row by row", async () => {
  const [from, to] = [await inhabited(), await folderCommands()];
  const file = from.path("all.ndjson");
  expect(await from.run("export", file)).toMatchObject({ code: 0, out: `Exported 3 accounts to ${file}\n` });
  const ran = await to.run("import", "--from", "latchkey", "--allow-roles", "--allow-superuser", file);
  expect(ran).toMatchObject({ code: 0, err: "" });
  expect(rows(to)).toEqual(rows(from));
});

test("the file is for its owner alone, is whole or not there, and never in the place of another", async () => {
  const here = await inhabited();
  const file = here.path("all.ndjson");
  const { err } = await here.run("export", file);
  expect(err).toContain("as good as the database");
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const first = await readFile(file, "utf8");
  expect(await here.run("export", file)).toMatchObject({ code: 1 });
  expect(await readFile(file, "utf8")).toBe(first);
  expect((await readdir(here.folder)).filter((name) => name.endsWith(".part"))).toEqual([]);
  await mkdir(here.path("closed"));
  expect(await here.run("export", here.path("nowhere/all.ndjson"))).toMatchObject({ code: 1, out: "" });
});

test("an export that fails leaves no file behind", async () => {
  const here = await inhabited();
  const db = new DatabaseSync(here.path("latchkey.db"));
  db.exec("ALTER TABLE linked_accounts RENAME TO gone");
  db.close();
  const { code } = await here.run("export", here.path("all.ndjson"));
  expect(code).toBe(1);
  expect((await readdir(here.folder)).filter((name) => name.startsWith("all"))).toEqual([]);
});

test("a file that was cut short is imported as far as it goes, and the operator is told", async () => {
  const [from, to] = [await inhabited(), await folderCommands()];
  await from.run("export", from.path("all.ndjson"));
  const lines = (await readFile(from.path("all.ndjson"), "utf8")).trim().split("\n");
  await writeFile(to.path("cut.ndjson"), lines.slice(0, -2).join("\n"));
  const ran = await to.run("import", "--from", "latchkey", "--json", to.path("cut.ndjson"));
  expect(ran.err).toContain("cut short");
  expect(JSON.parse(ran.out)).toMatchObject({ imported: 2 });
  const whole = await to.run("import", "--from", "latchkey", "--json", from.path("all.ndjson"));
  expect(whole.err).toBe("");
  expect(JSON.parse(whole.out)).toMatchObject({ imported: 1, present: 2 });
});

test("without the flags nobody becomes a superuser by an export", async () => {
  const [from, to] = [await inhabited(), await folderCommands()];
  await from.run("export", from.path("all.ndjson"));
  await to.run("import", "--from", "latchkey", from.path("all.ndjson"));
  const db = new DatabaseSync(to.path("latchkey.db"), { readOnly: true });
  expect(db.prepare("SELECT count(*) AS n FROM users WHERE is_superuser = 1 OR roles <> '[]'").get()).toEqual(
    { n: 0 },
  );
  db.close();
});

test("exports are on record with how many accounts were given", async () => {
  const here = await inhabited();
  const { out } = await here.run("export", "--json", here.path("all.ndjson"));
  expect(JSON.parse(out)).toEqual({ exported: 3, file: here.path("all.ndjson") });
  const db = new DatabaseSync(here.path("latchkey.db"), { readOnly: true });
  const row = db.prepare("SELECT payload FROM audit_events WHERE type = 'export.finished'").get();
  expect(JSON.parse(String(row?.payload))).toEqual({ what: "accounts", exported: 3 });
  db.close();
});
