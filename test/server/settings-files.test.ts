import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { developmentSecret } from "../../server/settings/development-secret.ts";
import { settingsDocument } from "../../server/settings/document.ts";
import { loadSettings } from "../../server/settings/load-settings.ts";
import { SettingsError } from "../../server/settings/settings-error.ts";
import { settingsTable } from "../../server/settings/table.ts";

const random = { bytes: (length: number) => randomBytes(length) };
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "latchkey-settings-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

describe("the .env file", () => {
  test("it is read, quotes and comments included", async () => {
    const path = join(folder, ".env");
    await writeFile(path, "# mine\nPORT=4000\nSESSION_NAME='mine' # name\n");
    expect((await loadSettings({}, path)).settings).toMatchObject({ port: 4000, sessionName: "mine" });
  });

  test("the environment wins over it, also with nothing", async () => {
    const path = join(folder, ".env");
    await writeFile(path, "PORT=4000\nSESSION_NAME=mine\n");
    const { settings } = await loadSettings({ PORT: "5000", SESSION_NAME: "" }, path);
    expect(settings).toMatchObject({ port: 5000, sessionName: "latchkey" });
  });

  test("it is not put into the environment of the process", async () => {
    const path = join(folder, ".env");
    await writeFile(path, "LATCHKEY_TEST_CANARY=1\nPORT=4000\n");
    await loadSettings(process.env, path);
    expect(process.env).not.toHaveProperty("LATCHKEY_TEST_CANARY");
  });

  test("it need not exist", async () => {
    expect((await loadSettings({}, join(folder, "none"))).settings.port).toBe(3000);
  });

  test("one that cannot be read refuses to start", async () => {
    await expect(loadSettings({}, folder)).rejects.toThrow(`- ${folder}: cannot be read (found EISDIR).`);
  });

  test("a misspelt name in it gives a warning", async () => {
    const path = join(folder, ".env");
    await writeFile(path, "CORS_ORIGIN=https://a.example\n");
    expect((await loadSettings({}, path)).warnings).toHaveLength(1);
  });
});

describe("a # in the .env file", () => {
  const secret = "q8Zr1mVt6WxkP0sYd3HuJfLb7NcGeA2T";
  const warned = async (text: string, environment = {}): Promise<readonly string[]> => {
    const path = join(folder, ".env");
    await writeFile(path, text);
    const { warnings } = await loadSettings(environment, path);
    return warnings.map((warning) => warning.split(" ends before a # in ")[0] ?? "");
  };

  test.each([
    ["in a password", `SECRET_KEY=${secret}#more\n`, ["SECRET_KEY"]],
    ["before the secret of a webhook", "WEBHOOKS=#whsec_c2VjcmV0\n", ["WEBHOOKS"]],
    [
      "in two values, with a comment behind",
      "SESSION_NAME=a#b # c\nexport MAIL_FROM = a@b.example#c",
      ["SESSION_NAME", "MAIL_FROM"],
    ],
    ["in a later one of the same name", "SESSION_NAME=a\nSESSION_NAME=b##c\r\n", ["SESSION_NAME"]],
    ["in a value that a later one replaces", "SESSION_NAME=b#c\nSESSION_NAME=a\n", []],
    ["in quotation marks", `SECRET_KEY="${secret}#a"\nMAIL_FROM='b@c.example'#d\n`, []],
    ["in several lines of quotation marks", "SOMETHING='a\nPORT=1#2\nb'\n", []],
    ["behind a blank", "SESSION_NAME=a # b#c\nPORT=4000\t# d\n", []],
    ["at the begin of a line", "#PORT=1#2\n  # don't#\n##\n", []],
    ["in what is no setting", "SOMETHING=a#b\n", []],
  ])("%s: a value that it cuts off is told", async (_, text, names) => {
    expect(await warned(text)).toEqual(names);
  });

  test("what the environment sets instead is not told, nor is a value ever", async () => {
    expect(await warned("SESSION_NAME=a#b\n", { SESSION_NAME: "" })).toEqual([]);
    await writeFile(join(folder, ".env"), `SECRET_KEY=${secret}#more\n`);
    const { warnings } = await loadSettings({}, join(folder, ".env"));
    expect(warnings.join()).toContain("quotation marks");
    expect(warnings.join()).not.toMatch(/q8Zr|more/);
  });
});

describe("the development secret", () => {
  test("it is made once, 32 random bytes, in a file and a folder for the owner alone", async () => {
    const directory = join(folder, "deep", "data");
    const first = await developmentSecret(directory, random);
    expect(first).toMatchObject({ isNew: true, path: join(directory, "secret.key") });
    expect(Buffer.from(first.secret, "base64url")).toHaveLength(32);
    expect((await stat(first.path)).mode & 0o777).toBe(0o600);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect(await developmentSecret(directory, random)).toEqual({ ...first, isNew: false });
    expect(await readdir(directory)).toEqual(["secret.key"]);
  });

  test("one that is there is read without writing, so that the folder may be read-only", async () => {
    const first = await developmentSecret(folder, random);
    const none = {
      bytes: (): Uint8Array => {
        throw new Error("nothing is to be made");
      },
    };
    expect(await developmentSecret(folder, none)).toEqual({ ...first, isNew: false });
  });

  test("calls that race end with the same one, made by exactly one of them", async () => {
    const all = await Promise.all(
      Array.from({ length: 24 }, () => developmentSecret(join(folder, "data"), random)),
    );
    expect(new Set(all.map(({ secret }) => secret)).size).toBe(1);
    expect(all.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(await readdir(join(folder, "data"))).toEqual(["secret.key"]);
  });

  test("processes that race end with the same one", async () => {
    const module = new URL("../../server/settings/development-secret.ts", import.meta.url);
    const program = `
      const { randomBytes } = await import("node:crypto");
      const { developmentSecret } = await import(${JSON.stringify(module.href)});
      process.stdout.write((await developmentSecret(process.argv[1], { bytes: (n) => randomBytes(n) })).secret);`;
    const start = () =>
      promisify(execFile)(process.execPath, ["--input-type=module", "-e", program, join(folder, "data")]);
    const outputs = await Promise.all([start(), start(), start(), start()]);
    const file = await readFile(join(folder, "data", "secret.key"), "utf8");
    expect(new Set(outputs.map(({ stdout }) => stdout))).toEqual(new Set([file.trim()]));
  });

  test.each([0o640, 0o604, 0o620, 0o602])(
    "a file of mode %o is refused with the command to run",
    async (mode) => {
      const { path } = await developmentSecret(folder, random);
      await chmod(path, mode);
      await expect(developmentSecret(folder, random)).rejects.toThrow(`Run: chmod 600 ${path}`);
      await chmod(path, 0o600);
      await expect(developmentSecret(folder, random)).resolves.toMatchObject({ isNew: false });
    },
  );

  test("a file that holds no whole secret is refused, not replaced", async () => {
    const path = join(folder, "secret.key");
    await writeFile(path, "half-of-it\n", { mode: 0o600 });
    await expect(developmentSecret(folder, random)).rejects.toThrow("holds no whole secret");
    expect(await readFile(path, "utf8")).toBe("half-of-it\n");
  });

  test("a refusal does not print what the file holds", async () => {
    await writeFile(join(folder, "secret.key"), "Zq90817263Xj", { mode: 0o600 });
    const error = await developmentSecret(folder, random).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SettingsError);
    expect(String(error)).not.toContain("Zq90817263Xj");
  });

  test("a link in its place is not followed", async () => {
    const target = join(folder, "other");
    await writeFile(target, "x".repeat(64), { mode: 0o600 });
    await symlink(target, join(folder, "secret.key"));
    await expect(developmentSecret(folder, random)).rejects.toThrow("is a link, not a file");
  });

  test("a folder in its place is refused", async () => {
    await mkdir(join(folder, "secret.key"), { mode: 0o700 });
    await expect(developmentSecret(folder, random)).rejects.toThrow("is no plain file");
  });

  test("a folder that cannot be made is refused with the fix", async () => {
    await writeFile(join(folder, "file"), "");
    await expect(developmentSecret(join(folder, "file"), random)).rejects.toThrow(
      /cannot be read or made \(ENOTDIR\).*SECRET_KEY/,
    );
  });
});

describe("docs/settings.md", () => {
  test("it is current; `node tools/settings-doc.ts` writes it", async () => {
    const path = fileURLToPath(new URL("../../docs/settings.md", import.meta.url));
    expect(await readFile(path, "utf8")).toBe(settingsDocument());
  });

  test("it has one row for each setting, with name, default, unit and aliases", () => {
    const document = settingsDocument();
    expect(document.match(/^\| `[A-Z]/gm)).toHaveLength(Object.keys(settingsTable).length);
    expect(document).toMatch(
      /^\| `SESSION_TIMEOUT_MINUTES` \| `30` \| minutes \|.*\| `TINA4_SESSION_LIFETIME` \(seconds\) \|$/m,
    );
    expect(document).toMatch(/^\| `SECRET_KEY` \* \| none \|.*\| `SECRET`, `SESSION_SECRET` \|$/m);
  });

  test("no name stands for two settings, and every default is one that its setting accepts", () => {
    const names = Object.values(settingsTable).flatMap((row) => [
      row.name,
      ...(row.aliases ?? []).map(({ name }) => name),
    ]);
    expect(new Set(names).size).toBe(names.length);
    for (const row of Object.values(settingsTable)) {
      if (row.default !== null) expect(row.kind.read(row.default), row.name).toMatchObject({ ok: true });
    }
  });
});
