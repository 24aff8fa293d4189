import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { examine } from "../../server/doctor/examine.ts";
import type { FileFacts, MachineFacts } from "../../server/doctor/facts.ts";
import { machineFacts } from "../../server/doctor/machine-facts.ts";
import type { Environment } from "../../server/settings/draft.ts";
import { readSettings } from "../../server/settings/read-settings.ts";
import { sound } from "./support/doctor-facts.ts";
import { folderCommands } from "./support/folder-commands.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "latchkey fixes "));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
});

function outcomeOf(
  id: string,
  facts: Parameters<typeof sound>[0],
): { readonly kind: string; readonly fix?: string } {
  const examined = examine(sound(facts)).find(({ check }) => check.id === id);
  if (examined === undefined) throw new Error(`no check ${id}`);
  return examined.outcome;
}

describe("what a fix says about settings makes its check green", () => {
  const both = { SESSION_STORAGE: "stateless", MAX_SESSIONS_PER_USER: "0" };
  test.each<readonly [id: string, wrong: Environment, says: string, mended: Environment]>([
    [
      "database-encrypted",
      { DATABASE_URL: "postgres://a:b@db.example/latchkey?sslmode=require" },
      "in place of another sslmode",
      { DATABASE_URL: "postgres://a:b@db.example/latchkey?sslmode=verify-full" },
    ],
    [
      "database-encrypted",
      { DATABASE_URL: "mysql://a:b@db.example/latchkey" },
      "as in mysql://…/latchkey?ssl-mode=VERIFY_IDENTITY",
      { DATABASE_URL: "mysql://a:b@db.example/latchkey?ssl-mode=VERIFY_IDENTITY" },
    ],
    [
      "sessions-encrypted",
      { REDIS_URL: "", SESSION_HOST: "redis.example" },
      "REDIS_URL=rediss://…, and neither SESSION_HOST",
      { REDIS_URL: "rediss://:pass@redis.example", SESSION_HOST: "" },
    ],
    [
      "sessions-encrypted",
      { SESSION_BACKEND: "mongodb", SESSION_PORT: "27018", SESSION_HOST: "mongo.example" },
      "tls=true among the parameters of MONGODB_URL",
      { SESSION_BACKEND: "mongodb", MONGODB_URL: "mongodb://a:b@mongo.example/?tls=true" },
    ],
    [
      "sessions-locked",
      { SESSION_BACKEND: "valkey", SESSION_HOST: "valkey.example" },
      "write it into VALKEY_URL",
      { SESSION_BACKEND: "valkey", VALKEY_URL: "valkeys://:pass@valkey.example" },
    ],
    [
      "session-life-bounded",
      { REMEMBER_IDLE_DAYS: "200", SESSION_TIMEOUT_MINUTES: "50000" },
      "SESSION_TIMEOUT_MINUTES to 43200 or less, REMEMBER_ABSOLUTE_DAYS and REMEMBER_IDLE_DAYS to 90",
      {
        ...{ SESSION_ABSOLUTE_MINUTES: "43200", SESSION_TIMEOUT_MINUTES: "43200" },
        ...{ REMEMBER_ABSOLUTE_DAYS: "90", REMEMBER_IDLE_DAYS: "90" },
      },
    ],
    ["sessions-counted", { MAX_SESSIONS_PER_USER: "0" }, "from 1 to 100", { MAX_SESSIONS_PER_USER: "1" }],
    ["sessions-counted", both, "Leave it out.", { SESSION_STORAGE: "stateless" }],
  ])("%s: %o", (id, wrong, says, mended) => {
    expect(outcomeOf(id, { env: wrong })).toMatchObject({
      kind: "found",
      fix: expect.stringContaining(says),
    });
    expect(outcomeOf(id, { env: mended })).toEqual({ kind: "ok" });
    const errors = examine(sound({ env: mended })).filter(
      ({ check, outcome }) => outcome.kind === "found" && check.severity === "error",
    );
    expect(errors).toEqual([]);
  });
});

describe("what a fix says about files, a shell does", () => {
  test.each(["a.db", "a b.db", "it's $HOME.db", "`id`.db"])("%s gets a mode of its own", async (name) => {
    const path = join(folder, name);
    await writeFile(path, "");
    await chmod(path, 0o644);
    const file = async (): Promise<FileFacts> => ({ path, mode: (await stat(path)).mode & 0o777 });
    const found = outcomeOf("database-files-private", { machine: { databaseFiles: [await file()] } });
    await promisify(execFile)("/bin/sh", ["-c", found.fix?.replace("Run: ", "") ?? ""]);
    const machine = { databaseFiles: [await file()] };
    expect(outcomeOf("database-files-private", { machine })).toEqual({ kind: "ok" });
  });

  test("a folder that others may write to is its owner's again", async () => {
    await chmod(folder, 0o777);
    const databaseFolder = async (): Promise<FileFacts> => ({
      path: folder,
      mode: (await stat(folder)).mode & 0o777,
    });
    const found = outcomeOf("database-folder-own", { machine: { databaseFolder: await databaseFolder() } });
    await promisify(execFile)("/bin/sh", ["-c", found.fix?.replace("Run: ", "") ?? ""]);
    const machine = { databaseFolder: await databaseFolder() };
    expect(outcomeOf("database-folder-own", { machine })).toEqual({ kind: "ok" });
  });
});

describe("what a fix says about signing keys", () => {
  // The youngest key signs, so that of two the older is the one that has an end.
  test.each([
    ["none that signs now", [-1]],
    ["1 past their end", [-48, null]],
  ])("%s: its command makes the check green", async (text, endsInHours) => {
    const TOKEN_KEY_FILE = join(folder, "keys.json");
    const env = { TOKEN_ALGORITHM: "es256", TOKEN_KEY_FILE };
    const { run } = await folderCommands(env);
    for (const _ of endsInHours) {
      expect((await run("signing-key", "create")).code).toBe(0);
      if (endsInHours.length > 1) await run("signing-key", "rotate", "--publish-seconds", "10");
    }
    await endKeys(TOKEN_KEY_FILE, endsInHours);
    const verdict = async (afterMs: number) => {
      const { signingKeys } = await machineFacts(settingsOf(env), { hashes: false });
      const machine: Partial<MachineFacts> = { signingKeys, now: new Date(Date.now() + afterMs) };
      return outcomeOf("signing-key-current", { machine });
    };
    const found = await verdict(0);
    expect(found).toMatchObject({ kind: "found", found: text });
    const command = /`latchkey ([^`]+)`/.exec(found.fix ?? "")?.[1] ?? "";
    expect(await run(...command.split(" "))).toMatchObject({ code: 0 });
    expect(await verdict(10_000)).toEqual({ kind: "ok" });
  });

  test("a key file that cannot be used is named with its setting", async () => {
    const TOKEN_KEY_FILE = join(folder, "keys.json");
    await writeFile(TOKEN_KEY_FILE, "{}", { mode: 0o600 });
    const { run } = await folderCommands({ TOKEN_ALGORITHM: "es256", TOKEN_KEY_FILE });
    const { code, err } = await run("signing-key", "list");
    expect([code, err]).toEqual([
      1,
      expect.stringContaining(`TOKEN_KEY_FILE: the key file ${TOKEN_KEY_FILE} is no key file`),
    ]);
  });
});

/** Gives the keys of a file, the oldest first, an end so many hours from now; null: none. */
async function endKeys(path: string, inHours: readonly (number | null)[]): Promise<void> {
  const file = JSON.parse(await readFile(path, "utf8")) as { readonly keys: readonly object[] };
  const long = new Date(Date.now() - 72 * 3_600_000).toISOString();
  const keys = inHours.map((hours, index) => ({
    ...file.keys[index],
    ...{ createdAt: long, signsFrom: long },
    retiresAt: hours === null ? null : new Date(Date.now() + hours * 3_600_000).toISOString(),
  }));
  await writeFile(path, JSON.stringify({ ...file, keys }));
}

function settingsOf(env: Environment) {
  return readSettings({ SECRET_KEY: "q8Zr1mVt6WxkP0sYd3HuJfLb7NcGeA2T", ...env }).settings;
}
