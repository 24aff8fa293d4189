import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AuditRow } from "../../src/domain/audit.ts";
import { audit } from "../../src/features/audit.ts";
import type { Browser } from "../support/browser.ts";
import { type World, world } from "../support/world.ts";

const path = "/api/v1/audit/export";

function exporting() {
  const feature = audit({ sealSeconds: 0 });
  const here = world({ features: [feature] });
  return { here, log: here.auth.use(feature) };
}

/** Somebody who is signed in and holds the permission, or does not. */
async function reader(here: World, permissions: readonly string[] = ["audit:read"]): Promise<Browser> {
  const browser = await here.registered("reader@example.com");
  const user = await here.user(browser.userId);
  await here.write({ kind: "user.update", userId: user.id, version: user.version, changes: { permissions } });
  return browser;
}

/** What RFC 4180 makes of a text. */
function parsed(csv: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain = "", end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === "\r\n") rows.push([]);
    if (end === "") break;
  }
  return rows.slice(0, -1);
}

describe("an export of the audit log", () => {
  test("is for those who may read it", async () => {
    const { here } = exporting();
    expect((await here.browser().get(path)).status).toBe(401);
    expect((await (await reader(here, [])).get(path)).status).toBe(403);
  });

  test("as NDJSON has every row, newest first, and is on record itself", async () => {
    const { here, log } = exporting();
    const browser = await reader(here);
    await log.seal();
    const answer = await browser.get(path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/x-ndjson; charset=utf-8");
    expect(answer.headers.get("content-disposition")).toBe('attachment; filename="audit.ndjson"');
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const lines = answer.text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const rows = (await here.audit()).toReversed();
    expect(rows[0]).toMatchObject({
      type: "export.finished",
      payload: `{"what":"audit","exported":${lines.length}}`,
    });
    expect(lines.map(({ id }) => id)).toEqual(rows.slice(1).map(({ id }) => id));
    expect(lines.at(-1)).toMatchObject({
      seq: 1,
      type: "user.registered",
      timestamp: here.clock.now().toISOString(),
      ip: "192.0.2.10",
      user_agent: "ExampleBrowser/1.0",
      data: { by: "self", is_superuser: false },
      digests: { ip: expect.any(String), user_agent: expect.any(String) },
      chain_hash: expect.any(String),
    });
  });

  test("takes the filters of a search, and refuses what is none", async () => {
    const { here } = exporting();
    const browser = await reader(here);
    const typesOf = async (query: string) =>
      (await browser.get(`${path}?${query}`)).text
        .trim()
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line).type);
    expect(await typesOf("type=user.registered,session.started")).toEqual([
      "session.started",
      "user.registered",
    ]);
    expect(await typesOf("type=user.registered&user_id=nobody")).toEqual([]);
    expect(await typesOf("type=user.registered&to=2026-01-01T00:00:00Z")).toEqual([]);
    expect(await typesOf("type=user.registered&from=2026-01-01")).toEqual(["user.registered"]);
    for (const query of ["format=xml", "type=*", "from=yesterday", "to=1"]) {
      const { status, body } = await browser.get(`${path}?${query}`);
      expect([status, body.errors?.[0]?.field]).toEqual([400, query.split("=")[0]]);
    }
  });

  test("goes on where ten thousand rows end", { timeout: 60_000 }, async () => {
    const { here } = exporting();
    const browser = await reader(here);
    const row = (): AuditRow =>
      here.services.events.row(
        { type: "user.logged_out", userId: null, sessionId: null, payload: {} },
        { ip: null, userAgent: null, requestId: null },
      );
    for (let part = 0; part < 21; part++)
      await here.write(...Array.from({ length: 500 }, () => ({ kind: "audit.insert", row: row() }) as const));
    const first = await browser.get(`${path}?type=user.logged_out`);
    expect(first.text.trim().split("\n")).toHaveLength(10_000);
    const [, next = ""] = /^<(.+)>; rel="next"$/.exec(first.headers.get("link") ?? "") ?? [];
    const second = await browser.get(next);
    expect(second.text.trim().split("\n")).toHaveLength(500);
    expect(second.headers.get("link")).toBeNull();
    const ids = `${first.text}${second.text}`
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).id);
    expect(new Set(ids).size).toBe(10_500);
  });

  test("as CSV holds the same, and nothing that a spreadsheet would run", async () => {
    const { here } = exporting();
    const browser = await reader(here);
    const agents = [
      '=HYPERLINK("http://evil.example","x")',
      "+1",
      "-1",
      "@SUM(A1)",
      "＝1",
      ' "quoted", said',
      " =1",
    ];
    for (const userAgent of agents) {
      const payload = { identifierHmac: "x", reason: "credentials" } as const;
      const row = here.services.events.row(
        { type: "user.login_failed", userId: null, sessionId: null, payload },
        { ip: null, userAgent, requestId: null },
      );
      await here.write({ kind: "audit.insert", row });
    }
    const { text, headers } = await browser.get(`${path}?format=csv&type=user.login_failed`);
    expect(headers.get("content-type")).toContain("text/csv");
    const [names = [], ...rows] = parsed(text);
    expect(rows.every((row) => row.length === names.length)).toBe(true);
    const column = names.indexOf("user_agent");
    expect(rows).toHaveLength(agents.length);
    for (const row of rows) {
      expect(row[column]).not.toMatch(/^\s*[=+\-@＝]/);
      expect(JSON.parse(row[names.indexOf("data")] ?? "")).toHaveProperty("reason");
    }
    expect(text.split("\r\n").at(-1)).toBe("");
  });

  test("as CSV keeps any text in its cell", async () => {
    const { here, log } = exporting();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 40 }), async (text) => {
        const userAgent = text.replace(/[\p{Cc}\p{Cs}]/gu, "") || null;
        const row = here.services.events.row(
          { type: "user.logged_out", userId: null, sessionId: null, payload: {} },
          { ip: null, userAgent, requestId: null },
        );
        await here.write({ kind: "audit.insert", row });
        const parts: string[] = [];
        const search = { types: ["user.logged_out"] } as const;
        for await (const part of log.export({ format: "csv", search })) parts.push(part.text);
        const [names = [], newest = []] = parsed(parts.join(""));
        expect(newest).toHaveLength(names.length);
        expect(newest[names.indexOf("user_agent")]?.replace(/^'/, "")).toBe(
          (userAgent ?? "").replace(/^'/, ""),
        );
      }),
      { numRuns: 30 },
    );
  });
});
