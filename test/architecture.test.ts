import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { inspect, type Packages, RULES } from "./architecture/rules.ts";

const root = join(import.meta.dirname, "..");

describe("the repository", () => {
  const { violations, fileCount, importCount } = inspect(
    readTree(["src", "server", "bench", "tools", "examples", "test/servers", "test/support"]),
    readPackages(),
  );

  test("keeps every import rule", () => {
    expect(violations.map(({ rule, file, detail }) => `${file}: ${rule}: ${detail}`)).toEqual([]);
  });

  test("was really read", () => {
    expect(fileCount).toBeGreaterThan(30);
    expect(importCount).toBeGreaterThan(60);
  });
});

const packages: Packages = {
  coreDependencies: ["zod"],
  coreExports: ["latchkey", "latchkey/node"],
  serverDependencies: ["latchkey", "hono"],
  serverDrivers: ["pg"],
  serverExports: ["latchkey-server"],
  exampleDependencies: ["latchkey", "express"],
};

/** A small house in which every import is allowed. */
const HOUSE: Readonly<Record<string, string>> = {
  "src/index.ts": `export { createAuth } from "./auth.ts"; export type { User } from "./domain/user.ts";`,
  "src/auth.ts": `import { login } from "./flows/login.ts"; export const createAuth = () => login;`,
  "src/errors.ts": `export class AuthError extends Error {}`,
  "src/config.ts": `import { AuthError } from "./errors.ts"; export const config = AuthError;`,
  "src/domain/user.ts": `import { AuthError } from "../errors.ts"; export type User = AuthError;`,
  "src/ports/store.ts": `import type { User } from "../domain/user.ts"; export type Store = User;`,
  "src/stores/sqlite/rows.ts": `import { DatabaseSync } from "node:sqlite"; import type { Store } from "../../ports/store.ts";`,
  "src/stores/postgres/rows.ts": `import { retried } from "../sql/retry.ts"; export const rows = retried;`,
  "src/stores/sql/retry.ts": `export const retried = 1;`,
  "src/http/body.ts": `import { z } from "zod"; export const body = z;`,
  "src/flows/login.ts": `import type { Store } from "../ports/store.ts"; export const login = null as Store | null;`,
  "src/password/argon2id.ts": `export const thread = new URL("./thread.ts", import.meta.url);`,
  "src/password/thread.ts": `import { config } from "../config.ts"; config;`,
  "src/adapters/node.ts": `import type { createAuth } from "../auth.ts"; import { body } from "../http/body.ts";`,
  "server/main.ts": `import { createAuth } from "latchkey"; import "latchkey/node"; import { Hono } from "hono"; import "./page.css";`,
  "server/page.css": `not read`,
  "examples/example.ts": `export interface Example { start(): void }`,
  "examples/run.ts": `import type { Example } from "./example.ts"; export const load = (): Promise<Example> => import("./api/main.ts");`,
  "examples/api/main.ts": `import type { Example } from "../example.ts"; import "./app.ts"; import "latchkey-server"; export const start: Example["start"] = () => {};`,
  "examples/api/app.ts": `import { createAuth } from "latchkey"; import "latchkey/node"; import "express";`,
  "server/drivers/pg.ts": `import type { Pool } from "pg"; export const load = (): Promise<Pool> => import("pg");`,
};

/** Rule, the file planted into the house, and what it says. Comments and strings must not count. */
const PLANTED: readonly (readonly [rule: string, file: string, text: string])[] = [
  ["an import leads to a file of the repository", "src/flows/a.ts", `import "./gone.ts";`],
  ["an import leads to a file of the repository", "src/flows/a.ts", `import "./login.js";`],
  ["an import leads to a file of the repository", "src/flows/a.ts", `new URL("./gone.ts", import.meta.url);`],
  ["a layer sees only the layers below it", "src/domain/a.ts", `import "../ports/store.ts";`],
  [
    "a layer sees only the layers below it",
    "src/ports/a.ts",
    `import type { login } from "../flows/login.ts";`,
  ],
  ["a layer sees only the layers below it", "src/flows/a.ts", `export { body } from "../http/body.ts";`],
  [
    "a layer sees only the layers below it",
    "src/endpoints/a.ts",
    `await import("../stores/postgres/rows.ts");`,
  ],
  ["a layer sees only the layers below it", "src/guards/a.ts", `type A = import("../http/body.ts").Body;`],
  ["a layer sees only the layers below it", "src/strategies/a.ts", `require("../flows/login.ts");`],
  ["a layer sees only the layers below it", "src/errors.ts", `import "./config.ts";`],
  [
    "adapters and contract suites know auth by its type",
    "src/adapters/a.ts",
    `import { createAuth } from "../auth.ts";`,
  ],
  [
    "adapters and contract suites know auth by its type",
    "src/testing/contract/a.ts",
    `export * from "../../auth.ts";`,
  ],
  ["the client loads nothing but itself", "src/client/a.ts", `import { errorTable } from "../errors.ts";`],
  [
    "parts of one layer do not know each other, or only those before them",
    "src/stores/sqlite/a.ts",
    `import "../postgres/rows.ts";`,
  ],
  [
    "parts of one layer do not know each other, or only those before them",
    "src/stores/sql/a.ts",
    `import "../postgres/rows.ts";`,
  ],
  [
    "parts of one layer do not know each other, or only those before them",
    "src/flows/account/a.ts",
    `import "../tokens/a.ts";`,
  ],
  [
    "parts of one layer do not know each other, or only those before them",
    "src/flows/a.ts",
    `import "./account/a.ts";`,
  ],
  [
    "parts of one layer do not know each other, or only those before them",
    "src/flows/account/a.ts",
    `import "../unknown/a.ts";`,
  ],
  ["src names no database driver", "src/stores/a.ts", `import type { Pool } from "pg";`],
  ["src names no database driver", "src/stores/a.ts", `await import("mysql2/promise");`],
  ["src imports only itself, node: and its own dependencies", "src/http/a.ts", `import "hono";`],
  ["src imports only itself, node: and its own dependencies", "src/http/a.ts", `import "fs";`],
  [
    "src imports only itself, node: and its own dependencies",
    "src/http/a.ts",
    `import "../../server/main.ts";`,
  ],
  ["the server sees only what latchkey exports", "server/a.ts", `import "../src/auth.ts";`],
  ["the server sees only what latchkey exports", "server/a.ts", `import "latchkey/dist/auth.js";`],
  ["the server sees only what latchkey exports", "server/a.ts", `import "zod";`],
  ["the server sees only what latchkey exports", "server/drivers/a.ts", `await import("mongodb");`],
  ["the server loads a driver when it is asked for", "server/drivers/a.ts", `import { Pool } from "pg";`],
  ["the server loads a driver when it is asked for", "server/a.ts", `await import("pg");`],
  ["the server loads a driver when it is asked for", "server/a.ts", `import type { Pool } from "pg";`],
  ["examples import only what is public", "examples/a/a.ts", `import "../../src/auth.ts";`],
  ["examples import only what is public", "examples/a/a.ts", `import "../api/app.ts";`],
  ["examples import only what is public", "examples/a/a.ts", `import "latchkey/dist/auth.js";`],
  ["examples import only what is public", "examples/a/a.ts", `import "latchkey-server/app.ts";`],
  ["examples import only what is public", "examples/a/a.ts", `import "hono";`],
  ["examples import only what is public", "examples/a.ts", `import "../server/main.ts";`],
  ["every part of src has its row in the table", "src/helpers/a.ts", ``],
  ["only the root has an index.ts", "src/flows/index.ts", `export {} from "./login.ts";`],
  ["the root index only re-exports", "src/index.ts", `export const version = 1;`],
  [
    "what is below HTTP makes no Response",
    "src/flows/a.ts",
    `export const a = (): Response => new Response();`,
  ],
  ["nothing reads NODE_ENV", "server/a.ts", `process.env.NODE_ENV;`],
  ["nothing reads NODE_ENV", "src/http/a.ts", `const { NODE_ENV } = process.env;`],
  ["nothing reads NODE_ENV", "src/http/a.ts", `process.env["NODE_ENV"];`],
  ["no file imports itself in a circle", "src/domain/user.ts", `export type { A } from "./a.ts";`],
];

describe("the gate is alive", () => {
  test("a house that keeps the rules passes", () => {
    expect(inspect(house({}), packages).violations).toEqual([]);
  });

  test.each(PLANTED)("it finds: %s (%s: %s)", (rule, file, text) => {
    const circle = { "src/domain/a.ts": `import type { User } from "./user.ts";` };
    const { violations } = inspect(
      house({ ...(rule.includes("circle") ? circle : {}), [file]: text }),
      packages,
    );
    expect(violations.map((found) => found.rule)).toContain(rule);
  });

  test("every rule has been seen firing", () => {
    expect(new Set(PLANTED.map(([rule]) => rule))).toEqual(new Set(RULES));
  });

  test("comments and longer strings are not imports", () => {
    const text = `// import "../stores/postgres/rows.ts"; NODE_ENV\nexport const text = 'import "pg"; NODE_ENV=1';`;
    expect(inspect(house({ "src/flows/a.ts": text }), packages).violations).toEqual([]);
  });
});

function house(changes: Readonly<Record<string, string>>): Map<string, string> {
  return new Map(Object.entries({ ...HOUSE, ...changes }));
}

function readTree(folders: readonly string[]): Map<string, string> {
  const files = globSync(
    folders.map((folder) => `${folder}/**/*.*`),
    { cwd: root, exclude: (name) => /(^|\/)(node_modules|dist)$/.test(name) },
  );
  return new Map(
    files.map((file) => [file, /\.(ts|mjs)$/.test(file) ? readFileSync(join(root, file), "utf8") : ""]),
  );
}

function readPackages(): Packages {
  const [core, server, examples] = ["", "server/", "examples/"].map((folder) =>
    readManifest(`${folder}package.json`),
  ) as [Manifest, Manifest, Manifest];
  return {
    coreDependencies: Object.keys(core.dependencies),
    coreExports: exportsOf("latchkey", core),
    serverDependencies: Object.keys(server.dependencies),
    serverDrivers: Object.keys(server.peerDependencies ?? {}),
    serverExports: exportsOf("latchkey-server", server),
    exampleDependencies: Object.keys(examples.dependencies),
  };
}

interface Manifest {
  readonly dependencies: object;
  readonly peerDependencies?: object;
  readonly exports?: object;
}

function exportsOf(name: string, { exports = {} }: Manifest): string[] {
  return Object.keys(exports).map((subpath) => `${name}${subpath.slice(1)}`);
}

function readManifest(file: string): Manifest {
  return JSON.parse(readFileSync(join(root, file), "utf8"));
}
