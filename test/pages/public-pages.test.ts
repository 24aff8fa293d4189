import { describe, expect, test } from "vitest";
import { errorPage } from "../../server/pages/pages.ts";
import { AuthError, errorTable } from "../../src/errors.ts";
import { faulty } from "../../src/testing/faulty.ts";
import { world } from "../support/world.ts";
import { registered, visitor } from "./visitor.ts";

const app = "/app/dashboard";

test("the root leads to the app, or to the sign-in page", async () => {
  const here = world();
  expect(await visitor(here).open("/")).toMatchObject({ status: 302, location: "/login" });
  expect(await (await registered(here)).open("/")).toMatchObject({ status: 302, location: app });
});

test("the pages stand at the configured paths, also at the root itself", async () => {
  const here = world({ loginPath: "/enter", appPath: "/" });
  const guest = visitor(here);
  expect(await guest.open("/")).toMatchObject({ status: 302, location: "/enter" });
  expect((await guest.open("/enter")).text).toContain('action="/enter"');
  const ana = await registered(here);
  expect((await ana.open("/")).text).toContain("Welcome, Ana!");
});

test("the unauthorized page is a 403 with a way on", async () => {
  const ana = await registered(world());
  const page = await ana.open("/unauthorized");
  expect([page.status, page.text.includes('href="/account"')]).toEqual([403, true]);
});

describe("an error code", () => {
  test.each(errorTable())("has a page that says what it means: $code", async ({ code, status, message }) => {
    const page = await visitor(world()).open(`/problems/${code}`);
    expect(page.status).toBe(200);
    expect(page.text).toContain(`<code>${code}</code></h1>`);
    expect(page.text).toContain(`<span class="badge">${status}</span> ${message}`);
  });

  test("is in the list of all", async () => {
    const { text } = await visitor(world()).open("/problems");
    for (const { code } of errorTable()) expect(text).toContain(`href="/problems/${code}"`);
  });

  test.each(["nothing", "constructor", "%3Cscript%3E", "__proto__"])(
    "that is none is not found: %s",
    async (code) => {
      const page = await visitor(world()).open(`/problems/${code}`);
      expect(page.status).toBe(404);
      expect(page.text).not.toContain("<script");
    },
  );
});

test("another method than the page's is refused, and the right ones are named", async () => {
  const { browser } = visitor(world());
  const put = await browser.send("PUT", "/login");
  expect([put.status, put.headers.get("allow"), put.body.code]).toEqual([
    405,
    "GET, HEAD, POST",
    "method_not_allowed",
  ]);
  const post = await visitor(world()).post("/problems", {});
  expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
});

test("HEAD answers as GET does, without a body", async () => {
  const answer = await visitor(world()).browser.send("HEAD", "/login");
  expect([answer.status, answer.text]).toEqual([200, ""]);
});

test("stylesheet and icon are named by their content, and kept for a year", async () => {
  const guest = visitor(world());
  const { text } = await guest.open("/login");
  const paths = [...text.matchAll(/<link rel="(?:stylesheet|icon)"[^>]* href="([^"]+)"/g)].map(
    ([, path]) => path ?? "",
  );
  expect(paths).toHaveLength(2);
  for (const path of paths) {
    expect(path).toMatch(/^\/assets\/(latchkey|icon)\.[0-9a-f]{12}\.(css|svg)$/);
    const file = await guest.open(path);
    expect(file.status).toBe(200);
    expect(file.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(file.headers.get("content-type")).toMatch(/^(text\/css|image\/svg\+xml)/);
    expect(file.cookies).toEqual([]);
  }
});

test("no page has a script, a style of its own, an event handler or anything from elsewhere", async () => {
  const here = world();
  const ana = await registered(here);
  const guest = visitor(here);
  const pages = [
    ...(await Promise.all(
      ["/login", "/register", "/problems", "/problems/conflict", "/reset"].map((path) => guest.open(path)),
    )),
    ...(await Promise.all(
      [app, "/account", "/account/delete", "/logout", "/unauthorized"].map((path) => ana.open(path)),
    )),
  ];
  for (const { text } of pages) {
    expect(text).not.toMatch(
      /<script|<style|\sstyle=|\son\w+=|(?:src|href|action)="(?:https?:)?\/\/|javascript:/i,
    );
    expect(text.match(/<h1\b/g)).toHaveLength(1);
    expect(text).toMatch(/^<!doctype html>\n<html lang="en">/);
  }
});

test("every field has a label, and no page has an id twice", async () => {
  const here = world();
  const ana = await registered(here);
  for (const path of ["/account", "/account/delete"]) {
    const { text } = await ana.open(path);
    const ids = [...text.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const named = [...text.matchAll(/<input id="([^"]+)"/g)].map(([, id]) => id);
    for (const id of named) expect(text).toContain(`<label for="${id}">`);
  }
});

describe("a page for refusals that no page made", () => {
  const client = { ip: null, requestId: "request-7" };

  test("has the refusal's status and headers, and the request's id", async () => {
    const { auth } = world();
    const error = new AuthError("overloaded", {
      retryAfterSeconds: 3,
      diagnosis: "queue of 7",
      cause: new Error("inner"),
    });
    const response = await errorPage(auth, error, client, { requestId: client.requestId });
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "3"]);
    const text = await response.text();
    expect(text).toContain('Reference: <code class="breakable">request-7</code>');
    expect(text).not.toMatch(/queue of 7|inner/);
  });

  test("exists for what is not there", async () => {
    const response = await errorPage(world().auth, new AuthError("not_found"), client);
    expect([response.status, response.headers.get("content-type")]).toEqual([
      404,
      "text/html; charset=utf-8",
    ]);
  });
});

test("what goes wrong inside is told to the operator and to nobody else", async () => {
  const here = world({
    wrap: (stores) =>
      faulty(stores, ({ port, method }) => (port === "sessions" && method === "list" ? "refuse" : null)),
  });
  const ana = await registered(here);
  const page = await ana.open("/account");
  expect(page.status).toBe(503);
  expect(page.text).not.toMatch(/InjectedFault|refuse/);
});
