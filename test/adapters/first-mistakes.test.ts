import { afterAll, describe, expect, test } from "vitest";
import { express } from "../../src/adapters/express.ts";
import { fastify } from "../../src/adapters/fastify.ts";
import { hono } from "../../src/adapters/hono.ts";
import { type NextParts, next } from "../../src/adapters/next.ts";
import { node } from "../../src/adapters/node.ts";
import { websockets } from "../../src/adapters/websocket.ts";
import { type Auth, createAuth } from "../../src/auth.ts";
import { anyone, signedIn } from "../../src/guards/guards.ts";
import type { Guard } from "../../src/ports/guard.ts";
import { memory } from "../../src/stores/memory.ts";
import { secret } from "../support/world.ts";

type Protect = (handler: unknown, ...guards: readonly unknown[]) => unknown;

const parts = {} as NextParts;
const adapters: readonly (readonly [name: string, (auth: Auth) => unknown])[] = [
  ["node", node],
  ["express", express],
  ["fastify", fastify],
  ["hono", hono],
  ["next", (auth) => next(auth, parts)],
  ["websockets", websockets],
];

const auth = createAuth({ origin: "https://app.example", secrets: [secret], stores: memory() });
afterAll(() => auth.close());

describe("an adapter", () => {
  test.each(adapters)("%s takes what createAuth gives, and nothing else", (name, adapter) => {
    for (const wrong of [undefined, {}, Promise.resolve(auth)])
      expect(() => adapter(wrong as Auth)).toThrow(`${name}: auth is what createAuth gives`);
    expect(() => adapter(auth)).not.toThrow();
  });
});

const protects: readonly (readonly [name: string, Protect])[] = [
  ["auth", auth.protect as Protect],
  ["node", node(auth).protect as Protect],
  ["express", express(auth).protect as Protect],
  ["hono", hono(auth).protect as Protect],
  ["next", next(auth, parts).protect as Protect],
];
const handler = () => new Response();

describe("what `protect` cannot use it refuses where it is written, and not at the first request:", () => {
  test.each(protects)("of %s", (_, protect) => {
    expect(() => protect(undefined)).toThrow("the handler is a function, and stands before the guards");
    expect(() => protect(anyone(), handler)).toThrow("the handler is a function");
    expect(() => protect(handler, anyone)).toThrow("a function is no guard; call it: anyone(…)");
    for (const wrong of ["admin", undefined, null, [anyone()], {}])
      expect(() => protect(handler, signedIn(), wrong)).toThrow("what is given as a guard is none");
    expect(() => protect(handler, anyone(), signedIn())).not.toThrow();
  });

  test.each([
    ["express", express(auth).required],
    ["fastify", fastify(auth).required],
  ])("so does `required` of %s", (_, required) => {
    expect(() => required(anyone as unknown as Guard)).toThrow("required: a function is no guard");
    expect(() => required()).not.toThrow();
  });
});
