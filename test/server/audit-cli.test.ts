import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { eventually, run } from "./support/child-server.ts";
import { command } from "./support/command.ts";
import { type HereServer, serveHere } from "./support/here-server.ts";

const secret = "q8Zr1mVt6WxkP0sYd3HuJfLb7NcGeA2T";
let server: HereServer;

beforeAll(async () => {
  server = await serveHere({ SECRET_KEY: secret });
  const browser = server.browser();
  for (const name of ["ana", "bea"]) {
    const account = { email: `${name}@example.com`, password: "seven green kettles" };
    await browser.post("/api/v1/auth/register", account);
  }
});

afterAll(async () => {
  await server.remove();
});

const audit = (...args: readonly string[]) => command(server, secret, ["audit", ...args]);

/** Runs the real program on the database of the running server. */
async function program(...args: readonly string[]) {
  const database = { DATABASE_URL: `sqlite://${server.folder}/data/latchkey.db`, SECRET_KEY: secret };
  const { ended, stdout, stderr } = run("cli/main.ts", ["audit", ...args], server.folder, database);
  const { code } = await ended;
  return { code, out: stdout(), err: stderr() };
}

describe("latchkey audit", () => {
  test("a running server seals by itself", async () => {
    const db = new DatabaseSync(join(server.folder, "data/latchkey.db"), { readOnly: true });
    const sealed = db.prepare("SELECT count(*) AS count FROM audit_events WHERE seq IS NOT NULL");
    await eventually(() => Number(sealed.get()?.count) >= 2, 15_000);
    db.close();
  });

  test("seals, signs, and finds everything as it was sealed", { timeout: 60_000 }, async () => {
    const sealing = await audit("seal", "--json");
    expect(sealing).toMatchObject({ code: 0, err: "" });
    expect(JSON.parse(sealing.out).signed_seq).toBeGreaterThan(1);
    const { code, out } = await audit("verify", "--json");
    expect(code).toBe(0);
    const verified = JSON.parse(out);
    expect(verified).toMatchObject({ ok: true, fault: null, first_seq: 1, unknown_keys: [] });
    expect(verified.signed_seq).toBe(JSON.parse(sealing.out).signed_seq);
    const anchor = `${verified.last_seq}:${verified.chain_hash}`;
    expect(await audit("verify", "--anchor", anchor)).toMatchObject({ code: 0 });
    const other = `${verified.last_seq}:${"x".repeat(43)}`;
    expect(await audit("verify", "--anchor", other)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/not the one that was noted/),
    });
    expect(await audit("verify", "--anchor", "something")).toMatchObject({ code: 2 });
    const key = await audit("key");
    expect(key.out).toMatch(/^[A-Za-z0-9_-]{43}\n$/);
  });

  test("writes the log into a file that its owner alone reads, once", { timeout: 60_000 }, async () => {
    const path = join(server.folder, "audit.csv");
    const { code, out } = await audit("export", "--format", "csv", "-o", path, "--type", "user.registered");
    expect({ code, out }).toEqual({ code: 0, out: `Wrote 2 rows to ${path}.\n` });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await readFile(path, "utf8")).split("\r\n")).toHaveLength(4);
    expect(await audit("export", "-o", path)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/cannot be written/),
    });
    const { out: lines } = await program("export", "--user", "ana@example.com", "--type", "user.registered");
    expect(JSON.parse(lines)).toMatchObject({ type: "user.registered", data: { by: "self" } });
    expect(await audit("export", "--format", "xml")).toMatchObject({ code: 2 });
  });

  test("names the first row that was changed", { timeout: 60_000 }, async () => {
    const db = new DatabaseSync(join(server.folder, "data/latchkey.db"), { timeout: 10_000 });
    db.prepare("UPDATE audit_events SET payload = '{}' WHERE seq = 2").run();
    db.close();
    const { code, out, err } = await audit("verify", "--json");
    expect(code).toBe(1);
    expect(err).toContain("the row at 2 is not what was sealed there");
    expect(JSON.parse(out)).toMatchObject({ ok: false, fault: { kind: "changed", seq: 2 } });
  });
});
