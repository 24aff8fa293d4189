import { describe, expect, test } from "vitest";
import { errorTable } from "../../src/errors.ts";
import { apiKeys } from "../../src/features/api-keys.ts";
import { tokens } from "../../src/features/tokens.ts";
import type { JsonSchema } from "../../src/ports/route.ts";
import { fits } from "../support/fits.ts";
import { allRoutes, fieldsOf, pathOf } from "../support/routes.ts";
import { password, world } from "../support/world.ts";

const features = [apiKeys(), tokens()];
const routes = await allRoutes(features);

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly schema: JsonSchema;
  }[];
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>>;
  };
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly responses: Readonly<
    Record<
      string,
      {
        readonly description: string;
        readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>;
      }
    >
  >;
}

interface Document {
  readonly openapi: string;
  readonly info: Readonly<Record<string, string>>;
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly securitySchemes: Readonly<Record<string, JsonSchema>>;
  };
}

async function fetched(
  options: Parameters<typeof world>[0] = {},
  path = "/api/v1/openapi.json",
): Promise<Document> {
  const { status, text } = await world({ features, ...options })
    .browser()
    .get(path);
  expect(status).toBe(200);
  return JSON.parse(text) as Document;
}

function operations({ paths }: Document) {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
}

/** Every schema within, for what has to hold of each. */
function schemasWithin(value: unknown): readonly JsonSchema[] {
  if (typeof value !== "object" || value === null) return [];
  return [value as JsonSchema, ...Object.values(value).flatMap(schemasWithin)];
}

describe("the OpenAPI document", () => {
  test("is of version 3.1, on the configured origin", async () => {
    const document = await fetched({ origin: "https://id.example" });
    expect(document.openapi).toBe("3.1.0");
    expect(document.servers).toEqual([{ url: "https://id.example" }]);
    expect(Object.keys(document.info).sort()).toEqual(["description", "title", "version"]);
    expect(Object.keys(document).sort()).toEqual([
      ...["components", "info", "openapi", "paths", "servers", "tags"],
    ]);
  });

  test("has every route and nothing else", async () => {
    const listed = operations(await fetched()).map(({ path, method }) => `${method.toUpperCase()} ${path}`);
    const expected = routes.map(
      (route) => `${route.method} ${(route.isAtRoot ? "" : "/api/v1") + route.path}`,
    );
    expect(listed.sort()).toEqual(expected.sort());
    expect(expected.length).toBeGreaterThan(15);
  });

  test("lies below the configured base path", async () => {
    const document = await fetched({ basePath: "/auth-api" }, "/auth-api/openapi.json");
    expect(Object.keys(document.paths)).toContain("/auth-api/users/me");
    expect(Object.keys(document.paths)).toContain("/healthz");
  });

  test("names each operation once, by a plain id, and says what it does", async () => {
    const all = operations(await fetched()).map(({ operation }) => operation);
    const ids = all.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => /^[a-z][A-Za-z0-9]+$/.test(id))).toBe(true);
    expect(all.every(({ summary }) => summary.length > 5)).toBe(true);
  });

  test("declares each variable of a path, and no other", async () => {
    for (const { path, operation } of operations(await fetched())) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect((operation.parameters ?? []).map(({ name }) => name)).toEqual(named);
      for (const parameter of operation.parameters ?? [])
        expect(parameter).toMatchObject({ in: "path", required: true, schema: { type: "string" } });
    }
  });

  test("has the input of each route that has one, as JSON and as a form", async () => {
    const document = await fetched();
    for (const route of routes) {
      const operation =
        document.paths[(route.isAtRoot ? "" : "/api/v1") + route.path]?.[route.method.toLowerCase()];
      if (route.input === undefined) expect(operation?.requestBody).toBe(undefined);
      else {
        expect(Object.keys(operation?.requestBody?.content ?? {})).toEqual([
          "application/json",
          "application/x-www-form-urlencoded",
        ]);
        const schema = operation?.requestBody?.content["application/json"]?.schema;
        expect(schema).toMatchObject({ type: "object" });
        expect(Object.keys(schema?.properties as object)).toEqual(fieldsOf(route).names);
      }
    }
  });

  test("asks for a session where a guard does, and for the CSRF token where the method is unsafe", async () => {
    for (const { path, method, operation } of operations(await fetched())) {
      const route = routes.find(
        (each) =>
          each.method.toLowerCase() === method && (each.isAtRoot ? "" : "/api/v1") + each.path === path,
      );
      const isOpen = route?.guards.every(({ asksAnonymous }) => asksAnonymous);
      expect([path, method, operation.security]).toEqual([
        path,
        method,
        isOpen ? [] : [method === "get" ? { session: [] } : { session: [], csrf: [] }, { bearer: [] }],
      ]);
    }
  });

  test("groups operations by a noun that it describes, and none is left over", async () => {
    const document = await fetched();
    const tags = document.tags.map(({ name }) => name);
    expect(new Set(tags).size).toBe(tags.length);
    expect(new Set(operations(document).flatMap(({ operation }) => operation.tags))).toEqual(new Set(tags));
    expect(tags).not.toContain("Other");
    expect(document.tags.every(({ description }) => description.length > 10)).toBe(true);
    expect(document.paths["/api/v1/users/me/sessions"]?.get?.tags).toEqual(["Sessions"]);
    expect(document.paths["/api/v1/users/me"]?.get?.tags).toEqual(["Account"]);
  });

  test("says who may, how often, and which refusals come before the handler", async () => {
    const { paths } = await fetched();
    const register = paths["/api/v1/auth/register"]?.post;
    expect(register?.description).toBe("Open to anyone. At most 100 per address in an hour.");
    const codes = (path: string, method: string): Record<string, string> =>
      Object.fromEntries(
        Object.entries(paths[path]?.[method]?.responses ?? {})
          .filter(([status]) => Number(status) >= 400)
          .map(([status, { description }]) => [status, description]),
      );
    expect(codes("/api/v1/auth/register", "post")).toEqual({
      400: "`invalid_input`, `malformed_json`, `password_rejected`",
      403: "`forbidden`, `origin_rejected`, `registration_closed`",
      409: "`email_taken`, `username_taken`",
      413: "`payload_too_large`",
      415: "`unsupported_media_type`",
      429: "`rate_limited`",
      503: "`overloaded`, `store_unavailable`",
    });
    expect(codes("/api/v1/users/me/sessions/{id}", "delete")).toEqual({
      401: "`not_authenticated`, `session_expired`",
      403: "`password_change_required`, `csrf_required`, `csrf_failed`, `origin_rejected`",
      404: "`not_found`",
      503: "`store_unavailable`",
    });
    expect(paths["/api/v1/users/me"]?.get?.description).toBe("Needs somebody who is signed in.");
  });

  test("speaks of bearer tokens where there are any", async () => {
    const { components } = await fetched();
    expect(components.securitySchemes.bearer).toEqual({
      type: "http",
      scheme: "bearer",
      bearerFormat: "JWT",
    });
    const without = await fetched({ features: [] });
    expect(without.components.securitySchemes).not.toHaveProperty("bearer");
    expect(JSON.stringify(without.paths)).not.toContain("bearer");
  });

  test("says what a refusal looks like, every code included", async () => {
    const document = await fetched();
    for (const { operation } of operations(document)) {
      expect(operation.responses.default?.content?.["application/problem+json"]?.schema).toEqual({
        $ref: "#/components/schemas/Problem",
      });
    }
    expect(document.components.schemas.Problem).toMatchObject({
      required: ["type", "title", "status", "code", "detail", "request_id"],
      properties: { code: { enum: errorTable().map(({ code }) => code) } },
    });
    expect(document.components.securitySchemes.session).toEqual({
      type: "apiKey",
      in: "cookie",
      name: "__Host-latchkey",
    });
  });

  test("holds sound schemas: what is required is described, references lead somewhere, nothing of zod is left over", async () => {
    const document = await fetched();
    for (const schema of schemasWithin(document)) {
      if (
        Array.isArray(schema.required) &&
        typeof schema.properties === "object" &&
        schema.properties !== null
      ) {
        for (const name of schema.required) expect(Object.keys(schema.properties)).toContain(name);
      }
      if (typeof schema.$ref === "string")
        expect(document.components.schemas).toHaveProperty(schema.$ref.split("/").at(-1) ?? "");
      expect(schema).not.toHaveProperty("$schema");
      expect(schema).not.toHaveProperty("~standard");
    }
  });
});

describe("the refusals that rows name", () => {
  const codesOf = (document: Document, path: string, method: string): string =>
    Object.values(document.paths[path]?.[method]?.responses ?? {})
      .map(({ description }) => description)
      .join(" ");

  test.each([
    ["post", "/auth/register", { email: "ana@example.com", password }, 409, "email_taken"],
    ["post", "/auth/register", { email: "b@example.com", password: "short" }, 400, "password_rejected"],
    [
      "post",
      "/auth/login",
      { email: "ana@example.com", password: "wrong password" },
      401,
      "invalid_credentials",
    ],
    ["post", "/auth/reauthenticate", { password: "wrong password" }, 401, "invalid_credentials"],
    [
      "put",
      "/users/me/password",
      { current_password: "wrong one", new_password: `${password}!` },
      401,
      "invalid_credentials",
    ],
    ["post", "/auth/password/reset", { token: "none", new_password: `${password}!` }, 400, "token_invalid"],
    ["patch", "/users/me", { email: "bob@example.com" }, 409, "email_taken"],
    [
      "post",
      "/auth/token",
      { email: "ana@example.com", password: "wrong password" },
      401,
      "invalid_credentials",
    ],
  ] as const)("%s %s answers %j with %i %s, as its row says", async (method, path, json, status, code) => {
    const here = world({ features });
    const ana = await here.registered("ana@example.com");
    await here.registered("bob@example.com");
    const answer = await ana.send(method.toUpperCase(), `/api/v1${path}`, { json });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect(codesOf(await fetched(), `/api/v1${path}`, method)).toContain(`\`${code}\``);
  });
});

describe("every route answers what the document says", () => {
  const bodies: Readonly<Record<string, unknown>> = {
    "POST /auth/register": { email: "new@example.com", password },
    "POST /auth/login": { email: "ana@example.com", password },
    "POST /auth/reauthenticate": { password },
    "PUT /users/me/password": { current_password: password, new_password: `${password}!` },
    "PATCH /users/me": { name: "Ana" },
    "PUT /users/me": { name: "Ana" },
    "POST /api-keys": { name: "CI" },
    "PATCH /api-keys/{id}": { name: "CD" },
    "POST /api-keys/{id}/rotate": {},
  };

  test.each(routes.map((route) => [`${route.method} ${route.path}`, route] as const))(
    "%s",
    async (name, route) => {
      const here = world({ features });
      const ana = await here.registered();
      const key = await ana.post("/api/v1/api-keys", { name: "CI" });
      const [session] = await here.auth.sessions.list(ana.userId);
      const id = String(route.path.startsWith("/api-keys") ? key.body.id : session?.id);
      const { body: tokens } = await ana.post("/api/v1/auth/token");
      const withTokens: Readonly<Record<string, unknown>> = {
        "POST /auth/token/refresh": { refresh_token: tokens.refresh_token },
        "POST /auth/token/revoke": { token: tokens.access_token },
        "POST /auth/password/reset": {
          token: await here.auth.users.issueResetToken(ana.userId),
          new_password: `${password}!`,
        },
        ...bodies,
      };
      const json = withTokens[name];
      const { status, text, body } = await ana.send(route.method, pathOf(route, id), { json });
      expect(Object.keys(route.answers)).toContain(String(status));
      const schema = route.answers[status];
      if (schema === null) expect(text).toBe("");
      else if (route.path !== "/openapi.json")
        expect([body, fits(schema?.() ?? {}, body)]).toEqual([body, true]);
    },
  );
});
