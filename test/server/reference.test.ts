import { type Auth, apiKeys, tickets } from "latchkey";
import { administration } from "latchkey/administration";
import { tokens } from "latchkey/tokens";
import { describe, expect, test } from "vitest";
import { type ServerAppOptions, serverApp } from "../../server/app.ts";
import { createLog } from "../../server/log.ts";
import { usualLook } from "../../server/pages/assets.ts";
import { jsonOf, type OpenApi, operationsOf } from "../../server/reference/document.ts";
import { curlOf, exampleOf } from "../../server/reference/example.ts";
import { referencePage } from "../../server/reference/page.ts";
import { shapesOf, typeOf } from "../../server/reference/shape.ts";
import { readSettings } from "../../server/settings/read-settings.ts";
import { parseCurl } from "../examples/support/curl.ts";
import { fits } from "../support/fits.ts";
import { type WorldOptions, world } from "../support/world.ts";

const features = () => [apiKeys(), tokens(), tickets(), administration()];
const path = "/api/v1/docs";

/** The server's app, and what it answers. */
function served(options: Partial<ServerAppOptions> = {}, worldOptions: WorldOptions = {}) {
  const { auth } = world({ features: features(), origin: "http://localhost:3000", ...worldOptions });
  const log = createLog({ level: "error", destination: { write: () => true } });
  const rest = { log, trustedProxies: [], isOriginConfigured: true, isStopping: () => false };
  const app = serverApp({ auth, ...rest, ...options });
  const ask = async (to: string, init?: RequestInit) =>
    app.fetch(new Request(new URL(to, auth.config.origin), init));
  return { auth, ask };
}

async function documentOf({ ask }: ReturnType<typeof served>): Promise<OpenApi> {
  return (await ask("/api/v1/openapi.json")).json() as Promise<OpenApi>;
}

describe("the reference page", () => {
  test("has every operation of the document once, under an address that the contents lead to", async () => {
    const here = served();
    const document = await documentOf(here);
    const page = await (await here.ask(path)).text();
    const expected = document.tags.flatMap(({ name }) => operationsOf(document, name));
    expect(expected.length).toBeGreaterThan(50);
    expect(expected.length).toBe(
      Object.values(document.paths).flatMap((methods) => Object.keys(methods)).length,
    );

    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { operation } of expected) expect(ids).toContain(operation.operationId);
    const within = [...page.matchAll(/ href="#([^"]+)"/g)].map(([, id]) => id);
    expect(within.filter((id) => !ids.includes(id ?? ""))).toEqual([]);
    for (const { operation } of expected) expect(within).toContain(operation.operationId);
  });

  test("needs no script and no style of its own, and everything that it loads is there", async () => {
    const { ask } = served();
    const answer = await ask(path);
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'; style-src 'self'");
    const page = await answer.text();
    expect(page).not.toMatch(/<script|<style|\sstyle=|\son\w+=|javascript:|<iframe|<form/i);
    const loaded = [...page.matchAll(/<(?:link|img)[^>]* (?:href|src)="([^"]+)"/g)].map(([, at]) => at ?? "");
    expect(loaded.length).toBeGreaterThan(2);
    for (const at of loaded) expect([at, (await ask(at)).status]).toEqual([at, 200]);
    expect(page).not.toMatch(/(?:href|src)="(?:https?:)?\/\//);
  });

  test("names codes that the server explains", async () => {
    const { ask } = served();
    const page = await (await ask(path)).text();
    const links = new Set([...page.matchAll(/href="(\/problems\/\w+)"/g)].map(([, at]) => at ?? ""));
    expect(links.size).toBeGreaterThan(10);
    for (const at of links) expect([at, (await ask(at)).status]).toEqual([at, 200]);
  });

  test("is the same for everybody, with and without the slash", async () => {
    const { ask } = served();
    const plain = await ask(path);
    const known = await ask(`${path}/`, {
      headers: { Cookie: "latchkey=x.y", Authorization: "Bearer a.b.c" },
    });
    expect([plain.status, known.status]).toEqual([200, 200]);
    expect(await known.text()).toBe(await plain.text());
    expect(known.headers.getSetCookie()).toEqual([]);
    expect((await ask(path, { method: "POST" })).status).toBe(404);
    expect(await (await ask(path, { method: "HEAD" })).text()).toBe("");
  });

  test("lies below the configured base path", async () => {
    const { ask } = served({}, { basePath: "/auth-api" });
    expect((await ask("/auth-api/docs")).status).toBe(200);
    expect((await ask(path)).status).toBe(404);
    expect(await (await ask("/auth-api/docs")).text()).toContain(
      "curl -c jar http://localhost:3000/auth-api/auth/login",
    );
  });

  test("a document that could not be made is made at the next request", async () => {
    const { auth, ask } = served();
    let calls = 0;
    const handle: Auth["handle"] = async (request, client) => {
      if (request.url.endsWith("openapi.json") && ++calls === 1) throw new Error("not now");
      return auth.handle(request, client);
    };
    const shaky = served({ auth: { ...auth, handle } });
    expect((await shaky.ask(path)).status).toBe(500);
    expect((await shaky.ask(path)).status).toBe(200);
    expect((await shaky.ask(path)).status).toBe(200);
    expect(calls).toBe(2);
    expect((await ask(path)).status).toBe(200);
  });

  test("API_DOCS=false takes page and document away", async () => {
    expect(readSettings({}).settings.apiDocs).toBe(true);
    expect(readSettings({ API_DOCS: "false" }).settings.apiDocs).toBe(false);
    const { ask } = served({ hasReference: false });
    for (const gone of [path, `${path}/`, "/api/v1/openapi.json", "/api/v1/openapi.json/"])
      expect([gone, (await ask(gone)).status]).toEqual([gone, 404]);
    expect((await ask("/api/v1/auth/session")).status).toBe(200);
  });

  test("escapes whatever the document says", async () => {
    const evil = `</code><script>alert("1")</script>'\``;
    const document: OpenApi = {
      servers: [{ url: evil }],
      tags: [{ name: evil, description: evil }],
      paths: {
        [`/${evil}`]: {
          get: {
            operationId: evil,
            summary: evil,
            description: evil,
            tags: [evil],
            security: [{ session: [] }],
            requestBody: {
              content: { "application/json": { schema: { properties: { [evil]: { const: evil } } } } },
            },
            responses: {
              200: {
                description: evil,
                content: {
                  "application/json": {
                    schema: { type: "object", properties: { [evil]: { enum: [evil] } } },
                  },
                },
              },
              400: { description: `\`x\` ${evil}` },
            },
          },
        },
      },
      components: { securitySchemes: { session: { name: evil } } },
    };
    const page = String(await referencePage({ document, basePath: evil, look: usualLook }));
    expect(page).not.toContain("<script");
    expect(page.match(/&lt;script&gt;/g)?.length).toBeGreaterThan(10);
    // No attribute ends before its end.
    expect(page).not.toMatch(/="[^"]*"[^\s>/]/);
  });
});

describe("examples", () => {
  test("of bodies and answers fit their schemas", async () => {
    const document = await documentOf(served());
    let seen = 0;
    for (const { operation } of document.tags.flatMap(({ name }) => operationsOf(document, name))) {
      const body = jsonOf(operation.requestBody);
      const answers = Object.values(operation.responses).map(jsonOf);
      for (const schema of [body, ...answers]) {
        if (schema === null) continue;
        seen++;
        for (const isWhole of [true, false]) {
          const example = exampleOf(schema, { isWhole });
          expect([operation.operationId, example, fits({ ...schema }, example) || !isWhole]).toEqual([
            operation.operationId,
            example,
            true,
          ]);
        }
      }
    }
    expect(seen).toBeGreaterThan(40);
  });

  test("lines of curl work as they stand: register, sign in, read, change", async () => {
    const here = served();
    const document = await documentOf(here);
    const lines = new Map(
      document.tags.flatMap(({ name }) =>
        operationsOf(document, name).map((placed) => [
          placed.operation.operationId,
          curlOf(placed, "http://localhost:3000"),
        ]),
      ),
    );
    expect(lines.get("deleteUsersMeSessionsId")).toBe(
      'curl -X DELETE http://localhost:3000/api/v1/users/me/sessions/$ID \\\n  -b jar \\\n  -H "X-CSRF-Token: $TOKEN"',
    );
    const replay = async (id: string, more: Record<string, string> = {}) => {
      const { path: at, headers, ...request } = parseCurl(lines.get(id) ?? "");
      return here.ask(at, { ...request, headers: { ...headers, ...more } });
    };
    expect((await replay("postAuthRegister")).status).toBe(201);
    const signIn = await replay("postAuthLogin");
    expect(signIn.status).toBe(200);
    const { csrf_token } = (await signIn.json()) as { csrf_token: string };
    const proof = {
      cookie: signIn.headers
        .getSetCookie()
        .map((each) => each.split(";", 1)[0])
        .join("; "),
      "x-csrf-token": csrf_token,
    };
    expect((await replay("getUsersMe", proof)).status).toBe(200);
    expect((await replay("patchUsersMe", proof)).status).toBe(200);
    expect((await replay("putUsersMePassword", proof)).status).toBe(200);
    expect((await replay("getUsersMe")).status).toBe(401);
  });
});

describe("shapes", () => {
  test("name fields by where they are, and types in words", () => {
    const shape = {
      type: "object",
      required: ["items"],
      properties: {
        items: {
          type: "array",
          items: { type: "object", required: ["id"], properties: { id: { type: "string", format: "uuid" } } },
        },
        tier: {
          anyOf: [
            { type: "object", properties: { name: { type: "string", maxLength: 64 } } },
            { type: "null" },
          ],
        },
      },
    } as const;
    expect(shapesOf(shape)).toEqual([
      [
        { name: "items", isRequired: true, type: "list of object" },
        { name: "items[].id", isRequired: true, type: "uuid" },
        { name: "tier", isRequired: false, type: "object or null" },
        { name: "tier.name", isRequired: false, type: "string, at most 64 characters" },
      ],
    ]);
  });

  test.each([
    [{ type: "integer", minimum: -9007199254740991, maximum: 9007199254740991 }, "integer"],
    [{ type: "integer", minimum: 1, maximum: 60 }, "integer, from 1, up to 60"],
    [{ type: ["string", "null"] }, "string or null"],
    [{ type: "string", minLength: 1 }, "string, not empty"],
    [{ type: "string", format: "date-time" }, "time"],
    [{ const: "Bearer" }, `"Bearer"`],
    [{ enum: ["a", "b"] }, `"a", "b"`],
    [
      { type: "object", additionalProperties: { type: "array", items: { type: "string" } } },
      "object with values: list of string",
    ],
    [{}, "anything"],
  ])("%j", (schema, words) => {
    expect(typeOf(schema)).toBe(words);
  });
});
