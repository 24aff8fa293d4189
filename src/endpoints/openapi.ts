import type { Config } from "../config.ts";
import { errorTable } from "../errors.ts";
import type { Guard } from "../ports/guard.ts";
import type { JsonSchema, Route } from "../ports/route.ts";
import { conditionsOf, nounOf, nouns, refusalsOf } from "./operation-notes.ts";

/** The OpenAPI 3.1 document of a table of routes, its own route included. @see https://spec.openapis.org/oas/v3.1.1 */
export function openApi(
  routes: readonly Route[],
  config: Pick<Config, "origin" | "basePath" | "cookie">,
): JsonSchema {
  const paths: Record<string, Record<string, unknown>> = {};
  const hasTokens = routes.some(({ path }) => path === "/auth/token");
  for (const route of routes) {
    const path = route.isAtRoot ? route.path : config.basePath + route.path;
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, hasTokens) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Latchkey",
      version: "1",
      description: "Authentication: accounts, passwords and sessions.",
    },
    servers: [{ url: config.origin }],
    tags: tagsOf(routes),
    paths,
    components: {
      schemas: { Problem: problemSchema },
      securitySchemes: {
        session: { type: "apiKey", in: "cookie", name: config.cookie.name },
        csrf: { type: "apiKey", in: "header", name: "X-CSRF-Token" },
        ...(hasTokens && { bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" } }),
      },
    },
  };
}

/** The route of the document itself. `routes` is asked when the document is. */
export function openApiRoute(anyone: Guard, routes: () => readonly Route[], config: Config): Route {
  return {
    method: "GET",
    path: "/openapi.json",
    summary: "This document",
    guards: [anyone],
    answers: { 200: () => ({ type: "object" }) },
    handle: async () => ({ status: 200, body: openApi(routes(), config) }),
  };
}

function operation(route: Route, hasTokens: boolean): JsonSchema {
  const needsSession = !route.guards.every((guard) => guard.asksAnonymous);
  const isUnsafe = route.method !== "GET";
  const parameters = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const schema = route.inputJsonSchema?.();
  return {
    operationId: operationId(route),
    summary: route.summary,
    description: conditionsOf(route).join(" "),
    tags: [nounOf(route).name],
    ...(parameters.length > 0 && { parameters }),
    ...(schema !== undefined && {
      requestBody: {
        required: true,
        content: { "application/json": { schema }, "application/x-www-form-urlencoded": { schema } },
      },
    }),
    security: needsSession
      ? [isUnsafe ? { session: [], csrf: [] } : { session: [] }, ...(hasTokens ? [{ bearer: [] }] : [])]
      : [],
    responses: { ...goodAnswers(route), ...refusals(route), default: problemAnswer },
  };
}

function tagsOf(routes: readonly Route[]): readonly JsonSchema[] {
  const used = new Map(routes.map((route) => [nounOf(route).name, nounOf(route)]));
  const known = nouns.filter(({ name }) => used.delete(name));
  return [...known, ...used.values()].map(({ name, description }) => ({ name, description }));
}

function refusals(route: Route): Record<string, unknown> {
  return Object.fromEntries(
    [...refusalsOf(route)].map(([status, codes]) => [
      status,
      { ...problemAnswer, description: codes.map((code) => `\`${code}\``).join(", ") },
    ]),
  );
}

function goodAnswers(route: Route): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(route.answers).map(([status, schema]) => [
      status,
      {
        description: route.summary,
        ...(schema !== null && { content: { "application/json": { schema: schema() } } }),
      },
    ]),
  );
}

function operationId({ method, path }: Route): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== "");
  return method.toLowerCase() + words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join("");
}

const problemAnswer = {
  description: "A refusal; `code` says which",
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
};

const problemSchema = {
  type: "object",
  required: ["type", "title", "status", "code", "detail", "request_id"],
  properties: {
    type: { type: "string", format: "uri" },
    title: { type: "string" },
    status: { type: "integer" },
    code: { type: "string", enum: errorTable().map(({ code }) => code) },
    detail: { type: "string" },
    request_id: { type: "string" },
    errors: {
      type: "array",
      items: {
        type: "object",
        required: ["field", "code", "message"],
        properties: { field: { type: "string" }, code: { type: "string" }, message: { type: "string" } },
      },
    },
  },
};
