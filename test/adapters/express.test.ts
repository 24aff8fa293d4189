import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import expressApp from "express";
import { describe, expect, onTestFinished, test } from "vitest";
import { express } from "../../src/adapters/express.ts";
import { AuthError } from "../../src/errors.ts";
import { anyone, guard } from "../../src/guards/guards.ts";
import { cookieName, world } from "../support/world.ts";

async function shop() {
  const here = world();
  const ada = await here.registered();
  const { handle, protect, required, current, principal } = express(here.auth);
  const app = expressApp();
  app.use(handle);
  const seen: string[] = [];
  app.use((req, _res, next) => {
    seen.push(req.path);
    next();
  });
  app.use(expressApp.urlencoded({ extended: true }), expressApp.json());
  app.post(
    "/order",
    protect((_req, res: expressApp.Response, { displayName }) => res.send(displayName)),
  );
  app.get(
    "/closed",
    protect(
      (_req, res: expressApp.Response) => res.send("in"),
      guard("closed", () => false),
    ),
  );
  app.get(
    "/fails",
    protect(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      throw new AuthError("conflict");
    }),
  );
  app.get("/open", required(anyone()), (req, res) => void res.send(current(req).displayName));
  app.get("/forgotten", (req, res) => void res.send(principal(req).displayName));
  app.use(((error, _req, res, _next) => {
    res.status(418).send(String(error));
  }) as expressApp.ErrorRequestHandler);
  const server: Server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const cookie = [...ada.jar].map(([name, value]) => `${name}=${value}`).join("; ");
  const token = ada.jar.get(`${cookieName}-csrf`) ?? "";
  const order = (type: string, body: string) =>
    fetch(`${base}/order`, {
      method: "POST",
      headers: { cookie, "content-type": type, origin: "https://app.example" },
      body,
    });
  return { base, cookie, token, order, seen };
}

const form = "application/x-www-form-urlencoded";

describe("Express", () => {
  test("the CSRF token is found in the form that a parser has read", async () => {
    const { order, token } = await shop();
    expect((await order(form, `_token=${encodeURIComponent(token)}`)).status).toBe(200);
  });

  test.each([
    ["another's token", form, () => "_token=c1.someoneelse"],
    ["twice", form, (token: string) => `_token=${token}&_token=${token}`],
    ["nested", form, (token: string) => `_token[a]=${token}`],
    ["in JSON, which is no form", "application/json", (token: string) => JSON.stringify({ _token: token })],
    ["inherited", form, () => "__proto__[_token]=x"],
  ])("and not: %s", async (_what, type, body) => {
    const { order, token } = await shop();
    const answer = await order(type, body(token));
    expect(answer.status).toBe(403);
    expect((await answer.json()).code).toMatch(/^csrf_/);
  });

  test("what handle has answered goes no further", async () => {
    const { base, seen } = await shop();
    expect((await fetch(`${base}/api/v1/auth/session`)).status).toBe(200);
    expect((await fetch(`${base}/nowhere`)).status).toBe(404);
    expect(seen).toEqual(["/nowhere"]);
  });

  test("protect asks its guards, and what a handler throws later is answered as well", async () => {
    const { base, cookie } = await shop();
    const statusOf = async (path: string) => (await fetch(`${base}${path}`, { headers: { cookie } })).status;
    expect([await statusOf("/closed"), await statusOf("/fails")]).toEqual([403, 409]);
  });

  test("a route that asks nobody says so in place of guessing", async () => {
    const { base, cookie } = await shop();
    const forgotten = await fetch(`${base}/forgotten`, { headers: { cookie } });
    expect([forgotten.status, await forgotten.text()]).toEqual([
      418,
      expect.stringMatching(/put required\(\)/),
    ]);
    const open = await fetch(`${base}/open`);
    expect([open.status, await open.text()]).toEqual([418, expect.stringMatching(/nobody is signed in/)]);
  });
});
