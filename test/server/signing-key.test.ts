import { readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cli } from "../../server/cli/cli.ts";
import { clean, plainJson, type Terminal } from "../../server/cli/terminal.ts";
import { readSettings } from "../../server/settings/read-settings.ts";
import { newFolder } from "./support/child-server.ts";
import { type HereServer, serveHere } from "./support/here-server.ts";

const secret = "q8Zr1mVt6WxkP0sYd3HuJfLb7NcGeA2T";
const password = "seven green kettles";

let server: HereServer;

beforeAll(async () => {
  server = await serveHere({ SECRET_KEY: secret, TOKEN_ALGORITHM: "EdDSA", TOKEN_EXPIRES_IN: "5" });
});

afterAll(() => server.remove());

/** Runs a command in this process, on the database and keys of the running server or others. */
async function latchkey(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const written = { out: "", err: "" };
  const terminal: Terminal = {
    environment: {
      ...{ SECRET_KEY: secret, PORT: String(server.port), TOKEN_ALGORITHM: "EdDSA", TOKEN_EXPIRES_IN: "5" },
      DATABASE_URL: `sqlite://${server.folder}/data/latchkey.db`,
      TOKEN_KEY_FILE: join(server.folder, "data/signing-keys.json"),
      ...env,
    },
    say: (...lines) => {
      written.out += lines.map((line) => `${clean(line)}\n`).join("");
    },
    json: (value) => {
      written.out += plainJson(value);
    },
    complain: (...lines) => {
      written.err += lines.map((line) => `${clean(line)}\n`).join("");
    },
    readAll: async () => "",
    during: (work) => work(() => {}),
    isInteractive: false,
  };
  return { code: await cli(args, terminal), ...written };
}

async function kids(): Promise<string[]> {
  const answer = await fetch(`${server.origin}/.well-known/jwks.json`);
  const { keys } = (await answer.json()) as { keys: { kid: string }[] };
  return keys.map(({ kid }) => kid);
}

describe("the server with signing keys", () => {
  test("makes its key file, for its owner alone, and gives tokens signed with it", async () => {
    const path = join(server.folder, "data/signing-keys.json");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const headers = { "Content-Type": "application/json" };
    const account = { email: "ann@example.com", password };
    const api = `${server.origin}/api/v1`;
    const made = await fetch(`${api}/auth/register`, {
      method: "POST",
      headers,
      body: JSON.stringify(account),
    });
    expect(made.status).toBe(201);
    const answer = await fetch(`${api}/auth/token`, {
      method: "POST",
      headers,
      body: JSON.stringify(account),
    });
    const tokens = (await answer.json()) as { access_token: string; expires_in: number };
    expect(tokens.expires_in).toBe(300);
    const { kid } = JSON.parse(String(Buffer.from(tokens.access_token.split(".")[0] ?? "", "base64url")));
    expect(await kids()).toEqual([kid]);
    const me = await fetch(`${api}/users/me`, {
      headers: { Authorization: `Bearer ${tokens.access_token}` },
    });
    expect(me.status).toBe(200);
  });

  test("picks a rotation up by itself", { timeout: 30_000 }, async () => {
    const [first] = await kids();
    const rotated = await latchkey(["signing-key", "rotate", "--publish-seconds", "60", "--json"]);
    expect(rotated.code).toBe(0);
    const { id, signs_from, former_retires_at } = JSON.parse(rotated.out);
    // Five minutes of a token, 30 s of clocks, a minute for who looks late.
    expect(Date.parse(former_retires_at) - Date.parse(signs_from)).toBe(390_000);
    await expect.poll(kids, { timeout: 15_000 }).toEqual([first, id]);
    const listed = await latchkey(["signing-key", "list"]);
    expect(listed.out).toContain(id);
    const file = await readFile(join(server.folder, "data/signing-keys.json"), "utf8");
    for (const { jwk } of JSON.parse(file).keys) expect(listed.out + rotated.out).not.toContain(jwk.d);
  });
});

describe("latchkey signing-key", () => {
  test("create makes the file that a server off loopback needs, once", async () => {
    const folder = await newFolder();
    try {
      const TOKEN_KEY_FILE = join(folder, "keys.json");
      const first = await latchkey(["signing-key", "create"], { TOKEN_KEY_FILE });
      expect([first.code, first.out]).toEqual([
        0,
        `Made ${TOKEN_KEY_FILE}. Every server needs the same file.\n`,
      ]);
      const text = await readFile(TOKEN_KEY_FILE, "utf8");
      expect((await latchkey(["signing-key", "create"], { TOKEN_KEY_FILE })).out).toContain(
        "is there already",
      );
      expect(await readFile(TOKEN_KEY_FILE, "utf8")).toBe(text);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("says that HS256 has none", async () => {
    for (const command of ["create", "rotate"]) {
      const ran = await latchkey(["signing-key", command], { TOKEN_ALGORITHM: "HS256" });
      expect([ran.code, ran.err]).toEqual([1, expect.stringContaining("hs256")]);
    }
    expect((await latchkey(["signing-key", "list", "--json"], { TOKEN_ALGORITHM: "HS256" })).out).toContain(
      "[]",
    );
  });

  test("refuses what is no number of seconds, or too few", async () => {
    expect((await latchkey(["signing-key", "rotate", "--publish-seconds", "soon"])).code).toBe(2);
    expect((await latchkey(["signing-key", "rotate", "--publish-seconds", "1"])).code).toBe(1);
  });
});

describe("the settings of tokens", () => {
  test("are in minutes and days, under the names of other frameworks too", () => {
    const { settings } = readSettings({
      TINA4_TOKEN_EXPIRES_IN: "60",
      JWT_ALGORITHM: "ES256",
      REFRESH_TOKEN_DAYS: "30",
    });
    expect(settings).toMatchObject({
      tokenExpiresInSeconds: 3_600,
      tokenAlgorithm: "es256",
      tokenSessionSeconds: 30 * 86_400,
    });
  });
});
